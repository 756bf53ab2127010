//! Events: put down with what they are about, told by schedule, bounded.

use serde_json::json;
use yinxin_core::hooks::{self, Changes, Kind, Outcome};
use yinxin_core::limits::{HOOK_RETRY_DELAYS_S, Limits};
use yinxin_core::messages::{self, Act, Outgoing, Receipt, Sender};
use yinxin_core::{Code, apps, blocks};

use super::kit::{Place, about, edits, refusal, silence, status, text};
use crate::kit::Setup;

const DAY_MS: i64 = 86_400_000;

#[tokio::test]
async fn a_message_is_told_with_what_it_says() {
    let place = Place::new().await;
    let key = place.told_of(&["message.sent"]).await;
    let sent = place.send(text("hello")).await.unwrap();
    assert_eq!(place.tell(key).await, [Outcome::Delivered]);
    let letter = place.receiver.heard().remove(0);
    let said: serde_json::Value = serde_json::from_str(&letter.body).unwrap();
    let expected = json!({
        "type": "message.sent",
        "timestamp": "2023-11-14T22:13:20.000Z",
        "data": {
            "app": "org#app", "chat_type": "chat", "id": sent.id.to_string(), "time": sent.at_ms,
            "from": "ann", "to": "ben", "sent_by": "device", "device": "phone", "online_only": false,
            "bodies": [{ "type": "txt", "msg": "hello" }], "ext": {},
        },
    });
    assert_eq!(said, expected);
    assert!(letter.id.starts_with("evt_"), "{}", letter.id);
    assert_eq!((letter.url.as_str(), letter.timestamp_s), (super::kit::URL, 1_700_000_000));
    assert_eq!(place.tell(key).await, [], "what was taken is not told again");
}

