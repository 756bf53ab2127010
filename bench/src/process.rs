//! CPU time and memory of a process, from `/proc`.

use std::fs;
use std::time::Duration;

use crate::problem::{Explain as _, Problem, Result};

/// User and system time the process has used, all threads, ended ones included. Steps of a clock tick (10 ms).
pub fn cpu_time(pid: u32) -> Result<Duration> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).explain("cannot read the server's CPU time")?;
    let ticks = cpu_ticks(&text).ok_or_else(|| Problem::new("cannot understand /proc/PID/stat"))?;
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    Ok(Duration::from_millis(ticks.saturating_mul(1000) / per_second))
}

/// Resident memory in bytes.
pub fn resident_bytes(pid: u32) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).explain("cannot read the server's memory")?;
    resident_kib(&text).map(|kib| kib * 1024).ok_or_else(|| Problem::new("cannot understand /proc/PID/status"))
}

/// utime + stime, fields 14 and 15; counted behind the command name, which may hold spaces and brackets.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn resident_kib(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{cpu_ticks, resident_kib};

    #[test]
    fn cpu_time_survives_an_odd_process_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 100 0 0 0 250 17 3 4 20 0 8 0 900 1 2";
        assert_eq!(cpu_ticks(stat), Some(267));
        assert_eq!(cpu_ticks("7 (cut) S 1"), None);
    }

    #[test]
    fn resident_memory_is_read_in_kib() {
        assert_eq!(resident_kib("VmPeak:\t  900 kB\nVmRSS:\t   24312 kB\n"), Some(24312));
        assert_eq!(resident_kib("VmPeak:\t  900 kB\n"), None);
    }
}
