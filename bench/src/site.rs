//! The server under test: its binary, one throw-away data folder with one app, and the users in it.
//!
//! Each scenario gets a freshly started process over the same folder, so no scenario pays for what another left in
//! memory, while seeded users are kept.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};
use tempfile::TempDir;

use crate::client::Connection;
use crate::options::Settings;
use crate::problem::{Explain as _, Problem, Result};
use crate::request;
use crate::seed;
use crate::server::{Server, last_words};

/// The app of the measurements.
const APP: &str = "bench/load";
/// The same as the chat socket writes it.
pub const APP_KEY: &str = "bench#load";

/// A node keeps nothing in memory before the others have seen it, which is three of its beats.
const UNTIL_NODES_KEEP: Duration = Duration::from_secs(10);

/// The server under test, between two processes.
pub struct Site {
    program: PathBuf,
    settings: Settings,
    folder: Folder,
    /// The app whose users are called.
    pub app: App,
    seeded: u32,
    tokens: Arc<[String]>,
}

/// An app and what is needed to call it.
#[derive(Clone, Default)]
pub struct App {
    client_id: String,
    client_secret: String,
    admin_key: String,
    signing_key: String,
    signing_secret: String,
    /// The app token.
    pub token: String,
}

impl App {
    /// The request that issues an app token.
    pub fn token_request(&self) -> Vec<u8> {
        let body = json!({
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        });
        post("token", None, Some(&body.to_string()))
    }

    /// The request that issues a room token, signed now: good for five minutes.
    pub fn room_token_request(&self, form: &str) -> Vec<u8> {
        let (nonce, now) = ("12345", unix_s().to_string());
        let sum = Sha1::new().chain_update(&self.signing_secret).chain_update(nonce).chain_update(&now).finalize();
        let sum = hex::encode(sum);
        let headers = [("AppKey", &*self.signing_key), ("Nonce", nonce), ("CurTime", &*now), ("CheckSum", &*sum)];
        request::form("/nimserver/user/getToken.action", &headers, form)
    }

    /// The request that issues a user's token to the app's backend.
    pub fn inherit_request(&self, username: &str) -> Vec<u8> {
        let body = json!({ "grant_type": "inherit", "username": username, "autoCreateUser": false });
        post("token", Some(&self.token), Some(&body.to_string()))
    }

    /// The request that imports users, one JSON object a line.
    pub fn import_request(&self, lines: &str) -> Vec<u8> {
        request::bytes("POST", &format!("/admin/v1/apps/{APP}/users/import"), Some(&self.admin_key), Some(lines))
    }
}

#[expect(clippy::disallowed_methods, reason = "the server under test has the wall clock only")]
fn unix_s() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// The request that logs a user in.
pub fn login_request(username: &str) -> Vec<u8> {
    let body = json!({ "grant_type": "password", "username": username, "password": seed::PASSWORD });
    post("token", None, Some(&body.to_string()))
}

/// A GET below the app's path.
pub fn get(path: &str, token: &str) -> Vec<u8> {
    request::bytes("GET", &format!("/{APP}/{path}"), Some(token), None)
}

/// A POST below the app's path.
pub fn post(path: &str, token: Option<&str>, body: Option<&str>) -> Vec<u8> {
    request::bytes("POST", &format!("/{APP}/{path}"), token, body)
}

impl Site {
    /// Makes the data folder and the app.
    pub async fn create(settings: &Settings) -> Result<Self> {
        let program = binary(settings)?;
        let folder = Folder::make(&settings.scratch)?;
        let app = App::default();
        let mut site = Self { program, settings: settings.clone(), folder, app, seeded: 0, tokens: [].into() };
        let server = site.start().await?;
        site.app = create_app(&site.program, &site.folder.data(0))?;
        site.app.token = issue_token(&server, &site.app.token_request()).await?;
        server.stop().await?;
        Ok(site)
    }

    /// A fresh process over the data folder.
    pub async fn start(&self) -> Result<Server> {
        self.start_on(&self.folder).await
    }

    /// A fresh process over another folder, or one for each node.
    pub async fn start_on(&self, folder: &Folder) -> Result<Server> {
        let mut config = vec!["[limits]\nconnections = 20000".to_owned()];
        config.extend(self.settings.database.iter().map(|url| format!("[database]\nurl = {url:?}")));
        config.extend(self.settings.nats.iter().map(|url| format!("[cluster]\nname = \"bench\"\nnats = [{url:?}]")));
        let config = config.join("\n");
        std::fs::write(folder.config(), config).explain("cannot write the server's configuration")?;
        let nodes = (0..self.settings.nodes).map(|node| (self.node(folder, node), folder.log(node)));
        let server = Server::start("yinxin", nodes.collect()).await?;
        if self.settings.nodes > 1 {
            tokio::time::sleep(UNTIL_NODES_KEEP).await;
        }
        Ok(server)
    }

