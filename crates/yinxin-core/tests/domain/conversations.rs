//! The list of conversations: what its owner pins, marks and removes is the owner's alone, bounded, and told to its other
//! devices.

use std::sync::Arc;

use yinxin_core::Code;
use yinxin_core::conversations::{self, From, Listing, Which};
use yinxin_core::limits::{CONVERSATION_BATCH_MAX, CONVERSATION_PINS_MAX, SWEEP_ROWS};
use yinxin_core::messages::{self, Act, By, Kind, Outgoing, Receipt};
use yinxin_core::retention::Sweep;

use crate::kit::{Connected, Setup, Site};
use crate::messages::{say, text, waiting};

const DAY: i64 = 86_400_000;
const WEB: By<'_> = By::Device("web");

async fn people(names: &[&str]) -> Site {
    site_with(&[], names).await
}

async fn site_with(devices: &'static [&'static str], names: &[&str]) -> Site {
    let site = Site::of(Setup { sessions: Connected::everybody(devices), ..Setup::new() }).await;
    for name in names {
        site.register(name).await;
    }
    site
}

fn listing(which: Which) -> Listing {
    Listing { which, before: None, limit: 50, with_empty: false }
}

async fn peers(site: &Site, owner: &str, which: Which) -> Vec<String> {
    let page = conversations::list(&site.ctx, &site.app, owner, listing(which)).await.unwrap();
    page.entries.into_iter().map(|conversation| conversation.peer).collect()
}

async fn pin(site: &Site, owner: &str, peer: &str, pinned: bool) -> Result<Option<i64>, Code> {
    let done = conversations::set_pinned(&site.ctx, &site.app, owner, peer, pinned, WEB).await;
    done.map_err(|error| error.code)
}

async fn mark(site: &Site, owner: &str, names: &[&str], number: u8, on: bool) -> Result<Vec<String>, Code> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let done = conversations::set_marked(&site.ctx, &site.app, owner, &names, (number, on), WEB).await;
    done.map_err(|error| error.code)
}

/// What the history shows, newest first.
async fn history(site: &Site, owner: &str, peer: &str) -> Vec<i64> {
    let page = conversations::history(&site.ctx, &site.app, owner, peer, From::Before(None), 50).await.unwrap();
    page.entries.iter().map(|entry| entry.message_id).collect()
}

#[tokio::test]
async fn what_is_pinned_and_marked_is_listed_so_for_its_owner_only() {
    let site = people(&["ann", "ben", "carl", "dora"]).await;
    for peer in ["ben", "carl", "dora"] {
        say(&site, "ann", peer, text("web", "hello")).await.unwrap();
    }
    assert_eq!(peers(&site, "ann", Which::All).await, ["dora", "carl", "ben"]);
    site.setup.clock.move_by(7);
    assert_eq!(pin(&site, "ann", "BEN", true).await.unwrap(), Some(1_700_000_000_007));
    pin(&site, "ann", "carl", true).await.unwrap();
    assert_eq!(peers(&site, "ann", Which::Pinned).await, ["carl", "ben"]);
    assert_eq!(pin(&site, "ann", "ben", true).await.unwrap(), Some(1_700_000_000_007));
    assert_eq!(peers(&site, "ann", Which::Pinned).await, ["ben", "carl"], "pinned again, it comes first");
    assert!(peers(&site, "ben", Which::Pinned).await.is_empty());
    assert_eq!(mark(&site, "ann", &["ben", "nobody", "Dora"], 3, true).await.unwrap(), ["nobody"]);
    mark(&site, "ann", &["ben"], 19, true).await.unwrap();
    assert_eq!(peers(&site, "ann", Which::Marked(3)).await, ["dora", "ben"]);
    assert_eq!(peers(&site, "ann", Which::Marked(19)).await, ["ben"]);
    let all = conversations::list(&site.ctx, &site.app, "ann", listing(Which::All)).await.unwrap().entries;
    assert_eq!(all[2].marks, [3, 19]);
    mark(&site, "ann", &["ben"], 3, false).await.unwrap();
    assert_eq!(peers(&site, "ann", Which::Marked(3)).await, ["dora"]);
    assert_eq!(pin(&site, "ann", "ben", false).await.unwrap(), None);
    assert_eq!(peers(&site, "ann", Which::Pinned).await, ["carl"]);
}

