//! The built binary as a test sees it: started on a free port with an empty data folder, driven through its command
//! line and its sockets, and gone, with its folder, when the test ends.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use sha1::{Digest as _, Sha1};
use tempfile::TempDir;

use crate::storage;

/// What the server prints once it accepts connections, followed by its address.
const LISTENING: &str = "yinxin listening on http://";
/// A first start makes its keys and its database.
const START_TIMEOUT: Duration = Duration::from_mins(1);
/// How many of the last lines the server printed are kept to explain a failure.
const LINES_MAX: usize = 2000;

/// A running server. Dropping it kills the process and removes its data; if the test is failing, what the server
/// printed goes to stderr first.
pub struct Server {
    process: Process,
    addr: SocketAddr,
    binary: PathBuf,
    data: TempDir,
    serve: Command,
}

/// What `yinxin app create --json` prints: the new app and its credentials per vendor.
#[derive(Debug, Clone, Deserialize)]
pub struct AppCredentials {
    /// The organisation's name.
    pub org: String,
    /// The app's name.
    pub app: String,
    /// `ORG#APP`.
    pub app_key: String,
    /// The app's uuid.
    pub application: String,
    /// The credentials of the app token.
    pub easemob: ClientCredentials,
    /// What calls are signed with.
    pub netease: SigningKeys,
    /// What clients name the app by, and its backend's standing token.
    pub lanying: StandingToken,
}

/// What a Lanying client and backend have.
#[derive(Debug, Clone, Deserialize)]
pub struct StandingToken {
    /// Names the app.
    pub app_id: String,
    /// The backend's token; empty where the app has not just been made.
    #[serde(default)]
    pub admin_token: String,
}

/// The two halves of an Easemob `client_credentials` grant.
#[derive(Debug, Clone, Deserialize)]
pub struct ClientCredentials {
    /// The public half.
    pub client_id: String,
    /// The secret half.
    pub client_secret: String,
}

/// What a NetEase backend signs its calls with.
#[derive(Debug, Clone, Deserialize)]
pub struct SigningKeys {
    /// The app's name in signed calls.
    pub app_key: String,
    /// The secret that signs calls.
    pub app_secret: String,
    /// The secret that makes permission keys.
    pub perm_secret: String,
}

