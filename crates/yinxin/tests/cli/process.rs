//! Running the binary: commands to their end, servers until they are told to stop.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use yinxin_testkit::storage;

use crate::binary;

/// Longer than anything a test waits for.
const DEADLINE: Duration = Duration::from_mins(1);

/// Keeps a server on the embedded database, whichever engine the suite runs on.
pub const EMBEDDED: (&str, &str) = ("YINXIN_DATABASE__URL", "");

/// What a command printed and how it ended.
#[derive(Debug)]
pub struct Done {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Done {
    /// The one line of JSON that a command printed; it must have succeeded.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        assert_eq!(self.stdout.trim_end().lines().count(), 1, "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|fault| panic!("{fault}: {self:?}"))
    }

    /// What a command that failed so told people.
    #[track_caller]
    pub fn failed(&self, code: i32) -> &str {
        assert_eq!(self.code, code, "{self:?}");
        &self.stderr
    }
}

/// A command line without this process's `YINXIN_…` variables.
pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(args);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("YINXIN_") {
            command.env_remove(name);
        }
    }
    command
}

pub fn run(args: &[&str]) -> Done {
    run_with(args, &[], "")
}

/// Runs a command for the server on that data folder.
pub fn run_on(data: &Path, args: &[&str]) -> Done {
    let url = storage::url_at(&data.join("yinxin.db")).filter(|_| args.first() == Some(&"serve"));
    let env: Vec<_> = url.iter().map(|url| ("YINXIN_DATABASE__URL", url.as_str())).collect();
    run_with(&[args, &["--data", data.to_str().unwrap()]].concat(), &env, "")
}

pub fn run_with(args: &[&str], env: &[(&str, &str)], input: &str) -> Done {
    let mut command = command(args);
    command.envs(env.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that does not read its input closes it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let done = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Done { code: done.status.code().unwrap(), stdout: text(&done.stdout), stderr: text(&done.stderr) }
}

/// A running server. Dropping it kills it.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    stdout: Vec<String>,
    stderr: Option<JoinHandle<String>>,
    pub url: String,
}

impl Running {
    /// Starts a server on a free port and waits until it listens.
    pub fn start(data: &Path, args: &[&str], env: &[(&str, &str)]) -> Self {
        let data = data.to_str().unwrap();
        let mut command = command(&[&["serve", "--data", data, "--listen", "127.0.0.1:0"], args].concat());
        command.envs(storage::url_at(&Path::new(data).join("yinxin.db")).map(|url| ("YINXIN_DATABASE__URL", url)));
        command.envs(env.iter().copied()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut stderr = child.stderr.take().unwrap();
        let stderr = thread::spawn(move || {
            let mut text = String::new();
            let _ = stderr.read_to_string(&mut text);
            text
        });
        let mut running = Self { child, lines, stdout: Vec::new(), stderr: Some(stderr), url: String::new() };
        running.url = running.announced();
        running
    }

    fn announced(&mut self) -> String {
        loop {
            let line = self.lines.recv_timeout(DEADLINE).expect("the server says where it listens");
            let url = line.strip_prefix("yinxin listening on ").map(str::to_owned);
            self.stdout.push(line);
            if let Some(url) = url {
                return url;
            }
        }
    }

    /// What it has printed to standard output until it listened.
    pub fn stdout(&self) -> String {
        self.stdout.join("\n")
    }

    /// Ends it by that signal; its exit code, if it has one, and its log.
    pub fn end(mut self, signal: Signal) -> (Option<i32>, String) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        let status = self.child.wait().unwrap();
        (status.code(), self.stderr.take().unwrap().join().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Calls a URL; the status and the body.
pub fn call(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .timeout_global(Some(DEADLINE))
        .build()
        .into();
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let reply = if body.is_empty() {
        agent.run(request.body(()).unwrap())
    } else {
        agent.run(request.body(body.to_owned()).unwrap())
    };
    let mut reply = reply.unwrap();
    (reply.status().as_u16(), reply.body_mut().read_to_string().unwrap())
}
