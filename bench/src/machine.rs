//! What the figures were measured on: enough to judge them, nothing that names a person or a path.

use std::fs;
use std::path::Path;

use serde::Serialize;

/// The machine.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// Cores this process may use.
    pub cores: usize,
    /// The processor's own name.
    pub processor: String,
    /// The kernel's release.
    pub kernel: String,
    /// File system of the data folder, as far as it matters: `memory` makes durable writes meaningless.
    pub data_on: &'static str,
}

impl Machine {
    /// Looks around; what cannot be read is "unknown".
    pub fn seen_from(scratch: &Path) -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let processor = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").ok();
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            processor: processor.map_or("unknown", |(_, name)| name).to_owned(),
            kernel: kernel.as_deref().map_or("unknown", str::trim).to_owned(),
            data_on: if in_memory(scratch) { "memory" } else { "disk" },
        }
    }
}

/// Whether the folder is on tmpfs or ramfs, where fsync costs nothing.
fn in_memory(folder: &Path) -> bool {
    const TMPFS: i128 = 0x0102_1994;
    const RAMFS: i128 = 0x8584_58f6;
    rustix::fs::statfs(folder).is_ok_and(|about| [TMPFS, RAMFS].contains(&i128::from(about.f_type)))
}