impl SigningKeys {
    /// The four headers of a call that is signed now, or at that second.
    pub fn sign(&self, nonce: &str, cur_time: Option<&str>) -> [(String, String); 4] {
        let cur_time = cur_time.map_or_else(|| (crate::now_ms() / 1000).to_string(), str::to_owned);
        let sum = Sha1::new().chain_update(&self.app_secret).chain_update(nonce).chain_update(&cur_time).finalize();
        [
            ("AppKey", self.app_key.clone()),
            ("Nonce", nonce.to_owned()),
            ("CurTime", cur_time),
            ("CheckSum", hex::encode(sum)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
    }
}

impl Server {
    /// Starts `binary serve` on a free port of the loopback interface with an empty data folder and no demo app.
    pub fn start(binary: &Path, extra_args: &[&str]) -> Self {
        Self::start_with(binary, extra_args, &[])
    }

    /// The same with these variables in its environment.
    pub fn start_with(binary: &Path, extra_args: &[&str], env: &[(&str, &str)]) -> Self {
        let data = TempDir::new().expect("a temporary folder");
        let mut serve = Command::new(binary);
        serve.arg("serve").arg("--data").arg(data.path());
        serve.args(["--listen", "127.0.0.1:0", "--no-demo"]).args(extra_args);
        serve.envs(storage::url_at(&data.path().join("yinxin.db")).map(|url| ("YINXIN_DATABASE__URL", url)));
        serve.envs(env.iter().copied());
        let (process, addr) = serve_on(&mut serve);
        Self { process, addr, binary: binary.to_owned(), data, serve }
    }

    /// Ends the process at once, as `kill -9` does: nothing is finished, nothing is closed.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Tells it to stop, and waits until it has.
    pub fn stop(&mut self) {
        let id = self.process.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().expect("kill starts");
        assert!(told.success(), "the server is there to be told");
        let ended = self.process.child.wait().expect("a child");
        assert!(ended.success(), "{ended}: {}", self.output());
    }

    /// Starts the killed server again on the same folder, and on another port.
    pub fn restart(&mut self) {
        (self.process, self.addr) = serve_on(&mut self.serve);
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// What it has printed so far, both streams mixed; the last lines only.
    pub fn output(&self) -> String {
        self.process.output()
    }

    /// Runs `yinxin app create ORG/APP` beside the server; `flags` are added, such as `--open-registration`.
    pub fn create_app(&self, org: &str, app: &str, flags: &[&str]) -> AppCredentials {
        let name = format!("{org}/{app}");
        let mut args = vec!["app", "create", &name, "--json"];
        args.extend(flags);
        let printed = self.run(&args);
        serde_json::from_str(&printed).unwrap_or_else(|e| panic!("`yinxin {}`: {e}: {printed}", args.join(" ")))
    }

    /// Runs the binary's command line on this server's data folder and returns what it printed; it must succeed.
    pub fn run(&self, args: &[&str]) -> String {
        let mut command = Command::new(&self.binary);
        command.args(args).arg("--data").arg(self.data.path()).stdin(Stdio::null());
        let done = command.output().expect("the binary starts");
        let stdout = String::from_utf8_lossy(&done.stdout).into_owned();
        let stderr = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "`yinxin {}`: {}\n{stdout}{stderr}", args.join(" "), done.status);
        stdout
    }
}

/// Runs a `serve` command until it has said where it listens.
fn serve_on(command: &mut Command) -> (Process, SocketAddr) {
    let (process, announced) = Process::spawn(command);
    let addr = announced.recv_timeout(START_TIMEOUT).unwrap_or_else(|e| {
        let end = if e == RecvTimeoutError::Timeout { "is silent" } else { "has ended" };
        panic!("the server {end} without having said \"{LISTENING}…\"")
    });
    (process, addr)
}

/// The child process and the threads that drain it. Killed when dropped, so no failure leaves a server behind.
struct Process {
    child: Child,
    lines: Arc<Mutex<VecDeque<String>>>,
}

impl Process {
    /// Starts the command; the address it announces comes through the channel.
    fn spawn(command: &mut Command) -> (Self, mpsc::Receiver<SocketAddr>) {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|e| panic!("cannot start {command:?}: {e}"));
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let process = Self { child, lines: Arc::default() };
        let (announce, announced) = mpsc::channel();
        process.drain(stdout.expect("a piped stdout"), Some(announce));
        process.drain(stderr.expect("a piped stderr"), None);
        (process, announced)
    }

    /// Reads one of the child's streams to its end in a thread, so that the child never waits for a full pipe.
    fn drain(&self, from: impl Read + Send + 'static, announce: Option<Sender<SocketAddr>>) {
        let lines = Arc::clone(&self.lines);
        thread::spawn(move || {
            for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                if let (Some(announce), Some(addr)) = (&announce, announced_addr(&line)) {
                    // Nobody listens any more once the first address has come.
                    let _ = announce.send(addr);
                }
                let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
                if lines.len() == LINES_MAX {
                    lines.pop_front();
                }
                lines.push_back(line);
            }
        });
    }

    fn output(&self) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }
}

impl Process {
    fn kill(&mut self) {
        // Both fail only if the child is gone already, which is what they are for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            eprintln!("---- the server printed ----\n{}----", self.output());
        }
    }
}

fn announced_addr(line: &str) -> Option<SocketAddr> {
    line.trim_end().strip_prefix(LISTENING)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_address_in_the_announcement_only() {
        assert_eq!(announced_addr("yinxin listening on http://127.0.0.1:80\r"), Some(([127, 0, 0, 1], 80).into()));
        assert_eq!(announced_addr("note: yinxin listening on http://127.0.0.1:80"), None);
        assert_eq!(announced_addr("yinxin listening on http://somewhere"), None);
    }

    #[test]
    fn a_process_is_drained_and_killed() {
        let script = "echo 'yinxin listening on http://127.0.0.1:1'; echo oops >&2; exec sleep 600";
        let (process, announced) = Process::spawn(Command::new("sh").args(["-c", script]));
        assert_eq!(announced.recv_timeout(START_TIMEOUT), Ok(([127, 0, 0, 1], 1).into()));
        let id = process.child.id();
        drop(process);
        assert!(!Path::new(&format!("/proc/{id}")).exists());
    }

    #[test]
    fn the_credentials_parse() {
        let printed = r#"{"org":"o","app":"a","app_key":"o#a","application":"8be024f0-e978-11e8-b697-5d598d5f8402",
            "easemob":{"client_id":"YXA6","client_secret":"YXA7"},"netease":{"app_key":"k","app_secret":"s","perm_secret":"p"},
            "lanying":{"app_id":"i","admin_token":"t"},"other":{"more":"later"}}"#;
        let app: AppCredentials = serde_json::from_str(printed).unwrap();
        assert_eq!((app.app_key.as_str(), app.easemob.client_secret.as_str()), ("o#a", "YXA7"));
    }
}
