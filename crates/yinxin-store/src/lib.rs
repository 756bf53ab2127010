//! yinxin-store
