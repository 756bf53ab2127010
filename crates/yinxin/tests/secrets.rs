//! Secrets at rest: plants passwords, client secrets, tokens and certificates through every call that takes or gives
//! one, right ones, wrong ones and broken ones, then looks for them in every file of the data folder and in everything
//! the server has printed at log level debug.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use yinxin_testkit::http::{Response, request};
use yinxin_testkit::server::{AppCredentials, Server, SigningKeys};
use yinxin_testkit::storage;

const JSON: &str = "application/json";

/// The planted secrets and what each is.
#[derive(Default)]
struct Planted(Vec<(String, Vec<u8>)>);

impl Planted {
    /// Makes up a secret and notes it.
    fn make(&mut self, what: &str) -> String {
        let secret = format!("planted.{}.{}", self.0.len(), what.replace(' ', "-"));
        self.note(what, secret.clone());
        secret
    }

    fn note(&mut self, what: &str, secret: impl Into<Vec<u8>>) {
        let secret = secret.into();
        assert!(secret.len() >= 16, "{what} is too short to be told from chance");
        self.0.push((what.to_owned(), secret));
    }
}

struct Site {
    addr: SocketAddr,
    planted: Planted,
}

impl Site {
    fn send(&self, token: &str, method: &str, path: &str, body: &str) -> Response {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("content-type", JSON)];
        request(self.addr, method, &format!("/org/app/{path}"), &headers, Some(body.as_bytes())).expect("an answer")
    }

    /// A call that must be answered with that status.
    fn call(&self, status: u16, token: &str, method: &str, path: &str, body: &Value) -> Value {
        let reply = self.send(token, method, path, &body.to_string());
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.text());
        reply.json().expect("JSON")
    }

    /// Asks for a token, which is a secret from now on.
    fn token(&mut self, what: &str, bearer: &str, grant: &Value) -> String {
        let reply = self.call(200, bearer, "POST", "token", grant);
        let token = reply["access_token"].as_str().expect("a token").to_owned();
        self.planted.note(what, token.clone());
        token
    }

    fn app_token(&mut self, id: &str, secret: &str) -> String {
        let grant = json!({ "grant_type": "client_credentials", "client_id": id, "client_secret": secret });
        self.token("an app token", "", &grant)
    }

    /// Registers people and logs them in, rightly and wrongly.
    fn plant_passwords(&mut self, app_token: &str) {
        let password = self.planted.make("password of one");
        let one = json!({ "username": "needle-ann", "password": password });
        self.call(200, app_token, "POST", "users", &one);
        let batch: Vec<_> = (0..3)
            .map(
                |who| json!({ "username": format!("needle-{who}"), "password": self.planted.make("password of many") }),
            )
            .collect();
        self.call(200, app_token, "POST", "users", &json!(batch));
        let login =
            |password: &str| json!({ "grant_type": "password", "username": "needle-ann", "password": password });
        self.token("a user token", "", &login(&password));
        let wrong = self.planted.make("wrong password");
        self.call(400, "", "POST", "token", &login(&wrong));
        let next = self.planted.make("next password");
        self.call(200, app_token, "PUT", "users/needle-ann/password", &json!({ "newpassword": next }));
        let token = self.token("a user token", "", &login(&next));
        let own = self.planted.make("own next password");
        self.call(200, &token, "PUT", "users/needle-ann/password", &json!({ "newpassword": own }));
        let inherit = json!({ "grant_type": "inherit", "username": "needle-new", "autoCreateUser": true });
        self.token("an inherited token", app_token, &inherit);
        let long = format!("{}{}", self.planted.make("much too long password"), "x".repeat(64));
        self.call(400, app_token, "POST", "users", &json!({ "username": "needle-long", "password": long }));
    }

    /// What is refused must not be written down either.
    fn plant_broken_calls(&mut self, app_token: &str) {
        let password = self.planted.make("password in broken json");
        let broken = format!("{{\"username\": \"needle-b\", \"password\": \"{password}\"");
        assert_eq!(self.send(app_token, "POST", "users", &broken).status, 400);
        let number = json!({ "username": "needle-c", "password": [self.planted.make("password in an array")] });
        assert_eq!(self.send(app_token, "POST", "users", &number.to_string()).status, 400);
        for kind in ["YWMt", "dt-", "YWMt-no-token-at-all-"] {
            let token = format!("{kind}{}", self.planted.make("a token that is none"));
            assert_eq!(self.send(&token, "GET", "users/needle-ann", "").status, 401);
        }
        let elsewhere = self.planted.make("password sent to no path");
        assert_eq!(
            self.send(app_token, "POST", "no/such/path", &format!("{{\"password\":\"{elsewhere}\"}}")).status,
            404
        );
    }

    fn plant_certificate(&mut self, app_token: &str) {
        let notifier = json!({
            "name": "needle-notifier",
            "provider": "FCM",
            "environment": "PRODUCTION",
            "certificate": self.planted.make("push certificate"),
        });
        self.call(200, app_token, "POST", "notifiers", &notifier);
    }
}

