//! yinxin-admin
