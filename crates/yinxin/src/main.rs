//! The program `yinxin`. Everything is in the library of the same name.

use std::process::ExitCode;

// Measured against the system's allocator, see docs/performance.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    yinxin::run()
}
