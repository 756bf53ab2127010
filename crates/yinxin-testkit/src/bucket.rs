//! A bucket of an S3-compatible service on loopback: the calls that a server of ours makes, answered from memory. It
//! checks that calls are signed, not the signature.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// The one key id that calls may be signed with.
pub const KEY_ID: &str = "test-key";
/// The bucket's name.
pub const NAME: &str = "files";

/// A running service with one bucket.
pub struct Bucket {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    is_down: AtomicBool,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    objects: BTreeMap<String, Vec<u8>>,
    /// Uploads in parts that have not ended: the parts by number.
    uploads: BTreeMap<u64, BTreeMap<u64, Vec<u8>>>,
    begun: u64,
    /// Method and length of each call that changed something.
    writes: Vec<(String, usize)>,
}

impl Bucket {
    /// Starts it on a free port.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let bucket = Self { address: listener.local_addr()?, state: Arc::default() };
        let state = Arc::clone(&bucket.state);
        // Both kinds of thread end with the process, or when the other side closes.
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let state = Arc::clone(&state);
                thread::spawn(move || serve(stream, &state));
            }
        });
        Ok(bucket)
    }

    /// Its URL.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Whether every call fails from now on.
    pub fn set_down(&self, is_down: bool) {
        self.state.is_down.store(is_down, Ordering::SeqCst);
    }

    /// Names and lengths of all objects.
    pub fn objects(&self) -> Vec<(String, usize)> {
        self.state.kept().objects.iter().map(|(name, bytes)| (name.clone(), bytes.len())).collect()
    }

    /// How many uploads in parts have neither been completed nor aborted.
    pub fn unfinished(&self) -> usize {
        self.state.kept().uploads.len()
    }

    /// Method and length of each call that changed something, in order.
    pub fn writes(&self) -> Vec<(String, usize)> {
        self.state.kept().writes.clone()
    }
}

impl State {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Call {
    method: String,
    bucket: String,
    key: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

struct Answer {
    status: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn of(status: &'static str, body: impl Into<Vec<u8>>) -> Self {
        let headers =
            vec![("etag", "\"tag\"".to_owned()), ("last-modified", "Tue, 14 Nov 2023 22:13:20 GMT".to_owned())];
        Self { status, headers, body: body.into() }
    }
}

fn serve(stream: TcpStream, state: &State) {
    let Ok(mut writing) = stream.try_clone() else { return };
    let mut reading = BufReader::new(stream);
    while let Ok(Some(call)) = read_call(&mut reading) {
        let answer = answer(&call, state);
        let mut head = format!("HTTP/1.1 {}\r\ncontent-length: {}\r\n", answer.status, answer.body.len());
        for (name, value) in &answer.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        let body = if call.method == "HEAD" { &[][..] } else { &answer.body };
        if writing.write_all(&[head.as_bytes(), b"\r\n", body].concat()).is_err() {
            return;
        }
    }
}

fn read_call(reading: &mut BufReader<TcpStream>) -> io::Result<Option<Call>> {
    let mut line = String::new();
    if reading.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pair =
        |pair: &str| pair.split_once('=').map_or((pair.to_owned(), String::new()), |(k, v)| (k.into(), v.into()));
    let path = path.trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let mut call = Call {
        method: method.to_owned(),
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        query: pairs.map(pair).collect(),
        headers: BTreeMap::new(),
        body: Vec::new(),
    };
    loop {
        line.clear();
        reading.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        call.headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = call.headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
    call.body = vec![0; length];
    reading.read_exact(&mut call.body)?;
    Ok(Some(call))
}

fn answer(call: &Call, state: &State) -> Answer {
    if state.is_down.load(Ordering::SeqCst) {
        return Answer::of("500 Internal Server Error", "");
    }
    let signed =
        call.headers.get("authorization").is_some_and(|signed| signed.contains(&format!("Credential={KEY_ID}/")));
    if !signed {
        return Answer::of("403 Forbidden", "<Error><Code>AccessDenied</Code></Error>");
    }
    if call.bucket != NAME {
        return Answer::of("404 Not Found", "<Error><Code>NoSuchBucket</Code></Error>");
    }
    let mut kept = state.kept();
    if !matches!(&*call.method, "GET" | "HEAD") {
        kept.writes.push((call.method.clone(), call.body.len()));
    }
    let upload = call.query.get("uploadId").and_then(|id| id.parse::<u64>().ok());
    match (&*call.method, upload) {
        // Whoever asks for a list wants to know whether there is one.
        ("GET", _) if call.query.contains_key("list-type") => {
            Answer::of("200 OK", "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
        }
        ("GET" | "HEAD", _) => read_object(call, &kept),
        ("PUT", None) => {
            kept.objects.insert(call.key.clone(), call.body.clone());
            Answer::of("200 OK", "")
        }
        ("PUT", Some(id)) => {
            let number = call.query.get("partNumber").and_then(|number| number.parse().ok()).unwrap_or_default();
            kept.uploads.entry(id).or_default().insert(number, call.body.clone());
            Answer::of("200 OK", "")
        }
        ("POST", None) => {
            kept.begun += 1;
            let id = kept.begun;
            kept.uploads.insert(id, BTreeMap::new());
            let (name, key) = (NAME, &call.key);
            let names = format!("<Bucket>{name}</Bucket><Key>{key}</Key><UploadId>{id}</UploadId>");
            Answer::of("200 OK", format!("<InitiateMultipartUploadResult>{names}</InitiateMultipartUploadResult>"))
        }
        ("POST", Some(id)) => {
            let whole = kept.uploads.remove(&id).unwrap_or_default().into_values().flatten().collect();
            kept.objects.insert(call.key.clone(), whole);
            let body = "<CompleteMultipartUploadResult><ETag>\"tag\"</ETag></CompleteMultipartUploadResult>";
            Answer::of("200 OK", body)
        }
        ("DELETE", Some(id)) => {
            kept.uploads.remove(&id);
            Answer::of("204 No Content", "")
        }
        ("DELETE", None) => {
            kept.objects.remove(&call.key);
            Answer::of("204 No Content", "")
        }
        _ => Answer::of("405 Method Not Allowed", ""),
    }
}

fn read_object(call: &Call, kept: &Kept) -> Answer {
    let Some(object) = kept.objects.get(&call.key) else {
        return Answer::of("404 Not Found", "<Error><Code>NoSuchKey</Code></Error>");
    };
    let range = call.headers.get("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let Some((first, last)) = range else { return Answer::of("200 OK", object.clone()) };
    let number = |text: &str| text.parse::<usize>().ok();
    let (first, last) = (number(first).unwrap_or(0), number(last).unwrap_or(usize::MAX).min(object.len() - 1));
    let mut answer = Answer::of("206 Partial Content", &object[first..=last]);
    answer.headers.push(("content-range", format!("bytes {first}-{last}/{}", object.len())));
    answer
}
