//! The commands that drive a running server over its admin API: finding it, calling it, telling its refusals.

pub(crate) mod app;
pub(crate) mod hook;
pub(crate) mod user;

use std::fs;
use std::io::{BufRead as _, Read as _};
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use ureq::Agent;
use ureq::http::Request;
use yinxin_admin::AdminKey;

use crate::args::Target;
use crate::data::DataDir;
use crate::exit::{Exit, Failure, Outcome};
use crate::print;

/// The longest a call may take: hashing a password may wait for others.
const TIMEOUT: Duration = Duration::from_mins(1);
/// Bytes of a line with a secret: well above the longest that is taken.
const SECRET_LINE_BYTES_MAX: u64 = 4096;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What an operation answered.
pub(crate) struct Answer {
    pub value: Value,
    /// As it came, its fields in the order the API documents: what `--json` prints.
    pub text: String,
}

impl Answer {
    /// Prints the answer: as it came for scripts, or as `shown` for people.
    pub fn print(&self, target: &Target, shown: impl FnOnce(&Value)) {
        if target.json { print::out(&self.text) } else { shown(&self.value) }
    }
}

/// A server to be called.
pub(crate) struct Client {
    agent: Agent,
    server: String,
    key: AdminKey,
    /// Where its address was read, for a hint when nobody answers there.
    data: DataDir,
}

impl Client {
    /// The server that the command line names, or the one that uses the data folder.
    pub fn find(target: &Target) -> Outcome<Self> {
        let data = DataDir::named(target.data.as_deref());
        let server = match &target.server {
            Some(url) => checked_url(url)?,
            None => address_in(&data)?,
        };
        let file = target.admin_key_file.clone().unwrap_or_else(|| data.admin_key_file());
        let text = fs::read_to_string(&file).map_err(|fault| {
            let file = file.display();
            Failure::failed(format!("cannot read the admin key {file}: {fault}; name it with --admin-key-file"))
        })?;
        let key = AdminKey::parse(&text).ok_or_else(|| {
            Failure::failed(format!("{} holds no admin key: at least 32 visible characters", file.display()))
        })?;
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            // It is the server beside us, or one named: nothing in between.
            .proxy(None)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(TIMEOUT))
            .build()
            .into();
        Ok(Self { agent, server, key, data })
    }

    /// Calls an operation; `path` is below `/admin/v1`.
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Outcome<Answer> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}/admin/v1{path}", self.server))
            .header("authorization", format!("Bearer {}", self.key.reveal()));
        let sent = match body {
            None => request.body(()).map_err(ureq::Error::from).and_then(|request| self.agent.run(request)),
            Some(body) => request
                .header("content-type", "application/json")
                .body(body.to_string())
                .map_err(ureq::Error::from)
                .and_then(|request| self.agent.run(request)),
        };
        let mut reply = sent.map_err(|fault| self.unreachable(&fault))?;
        let status = reply.status().as_u16();
        let text = reply.body_mut().read_to_string().map_err(|fault| self.unreachable(&fault))?;
        match serde_json::from_str(&text) {
            Ok(value) if (200..300).contains(&status) => Ok(Answer { value, text }),
            Ok(value) => Err(refusal(status, &value)),
            Err(_) => Err(Failure::failed(format!(
                "{} answered {status} and no JSON: is it a yinxin server of this version?",
                self.server
            ))),
        }
    }

    fn unreachable(&self, fault: &ureq::Error) -> Failure {
        let at = format!("{} does not answer ({fault})", self.server);
        if self.data.address().as_ref() == Some(&self.server) {
            nobody(&self.data, &at)
        } else {
            Failure::new(Exit::Unreachable, format!("no server: {at}; check --server"))
        }
    }
}

/// The address of the server that uses the folder. One that a killed server left is not believed: who listens there now
/// would be sent the admin key.
fn address_in(data: &DataDir) -> Outcome<String> {
    match data.address() {
        None => Err(nobody(data, "nothing is using it")),
        Some(url) if !data.is_locked() => {
            Err(nobody(data, &format!("{url} is the address of a server that was killed")))
        }
        Some(url) => Ok(url),
    }
}

