//! The Lanying dialect on the built server: one user base with the Easemob dialect on one port; numbers and admin tokens
//! that are the same after kill -9.

use std::path::Path;

use serde_json::{Value, json};
use yinxin_testkit::http::request;
use yinxin_testkit::server::{AppCredentials, Server};

const CHEAP: [(&str, &str); 2] = [("YINXIN_PASSWORDS__MEMORY_KIB", "8"), ("YINXIN_PASSWORDS__PASSES", "1")];

fn call(server: &Server, headers: &[(&str, &str)], method: &str, path: &str, body: &Value) -> (u16, Value) {
    let headers = [headers, &[("content-type", "application/json")]].concat();
    let text = body.to_string();
    let body = (method != "GET").then_some(text.as_bytes());
    let reply = request(server.addr(), method, path, &headers, body).expect("an answer");
    (reply.status, reply.json().expect("JSON"))
}

fn lanying(server: &Server, app: &AppCredentials, token: &str, method: &str, path: &str, body: &Value) -> Value {
    let headers = [("app_id", app.lanying.app_id.as_str()), ("access-token", token)];
    call(server, &headers, method, path, body).1
}

fn easemob(server: &Server, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let bearer = format!("Bearer {token}");
    call(server, &[("authorization", bearer.as_str())], method, &format!("/org/app/{path}"), body)
}

fn log_in(server: &Server, name: &str, password: &str) -> (u16, Value) {
    let grant = json!({ "grant_type": "password", "username": name, "password": password });
    easemob(server, "", "POST", "token", &grant)
}

#[test]
fn one_user_base_with_the_easemob_dialect() {
    let server = Server::start_with(Path::new(env!("CARGO_BIN_EXE_yinxin")), &[], &CHEAP);
    let app = server.create_app("org", "app", &["--open-registration"]);
    let admin = &app.lanying.admin_token;
    let ask = |token: &str, method: &str, path: &str, body: Value| lanying(&server, &app, token, method, path, &body);

    // Made by one dialect, logs in by the other with the same password, whichever it was.
    easemob(&server, admin, "POST", "users", &json!([{ "username": "ann", "password": "by-easemob" }]));
    let granted = ask("", "POST", "/token/user", json!({ "name": "ann", "password": "by-easemob" }));
    let id = granted["data"]["user_id"].as_i64().expect("a number");
    let token = granted["data"]["token"].as_str().expect("a token").to_owned();
    ask("", "POST", "/user/register/v2", json!({ "username": "ben", "password": "by-lanying" }));
    assert_eq!(log_in(&server, "ben", "by-lanying").0, 200);

    // A token of one dialect opens the other's calls.
    assert_eq!(easemob(&server, &token, "GET", "users/ann", &json!({})).0, 200);
    let own = log_in(&server, "ann", "by-easemob").1["access_token"].as_str().expect("a token").to_owned();
    assert_eq!(ask(&own, "GET", "/user/profile", json!({}))["data"]["user_id"], id);

    // Contacts, blocks and profiles are the same.
    easemob(&server, admin, "POST", "users/ann/contacts/users/ben", &json!({}));
    let contacts = ask(&token, "GET", "/roster/list", json!({}))["data"].clone();
    let ben = contacts[0].as_i64().expect("a number");
    ask(&token, "POST", &format!("/roster/block?user_id={ben}"), json!({}));
    assert_eq!(easemob(&server, admin, "GET", "users/ann/blocks/users", &json!({})).1["data"], json!(["ben"]));
    ask(&token, "POST", "/user/profile", json!({ "nick_name": "Annie" }));
    let shown = easemob(&server, admin, "GET", "metadata/user/ann", &json!({})).1;
    assert_eq!(shown["data"]["nickname"], "Annie");

    // A ban is one ban, whoever made it.
    ask(admin, "PUT", "/user/disable", json!({ "list": [id] }));
    assert_eq!(log_in(&server, "ann", "by-easemob").1["error_description"], "user not activated");
    assert_eq!(ask(&token, "GET", "/user/profile", json!({}))["code"], 402);
    easemob(&server, admin, "POST", "users/ann/activate", &json!({}));
    assert_eq!(ask("", "POST", "/token/id", json!({ "user_id": id, "password": "by-easemob" }))["code"], 200);
    easemob(&server, admin, "POST", "users/ann/deactivate", &json!({}));
    assert_eq!(ask("", "POST", "/token/id", json!({ "user_id": id, "password": "by-easemob" }))["code"], 10010);
}

#[test]
fn numbers_and_admin_tokens_outlive_kill() {
    let mut server = Server::start_with(Path::new(env!("CARGO_BIN_EXE_yinxin")), &[], &CHEAP);
    let app = server.create_app("org", "app", &["--open-registration"]);
    let login = json!({ "name": "ann", "password": "secret" });
    let register = json!({ "username": "ann", "password": "secret" });
    let made = lanying(&server, &app, "", "POST", "/user/register/v2", &register);
    let second: Value =
        serde_json::from_str(&server.run(&["app", "admin-token", "create", "org/app", "--label", "ci", "--json"]))
            .expect("JSON");
    let (second, second_id) = (second["admin_token"].as_str().expect("text"), second["id"].as_str().expect("text"));
    let granted = lanying(&server, &app, "", "POST", "/token/user", &login);
    assert_eq!(granted["data"]["user_id"], made["data"]["user_id"]);
    server.kill();
    server.restart();
    let again = lanying(&server, &app, "", "POST", "/token/user", &login);
    assert_eq!(again["data"]["user_id"], made["data"]["user_id"]);
    let token = granted["data"]["token"].as_str().expect("a token");
    assert_eq!(lanying(&server, &app, token, "GET", "/user/profile", &json!({}))["code"], 200);
    for admin in [app.lanying.admin_token.as_str(), second] {
        assert_eq!(lanying(&server, &app, admin, "GET", "/user/list", &json!({}))["code"], 200);
    }
    assert!(server.run(&["app", "admin-token", "list", "org/app"]).contains("ci"));
    server.run(&["app", "admin-token", "revoke", "org/app", second_id, "--yes"]);
    assert_eq!(lanying(&server, &app, second, "GET", "/user/list", &json!({}))["code"], 402);
    server.run(&["app", "adopt-lanying-keys", "org/app", "--app-id", "welovemaxim", "--yes"]);
    assert_eq!(lanying(&server, &app, "", "POST", "/token/user", &login)["code"], 40000);
}
