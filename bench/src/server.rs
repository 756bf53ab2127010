//! A server, of one child process or of several nodes: started, found by the line they print, measured by their process
//! ids, always ended.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::oneshot;

use crate::problem::{Explain as _, Problem, Result};
use crate::process;

/// How long a server may take until it accepts, even on a big folder.
const START_LIMIT: Duration = Duration::from_mins(1);
/// How long a server may take to end when asked, before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(20);
/// What both servers print before their address.
const GREETING: &str = "listening on http://";

/// A running server. Dropping it kills it.
pub struct Server {
    name: &'static str,
    nodes: Vec<Node>,
    /// Whose turn it is to get a connection.
    next: AtomicUsize,
}

/// One process of it.
struct Node {
    child: Child,
    address: SocketAddr,
}

/// Kills the process if the server never got as far as listening.
struct Guard(Option<Child>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            end(child);
        }
    }
}

impl Server {
    /// Starts commands that print their addresses, one after the other; what they write to standard error goes to their
    /// logs.
    pub async fn start(name: &'static str, commands: Vec<(Command, PathBuf)>) -> Result<Self> {
        let mut server = Self { name, nodes: Vec::new(), next: AtomicUsize::new(0) };
        for (command, log) in commands {
            server.nodes.push(Node::start(name, command, &log).await?);
        }
        Ok(server)
    }

    /// What to call it in a message.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Where it accepts: the nodes in turn.
    pub fn address(&self) -> SocketAddr {
        self.nodes[self.next.fetch_add(1, Ordering::Relaxed) % self.nodes.len()].address
    }

    /// CPU time used so far, of all nodes together.
    pub fn cpu_time(&self) -> Result<Duration> {
        self.nodes.iter().map(|node| process::cpu_time(node.child.id())).sum()
    }

    /// Resident memory in MiB, of all nodes together.
    pub fn resident_mib(&self) -> Result<f64> {
        let bytes: u64 = self.nodes.iter().map(|node| process::resident_bytes(node.child.id())).sum::<Result<_>>()?;
        Ok(crate::stats::float(bytes) / (1024.0 * 1024.0))
    }

    /// Asks it to end, so that it leaves its folder tidy; kills it if it does not.
    pub async fn stop(mut self) -> Result<()> {
        for node in &self.nodes {
            let pid = i32::try_from(node.child.id()).ok().and_then(Pid::from_raw);
            let pid = pid.ok_or_else(|| Problem::new("the server has no process id"))?;
            kill_process(pid, Signal::TERM).explain("cannot ask the server to end")?;
        }
        let asked = std::time::Instant::now();
        for node in &mut self.nodes {
            while node.child.try_wait().explain("cannot wait for the server")?.is_none() {
                if asked.elapsed() > STOP_LIMIT {
                    let name = self.name;
                    return Err(Problem::new(format!(
                        "{name} did not end within {STOP_LIMIT:?} of SIGTERM and was killed"
                    )));
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        Ok(())
    }
}

impl Node {
    async fn start(name: &str, mut command: Command, log: &Path) -> Result<Self> {
        let errors = File::create(log).explain("cannot write the server's log")?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let mut guard = Guard(Some(command.spawn().explain(&format!("cannot start {name}"))?));
        let stdout = guard.0.as_mut().and_then(|child| child.stdout.take());
        let address = listening(stdout.ok_or_else(|| Problem::new("the server has no standard output"))?);
        let address = match tokio::time::timeout(START_LIMIT, address).await {
            Ok(Ok(address)) => address,
            Ok(Err(_)) => return Err(unready(name, "ended without accepting", log)),
            Err(_) => return Err(unready(name, "did not accept within 60 seconds", log)),
        };
        let child = guard.0.take().ok_or_else(|| Problem::new("the server is gone"))?;
        Ok(Self { child, address })
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Kills and reaps; both fail only when the process is gone already.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Reads the address from what the server prints, then keeps reading so that its pipe never fills.
fn listening(stdout: ChildStdout) -> oneshot::Receiver<SocketAddr> {
    let (found, address) = oneshot::channel();
    std::thread::spawn(move || {
        let mut found = Some(found);
        for line in BufReader::new(stdout).lines() {
            let Ok(line) = line else { return };
            let Some(address) = address_in(&line) else { continue };
            if let Some(found) = found.take() {
                // The receiver is gone only when nobody waits for the server any more.
                let _ = found.send(address);
            }
        }
    });
    address
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, address) = line.split_once(GREETING)?;
    address.split(|letter: char| letter.is_whitespace() || letter == '/').next()?.parse().ok()
}

/// A server that never accepted, with the end of what it said.
fn unready(name: &str, what: &str, log: &Path) -> Problem {
    let end = last_words(log);
    Problem::new(format!("{name} {what}; it must print \"{GREETING}ADDRESS:PORT\"{end}"))
}

/// The end of a server's log, as the end of a message; nothing if it is empty.
pub fn last_words(log: &Path) -> String {
    let said = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = said.lines().collect();
    let end = &lines[lines.len().saturating_sub(10)..];
    if end.is_empty() { String::new() } else { format!(". Its last words:\n    {}", end.join("\n    ")) }
}

#[cfg(test)]
mod tests {
    use super::address_in;

    #[test]
    fn the_address_is_found_in_the_greeting() {
        let address = Some(([127, 0, 0, 1], 8088).into());
        assert_eq!(address_in("yinxin listening on http://127.0.0.1:8088"), address);
        assert_eq!(address_in("bare listening on http://127.0.0.1:8088/ (ready)"), address);
        assert_eq!(address_in("yinxin starting"), None);
    }
}