/// A file's secret opens it, and is told once.
fn plant_file(site: &mut Site, app_token: &str) {
    let bearer = format!("Bearer {app_token}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "multipart/form-data; boundary=XX"),
        ("restrict-access", "true"),
    ];
    let form = "--XX\r\nContent-Disposition: form-data; name=file; filename=f\r\n\r\nneedle\r\n--XX--\r\n";
    let stored = request(site.addr, "POST", "/org/app/chatfiles", &headers, Some(form.as_bytes())).expect("an answer");
    let entity = stored.json().expect("JSON")["entities"][0].clone();
    let secret = entity["share-secret"].as_str().expect("a secret").to_owned();
    let by_link = format!("chatfiles/{}?share-secret={secret}", entity["uuid"].as_str().expect("an id"));
    assert_eq!(site.send(app_token, "GET", &by_link, "").status, 200);
    site.planted.note("a file's secret", secret);
}

/// A signed call; its signature and every token in the reply are secrets from now on.
fn signed(server: &Server, app: &AppCredentials, planted: &mut Planted, action: &str, form: &str) {
    let headers = app.netease.sign("12345", None);
    planted.note("a call's signature", headers[3].1.clone());
    let mut headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    headers.push(("content-type", "application/x-www-form-urlencoded"));
    let path = format!("/nimserver/user/{action}.action");
    let reply = request(server.addr(), "POST", &path, &headers, Some(form.as_bytes())).expect("an answer");
    let reply = reply.json().expect("JSON");
    for token in [&reply["token"], &reply["info"]["token"]].into_iter().filter_map(Value::as_str) {
        planted.note(&format!("the token of {action}"), token);
    }
}

/// What a NetEase backend sends and is given, good and bad.
fn plant_signed_calls(server: &Server, app: &AppCredentials, planted: &mut Planted) {
    planted.note("the app secret", app.netease.app_secret.clone());
    planted.note("the permission secret", app.netease.perm_secret.clone());
    signed(server, app, planted, "getToken", "uid=123456&channelName=needle-room");
    signed(server, app, planted, "getToken", "uid=123457&repeatUse=false&expireAt=1");
    signed(server, app, planted, "create", "accid=needle-accid");
    signed(server, app, planted, "refreshToken", "accid=needle-accid");
    for (action, form) in [
        ("create", "accid=needle-chosen&token="),
        ("update", "accid=needle-accid&token="),
        ("update", "accid=nobody&token="),
        ("create", "token="),
        ("none", "%FF&token="),
    ] {
        let token = planted.make("a chosen login token");
        signed(server, app, planted, action, &format!("{form}{token}"));
    }
    let wrong = AppCredentials {
        netease: SigningKeys { app_secret: planted.make("a wrong app secret"), ..app.netease.clone() },
        ..app.clone()
    };
    signed(server, &wrong, planted, "getToken", "uid=123456");
}

