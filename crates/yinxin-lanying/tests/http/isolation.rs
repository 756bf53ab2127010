//! Apps on one server: every call with everything that names a user, a device or a file of another app is answered as if
//! it named nobody's, and changes nothing there.

use serde_json::{Value, json};
use yinxin_core::hooks::{self, Kind, NewHook};
use yinxin_core::users;

use crate::asking::{Answer as _, Ask, Bearer as _};
use crate::world::{Somebody, World};

/// What a caller may have heard of.
struct Hearsay {
    id: i64,
    name: &'static str,
    mobile: &'static str,
    push_token: String,
    file: String,
}

impl Hearsay {
    /// Behind the question mark whatever any call asks for there.
    fn query(&self) -> String {
        let Self { id, name, mobile, push_token, file } = self;
        format!(
            "user_id={id}&roster_id={id}&username={name}&mobile={mobile}&email={name}%40b.c&device_sn=5&deviceSn=5&value=true\
             &nick_name=x&no_push_start_hour=1&no_push_end_hour=2&file_id={file}&file_sign={file}&group_id=1\
             &push_token={push_token}&provider=1&limit=9"
        )
    }

    /// A body with whatever any call asks for there.
    fn body(&self, path: &str) -> Value {
        let Self { id, name, push_token, .. } = self;
        let list = match path {
            "/user/register/batch" => json!([{ "username": name, "password": "x" }]),
            "/user/profile/batch" | "/user/avatar/batch" => json!([{ "user_id": id, "nick_name": "x" }]),
            "/roster/apply/batch" => return json!([{ "user_id": id }]),
            _ => json!([id]),
        };
        json!({ "user_id": id, "username": name, "name": name, "login_name": name, "password": "pw-ann",
            "old_password": "x", "new_password": "y", "nick_name": "x", "avatar": "a", "alias": "a", "ext": "e",
            "reason": "r", "tags": ["t"], "badge": 1, "device_sn": 5, "device_token": "t", "notifier_name": "n",
            "push_token": push_token, "audience": { "user_id": [id] }, "group_list": [id], "message": { "body": "x" }, "list": list })
    }

    /// An answer without what the caller said itself, and without what is drawn at random.
    fn normal(&self, answer: &Value) -> String {
        let text = answer.to_string().replace(self.name, "NAME").replace(self.mobile, "MOBILE");
        text.split(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c))
            .map(|word| if word.len() >= 10 && word.contains(|c: char| c.is_ascii_digit()) { "N" } else { word })
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// A user of the other app, so fresh that nothing has happened to it.
async fn rival(w: &World) -> Somebody {
    let name = "eve".to_owned();
    let ask = |path: &str, body: Value| {
        Ask::new(w, "POST", path).header("app_id", &w.other.app_id).by(&w.other.admin).raw(body.to_string())
    };
    ask("/user/register/v2", json!({ "username": name, "password": "x" })).await.ok();
    let granted = ask("/token/user", json!({ "name": name, "password": "x" })).await.ok();
    Somebody { id: granted["user_id"].as_i64().unwrap(), token: granted["token"].as_str().unwrap().to_owned(), name }
}

/// A user of the app with all that makes one known.
async fn known(w: &World) -> (Somebody, Hearsay) {
    let ann = w.user("ann").await;
    w.tell("/user/mobile?mobile=13800000000").by(&ann.token).await.ok();
    let login = json!({ "name": "ann", "password": "pw-ann", "device_guid": "phone" });
    let push_token = w.post("/token/user", &login).await.ok()["push_token"].as_str().unwrap().to_owned();
    let bind = json!({ "push_token": push_token, "device_token": "t", "notifier_name": "n" });
    w.post("/user/token/bind", &bind).by(&ann.token).await.ok();
    let file = crate::files::upload(w, "ann").await;
    let heard = Hearsay { id: ann.id, name: "ann", mobile: "13800000000", push_token, file };
    (ann, heard)
}

async fn rows_of_the_app(w: &World) -> Vec<String> {
    let id = hex::encode_upper(w.core_app().await.id.0);
    let rows: Vec<String> = w.dump().await.lines().filter(|line| line.contains(&id)).map(str::to_owned).collect();
    assert!(rows.len() > 5);
    rows
}

#[tokio::test]
async fn what_is_another_apps_is_nobodys() {
    let w = World::new().await;
    let app = w.app_of("rival/chat").await;
    let changes = hooks::Changes { events: Some(vec!["push.requested".to_owned()]), ..hooks::Changes::default() };
    let hook = NewHook { url: "https://backend.example/push".to_owned(), kind: Kind::Events, settings: changes };
    hooks::create(&w.ctx, &app, hook).await.unwrap();
    let (ann, foreign) = known(&w).await;
    let nobodys = Hearsay {
        id: ann.id + 16,
        name: "bob",
        mobile: "13900000000",
        push_token: "x".repeat(foreign.push_token.len()),
        file: uuid::Uuid::from_u128(7).to_string(),
    };
    let before = rows_of_the_app(&w).await;
    let mut granted = 0;
    for (methods, path) in yinxin_lanying::calls() {
        for method in methods {
            for as_whom in ["a user", "the backend for a user", "the backend for whom it heard of", "the backend"] {
                let mut said = Vec::new();
                for heard in [&nobodys, &foreign] {
                    let eve = if as_whom.ends_with("a user") { Some(rival(&w).await) } else { None };
                    let ask = Ask::new(&w, method, &format!("{path}?{}", heard.query()));
                    let ask = ask.header("app_id", &w.other.app_id).raw(heard.body(path).to_string());
                    let ask = match (as_whom, &eve) {
                        ("a user", Some(eve)) => ask.by(&eve.token),
                        (_, Some(eve)) => ask.by(&w.other.admin).header("user_id", eve.id),
                        ("the backend", None) => ask.by(&w.other.admin),
                        (_, None) => ask.by(&w.other.admin).header("user_id", heard.id),
                    };
                    let answer = ask.await.json();
                    granted += usize::from(answer["code"] == 200);
                    said.push(heard.normal(&answer));
                    // What this call has taken here is free for the next.
                    for name in ["eve", heard.name] {
                        drop(users::delete(&w.ctx, &app, name).await);
                    }
                }
                assert_eq!(said[0], said[1], "{method} {path} as {as_whom}");
            }
        }
    }
    assert!(granted > 100, "{granted} answers were a yes: too few to see that they are not about others");
    assert_eq!(rows_of_the_app(&w).await, before);
}
