//! yinxin-core
