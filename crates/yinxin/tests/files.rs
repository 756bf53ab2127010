//! Uploaded files and the built server: what it acknowledged is there after `kill -9`, what was not finished is not, and
//! a bucket does what a folder does.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use yinxin_testkit::bucket::{self, Bucket};
use yinxin_testkit::http::{Response, request};
use yinxin_testkit::server::Server;

const BINARY: &str = env!("CARGO_BIN_EXE_yinxin");
/// Longer than anything a test waits for.
const DEADLINE: Duration = Duration::from_mins(1);
const FORM: &str = "multipart/form-data; boundary=XX";

struct Site {
    server: Server,
    token: String,
}

/// A file that the server has acknowledged.
struct Kept {
    file: String,
    secret: String,
    bytes: Vec<u8>,
}

fn form(bytes: &[u8]) -> Vec<u8> {
    let head = b"--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n\r\n";
    [&head[..], bytes, b"\r\n--XX--\r\n"].concat()
}

/// Bytes of which no two stretches are alike.
fn noise(length: usize, seed: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 + at / 251 + seed).to_le_bytes()[0]).collect()
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < DEADLINE, "waited for {what}");
        thread::yield_now();
    }
}

/// Uploads; `None` when the server goes away before it has answered.
fn upload(addr: SocketAddr, token: &str, bytes: Vec<u8>) -> Option<Kept> {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", FORM), ("restrict-access", "true")];
    let reply = request(addr, "POST", "/org/app/chatfiles", &headers, Some(&form(&bytes))).ok()?;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let entity = &reply.json().ok()?["entities"][0];
    let text = |key: &str| entity[key].as_str().expect("a text").to_owned();
    Some(Kept { file: text("uuid"), secret: text("share-secret"), bytes })
}

impl Site {
    fn start(env: &[(&str, &str)]) -> Self {
        let server = Server::start_with(Path::new(BINARY), &[], env);
        let app = server.create_app("org", "app", &[]);
        let (id, secret) = (app.easemob.client_id, app.easemob.client_secret);
        let grant = json!({ "grant_type": "client_credentials", "client_id": id, "client_secret": secret });
        let body = grant.to_string();
        let granted = request(server.addr(), "POST", "/org/app/token", &[], Some(body.as_bytes())).unwrap();
        let token = granted.json().unwrap()["access_token"].as_str().unwrap().to_owned();
        Self { server, token }
    }

    fn upload(&self, bytes: Vec<u8>) -> Kept {
        upload(self.server.addr(), &self.token, bytes).expect("an answer")
    }

    fn download(&self, kept: &Kept) -> Response {
        let bearer = format!("Bearer {}", self.token);
        let headers = [("authorization", bearer.as_str()), ("share-secret", &kept.secret)];
        let path = format!("/org/app/chatfiles/{}", kept.file);
        request(self.server.addr(), "GET", &path, &headers, None).unwrap()
    }

    /// Names of the files in the folder.
    fn on_disk(&self) -> BTreeSet<String> {
        let folders = fs::read_dir(self.server.data().join("files")).unwrap();
        let files = folders.flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap());
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// Begins an upload and does not end it; the line is held until it is dropped.
    fn begin_upload(&self, bytes: &[u8]) -> TcpStream {
        let mut line = TcpStream::connect(self.server.addr()).unwrap();
        let (form, token) = (form(bytes), &self.token);
        let length = form.len();
        let head = format!(
            "POST /org/app/chatfiles HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: {FORM}\r\n\
             content-length: {length}\r\n\r\n"
        );
        line.write_all(head.as_bytes()).unwrap();
        line.write_all(&form[..length - 10]).unwrap();
        line
    }
}

#[test]
fn an_upload_that_is_cut_off_leaves_nothing() {
    let mut site = Site::start(&[]);
    let kept = site.upload(noise(700_000, 0));
    let before = site.on_disk();
    // By the client.
    let line = site.begin_upload(&noise(2_000_000, 1));
    wait_until("the upload to begin", || site.on_disk().len() == 2);
    drop(line);
    wait_until("its bytes to be gone", || site.on_disk() == before);
    // By kill -9.
    let mut line = site.begin_upload(&noise(2_000_000, 2));
    wait_until("the upload to begin", || site.on_disk().iter().any(|name| name.contains('#')));
    site.server.kill();
    assert_eq!(line.read(&mut [0]).unwrap_or(0), 0, "nothing was acknowledged");
    assert_eq!(site.on_disk().len(), 2);
    site.server.restart();
    wait_until("its bytes to be gone", || site.on_disk() == before);
    assert_eq!(site.download(&kept).body, kept.bytes);
}