impl Site {
    /// What media servers and their clients send.
    fn plant_room_tokens(&mut self, app: &Value) {
        let (app_key, admission_key) = (text(&app["app_key"]), text(&app["admission_key"]));
        for secret in ["app_secret", "perm_secret", "admission_key"] {
            self.planted.note(secret, text(&app[secret]));
        }
        let token = self.planted.make("room token");
        let asked =
            json!({ "appkey": app_key, "uid": 7, "channelName": "needle-room", "token": token, "for": ["turn"] });
        let send = |path: &str, headers: &[(&str, &str)], body: String| {
            request(self.addr, "POST", path, headers, Some(body.as_bytes())).expect("an answer").status
        };
        assert_eq!(send("/nrtc/credentials", &[], asked.to_string()), 400);
        let bearer = format!("Bearer {admission_key}");
        let headers = [("appkey", app_key.as_str()), ("authorization", bearer.as_str())];
        let asked = json!({ "uid": 7, "room": "needle-room", "token": token });
        assert_eq!(send("/nrtc/admit", &headers, asked.to_string()), 400);
        let hook = format!("/nrtc/hooks/nginx-rtmp?app_key={app_key}&key={admission_key}");
        assert_eq!(send(&hook, &[], format!("call=publish&name=needle-room&uid=7&token={token}")), 400);
    }
}

/// What Lanying clients and backends send and are given, good and bad.
fn plant_lanying(site: &mut Site, app: &AppCredentials) {
    site.planted.note("the admin token", app.lanying.admin_token.clone());
    let addr = site.addr;
    let send = |token: &str, path: &str, body: &Value| {
        let headers = [("app_id", app.lanying.app_id.as_str()), ("access-token", token)];
        let reply = request(addr, "POST", path, &headers, Some(body.to_string().as_bytes())).expect("an answer");
        reply.json().expect("JSON")
    };
    let password = site.planted.make("password by another call");
    let registration = json!({ "username": "needle_lan", "password": password });
    assert_eq!(send(&app.lanying.admin_token, "/user/register/v2", &registration)["code"], 200);
    let login = json!({ "name": "needle_lan", "password": password, "device_guid": "needle-device" });
    let granted = send("", "/token/user", &login);
    for token in ["token", "store_token", "access_key_secret", "push_token"] {
        site.planted.note(token, text(&granted["data"][token]));
    }
    let token = text(&granted["data"]["token"]);
    let next = site.planted.make("next password by another call");
    let change = json!({ "old_password": password, "new_password": next });
    assert_eq!(send(&token, "/user/change_password", &change)["code"], 200);
    let wrong = json!({ "login_name": "needle_lan", "password": site.planted.make("wrong password by another call") });
    assert_eq!(send("", "/token/login", &wrong)["code"], 402);
    let stale = site.planted.make("an access token that is none");
    let by_address = format!("/user/profile?access-token={stale}");
    assert_eq!(
        send(&stale, &by_address, &json!({ "private_info": site.planted.make("a text of nobody") }))["code"],
        402
    );
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// What the operator's command line sends.
fn plant_by_command_line(server: &Server, planted: &mut Planted) {
    let password = planted.make("password of the command line");
    server.run(&["user", "create", "org/app", "needle-cli", "--password", &password]);
    let next = planted.make("next password of the command line");
    server.run(&["user", "set-password", "org/app", "needle-cli", "--password", &next]);
    let rotated: Value =
        serde_json::from_str(&server.run(&["app", "rotate-secret", "org/app", "--yes", "--json"])).expect("JSON");
    planted.note("the rotated client secret", client_secret(&rotated));
    let rotated = server.run(&["app", "rotate-secret", "org/app", "--dialect", "netease", "--yes", "--json"]);
    let rotated: AppCredentials = serde_json::from_str(&rotated).expect("JSON");
    planted.note("the rotated app secret", rotated.netease.app_secret);
    planted.note("the rotated permission secret", rotated.netease.perm_secret);
    let adopted = planted.make("an adopted app secret");
    server.run(&["app", "adopt-keys", "org/app", "--app-key", "needle-key", "--app-secret", &adopted, "--yes"]);
    let made = server.run(&["app", "admin-token", "create", "org/app", "--json"]);
    let made: Value = serde_json::from_str(&made).expect("JSON");
    planted.note("an admin token of the command line", text(&made["admin_token"]));
}

/// A hook that is called in vain, before and after its secret was replaced.
fn plant_hook(server: &Server, site: &mut Site, app_token: &str) {
    let run = |args: &[&str]| -> Value { serde_json::from_str(&server.run(args)).expect("JSON") };
    let made = run(&["hook", "add", "org/app", "http://127.0.0.1:9/", "--json"]);
    let rotated = run(&["hook", "rotate-secret", "org/app", made["id"].as_str().expect("an id"), "--json"]);
    for (what, hook) in [("a hook's secret", &made), ("a hook's next secret", &rotated)] {
        let spelled = hook["secret"].as_str().and_then(|secret| secret.strip_prefix("whsec_")).expect("a secret");
        site.planted.note(what, STANDARD.decode(spelled).expect("base64"));
        site.planted.note(what, spelled);
    }
    let text = json!({ "to": ["needle-ann"], "type": "txt", "body": { "msg": "hello" } });
    site.call(200, app_token, "POST", "messages/users", &text);
}

fn client_secret(app: &Value) -> String {
    app["easemob"]["client_secret"].as_str().expect("a client secret").to_owned()
}

/// The server's own keys, each with the one file it may be in.
fn keys(data: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let mut keys = Vec::new();
    for file in ["master.key", "admin.key"] {
        let text = fs::read_to_string(data.join(file)).expect("the key is there");
        keys.push((file, text.trim().as_bytes().to_vec()));
        let digits: Option<Vec<u8>> = text
            .trim()
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        keys.extend(digits.map(|bytes| (file, bytes)));
    }
    keys
}

/// Every place where something is kept or printed.
fn places(server: &Server) -> Vec<(String, Vec<u8>)> {
    let mut places = vec![("the server's output".to_owned(), server.output().into_bytes())];
    let dump = storage::dumped(&server.data().join("yinxin.db"));
    places.extend(dump.map(|content| ("the database server".to_owned(), content)));
    let mut folders = vec![server.data().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the data folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else {
                let name = entry.file_name().expect("a file name").to_string_lossy().into_owned();
                places.push((name, fs::read(&entry).expect("the file can be read")));
            }
        }
    }
    places
}

