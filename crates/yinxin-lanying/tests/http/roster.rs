//! Contacts, applications, blocks: the rules are the core's, the same in every dialect.

use serde_json::{Value, json};
use yinxin_core::apps::AppChanges;
use yinxin_core::contacts;

use crate::asking::{Answer as _, Bearer as _};
use crate::world::{DAY, START_MS, Somebody, World};

async fn roster(w: &World, who: &Somebody) -> Value {
    w.get("/roster/list").by(&who.token).await.ok()
}

async fn relation(w: &World, who: &Somebody, other: &Somebody) -> Value {
    w.get(&format!("/roster/id?user_id={}", other.id)).by(&who.token).await.ok()["relation"].clone()
}

async fn set_auth(w: &World, who: &Somebody, body: Value) {
    w.post("/user/settings", &body).by(&who.token).await.ok();
}

#[tokio::test]
async fn who_is_open_is_a_contact_at_once() {
    let w = World::new().await;
    let (ann, ben) = (w.user("ann").await, w.user("ben").await);
    assert_eq!(relation(&w, &ann, &ben).await, 2);
    let body = json!({ "user_id": ben.id, "alias": "B", "reason": "hi" });
    w.post("/roster/apply", &body).by(&ann.token).await.ok();
    assert_eq!(roster(&w, &ann).await, json!([ben.id]));
    assert_eq!(roster(&w, &ben).await, json!([ann.id]));
    let item = w.get("/roster/name?username=ben").by(&ann.token).await.ok();
    assert_eq!((&item["alias"], &item["relation"]), (&json!("B"), &json!(0)));
    w.tell(&format!("/roster/delete?user_id={}", ben.id)).by(&ann.token).await.ok();
    assert_eq!(roster(&w, &ben).await, json!([]));
    w.post("/roster/apply", &json!({ "user_id": ann.id })).by(&ann.token).await.refused(10002);
    w.post("/roster/apply", &json!({ "user_id": 16 })).by(&ann.token).await.refused(10000);
}

#[tokio::test]
async fn a_user_of_another_dialect_is_asked() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    w.foreign_user("ben").await;
    let ben = w.log_in("ben").await.ok();
    let token = ben["token"].as_str().unwrap();
    w.post("/roster/apply", &json!({ "user_id": ben["user_id"] })).by(&ann.token).await.ok();
    assert_eq!(roster(&w, &ann).await, json!([]));
    assert_eq!(w.get("/user/settings").by(token).await.ok()["auth_mode"], 1);
    let waiting = w.get("/roster/apply/list").by(token).await.ok();
    assert_eq!(waiting[0]["user_id"], ann.id);
}

#[tokio::test]
async fn consent_question_and_refusal() {
    let w = World::new().await;
    let (ann, ben) = (w.user("ann").await, w.user("ben").await);
    set_auth(&w, &ben, json!({ "auth_mode": 1 })).await;
    let apply = |body: Value| w.post("/roster/apply", &body).by(&ann.token);
    apply(json!({ "user_id": ben.id, "reason": "it is me" })).await.ok();
    assert_eq!(roster(&w, &ann).await, json!([]));
    let waiting = w.get("/roster/apply/list").by(&ben.token).await.ok();
    assert_eq!(
        waiting,
        json!([{ "user_id": ann.id, "reason": "it is me", "status": 0, "expired_time": START_MS + 30 * DAY }])
    );
    w.post("/roster/decline", &json!({ "user_id": ann.id })).by(&ben.token).await.ok();
    w.tell(&format!("/roster/accept?user_id={}", ann.id)).by(&ben.token).await.refused(10007);
    apply(json!({ "user_id": ben.id })).await.ok();
    w.tell(&format!("/roster/accept?user_id={}", ann.id)).by(&ben.token).await.ok();
    assert_eq!(roster(&w, &ann).await, json!([ben.id]));

    let carl = w.user("carl").await;
    set_auth(&w, &carl, json!({ "auth_mode": 2, "auth_question": "6*7?", "auth_answer": "42" })).await;
    let item = w.get("/roster/name?username=carl").by(&ann.token).await.ok();
    assert_eq!((&item["auth_question"], item.get("auth_answer")), (&json!("6*7?"), None));
    apply(json!({ "user_id": carl.id, "auth_answer": "41" })).await.refused(10012);
    apply(json!({ "user_id": carl.id })).await.refused(10012);
    apply(json!({ "user_id": carl.id, "auth_answer": " 42 " })).await.ok();

    let dora = w.user("dora").await;
    set_auth(&w, &dora, json!({ "auth_mode": 3 })).await;
    let batch = json!([{ "user_id": dora.id }, { "user_id": ben.id }, { "user_id": 16 }]);
    let done = w.post("/roster/apply/batch", &batch).by(&ann.token).await.ok();
    assert_eq!(done["success"], json!([ben.id]));
    assert_eq!(done["fails"].as_array().unwrap().len(), 2);
    // A question without an answer lets nobody in.
    set_auth(&w, &dora, json!({ "auth_mode": 2, "auth_answer": "" })).await;
    apply(json!({ "user_id": dora.id, "auth_answer": "" })).await.refused(10012);
}

