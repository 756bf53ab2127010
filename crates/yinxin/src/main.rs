//! yinxin
fn main() {}
