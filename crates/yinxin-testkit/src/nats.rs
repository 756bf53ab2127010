//! A NATS server of Debian's package, on a free port of the loopback interface. `./test` installs it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// It is there in a few milliseconds; the machine may be busy.
const START_TIMEOUT: Duration = Duration::from_secs(30);
const LISTENING: &str = "Listening for client connections on 127.0.0.1:";

/// A running server; killed when dropped.
pub struct Nats {
    child: Child,
    port: u16,
    config: Option<String>,
}

impl Nats {
    /// One that anybody may use.
    pub fn start() -> Self {
        Self::run(None, None)
    }

    /// One with a configuration file.
    pub fn start_with(config: &Path) -> Self {
        Self::run(None, Some(config.to_str().expect("a path in UTF-8").to_owned()))
    }

    /// Where it is reached.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        // Both fail only if it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts the killed server again, on the same port.
    pub fn restart(&mut self) {
        *self = Self::run(Some(self.port), self.config.clone());
    }

    /// Stops it where it is: it says nothing, and its connections stay.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let told = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("kill starts");
        assert!(told.success(), "the server is there to be told");
    }

    fn run(port: Option<u16>, config: Option<String>) -> Self {
        let asked = port.map_or_else(|| "-1".to_owned(), |port| port.to_string());
        let mut command = Command::new("nats-server");
        command.args(["-a", "127.0.0.1", "-p", &asked]);
        command.args(config.iter().flat_map(|file| ["-c", file.as_str()]));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("nats-server starts: it is in Debian's package of that name");
        let (said, listening) = mpsc::channel();
        let log = child.stderr.take().expect("a piped stderr");
        thread::spawn(move || {
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                if let Some(port) = line.split_once(LISTENING).and_then(|(_, port)| port.trim().parse().ok()) {
                    // Nobody listens any more once it has come.
                    let _ = said.send(port);
                }
            }
        });
        let port = listening.recv_timeout(START_TIMEOUT).expect("nats-server says where it listens");
        Self { child, port, config }
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill();
    }
}