#[tokio::test]
async fn whoever_guesses_an_answer_must_wait_and_nobody_else() {
    let w = World::new().await;
    let (ann, ben, carl) = (w.user("ann").await, w.user("ben").await, w.user("carl").await);
    set_auth(&w, &carl, json!({ "auth_mode": 2, "auth_question": "6*7?", "auth_answer": "42" })).await;
    let apply = |answer: &str| w.post("/roster/apply", &json!({ "user_id": carl.id, "auth_answer": answer }));
    for guess in 0..20 {
        apply(&guess.to_string()).by(&ann.token).await.refused(10012);
    }
    apply("42").by(&ann.token).await.refused(10028);
    apply("42").by(&ben.token).await.ok();
    w.clock.move_by(15_000);
    apply("42").by(&ann.token).await.ok();
}

#[tokio::test]
async fn an_application_waits_for_a_month_or_until_it_is_answered_in_any_way() {
    let w = World::new().await;
    let (ann, ben) = (w.user("ann").await, w.user("ben").await);
    for somebody in [&ann, &ben] {
        set_auth(&w, somebody, json!({ "auth_mode": 1 })).await;
    }
    let apply = |from: &Somebody, to: &Somebody| w.post("/roster/apply", &json!({ "user_id": to.id })).by(&from.token);
    let waiting = async |of: &Somebody| w.get("/roster/apply/list").by(&of.token).await.ok();
    let answer = |call: &str| w.post(&format!("/roster/{call}?user_id={}", ann.id), &json!({ "user_id": ann.id }));
    apply(&ann, &ben).await.ok();
    w.clock.move_by(30 * DAY);
    assert_eq!(waiting(&ben).await[0]["user_id"], ann.id);
    w.clock.move_by(1);
    assert_eq!(waiting(&ben).await, json!([]));
    for call in ["accept", "decline"] {
        answer(call).by(&ben.token).await.refused(10007);
    }
    assert_eq!(roster(&w, &ben).await, json!([]));
    // Who asks again waits anew. Both ask, one answers: nothing waits any more.
    apply(&ann, &ben).await.ok();
    apply(&ben, &ann).await.ok();
    answer("accept").by(&ben.token).await.ok();
    assert_eq!((waiting(&ann).await, waiting(&ben).await), (json!([]), json!([])));
    // So it is when one becomes a contact without being asked.
    w.tell(&format!("/roster/delete?user_id={}", ann.id)).by(&ben.token).await.ok();
    apply(&ann, &ben).await.ok();
    set_auth(&w, &ann, json!({ "auth_mode": 0 })).await;
    apply(&ben, &ann).await.ok();
    assert_eq!((waiting(&ben).await, roster(&w, &ben).await), (json!([]), json!([ann.id])));
}

