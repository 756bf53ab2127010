//! The question before a message is stored.

use serde_json::json;
use yinxin_core::conversations::{self, From};
use yinxin_core::hooks::{self, Changes, Kind, OnFailure};
use yinxin_core::messages::{self, Act, Receipt, Sender};
use yinxin_core::mutes::{self, Scope};
use yinxin_core::{Code, blocks};

use super::kit::{Heard, Place, about, edits, refusal, says, silence, status, text};

const ALLOWED: &str = r#"{"allow":true}"#;
const VETO: &str = r#"{"allow":false,"reason":"no links, please"}"#;

async fn asking(on_failure: OnFailure) -> Place {
    let place = Place::new().await;
    let settings = Changes { on_failure: Some(on_failure), ..Changes::default() };
    place.hook(Kind::PreSend, settings).await;
    place
}

/// Messages between ann and ben as ann's history has them.
async fn stored(place: &Place) -> usize {
    let page = conversations::history(&place.site.ctx, &place.site.app, "ann", "ben", From::Before(None), 50).await;
    page.unwrap().entries.len()
}

#[tokio::test]
async fn an_allowed_message_is_sent_after_it_was_shown() {
    let place = asking(OnFailure::Closed).await;
    place.receiver.answer([says(r#"{"allow":true,"tomorrow":1}"#)]);
    place.send(text("hello")).await.unwrap();
    let letter = place.receiver.heard().remove(0);
    let said: serde_json::Value = serde_json::from_str(&letter.body).unwrap();
    let data = json!({
        "app": "org#app", "chat_type": "chat", "from": "ann", "to": "ben", "sent_by": "device", "device": "phone",
        "online_only": false, "bodies": [{ "type": "txt", "msg": "hello" }], "ext": {},
    });
    assert_eq!((&said["type"], &said["data"]), (&json!("message.sending"), &data));
    assert!(letter.id.starts_with("ask_") && letter.timeout_ms == 200 && letter.answer_bytes_max > 0);
    assert_eq!(stored(&place).await, 1);
}

#[tokio::test]
async fn a_vetoed_message_leaves_nothing() {
    let place = asking(OnFailure::Open).await;
    let key = place.told_of(&["message.sent"]).await;
    place.receiver.answer([says(VETO)]);
    let refused = refusal(place.send(text("http://x")).await);
    assert_eq!(refused, (Code::MessageVetoed, "no links, please".to_owned()));
    assert_eq!((stored(&place).await, place.look(key).await.heads), (0, vec![]));
}

#[tokio::test]
async fn a_reason_is_fit_to_be_shown() {
    let place = asking(OnFailure::Open).await;
    let long = "x".repeat(1000);
    for (reason, shown) in
        [("a\\u0000b\\nc", "abc"), ("", "refused by the app's server"), (long.as_str(), &long[..200])]
    {
        place.receiver.answer([says(&format!(r#"{{"allow":false,"reason":"{reason}"}}"#))]);
        assert_eq!(refusal(place.send(text("hello")).await), (Code::MessageVetoed, shown.to_owned()));
    }
}

#[tokio::test]
async fn without_a_verdict_the_setting_decides() {
    let answers = || -> [Heard; 6] {
        [silence(), status(500), status(204), says("yes"), says(r#"{"reason":"x"}"#), says(r#"{"allow":"no"}"#)]
    };
    let open = asking(OnFailure::Open).await;
    open.receiver.answer(answers());
    for _ in answers() {
        open.send(text("hello")).await.unwrap();
    }
    assert_eq!(stored(&open).await, 6);
    let closed = asking(OnFailure::Closed).await;
    closed.receiver.answer(answers());
    for _ in answers() {
        let refused = refusal(closed.send(text("hello")).await);
        assert_eq!(refused, (Code::MessageVetoed, "the app's server does not answer".to_owned()));
    }
    assert_eq!(stored(&closed).await, 0);
    let id = uuid::Uuid::from_bytes(closed.standing().await.hook.id.0).to_string();
    let log = hooks::log(&closed.site.ctx, &closed.site.app, &id, None, 100).await.unwrap().entries;
    assert_eq!(log.len(), 1, "one failure a second is logged");
    assert_eq!((log[0].error.as_deref(), log[0].status), (Some("timed out"), None));
}

#[tokio::test]
async fn only_what_a_user_says_is_asked_about() {
    let place = asking(OnFailure::Closed).await;
    place.receiver.answer([says(ALLOWED)]);
    let id = place.send(text("hello")).await.unwrap().id;
    place.receiver.heard();
    place.receiver.answer([says(VETO)]);
    assert_eq!(refusal(place.send(about(edits(id))).await).0, Code::MessageVetoed, "an edit says something new");
    let mut fleeting = text("psst");
    fleeting.online_only = true;
    place.receiver.answer([says(VETO)]);
    assert_eq!(refusal(place.send(fleeting).await).0, Code::MessageVetoed);
    assert_eq!(place.receiver.heard().len(), 2);

    place.send(about(Act::Confirms(Receipt::Read(id)))).await.unwrap();
    let mut from_backend = text("sale");
    from_backend.origin = String::new();
    place.send(from_backend.clone()).await.unwrap();
    messages::send(&place.site.ctx, &place.site.app, Sender::House("admin"), "ben", from_backend).await.unwrap();
    assert_eq!(place.receiver.heard().len(), 0);
}

#[tokio::test]
async fn who_may_not_send_anyway_is_not_asked_about() {
    let place = asking(OnFailure::Closed).await;
    let (ctx, app) = (&place.site.ctx, &place.site.app);
    mutes::set(ctx, app, "ann", vec![(Scope::Chat, -1)]).await.unwrap();
    assert_eq!(refusal(place.send(text("hello")).await).0, Code::SenderMuted);
    blocks::add(ctx, app, "ben", vec!["ann".to_owned()]).await.unwrap();
    assert_eq!(refusal(place.send(text("hello")).await).0, Code::SenderBlocked);
    assert_eq!(refusal(place.send(about(edits(1))).await).0, Code::SenderBlocked);
    blocks::remove(ctx, app, "ben", "ann").await.unwrap();
    mutes::set(ctx, app, "ann", vec![(Scope::Chat, 0)]).await.unwrap();
    assert_eq!(refusal(place.send(about(edits(1))).await).0, Code::EditNotFound);
    assert_eq!(place.receiver.heard().len(), 0);
}

#[tokio::test]
async fn of_a_change_is_asked_what_the_message_becomes() {
    let place = asking(OnFailure::Closed).await;
    place.receiver.answer([says(ALLOWED), says(ALLOWED), says(VETO)]);
    let id = place.send(text("hello")).await.unwrap().id;
    place.send(about(edits(id))).await.unwrap();
    assert_eq!(refusal(place.send(about(edits(id))).await).0, Code::MessageVetoed);
    let asked = place.receiver.bodies();
    let shown = |at: usize| (asked[at]["data"]["about"].clone(), asked[at]["data"]["bodies"][0]["msg"].clone());
    assert_eq!(shown(0), (json!(null), json!("hello")));
    assert_eq!(shown(1), (json!(id.to_string()), json!("changed 1")));
    assert_eq!(shown(2), (json!(id.to_string()), json!("changed 2")));
    let page = conversations::history(&place.site.ctx, &place.site.app, "ben", "ann", From::Before(None), 50).await;
    assert_eq!(&*page.unwrap().entries[0].payload, b"changed 1", "what was vetoed changes nothing");
}

#[tokio::test]
async fn a_test_shows_the_verdict() {
    let place = asking(OnFailure::Closed).await;
    let hook = place.standing().await.hook;
    for (answer, allow, reason, error) in [
        (says(r#"{"allow":true}"#), Some(true), None, None),
        (says(VETO), Some(false), Some("no links, please"), None),
        (status(500), None, None, Some("answered with status 500")),
        (silence(), None, None, Some("timed out")),
    ] {
        place.receiver.answer([answer]);
        let made = hooks::test(&place.site.ctx, &place.site.app, &hook).await.unwrap();
        assert_eq!((made.allow, made.reason.as_deref(), made.error.as_deref()), (allow, reason, error));
    }
}
