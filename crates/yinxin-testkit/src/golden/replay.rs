//! Replays samples against a server: makes the app, takes the preparing steps, sends the request, judges the reply.
//!
//! Every sample gets an app of its own on one server: `testapp` of the file with number 7 is `testapp7` there, in the
//! request and in the expected reply. So the files share nothing, and several run at once.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::{Value, json};

use super::compare::{Rules, Uuids, compare};
use super::names::Names;
use super::sample::{App, Sample, Signing, Step};
use super::shape::{self, Shape};
use crate::http::{self, Response};
use crate::now_ms;
use crate::server::{AppCredentials, Server};

/// A server to replay against.
pub trait Host: Sync {
    /// Where it listens.
    fn addr(&self) -> SocketAddr;
    /// Makes an app; `flags` are those of `yinxin app create`.
    fn create_app(&self, org: &str, app: &str, flags: &[&str]) -> AppCredentials;
    /// Gives an app the keys of signed calls that a sample prints.
    fn adopt_keys(&self, app: &AppCredentials, keys: &Signing);
}

impl Host for Server {
    fn addr(&self) -> SocketAddr {
        self.addr()
    }

    fn create_app(&self, org: &str, app: &str, flags: &[&str]) -> AppCredentials {
        self.create_app(org, app, flags)
    }

    fn adopt_keys(&self, app: &AppCredentials, keys: &Signing) {
        let app = format!("{}/{}", app.org, app.app);
        self.run(&["app", "adopt-keys", &app, "--app-key", &keys.app_key, "--app-secret", &keys.app_secret, "--yes"]);
    }
}

/// Replays the samples, several at a time, and returns a report for each that was answered otherwise.
pub fn replay_all(host: &dyn Host, shape_of: fn(&str) -> Option<Shape>, samples: &[Sample]) -> Vec<String> {
    let (next, reports) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let work = || {
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            let Some(sample) = samples.get(n) else { return };
            if let Err(report) = replay(host, shape_of, sample, n + 1) {
                reports.lock().expect("no worker panics with the lock").insert(n, report);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(work);
        }
    });
    reports.into_inner().expect("no worker panics with the lock").into_values().collect()
}

/// Replays one sample, in an app whose name ends in `number`. The error is a report for people.
pub fn replay(
    host: &dyn Host,
    shape_of: fn(&str) -> Option<Shape>,
    sample: &Sample,
    number: usize,
) -> Result<(), String> {
    let mut scene = Scene { addr: host.addr(), sample, names: Names::default(), uuids: Uuids::default(), app: None };
    scene.play(host, shape_of, number).map_err(|why| format!("{} ({})\n{why}", sample.file, sample.source))
}

/// The body of a call of our own.
#[derive(Clone, Copy)]
enum Body<'a> {
    None,
    Json(&'a Value),
    Form(&'a str),
}

impl<'a> Body<'a> {
    fn of(step: &'a Step) -> Self {
        match (&step.body, &step.form) {
            (Some(body), _) => Self::Json(body),
            (None, Some(form)) => Self::Form(form),
            (None, None) => Self::None,
        }
    }

    /// Its label, and its text.
    fn written(self) -> (Option<&'static str>, Option<String>) {
        match self {
            Self::None => (None, None),
            Self::Json(body) => (Some("application/json"), Some(body.to_string())),
            Self::Form(form) => (Some("application/x-www-form-urlencoded"), Some(form.to_owned())),
        }
    }
}

/// One sample on its way: what is known so far about what it stands for on this server.
struct Scene<'a> {
    addr: SocketAddr,
    sample: &'a Sample,
    names: Names,
    uuids: Uuids,
    /// The app's real credentials and its token.
    app: Option<(AppCredentials, String)>,
}