#[tokio::test]
async fn the_blocked_are_not_told_and_may_not_write() {
    let w = World::new().await;
    let (ann, ben, carl) = (w.user("ann").await, w.user("ben").await, w.user("carl").await);
    w.tell(&format!("/roster/block?user_id={}", ben.id)).by(&ann.token).await.ok();
    assert_eq!(w.get("/roster/blocked_list").by(&ann.token).await.ok(), json!([ben.id]));
    assert_eq!(relation(&w, &ann, &ben).await, 3);
    w.post("/roster/apply", &json!({ "user_id": ann.id })).by(&ben.token).await.ok();
    assert_eq!(roster(&w, &ann).await, json!([]));
    let may = |from: &Somebody, to: &Somebody| format!("/roster/may_message?user_id={}&roster_id={}", from.id, to.id);
    assert_eq!(w.get(&may(&ben, &ann)).by(&ben.token).await.ok(), json!(false));
    assert_eq!(w.get(&may(&ann, &ben)).by(&ben.token).await.ok(), json!(true));
    w.get(&may(&ben, &ann)).by(&carl.token).await.refused(10010);
    assert_eq!(w.get(&may(&ben, &ann)).by(&w.app.admin).await.ok(), json!(false));
    w.tell(&format!("/roster/unblock?user_id={}", ben.id)).by(&ann.token).await.ok();
    assert_eq!(w.get(&may(&ben, &ann)).by(&w.app.admin).await.ok(), json!(true));
    w.change_app(AppChanges { contacts_only_messaging: Some(true), ..AppChanges::default() }).await;
    assert_eq!(w.get(&may(&ben, &ann)).by(&w.app.admin).await.ok(), json!(false));
    w.post("/roster/apply", &json!({ "user_id": ann.id })).by(&ben.token).await.ok();
    assert_eq!(w.get(&may(&ben, &ann)).by(&w.app.admin).await.ok(), json!(true));
}

#[tokio::test]
async fn notes_about_a_contact() {
    let w = World::new().await;
    let (ann, ben) = (w.user("ann").await, w.user("ben").await);
    let note = json!({ "user_id": ben.id, "alias": "B", "ext": "{}", "mute_notification": true });
    w.post("/roster/ext", &note).by(&ann.token).await.refused(10010);
    w.post("/roster/apply", &json!({ "user_id": ben.id })).by(&ann.token).await.ok();
    w.post("/roster/ext", &note).by(&ann.token).await.ok();
    let items = w.post("/roster/list", &json!({ "list": [ben.id, 16, ann.id.to_string()] })).by(&ann.token).await.ok();
    assert_eq!(items.as_array().unwrap().len(), 2);
    let item = &items[0];
    assert_eq!((&item["alias"], &item["ext"], &item["mute_notification"]), (&json!("B"), &json!("{}"), &json!(true)));
    w.post("/roster/ext", &json!({ "user_id": ben.id, "mute_notification": false })).by(&ann.token).await.ok();
    let item = w.get("/roster/name?username=ben").by(&ann.token).await.ok();
    assert_eq!((&item["alias"], &item["mute_notification"]), (&json!("B"), &json!(false)));
}

#[tokio::test]
async fn contacts_of_another_dialect_have_numbers() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    let app = w.core_app().await;
    for number in 0..7 {
        let name = format!("friend{number}");
        w.foreign_user(&name).await;
        contacts::add(&w.ctx, &app, "ann", &name).await.unwrap();
    }
    let all = roster(&w, &ann).await;
    assert_eq!(all.as_array().unwrap().len(), 7);
    assert_eq!(roster(&w, &ann).await, all);
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = w.get(&format!("/roster/list?limit=3{cursor}")).by(&ann.token).await.json();
        seen.extend(page["data"].as_array().unwrap().clone());
        let Some(next) = page["cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(Value::Array(seen), all);
}
