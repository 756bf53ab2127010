//! Sessions, and those that a crash has cut off.

use serde_json::json;
use yinxin_core::apps;
use yinxin_core::hooks::{self, EndReason, Known, Opened};
use yinxin_core::sessions::{CloseReason, Device};

use super::kit::Place;

fn device() -> Device {
    let [resource, device_uuid, device_name] = ["phone", "uuid", "Ann's phone"].map(str::to_owned);
    Device { resource, device_uuid, device_name, note: String::new(), since_ms: 0 }
}

async fn open(place: &Place) -> Opened {
    hooks::open(&place.site.ctx, Known { app: &place.site.app, user: &place.ann, device: &device() }).await
}

async fn end(place: &Place, opened: Opened, reason: EndReason) {
    let known = Known { app: &place.site.app, user: &place.ann, device: &device() };
    hooks::end(&place.site.ctx, known, opened, reason).await;
}

#[tokio::test]
async fn a_session_is_told_from_its_start_to_its_end() {
    let place = Place::new().await;
    let key = place.told_of(&["session.started", "session.ended"]).await;
    let opened = open(&place).await;
    place.move_by(5000);
    end(&place, opened, EndReason::Asked(CloseReason::Kicked)).await;
    place.tell(key).await;
    let [started, ended] = place.receiver.bodies().try_into().unwrap();
    let mut data = json!({
        "app": "org#app", "user": "ann", "session": started["data"]["session"], "started": 1_700_000_000_000_i64,
        "device": { "resource": "phone", "id": "uuid", "name": "Ann's phone" }, "online": true,
    });
    assert_eq!((&started["type"], &started["data"]), (&json!("session.started"), &data));
    data["online"] = false.into();
    data["reason"] = "kicked".into();
    assert_eq!((&ended["type"], &ended["data"]), (&json!("session.ended"), &data));
    assert_eq!(ended["timestamp"], "2023-11-14T22:13:25.000Z");
    assert_eq!(hooks::recover(&place.site.ctx).await.unwrap(), 0, "it has ended");
}

#[tokio::test]
async fn a_session_that_a_crash_cut_off_ends_at_the_next_start() {
    let place = Place::new().await;
    let key = place.told_of(&["session.ended"]).await;
    open(&place).await;
    // A second core on the same database is what a start after a crash is.
    let again = place.site.setup.open().await;
    assert_eq!(hooks::recover(&again).await.unwrap(), 1);
    assert_eq!(hooks::recover(&again).await.unwrap(), 0);
    place.tell(key).await;
    let [ended] = place.receiver.bodies().try_into().unwrap();
    assert_eq!((&ended["type"], &ended["data"]["reason"]), (&json!("session.ended"), &json!("server_lost")));
    assert_eq!(ended["data"]["user"], "ann");
}

#[tokio::test]
async fn without_a_hook_nothing_is_written() {
    let place = Place::new().await;
    place.told_of(&["message.sent"]).await;
    let before = place.site.ctx.db.writer_gauge().commits;
    let opened = open(&place).await;
    end(&place, opened, EndReason::Logout).await;
    assert_eq!(place.site.ctx.db.writer_gauge().commits, before);
}

#[tokio::test]
async fn a_session_may_outlive_its_hook_and_its_app() {
    let place = Place::new().await;
    let key = place.told_of(&["session.ended"]).await;
    let [one, other] = [open(&place).await, open(&place).await];
    let id = uuid::Uuid::from_bytes(key.1.0).to_string();
    hooks::remove(&place.site.ctx, &place.site.app, &id).await.unwrap();
    end(&place, one, EndReason::Closed).await;
    apps::delete(&place.site.ctx, &place.site.app).await.unwrap();
    end(&place, other, EndReason::Closed).await;
    hooks::recover(&place.site.ctx).await.unwrap();
    assert_eq!(place.receiver.heard().len(), 0);
}

#[tokio::test]
async fn no_event_is_lost_when_the_clock_is_set_back() {
    const DAY_MS: i64 = 86_400_000;
    let place = Place::new().await;
    let key = place.told_of(&["session.started"]).await;
    for by_ms in [0, -DAY_MS, 1, DAY_MS, -1, -DAY_MS] {
        place.move_by(by_ms);
        for _ in 0..3 {
            open(&place).await;
        }
    }
    place.move_by(-400 * DAY_MS);
    assert_eq!(place.tell(key).await.len(), 18, "what was put down by a clock that was ahead does not wait for it");
    let mut ids: Vec<String> = place.receiver.heard().into_iter().map(|letter| letter.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 18, "no id comes twice");
}
