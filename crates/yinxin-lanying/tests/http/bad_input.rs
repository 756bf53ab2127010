//! What is no call, no JSON, or nothing it should be: answered in the dialect's shape, and changing nothing.

use serde_json::json;

use crate::asking::Ask;
use crate::asking::{Answer as _, Bearer as _};
use crate::world::World;

#[tokio::test]
async fn no_body_breaks_a_call_or_changes_anything() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let bodies: [&[u8]; 14] = [
        b"",
        b" ",
        b"{",
        b"[]",
        b"null",
        b"1",
        b"\"x\"",
        b"\xff\xfe",
        b"{\"a\":1}}",
        b"{\"list\":1,\"user_id\":[],\"username\":{},\"password\":1,\"name\":[],\"login_name\":1}",
        b"{\"username\":\"a\\u0000\",\"password\":\"x\",\"name\":\"\\u0000\",\"login_name\":\"\\u0000\"}",
        b"{\"name\":\"a\",\"name\":\"b\"}",
        b"{\"user_id\":99999999999999999999999,\"list\":[99999999999999999999]}",
        deep.as_bytes(),
    ];
    let before = w.dump().await;
    for (methods, path) in yinxin_lanying::calls() {
        for method in methods.iter().filter(|method| **method != "GET") {
            // What these ask for is nothing, which is something to answer with a yes.
            let is_harmless = ["/user/settings", "/user/profile", "/user/delete"].contains(&path)
                || path.starts_with("/roster/apply")
                || path == "/user/push/tag/all";
            for (number, body) in bodies.iter().enumerate() {
                for (token, user) in [(&ann.token, 0), (&w.app.admin, ann.id), (&w.app.admin, 16)] {
                    if path == "/user/delete" && *token == w.app.admin {
                        continue;
                    }
                    let ask = Ask::new(&w, method, path).header("app_id", &w.app.app_id).by(token);
                    let answer = ask.header("user_id", user).raw(body.to_vec()).await;
                    let code = answer.json()["code"].as_i64().unwrap();
                    assert!(answer.status < 500 || code == 501, "{path} {number}: {code}");
                    assert!(code != 200 || is_harmless, "{method} {path} {number}: {}", answer.json());
                }
            }
        }
    }
    assert_eq!(w.dump().await, before);
}

#[tokio::test]
async fn no_query_breaks_a_call() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    for (methods, path) in yinxin_lanying::calls() {
        for query in
            ["?", "?user_id=x&limit=x&cursor=x", "?user_id=%ff", "?user_id=%00", "?&&=&x", "?limit=-9&cursor=-9"]
        {
            for method in methods.iter().filter(|method| **method == "GET") {
                let ask = Ask::new(&w, method, &format!("{path}{query}")).header("app_id", &w.app.app_id);
                let answer = ask.by(&ann.token).await;
                assert!(answer.status < 500, "{path}{query}");
                assert!(answer.json()["code"].is_i64(), "{path}{query}");
            }
        }
    }
    let many = "a=1&".repeat(2000);
    w.get(&format!("/roster/list?{many}")).by(&ann.token).await.refused(10002);
}

#[tokio::test]
async fn what_is_no_call_is_said_in_the_dialects_shape() {
    let w = World::new().await;
    for (method, path, status) in [
        ("GET", "/user/nothing", 404),
        ("POST", "/token/refresh", 404),
        ("GET", "/roster/a/b/c", 404),
        ("GET", "/token/user", 405),
        ("DELETE", "/user/profile", 405),
        ("PATCH", "/v2/app_dns", 405),
    ] {
        let answer = Ask::new(&w, method, path).header("app_id", &w.app.app_id).await;
        assert_eq!((answer.status, answer.json()["code"].as_u64()), (status, Some(status.into())), "{path}");
    }
}

#[tokio::test]
async fn a_page_of_any_origin_may_call() {
    let w = World::new().await;
    let asked = Ask::new(&w, "OPTIONS", "/token/user").header("origin", "http://localhost").await;
    assert_eq!(asked.status, 204);
    assert_eq!(asked.headers["access-control-allow-origin"], "*");
    let allowed = asked.headers["access-control-allow-headers"].to_str().unwrap();
    assert!(allowed.contains("app_id") && allowed.contains("access-token") && allowed.contains("Content-Type"));
    for ask in [w.get("/v2/app_dns"), w.get("/user/profile"), w.get("/user/nothing")] {
        assert_eq!(ask.await.headers["access-control-allow-origin"], "*");
    }
}

#[tokio::test]
async fn a_client_is_told_where_the_servers_are() {
    let w = World::new().await;
    let ask = |path: &str| Ask::new(&w, "GET", path).header("host", "chat.example:8090");
    let dns = ask(&format!("/v2/app_dns?app_id={}&source=sdk", w.app.app_id)).await.ok();
    let here = json!([{ "protocol": "http", "host": "chat.example:8090", "ip_list": [] }]);
    let cluster = json!({ "ratel": here, "webim": here, "ws": here, "rtc": here });
    assert_eq!(dns["dns_list"], json!([{ "group_level": 0, "clusters": [cluster] }]));
    assert_eq!((&dns["app_status"], &dns["version"]), (&json!("normal"), &json!(1)));
    ask("/v2/app_dns?app_id=nosuchappidx").await.refused(99997);
    ask("/v2/app_dns").await.refused(10002);
    w.get("/app/config?platform=6").await.ok();
}

#[tokio::test]
async fn a_call_one_part_of_which_is_refused_does_none_of_it() {
    let w = World::new().await;
    let (ann, ben) = (w.user("ann").await, w.user("ben").await);
    let stranger = w.user("cid").await;
    w.post("/roster/apply", &json!({ "user_id": ben.id })).by(&ann.token).await.ok();
    let long = "x".repeat(1025);
    let before = w.dump().await;
    for (path, body, named) in [
        ("/user/settings", json!({ "auth_mode": 1, "no_push_start_hour": 24 }), "no_push_start_hour"),
        ("/user/settings", json!({ "no_push": true, "auth_mode": 4 }), "auth_mode (limit 3)"),
        ("/user/settings", json!({ "no_push": true, "silence_end_time": -1 }), "silence_end_time"),
        ("/user/settings", json!({ "no_push": true, "auth_question": long }), "auth_question (limit 1024)"),
        ("/user/settings", json!({ "auth_mode": 1, "push_nick_name": long }), "nick_name"),
        ("/user/profile", json!({ "nick_name": "x", "private_info": long }), "private_info (limit 1024)"),
        ("/user/profile", json!({ "private_info": "x", "description": long }), "description"),
        ("/roster/ext", json!({ "user_id": ben.id, "ext": "x", "alias": long }), "alias"),
        ("/roster/ext", json!({ "user_id": ben.id, "mute_notification": true, "ext": long.repeat(9) }), "ext"),
        ("/roster/apply", json!({ "user_id": stranger.id, "alias": long }), "alias"),
        ("/user/register/push", json!({ "username": "new", "password": "x", "alias": long }), "alias"),
        ("/user/push/badge", json!({ "badge": -1 }), "badge"),
    ] {
        let said = w.post(path, &body).by(&ann.token).await.refused(10002);
        assert!(said.contains(named), "{path} {body}: {said}");
    }
    let said = w.tell("/user/authmode?value=9").by(&ann.token).await.refused(10002);
    assert!(said.contains("auth_mode (limit 3)"), "{said}");
    w.post("/roster/ext", &json!({ "user_id": stranger.id, "mute_notification": true }))
        .by(&ann.token)
        .await
        .refused(10010);
    assert_eq!(w.dump().await, before);
}