#[tokio::test]
async fn pins_marks_and_batches_have_bounds() {
    let site = people(&["ann"]).await;
    let names: Vec<String> = (0..=CONVERSATION_PINS_MAX).map(|number| format!("peer{number}")).collect();
    for name in &names {
        site.register(name).await;
        say(&site, "ann", name, text("web", "hello")).await.unwrap();
    }
    let (last, first) = names.split_last().unwrap();
    for name in first {
        pin(&site, "ann", name, true).await.unwrap();
    }
    assert_eq!(pin(&site, "ann", last, true).await.unwrap_err(), Code::ConversationPinsFull);
    pin(&site, "ann", &first[0], true).await.unwrap();
    pin(&site, "ann", &first[0], false).await.unwrap();
    pin(&site, "ann", last, true).await.unwrap();
    assert_eq!(pin(&site, "ann", "nobody", true).await.unwrap_err(), Code::ConversationNotFound);
    assert_eq!(mark(&site, "ann", &["peer1"], 20, true).await.unwrap_err(), Code::MarkIllegal);
    let error = conversations::list(&site.ctx, &site.app, "ann", listing(Which::Marked(20))).await.unwrap_err();
    assert_eq!(error.code, Code::MarkIllegal);
    let many = vec!["peer1"; CONVERSATION_BATCH_MAX + 1];
    assert_eq!(mark(&site, "ann", &many, 1, true).await.unwrap_err(), Code::TooManyNames);
    let ids = vec![1; CONVERSATION_BATCH_MAX + 1];
    let error = conversations::erase(&site.ctx, &site.app, "ann", "peer1", ids, WEB).await.unwrap_err();
    assert_eq!(error.code, Code::TooManyNames);
}

#[tokio::test]
async fn what_is_removed_comes_back_with_the_next_message() {
    let site = people(&["ann", "ben"]).await;
    let first = say(&site, "ann", "ben", text("web", "one")).await.unwrap();
    pin(&site, "ann", "ben", true).await.unwrap();
    conversations::remove(&site.ctx, &site.app, "ann", "ben", false, WEB).await.unwrap();
    assert!(peers(&site, "ann", Which::All).await.is_empty());
    assert!(peers(&site, "ann", Which::Pinned).await.is_empty());
    assert_eq!(peers(&site, "ben", Which::All).await, ["ann"], "the other keeps it");
    assert_eq!(pin(&site, "ann", "ben", true).await.unwrap_err(), Code::ConversationNotFound);
    assert_eq!(history(&site, "ann", "ben").await, [first.id], "what was said is still there");
    // A receipt is no message.
    let receipt = Outgoing { kind: Kind::About, act: Act::Confirms(Receipt::Conversation), ..text("web", "read") };
    say(&site, "ben", "ann", receipt).await.unwrap();
    assert!(peers(&site, "ann", Which::All).await.is_empty());
    let second = say(&site, "ben", "ann", text("web", "two")).await.unwrap();
    assert_eq!(peers(&site, "ann", Which::All).await, ["ben"]);
    assert_eq!(history(&site, "ann", "ben").await, [second.id, first.id]);
    conversations::remove(&site.ctx, &site.app, "ann", "ben", true, WEB).await.unwrap();
    assert!(history(&site, "ann", "ben").await.is_empty());
    assert_eq!(history(&site, "ben", "ann").await, [second.id, first.id]);
    conversations::remove(&site.ctx, &site.app, "ann", "stranger", true, WEB).await.unwrap();
}

