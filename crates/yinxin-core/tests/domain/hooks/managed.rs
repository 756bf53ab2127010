//! What operators may and may not do.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use yinxin_core::apps::{self, AppChanges};
use yinxin_core::hooks::{self, Changes, Event, Kind, Letter, NewHook, OnFailure};
use yinxin_core::names::AppName;
use yinxin_core::{Code, Error};

use super::kit::{Place, URL, refusal, status, text};

fn new(kind: Kind, settings: Changes) -> NewHook {
    NewHook { url: URL.to_owned(), kind, settings }
}

fn is_signed_by(letter: &Letter, secret: &str) -> bool {
    let secret = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let signed = format!("{}.{}.{}", letter.id, letter.timestamp_s, letter.body);
    let mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap().chain_update(signed).finalize().into_bytes();
    letter.signature.split(' ').any(|signature| signature == format!("v1,{}", STANDARD.encode(mac)))
}

#[tokio::test]
async fn a_new_hook_is_as_most_want_it() {
    let place = Place::new().await;
    let events = place.hook(Kind::Events, Changes::default()).await;
    assert_eq!((events.events.as_slice(), events.timeout_ms, events.enabled), (&Event::DEFAULT[..], 15_000, true));
    let asked = place.hook(Kind::PreSend, Changes::default()).await;
    assert_eq!((asked.events.len(), asked.timeout_ms, asked.on_failure), (0, 200, OnFailure::Open));
    assert_ne!(events.reveal_secret(), asked.reveal_secret());
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let place = Place::new().await;
    let (ctx, app) = (&place.site.ctx, &place.site.app);
    let events = |names: &[&str]| Changes {
        events: Some(names.iter().map(|&name| name.to_owned()).collect()),
        ..Changes::default()
    };
    let timeout = |ms| Changes { timeout_ms: Some(ms), ..Changes::default() };
    let closed = Changes { on_failure: Some(OnFailure::Closed), ..Changes::default() };
    for (kind, settings) in [
        (Kind::Events, events(&[])),
        (Kind::Events, events(&["message.sent", "message.sent"])),
        (Kind::Events, events(&["message.sending"])),
        (Kind::Events, events(&["message.sent session.ended"])),
        (Kind::Events, timeout(999)),
        (Kind::Events, timeout(30_001)),
        (Kind::Events, closed),
        (Kind::PreSend, timeout(9)),
        (Kind::PreSend, timeout(5001)),
        (Kind::PreSend, events(&["message.sent"])),
    ] {
        assert_eq!(refusal(hooks::create(ctx, app, new(kind, settings)).await).0, Code::FieldIllegal);
    }
    for url in ["http://plain.test", &format!("https://{}", "x".repeat(2048))] {
        let new = NewHook { url: url.to_owned(), ..new(Kind::Events, Changes::default()) };
        assert_eq!(refusal(hooks::create(ctx, app, new).await).0, Code::FieldIllegal);
    }
    assert!(hooks::list(ctx, app).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_app_has_ten_hooks_and_one_judge() {
    let place = Place::new().await;
    let create = async |kind| hooks::create(&place.site.ctx, &place.site.app, new(kind, Changes::default())).await;
    create(Kind::PreSend).await.unwrap();
    let full = |refused: Error| (refused.code, refused.limit);
    assert_eq!(create(Kind::PreSend).await.err().map(full), Some((Code::HooksFull, 1)));
    for _ in 0..9 {
        create(Kind::Events).await.unwrap();
    }
    assert_eq!(create(Kind::Events).await.err().map(full), Some((Code::HooksFull, 10)));
}

#[tokio::test]
async fn another_apps_hook_is_none() {
    let place = Place::new().await;
    let ctx = &place.site.ctx;
    let hook = place.hook(Kind::Events, Changes::default()).await;
    let id = uuid::Uuid::from_bytes(hook.id.0).to_string();
    let other = apps::create(ctx, AppName::parse("org/other").unwrap(), AppChanges::default()).await.unwrap();
    for id in [id.as_str(), "nonsense", ""] {
        let unknown = (Code::HookNotFound, id.to_owned());
        assert_eq!(refusal(hooks::find(ctx, &other, id).await), unknown);
        assert_eq!(refusal(hooks::change(ctx, &other, id, Changes::default()).await), unknown);
        assert_eq!(refusal(hooks::rotate_secret(ctx, &other, id).await), unknown);
        assert_eq!(refusal(hooks::redeliver(ctx, &other, id, None).await), unknown);
        assert_eq!(refusal(hooks::log(ctx, &other, id, None, 1).await), unknown);
        assert_eq!(refusal(hooks::remove(ctx, &other, id).await), unknown);
    }
    assert_eq!(hooks::list(ctx, &other).await.unwrap().len(), 0);
    hooks::find(ctx, &place.site.app, &id).await.unwrap();
}

#[tokio::test]
async fn changes_hold_for_what_waits_already() {
    let place = Place::new().await;
    let (ctx, app) = (&place.site.ctx, &place.site.app);
    let key = place.told_of(&["message.sent"]).await;
    let id = uuid::Uuid::from_bytes(key.1.0).to_string();
    place.send(text("hello")).await.unwrap();
    let elsewhere = "https://elsewhere.test/";
    let settings = Changes { url: Some(elsewhere.to_owned()), timeout_ms: Some(2000), ..Changes::default() };
    let changed = hooks::change(ctx, app, &id, settings).await.unwrap().hook;
    assert_eq!(
        (changed.url.as_str(), changed.timeout_ms, changed.events.as_slice()),
        (elsewhere, 2000, &[Event::MessageSent][..])
    );
    place.tell(key).await;
    assert_eq!(place.receiver.heard()[0].url, elsewhere);
}

#[tokio::test]
async fn both_secrets_sign_for_a_day_after_a_rotation() {
    let place = Place::new().await;
    let (ctx, app) = (&place.site.ctx, &place.site.app);
    let key = place.told_of(&["message.sent"]).await;
    let id = uuid::Uuid::from_bytes(key.1.0).to_string();
    let before = place.standing().await.hook.reveal_secret();
    let after = hooks::rotate_secret(ctx, app, &id).await.unwrap().hook.reveal_secret();
    assert_ne!(before, after);
    for (moved_ms, expected) in [(0, (true, true)), (86_399_000, (true, true)), (1000, (true, false))] {
        place.move_by(moved_ms);
        place.send(text("hello")).await.unwrap();
        place.tell(key).await;
        let letter = place.receiver.heard().remove(0);
        assert_eq!((is_signed_by(&letter, &after), is_signed_by(&letter, &before)), expected, "{}", letter.signature);
    }
}

#[tokio::test]
async fn the_log_has_pages() {
    let place = Place::new().await;
    let (ctx, app) = (&place.site.ctx, &place.site.app);
    let key = place.told_of(&["message.sent"]).await;
    let id = uuid::Uuid::from_bytes(key.1.0).to_string();
    for n in 0..5 {
        place.receiver.answer([status(200 + n)]);
        place.send(text("hello")).await.unwrap();
        place.tell(key).await;
    }
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = hooks::log(ctx, app, &id, before, 2).await.unwrap();
        seen.extend(page.entries.iter().map(|attempt| attempt.status.unwrap()));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, [204, 203, 202, 201, 200]);
}