impl Scene<'_> {
    fn play(&mut self, host: &dyn Host, shape_of: fn(&str) -> Option<Shape>, number: usize) -> Result<(), String> {
        if let Some(app) = &self.sample.app {
            self.open(host, app, number)?;
        }
        for n in 0..self.sample.given.len() {
            self.prepare(n).map_err(|why| format!("  given[{n}]: {why}"))?;
        }
        // Who exists before the call may be gone after it, and the other way round.
        self.meet_users()?;
        let reply = self.ask()?;
        self.meet_users()?;
        self.judge(&reply, shape_of)
    }

    /// Makes the sample's app and learns what its names and ids stand for.
    fn open(&mut self, host: &dyn Host, app: &App, number: usize) -> Result<(), String> {
        let name = format!("{}{number}", app.app);
        let mut flags = Vec::new();
        if app.open_registration {
            flags.push("--open-registration");
        }
        if let Some(profile) = &app.profile {
            flags.extend(["--profile", profile]);
        }
        let mut made = host.create_app(&app.org, &name, &flags);
        if let Some(keys) = &app.signing {
            host.adopt_keys(&made, keys);
            made.netease.app_key.clone_from(&keys.app_key);
            made.netease.app_secret.clone_from(&keys.app_secret);
        }
        self.names.rename_app(&app.org, &app.app, &name);
        for (sample, real) in
            [(&app.client_id, &made.easemob.client_id), (&app.client_secret, &made.easemob.client_secret)]
        {
            if let Some(sample) = sample {
                self.names.bind(sample, real);
            }
        }
        for sample in [app.uuid.as_deref(), self.sample.reply["application"].as_str()].into_iter().flatten() {
            self.uuids.bind(sample, &made.application);
        }
        let grant = json!({ "grant_type": "client_credentials", "client_id": made.easemob.client_id,
            "client_secret": made.easemob.client_secret });
        let token = self.token(&format!("/{}/{name}/token", app.org), &grant)?;
        self.app = Some((made, token));
        Ok(())
    }

    fn token(&self, path: &str, grant: &Value) -> Result<String, String> {
        let reply = self.call("POST", path, "none", Body::Json(grant))?;
        let token = reply.pointer("/access_token").and_then(Value::as_str);
        token.map(str::to_owned).ok_or_else(|| format!("no access_token in {reply}"))
    }

    fn prepare(&mut self, n: usize) -> Result<(), String> {
        let step = &self.sample.given[n];
        let reply = self.call(&step.method, &self.names.apply(&step.path), &step.auth, Body::of(step))?;
        for (text, pointer) in &step.learn {
            let learnt = match reply.pointer(pointer) {
                Some(Value::String(learnt)) => learnt.clone(),
                Some(Value::Number(learnt)) => learnt.to_string(),
                _ => return Err(format!("no text or number at {pointer} of {reply}")),
            };
            self.names.bind(text, &learnt);
        }
        Ok(())
    }

    /// Asks the server for the uuids of the sample's users that are not known yet; those who do not exist stay so.
    fn meet_users(&mut self) -> Result<(), String> {
        for (uuid, name) in &self.sample.users {
            if self.uuids.knows(uuid) {
                continue;
            }
            let path = format!("{}/users/{name}", self.app_path()?);
            if let Ok(reply) = self.call("GET", &path, "app", Body::None) {
                let real = reply.pointer("/entities/0/uuid").and_then(Value::as_str);
                self.uuids.bind(uuid, real.ok_or_else(|| format!("no uuid in {reply}"))?);
            }
        }
        Ok(())
    }

    /// A call of our own, not of the sample; it must answer 200 with JSON, and say no other code in it.
    fn call(&self, method: &str, path: &str, auth: &str, body: Body<'_>) -> Result<Value, String> {
        let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
        let (label, body) = body.written();
        headers.extend(label.map(|label| ("content-type".to_owned(), label.to_owned())));
        let reply = self.send(method, path, headers, auth, body.as_deref())?;
        let json = reply.json().map_err(|e| format!("{method} {path}: {e}: {}", reply.text()))?;
        if reply.status != 200 || json.get("code").is_some_and(|code| code != 200) {
            return Err(format!("{method} {path} answered {}: {}", reply.status, reply.text()));
        }
        Ok(json)
    }

    /// The call of the sample.
    fn ask(&self) -> Result<Response, String> {
        let request = &self.sample.request;
        let headers = request.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let body = request.body.as_deref().map(|body| self.names.apply(body));
        self.send(&request.method, &self.names.apply(&request.path), headers, &request.auth, body.as_deref())
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        mut headers: Vec<(String, String)>,
        auth: &str,
        body: Option<&str>,
    ) -> Result<Response, String> {
        if let Some(signed) = auth.strip_prefix("signed:").or(auth.strip_prefix("signed-wrong:")) {
            let (app, _) = self.app.as_ref().ok_or("the file names no app")?;
            let (nonce, cur_time) = signed.split_once('@').map_or((signed, None), |(nonce, at)| (nonce, Some(at)));
            let mut keys = app.netease.clone();
            if auth.starts_with("signed-wrong") {
                keys.app_secret.push('x');
            }
            headers.extend(keys.sign(nonce, cur_time));
        } else if let Some(who) = auth.strip_prefix("lanying:") {
            let (app, _) = self.app.as_ref().ok_or("the file names no app")?;
            headers.push(("app_id".to_owned(), app.lanying.app_id.clone()));
            if let Some(token) = self.access_token(who)? {
                headers.push(("access-token".to_owned(), token));
            }
        } else if let Some(token) = self.bearer(auth)? {
            headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let reply = http::request(self.addr, method, path, &headers, body.map(str::as_bytes));
        reply.map_err(|e| format!("{method} {path}: {e}"))
    }

    /// The token that an `auth` of a golden file means.
    fn bearer(&self, auth: &str) -> Result<Option<String>, String> {
        if auth == "none" {
            return Ok(None);
        }
        if let Some(literal) = auth.strip_prefix("raw:") {
            return Ok(Some(literal.to_owned()));
        }
        if let Some((name, password)) = auth.strip_prefix("user:").and_then(|user| user.split_once(':')) {
            let grant = json!({ "grant_type": "password", "username": name, "password": password });
            return self.token(&format!("{}/token", self.app_path()?), &grant).map(Some);
        }
        match &self.app {
            Some((_, token)) if auth == "app" => Ok(Some(token.clone())),
            _ => Err(format!("the auth {auth:?} of the file means nothing here")),
        }
    }

    /// The access token of a Lanying call: `nobody`, `admin`, or `NAME:PASSWORD`.
    fn access_token(&self, who: &str) -> Result<Option<String>, String> {
        let (app, _) = self.app.as_ref().ok_or("the file names no app")?;
        match who.split_once(':') {
            Some((name, password)) => {
                let grant = json!({ "name": name, "password": password });
                let reply = self.call("POST", "/token/user", "lanying:nobody", Body::Json(&grant))?;
                let token = reply.pointer("/data/token").and_then(Value::as_str).map(str::to_owned);
                token.map(Some).ok_or_else(|| format!("no token in {reply}"))
            }
            None if who == "admin" => Ok(Some(app.lanying.admin_token.clone())),
            None => Ok(None),
        }
    }

    fn app_path(&self) -> Result<String, String> {
        let (app, _) = self.app.as_ref().ok_or("the file names no app")?;
        Ok(format!("/{}/{}", app.org, app.app))
    }

    fn judge(&mut self, reply: &Response, shape_of: fn(&str) -> Option<Shape>) -> Result<(), String> {
        let mut report = String::new();
        let mut differ = |line: &str| writeln!(report, "  {line}").expect("a string takes it");
        for (_, name) in self.sample.users.iter().filter(|(uuid, _)| !self.uuids.knows(uuid)) {
            differ(&format!("users: {name} exists neither before the call nor after it"));
        }
        if reply.status != self.sample.status {
            differ(&format!("status: expected {}, actual {}", self.sample.status, reply.status));
        }
        let content_type = reply.header("content-type").unwrap_or("none");
        if !content_type.starts_with("application/json") {
            differ(&format!("content-type: expected application/json, actual {content_type}"));
        }
        match reply.json() {
            Ok(actual) => {
                let expected = self.names.apply_all(&self.sample.reply);
                let rules = Rules { shape_of, redact: &self.sample.redact, now_ms: now_ms() };
                let differences = compare(&rules, &mut self.uuids, &expected, &actual);
                let inside = shape::token_differences(&actual, now_ms());
                differences.iter().chain(&inside).for_each(|difference| differ(&difference.to_string()));
            }
            Err(e) => differ(&format!("body: expected JSON: {e}")),
        }
        if report.is_empty() {
            return Ok(());
        }
        let request = &self.sample.request;
        let asked = format!("  {} {} (auth {})", request.method, self.names.apply(&request.path), request.auth);
        Err(format!("{asked}\n{report}  the reply was: {}", reply.text()))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write as _};
    use std::net::{TcpListener, TcpStream};

    use super::*;
    use crate::server::{ClientCredentials, SigningKeys, StandingToken};

    const APP: &str = "22222222-e978-11e8-b697-5d598d5f8402";
    const TOKEN: &str = "a token";

    /// A server that answers by path, and not much more than the sample below needs.
    struct Fake {
        addr: SocketAddr,
    }

    impl Fake {
        fn start(nickname: &'static str) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let addr = listener.local_addr().unwrap();
            thread::spawn(move || listener.incoming().flatten().for_each(|stream| serve(stream, nickname)));
            Self { addr }
        }
    }

    impl Host for Fake {
        fn addr(&self) -> SocketAddr {
            self.addr
        }

        fn create_app(&self, org: &str, app: &str, flags: &[&str]) -> AppCredentials {
            assert_eq!((org, app, flags), ("demo", "testapp7", &["--open-registration"][..]));
            let easemob = ClientCredentials { client_id: "id".to_owned(), client_secret: "secret".to_owned() };
            let (org, app) = (org.to_owned(), app.to_owned());
            let key = || "k".to_owned();
            let netease = SigningKeys { app_key: key(), app_secret: key(), perm_secret: key() };
            let lanying = StandingToken { app_id: key(), admin_token: key() };
            let application = APP.to_owned();
            AppCredentials { app_key: format!("{org}#{app}"), org, app, application, easemob, netease, lanying }
        }

        fn adopt_keys(&self, _: &AppCredentials, _: &Signing) {
            panic!("the sample below prints no keys");
        }
    }

    fn serve(stream: TcpStream, nickname: &str) {
        let mut from = BufReader::new(stream);
        let (mut head, mut line) = (String::new(), String::new());
        while from.read_line(&mut line).unwrap() > 2 {
            head.push_str(&std::mem::take(&mut line));
        }
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
        from.by_ref().take(length).read_to_string(&mut String::new()).unwrap();
        let user = json!({ "uuid": "33333333-ed76-11e8-8d66-279e3e1c214b", "username": "user1", "nickname": nickname });
        let reply = match head.split(' ').nth(1).unwrap() {
            "/demo/testapp7/token" => json!({ "access_token": TOKEN }),
            "/demo/testapp7/users" => json!({ "cursor": "here" }),
            "/demo/testapp7/users/user1" if head.contains("authorization: Bearer a token") => {
                json!({ "entities": [user] })
            }
            "/demo/testapp7/users/user1?at=here" if head.contains("host: a1.example.com\r\n") => json!({
                "uri": "http://a1.example.com/demo/testapp7/users/user1", "applicationName": "testapp7",
                "application": APP, "timestamp": now_ms(), "entities": [user] }),
            _ => json!({ "unexpected": head }),
        };
        let body = reply.to_string();
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        from.into_inner().write_all((head + &body).as_bytes()).unwrap();
    }

    fn sample() -> Sample {
        let uuid = "0ffe2d80-ed76-11e8-8d66-279e3e1c214b";
        let sample = json!({
            "operation": "user.get", "call": "GET /{org}/{app}/users/{username}",
            "source": { "seed": "page.txt", "section": "S", "sample": "200" },
            "app": { "org": "demo", "app": "testapp", "open_registration": true },
            "given": [{ "method": "POST", "path": "/demo/testapp/users", "auth": "app", "body": [{}],
                "learn": { "LTgz": "/cursor" } }],
            "users": { uuid: "user1" },
            "request": { "method": "GET", "path": "/demo/testapp/users/user1?at=LTgz", "auth": "user:user1:123",
                "headers": { "host": "a1.example.com" } },
            "status": 200,
            "reply": { "uri": "http://a1.example.com/demo/testapp/users/user1", "applicationName": "testapp",
                "application": "8be024f0-e978-11e8-b697-5d598d5f8402", "timestamp": 1,
                "entities": [{ "uuid": uuid, "username": "user1", "nickname": "testuser" }] },
        });
        serde_json::from_value(sample).unwrap()
    }

    #[test]
    fn a_reply_as_printed_passes() {
        assert_eq!(replay(&Fake::start("testuser"), shape::easemob, &sample(), 7), Ok(()));
    }

    #[test]
    fn the_report_names_the_file_its_source_and_the_place() {
        let mut sample = sample();
        sample.file = "user.get/200.json".to_owned();
        let report = replay(&Fake::start("other"), shape::easemob, &sample, 7).unwrap_err();
        for part in ["user.get/200.json", "page.txt, S, 200", "GET /demo/testapp7/users/user1?at=here"] {
            assert!(report.contains(part), "{part} in {report}");
        }
        assert!(report.contains("/entities/0/nickname: expected \"testuser\", actual \"other\""), "{report}");
    }

    #[test]
    fn a_step_that_fails_is_named() {
        let mut sample = sample();
        sample.given[0].learn.insert("x".to_owned(), "/nothing".to_owned());
        let report = replay(&Fake::start("testuser"), shape::easemob, &sample, 7).unwrap_err();
        assert!(report.contains("given[0]: no text or number at /nothing"), "{report}");
    }
}