#[tokio::test]
async fn messages_are_removed_from_one_side_by_id_and_by_time() {
    let site = people(&["ann", "ben"]).await;
    let mut ids = Vec::new();
    for number in 0..6 {
        site.setup.clock.move_by(1000);
        ids.push(say(&site, "ben", "ann", text("web", &format!("text {number}"))).await.unwrap());
    }
    let (app, ctx) = (&site.app, &site.ctx);
    conversations::erase(ctx, app, "ann", "Ben", vec![ids[5].id, ids[2].id, 77, -1], WEB).await.unwrap();
    assert_eq!(history(&site, "ann", "ben").await, [ids[4].id, ids[3].id, ids[1].id, ids[0].id]);
    assert_eq!(waiting(&site, "ann").await, 4, "what is removed waits no more");
    let list = conversations::list(ctx, app, "ann", listing(Which::All)).await.unwrap().entries;
    assert_eq!(list[0].last.as_ref().unwrap().message_id, ids[4].id);
    conversations::erase_until(ctx, app, "ann", "ben", ids[3].at_ms, WEB).await.unwrap();
    assert_eq!(history(&site, "ann", "ben").await, [ids[4].id]);
    conversations::erase_until(ctx, app, "ann", "ben", i64::MAX, WEB).await.unwrap();
    conversations::erase_until(ctx, app, "ann", "ben", i64::MIN, WEB).await.unwrap();
    assert!(peers(&site, "ann", Which::All).await.is_empty(), "without a message it is not listed");
    let page = Listing { with_empty: true, ..listing(Which::All) };
    assert!(conversations::list(ctx, app, "ann", page).await.unwrap().entries.is_empty());
    assert_eq!(history(&site, "ben", "ann").await.len(), 6);
}

#[tokio::test]
async fn a_message_is_removed_by_its_time_though_its_id_was_made_later() {
    let site = people(&["ann", "ben"]).await;
    let first = say(&site, "ann", "ben", text("web", "one")).await.unwrap();
    // Ids do not go back with the clock.
    site.setup.clock.move_by(-5000);
    let second = say(&site, "ann", "ben", text("web", "two")).await.unwrap();
    assert!(second.at_ms < first.at_ms && second.id > first.id);
    conversations::erase_until(&site.ctx, &site.app, "ann", "ben", second.at_ms, WEB).await.unwrap();
    assert_eq!(history(&site, "ann", "ben").await, [first.id]);
}

#[tokio::test]
async fn all_conversations_go_at_once_and_for_their_owner_only() {
    let site = people(&["ann", "ben", "carl"]).await;
    for _ in 0..=SWEEP_ROWS {
        say(&site, "ann", "ben", text("web", "hello")).await.unwrap();
    }
    say(&site, "carl", "ann", text("web", "hello")).await.unwrap();
    conversations::remove_all(&site.ctx, &site.app, "ann").await.unwrap();
    assert!(peers(&site, "ann", Which::All).await.is_empty());
    assert_eq!(waiting(&site, "ann").await, 0);
    assert_eq!(history(&site, "ann", "ben").await.len(), 0);
    assert_eq!(history(&site, "ben", "ann").await.len(), 50);
    assert_eq!(peers(&site, "carl", Which::All).await, ["ann"]);
}

#[tokio::test]
async fn a_pinned_conversation_outlives_its_messages() {
    let site = people(&["ann", "ben", "carl"]).await;
    for peer in ["ben", "carl"] {
        say(&site, "ann", peer, text("web", "hello")).await.unwrap();
    }
    pin(&site, "ann", "ben", true).await.unwrap();
    site.setup.clock.move_by(8 * DAY);
    let mut sweep = Sweep::default();
    while sweep.step(&site.ctx).await.unwrap() {}
    say(&site, "ann", "ben", text("web", "long time")).await.unwrap();
    assert_eq!(peers(&site, "ann", Which::Pinned).await, ["ben"]);
}