#[tokio::test]
async fn each_thing_that_happens_to_a_message_has_its_event() {
    let place = Place::new().await;
    let all = ["message.sent", "message.edited", "message.recalled", "message.delivered", "message.read"];
    let key = place.told_of(&all).await;
    let id = place.send(text("hello")).await.unwrap().id;
    for act in [
        edits(id),
        Act::Confirms(Receipt::Delivered(7)),
        Act::Confirms(Receipt::Read(8)),
        Act::Confirms(Receipt::Conversation),
        Act::Recalls(id),
    ] {
        place.send(about(act)).await.unwrap();
    }
    place.tell(key).await;
    let told: Vec<_> = place
        .receiver
        .bodies()
        .into_iter()
        .map(|said| (said["type"].clone(), said["data"]["about"].clone(), said["data"]["bodies"][0]["msg"].clone()))
        .collect();
    let id = id.to_string();
    let expected = [
        (json!("message.sent"), json!(null), json!("hello")),
        (json!("message.edited"), json!(id), json!("changed 1")),
        (json!("message.delivered"), json!("7"), json!(null)),
        (json!("message.read"), json!("8"), json!(null)),
        (json!("message.recalled"), json!(id), json!(null)),
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn what_did_not_happen_is_not_told() {
    let place = Place::new().await;
    let key = place.told_of(&["message.sent", "message.edited", "message.recalled"]).await;
    assert_eq!(refusal(place.send(about(Act::Recalls(1))).await).0, Code::RecallTooLate);
    assert_eq!(refusal(place.send(about(edits(1))).await).0, Code::EditNotFound);
    // Nobody is there to get it, so nobody gets it.
    let mut fleeting = text("psst");
    fleeting.online_only = true;
    place.send(fleeting).await.unwrap();
    blocks::add(&place.site.ctx, &place.site.app, "ben", vec!["ann".to_owned()]).await.unwrap();
    assert_eq!(refusal(place.send(text("hello")).await).0, Code::SenderBlocked);
    assert_eq!(place.look(key).await.heads, []);
}

#[tokio::test]
async fn what_changes_a_stored_message_is_told_though_nobody_is_there() {
    let place = Place::new().await;
    let id = place.send(text("hello")).await.unwrap().id;
    let key = place.told_of(&["message.edited", "message.recalled"]).await;
    for act in [edits(id), Act::Recalls(id)] {
        let fleeting = Outgoing { online_only: true, ..about(act) };
        place.send(fleeting).await.unwrap();
    }
    assert_eq!(place.tell(key).await.len(), 2);
    let told = place.receiver.bodies();
    assert_eq!((&told[0]["data"]["about"], &told[0]["data"]["online_only"]), (&json!(id.to_string()), &json!(false)));
}

#[tokio::test]
async fn a_backends_message_says_so() {
    let place = Place::new().await;
    let key = place.told_of(&["message.sent"]).await;
    let mut outgoing = text("sale");
    outgoing.origin = String::new();
    messages::send(&place.site.ctx, &place.site.app, Sender::House("admin"), "ben", outgoing).await.unwrap();
    place.tell(key).await;
    let data = place.receiver.bodies().remove(0)["data"].clone();
    assert_eq!((&data["sent_by"], &data["from"], data.get("device")), (&json!("backend"), &json!("admin"), None));
}

/// Connections keep the app as it was when they logged in.
#[tokio::test]
async fn a_hook_counts_from_the_moment_it_is_made_or_removed() {
    let place = Place::new().await;
    place.send(text("before")).await.unwrap();
    let key = place.told_of(&["message.sent"]).await;
    place.send(text("with")).await.unwrap();
    place.tell(key).await;
    assert_eq!(place.receiver.bodies()[0]["data"]["bodies"][0]["msg"], "with");
    let id = place.standing().await.hook.id;
    hooks::remove(&place.site.ctx, &place.site.app, &uuid::Uuid::from_bytes(id.0).to_string()).await.unwrap();
    place.send(text("after")).await.unwrap();
    assert_eq!(place.look(key).await.heads, []);
}

#[tokio::test]
async fn a_refused_event_is_tried_for_three_days_under_one_id() {
    let place = Place::new().await;
    let key = place.told_of(&["message.sent"]).await;
    place.send(text("hello")).await.unwrap();
    let mut waited_ms = 0;
    for (attempt, delay_s) in HOOK_RETRY_DELAYS_S.into_iter().enumerate() {
        place.receiver.answer([if attempt % 2 == 0 { status(500) } else { silence() }]);
        assert_eq!(place.tell(key).await, [Outcome::Refused { rest_ms: None }]);
        let due_in_ms = place.look(key).await.next_ms.unwrap() - place.site.ctx.clock.now_ms();
        assert!((delay_s * 900..=delay_s * 1100).contains(&due_in_ms), "attempt {attempt}: {due_in_ms} ms");
        place.move_by(due_in_ms - 1);
        assert_eq!(place.tell(key).await, [], "not before its time");
        place.move_by(1);
        waited_ms += due_in_ms;
    }
    assert!((DAY_MS * 5 / 2..DAY_MS * 7 / 2).contains(&waited_ms), "{waited_ms} ms");
    place.receiver.answer([status(500)]);
    assert_eq!(place.tell(key).await, [Outcome::Refused { rest_ms: None }]);

    let letters = place.receiver.heard();
    assert_eq!(letters.len(), HOOK_RETRY_DELAYS_S.len() + 1);
    assert!(letters.iter().all(|letter| letter.id == letters[0].id && letter.body == letters[0].body));
    assert!(letters.windows(2).all(|pair| pair[0].timestamp_s < pair[1].timestamp_s));
    assert!(letters.windows(2).all(|pair| pair[0].signature != pair[1].signature));
    let standing = place.standing().await;
    assert_eq!((standing.waiting, standing.failed, standing.hook.enabled), (0, 1, false));
    assert!(standing.disabled_why.is_some());
}

#[tokio::test]
async fn the_order_is_that_of_the_messages_whatever_clocks_say() {
    let place = Place::new().await;
    let key = place.told_of(&["message.sent"]).await;
    let mut sent = Vec::new();
    for (n, later_ms) in [0, -5000, 2000, -3_600_000].into_iter().enumerate() {
        place.move_by(later_ms);
        sent.push(place.send(text(&n.to_string())).await.unwrap().id);
    }
    let heads: Vec<_> = place.look(key).await.heads.into_iter().map(|head| head.seq).collect();
    assert_eq!(heads, sent, "the events stand where the messages do");
    place.tell(key).await;
    let told = place.receiver.bodies().into_iter().map(|said| said["data"]["bodies"][0]["msg"].clone());
    assert_eq!(told.collect::<Vec<_>>(), ["0", "1", "2", "3"]);
}

#[tokio::test]
async fn events_of_a_time_that_comes_again_are_told() {
    let place = Place::new().await;
    let key = place.told_of(&["message.sent"]).await;
    place.move_by(1000);
    let first = place.send(text("one")).await.unwrap();
    // As after a start with a clock that was set back.
    let ctx = place.site.setup.open().await;
    let app = apps::find(&ctx, "org", "app").await.unwrap();
    let second = messages::send(&ctx, &app, Sender::House("admin"), "ben", text("two")).await.unwrap();
    assert_eq!(first.id, second.id, "this is what is looked at");
    assert_eq!(place.tell(key).await, [Outcome::Delivered, Outcome::Delivered]);
    let letters = place.receiver.heard();
    assert_ne!(letters[0].id, letters[1].id);
}

#[tokio::test]
async fn a_failed_event_is_told_again_on_request() {
    let place = Place::new().await;
    let (ctx, app) = (&place.site.ctx, &place.site.app);
    let key = place.told_of(&["message.sent"]).await;
    place.send(text("hello")).await.unwrap();
    place.receiver.answer((0..=HOOK_RETRY_DELAYS_S.len()).map(|_| status(503)));
    while let Some(due_ms) = {
        place.tell(key).await;
        place.look(key).await.next_ms
    } {
        place.move_by(due_ms - ctx.clock.now_ms());
    }
    let id = uuid::Uuid::from_bytes(key.1.0).to_string();
    let event = hooks::log(ctx, app, &id, None, 1).await.unwrap().entries.remove(0);
    assert_eq!((event.attempt, event.status, event.error), (17, Some(503), None));
    let on = Changes { enabled: Some(true), ..Changes::default() };
    let standing = hooks::change(ctx, app, &id, on).await.unwrap();
    assert_eq!((standing.disabled_why, standing.failing_since_ms), (None, None));
    place.receiver.heard();

    assert_eq!(hooks::redeliver(ctx, app, &id, None).await.unwrap(), 1);
    assert_eq!(place.tell(key).await, [Outcome::Delivered]);
    assert_eq!(hooks::redeliver(ctx, app, &id, None).await.unwrap(), 0, "nothing has failed any more");
    let name = hooks::event_name(event.event_seq);
    assert_eq!(hooks::redeliver(ctx, app, &id, Some(&name)).await.unwrap(), 1, "what was taken can be told again");
    assert_eq!(place.tell(key).await, [Outcome::Delivered]);
    assert!(place.receiver.heard().iter().all(|letter| letter.id == name));
    for unknown in ["evt_1", "evt_x", "1", ""] {
        let refused = refusal(hooks::redeliver(ctx, app, &id, Some(unknown)).await);
        assert_eq!(refused, (Code::HookEventNotFound, unknown.to_owned()));
    }
}

#[tokio::test]
async fn a_hook_that_is_gone_is_switched_off_and_its_events_wait() {
    let place = Place::new().await;
    let key = place.told_of(&["message.sent"]).await;
    place.send(text("one")).await.unwrap();
    place.send(text("two")).await.unwrap();
    place.receiver.answer([status(410)]);
    assert_eq!(place.tell(key).await, [Outcome::Refused { rest_ms: None }, Outcome::Nothing]);
    let standing = place.standing().await;
    assert_eq!((standing.waiting, standing.hook.enabled), (2, false));
    assert_eq!(standing.disabled_why.as_deref(), Some("it answered 410 Gone"));
    place.send(text("three")).await.unwrap();
    assert_eq!(place.standing().await.waiting, 2, "a hook that is off is not told of what happens meanwhile");

    let id = uuid::Uuid::from_bytes(key.1.0).to_string();
    let on = Changes { enabled: Some(true), ..Changes::default() };
    hooks::change(&place.site.ctx, &place.site.app, &id, on).await.unwrap();
    assert_eq!(place.tell(key).await, [Outcome::Delivered, Outcome::Delivered]);
}

#[tokio::test]
async fn a_success_forgets_the_failures_before() {
    let place = Place::new().await;
    let key = place.told_of(&["message.sent"]).await;
    place.receiver.answer([status(500)]);
    place.send(text("one")).await.unwrap();
    place.tell(key).await;
    assert!(place.standing().await.failing_since_ms.is_some());
    place.send(text("two")).await.unwrap();
    place.tell(key).await;
    assert_eq!(place.standing().await.failing_since_ms, None);
    place.move_by(6000);
    assert_eq!(place.tell(key).await, [Outcome::Delivered], "the first is tried again in its time");
}

#[tokio::test]
async fn what_a_hook_asks_for_is_heeded_within_bounds() {
    let place = Place::new().await;
    let key = place.told_of(&["message.sent"]).await;
    for (asked_s, rest_ms) in [(7, 7000), (-1, 0), (1_000_000, 3_600_000)] {
        let mut busy = status(429);
        busy.as_mut().unwrap().retry_after_s = Some(asked_s);
        place.receiver.answer([busy]);
        place.send(text("hello")).await.unwrap();
        assert_eq!(place.tell(key).await, [Outcome::Refused { rest_ms: Some(rest_ms) }]);
    }
}

#[tokio::test]
async fn a_full_outbox_drops_events_and_no_message() {
    let mut setup = Setup::new();
    setup.limits = Limits { hook_outbox_events: 3, ..setup.limits };
    let place = Place::of(setup).await;
    let key = place.told_of(&["message.sent"]).await;
    for _ in 0..5 {
        place.send(text("hello")).await.unwrap();
    }
    let standing = place.standing().await;
    assert_eq!((standing.waiting, standing.dropped), (3, 2));
    assert_eq!(place.tell(key).await.len(), 3);
    place.send(text("again")).await.unwrap();
    assert_eq!(place.standing().await.waiting, 1, "there is room again");
}

#[tokio::test]
async fn what_was_told_is_forgotten_in_the_end() {
    let mut setup = Setup::new();
    setup.limits = Limits { hook_log_entries: 10, ..setup.limits };
    let place = Place::of(setup).await;
    let key = place.told_of(&["message.sent"]).await;
    for n in 0..40 {
        place.send(text(&format!("{n}"))).await.unwrap();
        place.move_by(10);
    }
    place.tell(key).await;
    hooks::tidy(&place.site.ctx, key).await.unwrap();
    let id = uuid::Uuid::from_bytes(key.1.0).to_string();
    let log = hooks::log(&place.site.ctx, &place.site.app, &id, None, 100).await.unwrap();
    assert_eq!((log.entries.len(), log.next), (10, None));
    let first = hooks::event_name(log.entries[9].event_seq);
    hooks::redeliver(&place.site.ctx, &place.site.app, &id, Some(&first)).await.unwrap();

    place.move_by(8 * DAY_MS);
    hooks::tidy(&place.site.ctx, key).await.unwrap();
    let standing = place.standing().await;
    assert_eq!((standing.waiting, standing.dropped), (0, 1), "nor does what waits wait for ever");
}

#[tokio::test]
async fn two_hooks_are_told_apart() {
    let place = Place::new().await;
    let [one, other] = [place.told_of(&["message.sent"]).await, place.told_of(&["message.sent"]).await];
    place.hook(Kind::Events, Changes { events: Some(vec!["session.ended".to_owned()]), ..Changes::default() }).await;
    place.send(text("hello")).await.unwrap();
    place.tell(one).await;
    place.tell(other).await;
    let letters = place.receiver.heard();
    assert_eq!((letters.len(), &letters[0].id), (2, &letters[1].id));
    assert_ne!(letters[0].signature, letters[1].signature);
    apps::delete(&place.site.ctx, &place.site.app).await.unwrap();
    assert!(hooks::all(&place.site.ctx).await.unwrap().is_empty());
}