#[test]
fn what_was_acknowledged_is_there_after_kill_9() {
    const ROUNDS: usize = 5;
    const CLIENTS: usize = 3;
    let mut site = Site::start(&[]);
    let mut all: Vec<Kept> = Vec::new();
    for round in 0..ROUNDS {
        let addr = site.server.addr();
        let (told, acknowledged) = mpsc::channel();
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (token, told) = (site.token.clone(), told.clone());
                let bytes = move |n: usize| noise(1000 + n % 9 * 70_000, round * 100 + client * 10 + n);
                thread::spawn(move || {
                    let uploads = (0..).map_while(|n| upload(addr, &token, bytes(n)));
                    let tell = |_: &Kept| {
                        // Nobody listens any more once there are enough.
                        let _ = told.send(());
                    };
                    uploads.inspect(tell).collect::<Vec<_>>()
                })
            })
            .collect();
        for _ in 0..10 {
            acknowledged.recv_timeout(DEADLINE).unwrap();
        }
        site.server.kill();
        all.extend(clients.into_iter().flat_map(|client| client.join().unwrap()));
        site.server.restart();
    }
    for kept in &all {
        assert!(site.download(kept).body == kept.bytes, "a file is not what was sent");
    }
    // What was stored and could not be told may be there too: one for each client and round.
    wait_until("the rest to be gone", || site.on_disk().iter().all(|name| !name.contains('#')));
    let extra = site.on_disk().len() - all.len();
    assert!(extra <= ROUNDS * CLIENTS, "{extra} more than {}", all.len());
}

#[test]
fn files_are_private_and_go_with_their_app() {
    let site = Site::start(&[]);
    for seed in 0..3 {
        site.upload(noise(1000, seed));
    }
    let files = site.server.data().join("files");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&files), 0o700);
    let name = site.on_disk().pop_first().unwrap();
    assert_eq!(mode(&files.join(&name[..2]).join(&name)), 0o600);
    site.server.run(&["app", "delete", "org/app", "--yes"]);
    wait_until("the bytes to be gone", || site.on_disk().is_empty());
}

/// What the doctor says of files.
fn finding(data: &Path, env: &[(&str, &str)]) -> (String, String) {
    let done = Command::new(BINARY).args(["doctor", "--json", "--data"]).arg(data).envs(env.iter().copied()).output();
    let report: Value = serde_json::from_slice(&done.unwrap().stdout).unwrap();
    let all = report["findings"].as_array().unwrap();
    let files = all.iter().find(|finding| finding["check"] == "files").unwrap();
    (files["state"].as_str().unwrap().to_owned(), files["detail"].as_str().unwrap().to_owned())
}

#[test]
fn a_bucket_does_what_a_folder_does() {
    let service = Bucket::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    fs::write(&secret, "the secret\n").unwrap();
    let endpoint = service.endpoint();
    let env = |key: &'static str| {
        [
            ("YINXIN_FILES__BUCKET", bucket::NAME.to_owned()),
            ("YINXIN_FILES__ENDPOINT", endpoint.clone()),
            ("YINXIN_FILES__PREFIX", "im".to_owned()),
            ("YINXIN_FILES__ACCESS_KEY_ID", key.to_owned()),
            ("YINXIN_FILES__SECRET_ACCESS_KEY_FILE", secret.to_str().unwrap().to_owned()),
        ]
    };
    let good = env(bucket::KEY_ID);
    let good: Vec<(&str, &str)> = good.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut site = Site::start(&good);
    let kept = [site.upload(noise(1000, 0)), site.upload(noise(6 << 20, 1))];
    assert_eq!(service.objects().len(), 2);
    let line = site.begin_upload(&noise(6 << 20, 2));
    wait_until("the upload to begin", || service.unfinished() == 1);
    site.server.kill();
    drop(line);
    site.server.restart();
    for kept in &kept {
        assert!(site.download(kept).body == kept.bytes);
    }
    assert!(!site.server.data().join("files").exists());
    site.server.run(&["app", "delete", "org/app", "--yes"]);
    wait_until("the objects to be gone", || service.objects().is_empty());

    let data = site.server.data();
    assert_eq!(finding(data, &good).0, "ok");
    let bad = env("another-key");
    let bad: Vec<(&str, &str)> = bad.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let (state, detail) = finding(data, &bad);
    assert!(state == "fail" && !detail.contains("the secret"), "{detail}");
    let (state, detail) = finding(data, &good[..4]);
    assert!(state == "fail" && detail.contains("files.secret_access_key_file"), "{detail}");
}

#[test]
fn the_doctor_looks_at_the_folder_of_files() {
    let data = tempfile::tempdir().unwrap();
    assert_eq!(finding(data.path(), &[]).0, "ok");
    assert!(!data.path().join("files").exists(), "it changes nothing");
    fs::write(data.path().join("files"), "no folder").unwrap();
    assert_eq!(finding(data.path(), &[]).0, "fail");
}