    fn node(&self, folder: &Folder, node: u32) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["serve", "--listen", "127.0.0.1:0", "--no-demo", "--data"]).arg(folder.data(node));
        command.arg("--config").arg(folder.config());
        if node > 0 {
            // The first has made its keys when the others start.
            command.env("YINXIN_KEYS__MASTER_FILE", folder.data(0).join("master.key"));
            command.env("YINXIN_KEYS__ADMIN_FILE", folder.data(0).join("admin.key"));
        }
        command
    }

    /// An empty folder on the same disk.
    pub fn empty_folder(&self) -> Result<Folder> {
        Folder::make(self.folder.0.path())
    }

    /// The end of what the last process over the data folder had to say, as the end of a message.
    pub fn last_words(&self) -> String {
        last_words(&self.folder.log(0))
    }

    /// A fresh process over a folder with at least `users` users, none of which it has read yet.
    pub async fn start_with(&mut self, users: u32) -> Result<Server> {
        if self.seeded < users {
            let server = self.start().await?;
            seed::import(&server, &self.app, self.seeded..users).await?;
            self.seeded = users;
            server.stop().await?;
        }
        self.start().await
    }

    /// Users in the folder so far.
    pub fn seeded(&self) -> u32 {
        self.seeded
    }

    /// Tokens of the first `users` users, issued once per run.
    pub async fn user_tokens(&mut self, server: &Server, users: u32) -> Result<Arc<[String]>> {
        if self.tokens.len() < users as usize {
            self.tokens = seed::user_tokens(server, &self.app, users).await?.into();
        }
        Ok(self.tokens.clone())
    }

    /// For each of the first `users` users the request by which he looks at himself.
    pub async fn self_requests(&mut self, server: &Server, users: u32) -> Result<Vec<Vec<u8>>> {
        let tokens = self.user_tokens(server, users).await?;
        let named = (0..).zip(tokens.iter());
        Ok(named.map(|(number, token)| get(&format!("users/{}", seed::name(number)), token)).collect())
    }
}

/// A throw-away folder: the server's data, and beside it what the data folder should not hold.
pub struct Folder(TempDir);

impl Folder {
    fn make(scratch: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("yinxin-bench-").tempdir_in(scratch);
        let folder = Self(folder.explain("cannot make the data folder; name another place with --scratch")?);
        std::fs::create_dir(folder.data(0)).explain("cannot make the data folder")?;
        Ok(folder)
    }

    fn data(&self, node: u32) -> PathBuf {
        self.0.path().join(format!("data-{node}"))
    }

    fn config(&self) -> PathBuf {
        self.0.path().join("yinxin.toml")
    }

    fn log(&self, node: u32) -> PathBuf {
        self.0.path().join(format!("yinxin-{node}.log"))
    }
}

/// The yinxin binary: the one named, or the one beside this program.
fn binary(settings: &Settings) -> Result<PathBuf> {
    let beside =
        || Ok(std::env::current_exe().explain("cannot find this program's own folder")?.with_file_name("yinxin"));
    let program = settings.yinxin.clone().map_or_else(beside, Ok)?;
    if program.is_file() {
        return Ok(program);
    }
    Err(Problem::new(format!(
        "there is no yinxin binary at {}; build it with `cargo build --release -p yinxin`, or name one with --yinxin",
        program.display()
    )))
}

/// Creates the app in the running server of that folder.
fn create_app(program: &Path, folder: &Path) -> Result<App> {
    let made = Command::new(program).args(["app", "create", APP, "--json", "--data"]).arg(folder).output();
    let made = made.explain("cannot run `yinxin app create`")?;
    if !made.status.success() {
        let said = String::from_utf8_lossy(&made.stderr);
        return Err(Problem::new(format!("`yinxin app create {APP}` failed ({}): {}", made.status, said.trim())));
    }
    let reply: Value = serde_json::from_slice(&made.stdout).explain("`yinxin app create --json` printed no JSON")?;
    let field = |dialect: &str, name: &str| {
        let value = reply[dialect][name].as_str().map(str::to_owned);
        value.ok_or_else(|| Problem::new(format!("`yinxin app create --json` printed no {dialect}.{name}")))
    };
    let admin_key = std::fs::read_to_string(folder.join("admin.key")).explain("cannot read the server's admin key")?;
    Ok(App {
        client_id: field("easemob", "client_id")?,
        client_secret: field("easemob", "client_secret")?,
        signing_key: field("netease", "app_key")?,
        signing_secret: field("netease", "app_secret")?,
        admin_key: admin_key.trim().to_owned(),
        token: String::new(),
    })
}

async fn issue_token(server: &Server, request: &[u8]) -> Result<String> {
    let mut connection = Connection::open(server.address()).await?;
    let reply = connection.ask(request).await.explain("cannot get an app token")?;
    access_token(&reply)
}

/// The token in a token reply.
pub fn access_token(reply: &[u8]) -> Result<String> {
    let reply: Value = serde_json::from_slice(reply).explain("a token reply is not JSON")?;
    let token = reply["access_token"].as_str().map(str::to_owned);
    token.ok_or_else(|| Problem::new("a token reply has no access_token"))
}

#[cfg(test)]
mod tests {
    use super::access_token;

    #[test]
    fn the_token_is_taken_from_its_reply() {
        assert_eq!(access_token(br#"{"access_token":"YWMt","expires_in":1}"#).unwrap(), "YWMt");
        assert!(access_token(br#"{"error":"invalid_grant"}"#).is_err());
    }
}