fn holds(place: &[u8], secret: &[u8]) -> bool {
    let hex: String = secret.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    [secret, hex.as_bytes()].iter().any(|needle| place.windows(needle.len()).any(|window| window == *needle))
}

#[test]
fn no_secret_is_kept_or_logged_in_the_clear() {
    let mut planted = Planted::default();
    let turn_secret = planted.make("secret of the TURN server");
    let environment = [
        ("YINXIN_LOG__LEVEL", "debug"),
        ("YINXIN_PASSWORDS__MEMORY_KIB", "8"),
        ("YINXIN_PASSWORDS__PASSES", "1"),
        ("YINXIN_MEDIA__APPS", "org/app"),
        ("YINXIN_MEDIA__TURN__URLS", "turn:turn.test"),
        ("YINXIN_MEDIA__TURN__SECRET", &turn_secret),
    ];
    let mut server = Server::start_with(Path::new(env!("CARGO_BIN_EXE_yinxin")), &[], &environment);
    let app = server.create_app("org", "app", &[]);
    let mut site = Site { addr: server.addr(), planted };
    site.planted.note("the client secret", app.easemob.client_secret.clone());
    let token = site.app_token(&app.easemob.client_id, &app.easemob.client_secret);
    let wrong = site.planted.make("wrong client secret");
    let grant = json!({
        "grant_type": "client_credentials", "client_id": app.easemob.client_id, "client_secret": wrong,
    });
    site.call(400, "", "POST", "token", &grant);
    site.plant_passwords(&token);
    site.plant_certificate(&token);
    plant_file(&mut site, &token);
    site.plant_broken_calls(&token);
    plant_signed_calls(&server, &app, &mut site.planted);
    let shown = server.run(&["app", "show", "org/app", "--secrets", "--json"]);
    site.plant_room_tokens(&serde_json::from_str::<Value>(&shown).expect("JSON")["netease"]);
    plant_hook(&server, &mut site, &token);
    plant_lanying(&mut site, &app);
    plant_by_command_line(&server, &mut site.planted);
    server.kill();

    let places = places(&server);
    for seen in ["answered request=", "needle-ann"] {
        let found = places.iter().filter(|(_, content)| holds(content, seen.as_bytes()));
        assert!(found.count() > 0, "{seen} is nowhere: the search is blind");
    }
    for (place, content) in &places {
        for (what, secret) in &site.planted.0 {
            assert!(!holds(content, secret), "{what} is in {place}");
        }
        for (file, key) in keys(server.data()) {
            assert!(place == file || !holds(content, &key), "the key of {file} is in {place}");
        }
    }
}
