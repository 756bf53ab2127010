//! yinxin-easemob
