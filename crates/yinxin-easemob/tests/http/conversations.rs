//! Conversations and what is stuck to their messages, as backends and the web SDK call for them over REST.

use serde_json::{Value, json};

use crate::asking::Answer as _;
use crate::world::World;

/// Two users, and a text that the first has sent the second; its id.
async fn scene() -> (World, String) {
    let w = World::new().await;
    w.register(&["user1", "user2"]).await;
    let id = say(&w, "hello").await;
    (w, id)
}

async fn say(w: &World, text: &str) -> String {
    let message =
        json!({ "from": "user1", "to": ["user2"], "type": "txt", "body": { "msg": text }, "ext": { "k": 1 } });
    w.post("/messages/users", message).await.ok()["data"]["user2"].as_str().unwrap().to_owned()
}

async fn listed(w: &World, owner: &str, query: &str) -> Vec<Value> {
    let reply = w.get(&format!("/sdk/user/{owner}/user_channels/{query}")).await.ok();
    reply["data"]["channel_infos"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_list_shows_each_conversation_with_its_last_message() {
    let (w, id) = scene().await;
    let reply = w.get("/sdk/user/user2/user_channels/list?limit=1").await.ok();
    assert_eq!(reply["data"]["cursor"], "");
    let [one] = &reply["data"]["channel_infos"].as_array().unwrap()[..] else { panic!("{reply}") };
    let payload: Value = serde_json::from_str(one["meta"]["payload"].as_str().unwrap()).unwrap();
    let expected = json!({
        "from": "user1", "to": "user2", "type": "chat",
        "bodies": [{ "type": "txt", "msg": "hello" }], "ext": { "k": 1 },
    });
    assert_eq!(payload, expected);
    let address = |name: &str| format!("acme#chat_{name}@easemob.com");
    let mut rest = one.clone();
    rest["meta"]["payload"] = Value::Null;
    let meta = json!({
        "id": id, "from": address("user1"), "to": address("user2"), "timestamp": w.now_ms(), "payload": null,
    });
    let expected = json!({
        "session_to": "user1", "session_type": "chat", "is_top": false, "update_top_status_time": 0,
        "unread_num": 1, "marks": [], "meta": meta,
    });
    assert_eq!(rest, expected);
    let old = w.get("/users/user2/user_channels").await.ok()["data"]["channel_infos"][0].clone();
    assert_eq!((&old["channel_id"], &old["unread_num"]), (&json!(address("user1")), &json!(1)));
}

#[tokio::test]
async fn pinning_and_marking() {
    let (w, _) = scene().await;
    let top = "/sdk/user/user2/user_channel/top";
    let pinned = w.post(top, json!({ "to": "USER1", "type": "chat" })).await.ok();
    assert_eq!(pinned["data"], json!({ "is_top": true, "update_top_status_time": w.now_ms() }));
    assert_eq!(listed(&w, "user2", "list?is_top=true").await[0]["is_top"], true);
    assert!(listed(&w, "user1", "list?is_top=true").await.is_empty());
    let unpinned = w.delete(&format!("{top}?to=user1&type=chat")).await.ok();
    assert_eq!(unpinned["data"], json!({ "is_top": false, "update_top_status_time": 0 }));
    assert!(listed(&w, "user2", "list?is_top=true").await.is_empty());
    let unknown = w.post(top, json!({ "to": "nobody", "type": "chat" })).await;
    unknown.refused(404, "service_resource_not_found", "conversation nobody not found");
    assert_eq!(unknown.json()["error_code"], 91001);
    let group = w.post(top, json!({ "to": "1001", "type": "groupchat" })).await;
    group.refused(404, "resource_not_found", "grpID 1001 does not exist!");
    w.post(top, json!({})).await.refused(400, "illegal_argument", "illegal value: to is missing");

    let mark = "/sdk/user/user2/user_channels/mark";
    let targets = json!([{ "to": "user1", "type": "chat" }, { "to": "nobody" }, { "to": "1001", "type": "groupchat" }]);
    let marked = w.post(mark, json!({ "mark": "mark_3", "targets": targets })).await.ok();
    let ignored = json!([{ "to": "1001", "type": "groupchat" }, { "to": "nobody", "type": "chat" }]);
    assert_eq!(marked["data"], json!({ "ignore": ignored }));
    assert_eq!(listed(&w, "user2", "mark/search?mark=mark_3").await[0]["marks"], json!(["mark_3"]));
    assert!(listed(&w, "user2", "mark/search?mark=mark_4").await.is_empty());
    for illegal in ["mark_20", "mark_256", "mark_-1", "3", "MARK_3"] {
        let reply = w.post(mark, json!({ "mark": illegal, "targets": [] })).await;
        reply.refused(400, "illegal_argument", "param mark illegal, please check it!");
    }
    let unmark = json!({ "mark": "mark_3", "targets": [{ "to": "user1", "type": "chat" }] });
    w.delete(mark).json(&unmark).await.ok();
    assert!(listed(&w, "user2", "mark/search?mark=mark_3").await.is_empty());
}

#[tokio::test]
async fn removing_messages_and_conversations() {
    let (w, _) = scene().await;
    let history = async |owner: &str, peer: &str| {
        let query = json!({ "queue": format!("{peer}@easemob.com"), "start": -1, "pull_number": 50 });
        let reply = w.post(&format!("/users/{owner}/messageroaming"), query).await.ok();
        reply["data"]["msgs"].as_array().unwrap().len()
    };
    for root in ["/sdk", "/rest"] {
        let id = say(&w, "one").await;
        say(&w, "two").await;
        let before = history("user2", "user1").await;
        let by_id = format!("{root}/message/roaming/chat/user/user2?userId=user1&msgIdList={id},7");
        w.delete(&by_id).await.ok();
        assert_eq!(history("user2", "user1").await, before - 1);
        let by_time = format!("{root}/message/roaming/chat/user/user2/time?userId=user1&delTime={}", w.now_ms());
        w.delete(&by_time).await.ok();
        assert_eq!(history("user2", "user1").await, 0);
        say(&w, "three").await;
        w.post(&format!("{root}/message/roaming/user/user2/delete/all"), json!({})).await.ok();
        assert_eq!(history("user2", "user1").await, 0);
    }
    say(&w, "four").await;
    let fifty_one = vec!["7"; 51].join(",");
    let many = format!("/sdk/message/roaming/chat/user/user2?userId=user1&msgIdList={fifty_one}");
    assert_eq!(w.delete(&many).await.fault().status, 400);
    for path in ["?userId=user1&msgIdList=x", "?userId=user1", "?msgIdList=7", "/time?userId=user1&delTime=x", "/time"]
    {
        let reply = w.delete(&format!("/sdk/message/roaming/chat/user/user2{path}")).await;
        assert_eq!(reply.fault().status, 400, "{path}");
    }
    let removal = json!({ "channel": "user1", "type": "chat", "delete_roam": false });
    let removed = w.delete("/users/user2/user_channel").json(&removal).await.ok();
    assert_eq!(removed["data"], json!({ "result": "ok" }));
    assert!(listed(&w, "user2", "list").await.is_empty());
    assert_eq!(history("user2", "user1").await, 1);
    let removal = json!({ "channel": "user1", "type": "chat", "delete_roam": true });
    w.delete("/user/user2/user_channel").json(&removal).await.ok();
    assert_eq!(history("user2", "user1").await, 0);
    assert_eq!(history("user1", "user2").await, 8, "the other side keeps all");
}

#[tokio::test]
async fn reactions_and_pinned_messages() {
    let (w, id) = scene().await;
    let (reacting, bad) = ("/reaction/user/user2", "Bad Request");
    let reaction = json!({ "msgId": id, "message": "+1" });
    let added = w.post(reacting, reaction.clone()).await.ok();
    assert_eq!((&added["requestStatusCode"], &added["data"]["reaction"]), (&json!("ok"), &json!("+1")));
    w.post(reacting, reaction).await.refused(400, bad, "the user is already operation this message");
    let list = w.get(&format!("/reaction/user/user1?msgIdList={id}&msgType=chat")).await.ok();
    let stuck = json!({ "reaction": "+1", "count": 1, "userCount": 1, "state": false, "userList": ["user2"] });
    assert_eq!(list["data"], json!([{ "msgId": id, "reactionList": [stuck] }]));
    let detail = w.get(&format!("/reaction/user/user2/detail?msgId={id}&message=%2B1")).await.ok();
    assert_eq!((&detail["data"]["userCount"], &detail["data"]["state"]), (&json!(1), &json!(true)));
    w.delete(&format!("{reacting}?msgId={id}&message=%2B1")).await.ok();
    let again = w.delete(&format!("{reacting}?msgId={id}&message=%2B1")).await;
    again.refused(400, bad, "the user operation is illegal!");

    let pinning = "/sdk/user/user2/user_channel/pin";
    let pin = json!({ "to": "user1", "type": "chat", "pin_msg_id": id });
    assert_eq!(w.post(pinning, pin.clone()).await.ok()["data"], json!({ "result": "ok" }));
    let pinned = w.get("/sdk/user/user1/user_channel/pin?to=user2&type=chat").await.ok();
    let one = &pinned["data"]["msg_infos"][0];
    let shown = (&one["message"]["id"], &one["pin_operator"], &one["pin_opt_at"]);
    assert_eq!(shown, (&json!(id), &json!("user2"), &json!(w.now_ms())));
    w.delete(pinning).json(&pin).await.ok();
    let gone = w.delete(pinning).json(&pin).await;
    gone.refused(404, "service_resource_not_found", "user session pin message not exist");
    let group = json!({ "to": "1001", "type": "groupchat", "pin_msg_id": id });
    w.post(pinning, group).await.refused(404, "resource_not_found", "grpID 1001 does not exist!");
}

#[tokio::test]
async fn what_is_about_nothing_that_is_there() {
    let w = World::new().await;
    w.register(&["user1"]).await;
    for (method, path, status, description) in [
        ("GET", "/chatgroups/1001", 404, "grpID 1001 does not exist!"),
        ("DELETE", "/chatrooms/1001/users/user1", 404, "grpID 1001 does not exist!"),
        ("GET", "/metadata/chatgroup/user/1001", 403, "group service not open!"),
        ("POST", "/chatrooms/super_admin", 403, "chatroom service not open!"),
        ("POST", "/chatgroups", 403, "group service not open!"),
        ("GET", "/users/user1/joined_chatrooms", 403, "chatroom service not open!"),
        ("POST", "/users/user1/translate", 403, "translate service not open!"),
        ("GET", "/circle/server/1", 403, "circle service not open!"),
        ("GET", "/rtc_mapper/1", 403, "Service operation not allowed"),
    ] {
        let fault = w.call(method, path).await.fault();
        assert_eq!((fault.status, &*fault.description), (status, description), "{method} {path}");
    }
    let thread = w.post("/thread", json!({ "name": "t" })).await;
    thread.refused(403, "group_error", "thread not open.");
    assert_eq!(thread.json()["error_code"], 40000);
}
