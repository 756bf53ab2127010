//! yinxin-http
