//! What is sent arrives: in order, whatever clocks do and however sends race.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::task::JoinSet;
use yinxin_core::hooks::Content;
use yinxin_core::limits::DEVICES_KEPT;
use yinxin_core::messages::{self, Act, Kind, Outgoing, Sender};
use yinxin_core::sessions::Device;
use yinxin_core::users;

use crate::kit::Site;

const DEVICE: &str = "web_1";

fn text(words: &str) -> Outgoing {
    Outgoing {
        kind: Kind::Chat,
        origin: "web_0".to_owned(),
        payload: words.as_bytes().to_vec(),
        act: Act::Says,
        online_only: false,
        read: |_| Content::default(),
    }
}

async fn send(site: &Site, from: &str, to: &str, words: &str) -> i64 {
    let from = users::find(&site.ctx, &site.app, from).await.unwrap();
    messages::send(&site.ctx, &site.app, Sender::User(&from), to, text(words)).await.unwrap().id
}

/// What is new to the device of `name`, in all its queues; confirmed.
async fn fetch(site: &Site, name: &str) -> Vec<String> {
    fetch_to(site, name, DEVICE).await
}

async fn fetch_to(site: &Site, name: &str, device: &str) -> Vec<String> {
    let user = users::find(&site.ctx, &site.app, name).await.unwrap().user;
    let mut texts = Vec::new();
    for (queue, _) in messages::queues_for_device(&site.ctx, site.app.id, user, device).await.unwrap() {
        let entries = messages::next_for_device(&site.ctx, site.app.id, user, device, &queue, 1000).await.unwrap();
        let last = entries.last().unwrap().message_id;
        messages::confirm(&site.ctx, site.app.id, user, device, &queue, last).await.unwrap();
        texts.extend(entries.into_iter().map(|entry| String::from_utf8(entry.payload.into()).unwrap()));
    }
    texts
}

#[tokio::test]
async fn a_device_of_the_other_may_be_called_like_ones_own() {
    let site = Site::new().await;
    for name in ["ann", "ben"] {
        site.register(name).await;
    }
    // The pages of an app that gives the SDK a `deviceId` of its own are all called so.
    let page = |words| Outgoing { origin: DEVICE.to_owned(), ..text(words) };
    for (from, to, words) in [("ann", "ben", "hello"), ("ben", "ann", "hi"), ("ann", "ann", "a note")] {
        let from = users::find(&site.ctx, &site.app, from).await.unwrap();
        messages::send(&site.ctx, &site.app, Sender::User(&from), to, page(words)).await.unwrap();
    }
    assert_eq!(fetch(&site, "ben").await, ["hello"]);
    assert_eq!(fetch(&site, "ann").await, ["hi"], "nothing that she sent from this device herself");
    assert_eq!(fetch_to(&site, "ann", "phone").await, ["hello", "hi", "a note"]);
}

#[tokio::test]
async fn a_device_that_stays_is_not_forgotten_for_those_that_come() {
    let site = Site::new().await;
    site.register("ann").await;
    let ben = site.register("ben").await.user;
    let greet = async |device: &str| {
        site.setup.clock.move_by(1000);
        messages::greet_device(&site.ctx, site.app.id, ben, device).await.unwrap();
    };
    greet("phone").await;
    let phone = Device {
        resource: "phone".to_owned(),
        device_uuid: String::new(),
        device_name: String::new(),
        note: String::new(),
        since_ms: 0,
    };
    site.setup.sessions.devices.lock().unwrap().push((ben, phone));
    send(&site, "ann", "ben", "one").await;
    assert_eq!(fetch_to(&site, "ben", "phone").await, ["one"]);
    // A page whose resource is another each time it is loaded.
    for visit in 0..2 * DEVICES_KEPT {
        greet(&format!("page_{visit}")).await;
    }
    send(&site, "ann", "ben", "two").await;
    assert_eq!(fetch_to(&site, "ben", "phone").await, ["two"], "what it has confirmed it does not get again");
}

#[tokio::test]
async fn a_clock_that_was_set_back_hides_no_message() {
    let site = Site::new().await;
    for name in ["ann", "ben"] {
        site.register(name).await;
    }
    let early = send(&site, "ann", "ben", "one").await;
    assert_eq!(fetch(&site, "ben").await, ["one"]);
    site.setup.clock.move_by(-86_400_000);
    // A server that starts now knows nothing of the ids it made.
    let later = Site { ctx: site.setup.open().await, app: Arc::clone(&site.app), setup: site.setup };
    assert!(send(&later, "ann", "ben", "two").await > early);
    assert!(send(&later, "ben", "ann", "three").await > early);
    assert_eq!(fetch(&later, "ben").await, ["two", "three"], "what he sent from another device, too");
    assert_eq!(fetch(&later, "ann").await, ["one", "two", "three"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_that_race_all_arrive_at_one_who_confirms_meanwhile() {
    const EACH: usize = 200;
    let site = Arc::new(Site::new().await);
    for name in ["ann", "ben"] {
        site.register(name).await;
    }
    let mut senders = JoinSet::new();
    for device in 0..4 {
        let site = Arc::clone(&site);
        senders.spawn(async move {
            for number in 0..EACH {
                send(&site, "ann", "ben", &format!("{device} {number}")).await;
            }
        });
    }
    let mut got = Vec::new();
    while !senders.is_empty() {
        got.extend(fetch(&site, "ben").await);
        while senders.try_join_next().is_some() {}
    }
    got.extend(fetch(&site, "ben").await);
    assert_eq!(got.len(), 4 * EACH);
    for device in 0..4 {
        let of_device: Vec<_> = got.iter().filter(|text| text.starts_with(&format!("{device} "))).collect();
        let sent: Vec<_> = (0..EACH).map(|number| format!("{device} {number}")).collect();
        assert!(of_device.iter().copied().eq(&sent), "each once, in order");
    }
}

#[tokio::test]
async fn what_a_device_sent_is_not_new_to_it() {
    let site = Site::new().await;
    for name in ["ann", "ben"] {
        site.register(name).await;
    }
    let ann = users::find(&site.ctx, &site.app, "ann").await.unwrap();
    let own = async |words| {
        let outgoing = Outgoing { origin: DEVICE.to_owned(), ..text(words) };
        messages::send(&site.ctx, &site.app, Sender::User(&ann), "ben", outgoing).await.unwrap();
    };
    own("one").await;
    assert!(fetch(&site, "ann").await.is_empty());
    send(&site, "ben", "ann", "two").await;
    own("three").await;
    assert_eq!(fetch(&site, "ann").await, ["two"]);
    assert!(fetch(&site, "ann").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_is_told_though_its_sender_has_gone() {
    let site = Arc::new(Site::new().await);
    for name in ["ann", "ben"] {
        site.register(name).await;
    }
    for round in 0..100 {
        let sending = tokio::spawn({
            let site = Arc::clone(&site);
            async move { send(&site, "ann", "ben", "hello").await }
        });
        for _ in 0..20 * round {
            tokio::task::yield_now().await;
        }
        sending.abort();
        let _gone = sending.await;
    }
    let told = || site.setup.sessions.woken.load(Ordering::SeqCst);
    let all_told = async {
        // On one engine a write comes behind all others, on the other those begun before may end after it.
        send(&site, "ann", "ben", "the last").await;
        let mut stored = fetch(&site, "ben").await.len();
        while told() != stored {
            tokio::task::yield_now().await;
            stored += fetch(&site, "ben").await.len();
        }
    };
    tokio::time::timeout(Duration::from_secs(10), all_told).await.expect("whoever is here is told of all that came");
}
