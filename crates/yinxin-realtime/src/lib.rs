//! yinxin-realtime
