//! Global mutes: seconds, for ever, lifted, in pages.

use serde_json::{Value, json};

use crate::asking::Answer as _;
use crate::world::{SECOND, World, numbered};

const NO_USER: (u16, &str, &str) =
    (400, "required_property_not_found", "Entity user requires a property named username");

async fn mute(w: &World, body: Value) {
    let reply = w.post("/mutes", body).await.ok();
    assert_eq!((&reply["path"], &reply["data"]), (&json!("/mutes"), &json!({ "result": "ok" })));
}

#[tokio::test]
async fn a_mute_counts_down_and_ends() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    mute(&w, json!({ "username": "Anna", "chat": 60, "groupchat": "120", "chatroom": -1 })).await;
    let held = async |chat: i64, groupchat: i64, chatroom: i64| {
        let expected = json!({
            "userid": "acme#chat_anna", "chat": chat, "groupchat": groupchat, "chatroom": chatroom, "unixtime": w.now_s(),
        });
        assert_eq!(w.get("/mutes/ANNA").await.ok()["data"], expected);
    };
    held(60, 120, -1).await;
    w.clock.move_by(59 * SECOND);
    held(1, 61, -1).await;
    w.clock.move_by(SECOND);
    held(0, 60, -1).await;
    mute(&w, json!({ "username": "anna", "groupchat": 0, "chatroom": 2_147_483_647 })).await;
    held(0, 0, 2_147_483_647).await;
    mute(&w, json!({ "username": "anna" })).await;
    held(0, 0, 2_147_483_647).await;
}

#[tokio::test]
async fn mutes_that_make_no_sense_change_nothing() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let stored = w.dump().await;
    for value in [json!(-2), json!(2_147_483_648_i64), json!("x"), json!(1.5), json!([]), json!(i64::MIN)] {
        let fault = w.post("/mutes", json!({ "username": "anna", "chat": 5, "chatroom": value })).await.fault();
        assert_eq!((fault.status, &*fault.error), (400, "illegal_argument"), "{value}");
    }
    for body in [json!({}), json!({ "username": "nobody", "chat": 5 }), json!({ "username": null, "chat": 5 })] {
        w.post("/mutes", body).await.refused(NO_USER.0, NO_USER.1, NO_USER.2);
    }
    w.get("/mutes/nobody").await.refused(NO_USER.0, NO_USER.1, NO_USER.2);
    assert_eq!(w.dump().await, stored);
}

#[tokio::test]
async fn mutes_are_listed_in_pages_a_row_for_each_kind() {
    let w = World::new().await;
    let names = numbered("user", 30);
    w.register(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for name in &names {
        mute(&w, json!({ "username": name, "chat": 60, "chatroom": -1 })).await;
    }
    let all: Vec<Value> = names
        .iter()
        .flat_map(|name| [json!({ "username": name, "chat": 60 }), json!({ "username": name, "chatroom": -1 })])
        .collect();
    let list = async |query: &str| -> Vec<Value> {
        let reply = w.get(&format!("/mutes?{query}")).await.ok();
        assert_eq!(reply["data"]["unixtime"], w.now_s());
        reply["data"]["data"].as_array().unwrap().clone()
    };
    assert_eq!(list("pageNum=1&pageSize=50").await, all[..50]);
    assert_eq!(list("pageNum=2&pageSize=50").await, all[50..]);
    assert_eq!(list("pagenum=3&pagesize=7").await, all[14..21]);
    assert_eq!(list("pageNum=1&pageSize=500").await, all[..50]);
    for behind in ["9", "1001", "9223372036854775807"] {
        assert_eq!(list(&format!("pageNum={behind}&pageSize=50")).await, [Value::Null; 0]);
    }
    for first in ["0", "-9223372036854775808"] {
        assert_eq!(list(&format!("pageNum={first}&pageSize=50")).await, all[..50]);
    }
    w.clock.move_by(60 * SECOND);
    assert_eq!(list("pageSize=50").await.len(), 30, "what has ended is not listed");
}
