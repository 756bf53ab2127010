//! yinxin-token
