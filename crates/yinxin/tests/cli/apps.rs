use serde_json::json;
use yinxin_testkit::server::Server;

use crate::binary;
use crate::process::{call, run_on, run_with};

#[test]
fn an_app_lives_from_creation_to_deletion() {
    let server = Server::start(binary(), &[]);
    let yinxin = |args: &[&str]| run_on(server.data(), args);
    let data = server.data().display().to_string();

    let printed = yinxin(&["app", "create", "acme/chat", "--json"]);
    let mut made = printed.json();
    assert!(printed.stdout.starts_with(r#"{"org":"acme","app":"chat","app_key":"acme#chat","application":""#));
    assert_eq!(made["easemob"].as_object().unwrap().keys().collect::<Vec<_>>(), ["client_id", "client_secret"]);
    let netease = made["netease"].as_object().unwrap();
    assert_eq!(netease.keys().collect::<Vec<_>>(), ["admission_key", "app_key", "app_secret", "perm_secret"]);
    assert_eq!(netease["app_key"].as_str().unwrap().len(), 32);
    // Shown this once.
    let admin_token = made["lanying"].as_object_mut().unwrap().remove("admin_token").unwrap();
    assert_eq!(admin_token.as_str().unwrap().len(), 64);
    let secret = made["easemob"]["client_secret"].as_str().unwrap();
    assert_eq!(made["settings"]["open_registration"], false);

    let flags = [
        "--open-registration",
        "--profile",
        "current",
        "--user-token-ttl",
        "60",
        "--app-token-ttl",
        "0",
        "--contacts-max",
        "7",
        "--contacts-only-messaging",
        "--safe-mode=false",
        "--local-room-tokens=false",
        "--token-error-code",
        "10008",
        "--unknown-login-code",
        "10000",
        "--expire-unit",
        "s",
        "--token-user-mobile=false",
    ];
    let other = yinxin(&[&["app", "create", "acme/other", "--json"], &flags[..]].concat()).json();
    let settings = json!({"open_registration": true, "profile": "current", "user_token_ttl": 60,
        "app_token_ttl": 0, "contacts_max": 7, "contacts_only_messaging": true, "safe_mode": false,
        "local_room_tokens": false, "token_error_code": 10008, "unknown_login_code": 10000, "expire_unit": "s",
        "token_user_mobile": false});
    assert_eq!(other["settings"], settings);

    assert_eq!(yinxin(&["app", "show", "acme/chat", "--json"]).json()["easemob"].get("client_secret"), None);
    assert_eq!(yinxin(&["app", "show", "acme#chat", "--json", "--secrets"]).json(), made);
    let listed = yinxin(&["app", "list", "--json"]);
    assert_eq!(listed.json()["apps"].as_array().unwrap().len(), 2);
    assert!(!listed.stdout.contains(secret));
    assert!(yinxin(&["app", "list", "--json", "--secrets"]).stdout.contains(secret));

    let set = yinxin(&["app", "set", "acme/other", "--open-registration=false", "--profile", "seed", "--json"]).json();
    assert_eq!((&set["settings"]["open_registration"], &set["settings"]["profile"]), (&json!(false), &json!("seed")));
    assert_eq!(
        (&set["settings"]["contacts_max"], &set["settings"]["contacts_only_messaging"]),
        (&json!(7), &json!(true))
    );

    let rotated = yinxin(&["app", "rotate-secret", "acme/chat", "--yes", "--json"]).json();
    assert_ne!(rotated["easemob"]["client_secret"], secret);
    assert_eq!(rotated["netease"], made["netease"]);
    let again = yinxin(&["app", "rotate-secret", "acme/chat", "--dialect", "netease", "--yes", "--json"]).json();
    assert_eq!(again["easemob"], rotated["easemob"]);
    assert_eq!(again["netease"]["app_key"], made["netease"]["app_key"]);
    assert_ne!(again["netease"]["app_secret"], made["netease"]["app_secret"]);
    let adopted = run_with(
        &["app", "adopt-keys", "acme/chat", "--app-key", "key", "--secrets-stdin", "--yes", "--json", "--data", &data],
        &[],
        "first\nsecond\n",
    );
    let adopted = adopted.json();
    let secrets = ["app_key", "app_secret", "perm_secret"].map(|field| &adopted["netease"][field]);
    assert_eq!(secrets, ["key", "first", "second"]);
    assert_ne!(
        adopted["netease"]["admission_key"], again["netease"]["admission_key"],
        "media servers get another key with the secrets"
    );
    let adopt = ["app", "adopt-keys", "acme/chat", "--app-key", "key"];
    assert!(yinxin(&adopt).failed(2).contains("--app-secret"));
    assert!(yinxin(&[&adopt[..], &["--app-secret", "s"]].concat()).failed(6).contains("--yes"));
    assert_eq!(yinxin(&["app", "delete", "acme/chat", "--yes", "--json"]).json()["app_key"], "acme#chat");
    assert_eq!(yinxin(&["app", "list", "--json"]).json()["apps"].as_array().unwrap().len(), 1);
}

#[test]
fn refusals_have_their_exit_codes_and_say_what_to_do() {
    let server = Server::start(binary(), &[]);
    let yinxin = |args: &[&str]| run_on(server.data(), args);
    yinxin(&["app", "create", "acme/chat"]);

    assert!(yinxin(&["app", "create", "acme/chat"]).failed(4).contains("an app of that name exists: 'chat'"));
    for args in [
        &["app", "show", "acme/none"][..],
        &["app", "set", "acme/none", "--profile", "seed"],
        &["app", "delete", "a/b", "--yes"],
    ] {
        assert!(yinxin(args).failed(3).contains("there is no such app"));
    }
    assert!(yinxin(&["app", "delete", "acme/chat"]).failed(6).contains("--yes"));
    assert!(yinxin(&["app", "rotate-secret", "acme/chat"]).failed(6).contains("--yes"));
    assert!(yinxin(&["app", "create", "acme"]).failed(2).contains("expected ORG/APP"));
    assert!(yinxin(&["app", "create", "a b/c"]).failed(2).contains("'a b/c'"));
    assert!(yinxin(&["app", "set", "acme/chat"]).failed(2).contains("nothing to set"));
    assert!(yinxin(&["app", "create", "a/b", "--profile", "new"]).failed(2).contains("seed, current"));
    assert!(yinxin(&["app", "create", "a/b", "--user-token-ttl", "-1"]).failed(2).contains("-1"));
    assert!(yinxin(&["app"]).failed(2).contains("Usage"));
    assert_eq!(yinxin(&["app", "show", "acme/chat"]).code, 0);
}

#[test]
fn people_get_text() {
    let server = Server::start(binary(), &[]);
    let yinxin = |args: &[&str]| run_on(server.data(), args).stdout;
    let made = yinxin(&["app", "create", "acme/chat", "--user-token-ttl", "0"]);
    assert!(made.contains("Client secret   YXA6") && made.contains("User token TTL  for ever"), "{made}");
    let shown = yinxin(&["app", "show", "acme/chat"]);
    assert!(shown.contains("Messages        to everybody"), "{shown}");
    assert!(
        shown.contains("AppKey          acme#chat") && shown.contains("NetEase AppKey") && !shown.contains("secret"),
        "{shown}"
    );
    let listed = yinxin(&["app", "list"]);
    assert!(listed.contains("APP KEY") && listed.contains("acme#chat"), "{listed}");
    assert_eq!(yinxin(&["app", "delete", "acme/chat", "--yes"]), "deleted the app acme/chat\n");
}

#[test]
fn what_users_complained_of_is_listed_and_cannot_paint_the_terminal() {
    let server = Server::start(binary(), &[]);
    let yinxin = |args: &[&str]| run_on(server.data(), args);
    let made = yinxin(&["app", "create", "acme/chat", "--json"]).json();
    for name in ["ann", "ben"] {
        yinxin(&["user", "create", "acme/chat", name, "--json"]).json();
    }
    let rest = |path: &str, token: &str, body: serde_json::Value| {
        let url = format!("http://{}/acme/chat{path}", server.addr());
        let authorization = format!("Bearer {token}");
        let headers = [("content-type", "application/json"), ("authorization", authorization.as_str())];
        let (status, text) = call("POST", &url, &headers, &body.to_string());
        assert_eq!(status, 200, "{text}");
        serde_json::from_str::<serde_json::Value>(&text).unwrap()
    };
    let mut grant = made["easemob"].clone();
    grant["grant_type"] = "client_credentials".into();
    let token = rest("/token", "", grant)["access_token"].as_str().unwrap().to_owned();
    let said = format!("\u{1b}[2Jbuy\nthis {}", "x".repeat(100));
    let message = json!({"from": "ann", "to": ["ben"], "type": "txt", "body": {"msg": said}});
    let id = rest("/messages/users", &token, message)["data"]["ben"].as_str().unwrap().to_owned();
    let report = json!({"reportType": "spam", "reportReason": "it sells"});
    rest(&format!("/user/ben/moderation/report/message/{id}"), &token, report);

    let listed = yinxin(&["app", "reports", "acme/chat", "--json"]).json();
    assert_eq!((&listed["cursor"], listed["reports"].as_array().unwrap().len()), (&json!(null), 1));
    assert_eq!((&listed["reports"][0]["message"], &listed["reports"][0]["excerpt"]), (&json!(id), &json!(said)));
    let shown = yinxin(&["app", "reports", "acme/chat", "--limit", "1"]);
    assert_eq!((shown.code, shown.stdout.lines().count()), (0, 2), "{shown:?}");
    for part in ["0 min", "ben", "ann", "spam", "it sells", id.as_str(), "[2Jbuy", "x…"] {
        assert!(shown.stdout.contains(part), "{part}: {shown:?}");
    }
    assert!(!shown.stdout.contains('\u{1b}'));
    assert!(yinxin(&["app", "reports", "acme/chat", "--limit", "0"]).failed(2).contains("--limit"));
    assert!(yinxin(&["app", "reports", "acme/none"]).failed(3).contains("there is no such app"));
}