fn nobody(data: &DataDir, why: &str) -> Failure {
    let dir = data.root().display();
    Failure::new(
        Exit::Unreachable,
        format!(
            "no server is running on the data folder {dir}: {why}. Start one with `yinxin serve --data {dir}`, or name another with --data or --server"
        ),
    )
}

fn checked_url(url: &str) -> Outcome<String> {
    let url = url.trim_end_matches('/');
    if url.starts_with("http://") {
        return Ok(url.to_owned());
    }
    Err(Failure::usage(format!(
        "--server {url}: expected http://ADDR:PORT; for a server elsewhere use a tunnel, as in `ssh -L 8090:127.0.0.1:8090 HOST`"
    )))
}

/// What a refusal means for the caller's script.
fn refusal(status: u16, body: &Value) -> Failure {
    let exit = match status {
        401 => Exit::KeyRefused,
        404 => Exit::NotFound,
        409 => Exit::Conflict,
        400..=499 => Exit::Usage,
        _ => Exit::Failed,
    };
    let message = body["error"]["message"].as_str().unwrap_or("the server refused without saying why");
    Failure::new(exit, message)
}

/// The path of an app below `/admin/v1`. Both spellings are taken: `ORG/APP` and `ORG#APP`.
fn app_path(app: &str) -> Outcome<String> {
    let (org, name) = split_app(app)?;
    Ok(format!("/apps/{}/{}", segment(org), segment(name)))
}

fn split_app(app: &str) -> Outcome<(&str, &str)> {
    app.split_once(['/', '#'])
        .filter(|(org, name)| !org.is_empty() && !name.is_empty())
        .ok_or_else(|| Failure::usage(format!("'{app}' is no app: expected ORG/APP, as in yinxin-demo/demo")))
}

/// Any text as one segment of a path.
fn segment(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Refuses what destroys something, unless it was confirmed.
fn confirm(target: &Target, what: &str) -> Outcome {
    if target.yes {
        return Ok(());
    }
    Err(Failure::new(Exit::Unconfirmed, format!("this would {what}; say --yes if that is meant")))
}

/// The first lines of standard input, each a secret; `None` for one that is empty or missing.
fn secret_lines<const N: usize>(what: &str) -> Outcome<[Option<String>; N]> {
    let mut input = std::io::stdin().lock();
    let mut lines = [const { None }; N];
    for place in &mut lines {
        let mut line = String::new();
        let read = (&mut input).take(SECRET_LINE_BYTES_MAX).read_line(&mut line);
        read.map_err(|fault| Failure::failed(format!("cannot read the {what}: {fault}")))?;
        let line = line.trim_end_matches(['\r', '\n']);
        *place = (!line.is_empty()).then(|| line.to_owned());
    }
    Ok(lines)
}

/// A field of an answer, for people. Texts of users cannot move the cursor or break the line.
fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_encoded() {
        assert_eq!(app_path("o/a").unwrap(), "/apps/o/a");
        assert_eq!(app_path("o#a").unwrap(), "/apps/o/a");
        assert_eq!(app_path("o/../x").unwrap(), "/apps/o/%2E%2E%2Fx");
        for wrong in ["", "o", "o/", "/a"] {
            assert_eq!(app_path(wrong).unwrap_err().exit, Exit::Usage, "{wrong}");
        }
    }

    #[test]
    fn texts_of_users_are_only_text() {
        assert_eq!(text(&Value::from("a\u{1b}[2Jb\nc\u{9b}界")), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}界");
        assert_eq!((text(&Value::Null), text(&Value::from(7))), ("-".to_owned(), "7".to_owned()));
    }

    #[test]
    fn only_plain_urls_are_called() {
        assert_eq!(checked_url("http://127.0.0.1:1/").unwrap(), "http://127.0.0.1:1");
        assert_eq!(checked_url("https://127.0.0.1").unwrap_err().exit, Exit::Usage);
    }
}