#[tokio::test]
async fn the_other_devices_hear_of_it_and_the_one_that_did_it_does_not() {
    let site = site_with(&["web", "phone"], &["ann", "ben"]).await;
    let ann = yinxin_core::users::find(&site.ctx, &site.app, "ann").await.unwrap();
    let app = site.app.id;
    for device in ["web", "phone"] {
        messages::greet_device(&site.ctx, app, ann.user, device).await.unwrap();
    }
    let said = say(&site, "ann", "ben", text("web", "hello")).await.unwrap();
    pin(&site, "ann", "ben", true).await.unwrap();
    mark(&site, "ann", &["ben"], 7, true).await.unwrap();
    mark(&site, "ann", &["ben"], 7, false).await.unwrap();
    pin(&site, "ann", "ben", false).await.unwrap();
    for message in [said.id, 7] {
        conversations::mark_unread(&site.ctx, &site.app, "ann", "ben", message, WEB).await.unwrap();
    }
    conversations::erase(&site.ctx, &site.app, "ann", "ben", vec![said.id, 7], WEB).await.unwrap();
    conversations::remove(&site.ctx, &site.app, "ann", "ben", false, WEB).await.unwrap();
    conversations::remove(&site.ctx, &site.app, "ann", "stranger", true, WEB).await.unwrap();
    conversations::erase(&site.ctx, &site.app, "ann", "stranger", vec![said.id], WEB).await.unwrap();
    let queues = messages::queues_for_device(&site.ctx, app, ann.user, "phone").await.unwrap();
    assert_eq!(queues.len(), 1, "what was never there is no news: {queues:?}");
    let heard = async |device| {
        let next = messages::next_for_device(&site.ctx, app, ann.user, device, "ben", 20).await.unwrap();
        let kinds = next.iter().map(|entry| (Kind::from_number(entry.kind).unwrap(), entry.payload.to_vec()));
        kinds.collect::<Vec<_>>()
    };
    let news = [
        (Kind::Pinned, b"".to_vec()),
        (Kind::Marked, b"7".to_vec()),
        (Kind::Unmarked, b"7".to_vec()),
        (Kind::Unpinned, b"".to_vec()),
        (Kind::Unread, said.id.to_string().into_bytes()),
        (Kind::Erased, format!("{} 7", said.id).into_bytes()),
        (Kind::Hidden, b"".to_vec()),
    ];
    assert_eq!(heard("phone").await, news);
    assert!(heard("web").await.is_empty());
    let ben = yinxin_core::users::find(&site.ctx, &site.app, "ben").await.unwrap();
    messages::greet_device(&site.ctx, app, ben.user, "phone").await.unwrap();
    let next = messages::next_for_device(&site.ctx, app, ben.user, "phone", "ann", 20).await.unwrap();
    assert_eq!(next.len(), 1, "the other user hears of the message only");
    assert_eq!(waiting(&site, "ann").await, 0, "news are not counted");
}

#[tokio::test]
async fn a_list_is_read_in_pages_while_messages_come() {
    let site = Arc::new(people(&["ann"]).await);
    for number in 0..9 {
        let name = format!("peer{number}");
        site.register(&name).await;
        say(&site, &name, "ann", text("web", "hello")).await.unwrap();
    }
    let (mut before, mut seen) = (None, Vec::new());
    loop {
        let page = Listing { before, limit: 4, ..listing(Which::All) };
        let page = conversations::list(&site.ctx, &site.app, "ann", page).await.unwrap();
        seen.extend(page.entries.into_iter().map(|conversation| conversation.peer));
        before = page.next;
        if before.is_none() {
            break;
        }
        // It goes to the top, which has been read.
        say(&site, "peer8", "ann", text("web", "again")).await.unwrap();
    }
    assert_eq!(seen, (0..9).rev().map(|number| format!("peer{number}")).collect::<Vec<_>>());
}
