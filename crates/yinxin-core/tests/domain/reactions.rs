//! Reactions, pinned messages and reports: on both sides the same, by the two of a conversation only, and bounded.

use futures_util::future::join_all;
use yinxin_core::apps::{self, AppChanges};
use yinxin_core::limits::{
    MESSAGE_PINS_MAX, REACTION_BATCH_MAX, REACTION_CHARS_MAX, REACTIONS_MAX, REPORT_TEXT_BYTES_MAX,
};
use yinxin_core::messages::{self, Act, By, Kind, Outgoing, Receipt};
use yinxin_core::reactions::{self, Change, Reaction};
use yinxin_core::{Code, blocks, conversations, pins, reports, users};

use crate::kit::{Connected, Setup, Site};
use crate::messages::{say, text};

const DAY: i64 = 86_400_000;
const WEB: By<'_> = By::Device("web");

/// Ann has said something to Ben; everybody is connected with two devices.
async fn scene() -> (Site, i64) {
    let site = Site::of(Setup { sessions: Connected::everybody(&["web", "phone"]), ..Setup::new() }).await;
    for name in ["ann", "ben", "carl"] {
        site.register(name).await;
    }
    let said = say(&site, "ann", "ben", text("web", "hello")).await.unwrap();
    (site, said.id)
}

async fn react(site: &Site, owner: &str, message: i64, reaction: &str, added: bool) -> Result<(), Code> {
    let done = reactions::set(&site.ctx, &site.app, owner, message, reaction, added, WEB).await;
    done.map_err(|error| error.code)
}

async fn seen(site: &Site, owner: &str, message: i64) -> Vec<Reaction> {
    let mut found = reactions::of_messages(&site.ctx, &site.app, owner, vec![message]).await.unwrap();
    let (id, reactions) = found.pop().unwrap();
    assert_eq!(id, message);
    reactions
}

fn one(reaction: &str, reactors: &[&str]) -> Reaction {
    let reactors = reactors.iter().map(|name| (*name).to_owned()).collect();
    Reaction { reaction: reaction.to_owned(), reactors }
}

async fn pin(site: &Site, owner: &str, peer: &str, message: i64, pinned: bool) -> Result<(), Code> {
    let done = pins::set(&site.ctx, &site.app, owner, peer, message, pinned, WEB).await;
    done.map_err(|error| error.code)
}

async fn pinned(site: &Site, owner: &str, peer: &str) -> Vec<(i64, String)> {
    let page = pins::list(&site.ctx, &site.app, owner, peer, None, 50).await.unwrap();
    page.entries.into_iter().map(|pin| (pin.entry.message_id, pin.operator)).collect()
}

async fn contacts_only(site: &Site, on: bool) {
    let changes = AppChanges { contacts_only_messaging: Some(on), ..AppChanges::default() };
    apps::change(&site.ctx, &site.app, changes).await.unwrap();
}

/// What a device of that user is told in a queue, but for messages.
async fn news(site: &Site, name: &str, device: &str, queue: &str) -> Vec<(Kind, String)> {
    let user = users::find(&site.ctx, &site.app, name).await.unwrap();
    let next = messages::next_for_device(&site.ctx, site.app.id, user.user, device, queue, 50).await.unwrap();
    let shown = next
        .iter()
        .map(|entry| (Kind::from_number(entry.kind).unwrap(), String::from_utf8_lossy(&entry.payload).into_owned()));
    shown.filter(|(kind, _)| *kind != Kind::Chat).collect()
}

#[tokio::test]
async fn both_see_what_both_have_stuck_to_a_message_and_hear_of_it() {
    let (site, id) = scene().await;
    react(&site, "ben", id, "👍", true).await.unwrap();
    react(&site, "ann", id, "👍", true).await.unwrap();
    react(&site, "ann", id, "heart", true).await.unwrap();
    let both = [one("👍", &["ben", "ann"]), one("heart", &["ann"])];
    assert_eq!(seen(&site, "ann", id).await, both);
    assert_eq!(seen(&site, "ben", id).await, both);
    assert_eq!(react(&site, "ann", id, "heart", true).await, Err(Code::ReactionExists));
    react(&site, "ann", id, "👍", false).await.unwrap();
    assert_eq!(react(&site, "ann", id, "👍", false).await, Err(Code::ReactionIllegal));
    assert_eq!(seen(&site, "ben", id).await, [one("👍", &["ben"]), one("heart", &["ann"])]);
    let heard = news(&site, "ben", "phone", "ann").await;
    let change = |(kind, text): &(Kind, String)| {
        assert_eq!(*kind, Kind::Reacted);
        serde_json::from_str::<Change>(text).unwrap()
    };
    let said = |reaction: &str, added, reactors: &[&str]| {
        let Reaction { reaction, reactors } = one(reaction, reactors);
        Change { message: id, reaction, added, reactors }
    };
    let expected = [
        said("👍", true, &["ben"]),
        said("👍", true, &["ben", "ann"]),
        said("heart", true, &["ann"]),
        said("👍", false, &["ben"]),
    ];
    assert_eq!(heard.iter().map(change).collect::<Vec<_>>(), expected);
    assert_eq!(news(&site, "ben", "web", "ann").await.len(), 3, "a device is not told what it did");
    let own = news(&site, "ann", "phone", "ben").await;
    assert_eq!(own.iter().map(change).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn only_the_two_of_a_conversation_react_to_what_is_there() {
    let (site, id) = scene().await;
    let receipt = Outgoing { kind: Kind::About, act: Act::Confirms(Receipt::Conversation), ..text("web", "read") };
    let receipt = say(&site, "ben", "ann", receipt).await.unwrap();
    for (owner, message) in [("carl", id), ("ann", id - 1), ("ann", receipt.id), ("ann", -1), ("ben", i64::MAX)] {
        assert_eq!(react(&site, owner, message, "x", true).await, Err(Code::ReactionIllegal), "{owner} {message}");
    }
    assert_eq!(seen(&site, "carl", id).await, []);
    assert_eq!(react(&site, "ann", id, "", true).await, Err(Code::FieldIllegal));
    let long = "界".repeat(REACTION_CHARS_MAX);
    react(&site, "ann", id, &long, true).await.unwrap();
    assert_eq!(react(&site, "ann", id, &format!("{long}x"), true).await, Err(Code::FieldIllegal));
    let many = vec![id; REACTION_BATCH_MAX + 1];
    let error = reactions::of_messages(&site.ctx, &site.app, "ann", many).await.unwrap_err();
    assert_eq!(error.code, Code::ReactionBatchTooLarge);
    blocks::add(&site.ctx, &site.app, "ann", vec!["ben".into()]).await.unwrap();
    assert_eq!(react(&site, "ben", id, "x", true).await, Err(Code::SenderBlocked));
    assert_eq!(pin(&site, "ben", "ann", id, true).await, Err(Code::SenderBlocked));
    blocks::remove(&site.ctx, &site.app, "ann", "ben").await.unwrap();
    contacts_only(&site, true).await;
    let app = apps::current(&site.ctx, &site.app).await.unwrap();
    let by_device = reactions::set(&site.ctx, &app, "ben", id, "x", true, WEB).await;
    assert_eq!(by_device.unwrap_err().code, Code::NotContact);
    reactions::set(&site.ctx, &app, "ben", id, "x", true, By::Backend).await.unwrap();
}

#[tokio::test]
async fn so_many_reactions_and_pins_and_no_more_however_many_come_at_once() {
    let (site, id) = scene().await;
    let kinds: Vec<String> = (0..REACTIONS_MAX + 4).map(|number| format!("r{number}")).collect();
    let all = join_all(kinds.iter().map(|kind| react(&site, "ann", id, kind, true))).await;
    assert_eq!(all.iter().filter(|done| **done == Err(Code::ReactionsFull)).count(), 4);
    assert_eq!(i64::try_from(seen(&site, "ben", id).await.len()).unwrap(), REACTIONS_MAX);
    let there = seen(&site, "ben", id).await[3].reaction.clone();
    react(&site, "ben", id, &there, true).await.unwrap();

    let mut ids = vec![id];
    for _ in 0..MESSAGE_PINS_MAX {
        ids.push(say(&site, "ann", "ben", text("web", "hello")).await.unwrap().id);
    }
    let all = join_all(ids.iter().map(|id| pin(&site, "ben", "ann", *id, true))).await;
    assert_eq!(all.iter().filter(|done| **done == Err(Code::PinsFull)).count(), 1);
    assert_eq!(i64::try_from(pinned(&site, "ann", "ben").await.len()).unwrap(), MESSAGE_PINS_MAX);
}

#[tokio::test]
async fn what_is_taken_back_or_removed_or_too_old_has_nothing_stuck_to_it() {
    let (site, id) = scene().await;
    let other = say(&site, "ben", "ann", text("web", "bye")).await.unwrap().id;
    for message in [id, other] {
        react(&site, "ann", message, "x", true).await.unwrap();
        pin(&site, "ann", "ben", message, true).await.unwrap();
    }
    let recall = Outgoing { kind: Kind::About, act: Act::Recalls(id), ..text("web", "recall") };
    say(&site, "ann", "ben", recall).await.unwrap();
    assert_eq!(seen(&site, "ben", id).await, []);
    for (owner, peer) in [("ann", "ben"), ("ben", "ann")] {
        assert_eq!(pinned(&site, owner, peer).await, [(other, "ann".to_owned())]);
    }
    conversations::erase(&site.ctx, &site.app, "ben", "ann", vec![other], WEB).await.unwrap();
    assert_eq!(seen(&site, "ben", other).await, []);
    assert!(pinned(&site, "ben", "ann").await.is_empty());
    assert_eq!(seen(&site, "ann", other).await, [one("x", &["ann"])], "the other side keeps its own");
    react(&site, "ann", other, "y", true).await.unwrap();
    assert_eq!(seen(&site, "ben", other).await, []);
    site.setup.clock.move_by(7 * DAY + 1);
    assert_eq!(seen(&site, "ann", other).await, []);
    assert_eq!(react(&site, "ann", other, "z", true).await, Err(Code::ReactionIllegal));
    assert!(pinned(&site, "ann", "ben").await.is_empty());
    assert_eq!(pin(&site, "ann", "ben", other, true).await, Err(Code::PinIllegal));
}

#[tokio::test]
async fn either_pins_and_either_unpins() {
    let (site, id) = scene().await;
    let later = say(&site, "ben", "ann", text("web", "bye")).await.unwrap().id;
    pin(&site, "ann", "BEN", id, true).await.unwrap();
    pin(&site, "ben", "ann", later, true).await.unwrap();
    let both = [(later, "ben".to_owned()), (id, "ann".to_owned())];
    assert_eq!(pinned(&site, "ann", "ben").await, both);
    assert_eq!(pinned(&site, "ben", "ann").await, both);
    pin(&site, "ben", "ann", id, true).await.unwrap();
    assert_eq!(pinned(&site, "ann", "ben").await, [(id, "ben".to_owned()), (later, "ben".to_owned())]);
    pin(&site, "ben", "ann", id, false).await.unwrap();
    assert_eq!(pinned(&site, "ann", "ben").await, [(later, "ben".to_owned())]);
    assert_eq!(pin(&site, "ann", "ben", id, false).await, Err(Code::PinNotFound));
    for (owner, peer, message) in [("carl", "ann", id), ("ann", "carl", id), ("ann", "ben", id - 1)] {
        assert_eq!(pin(&site, owner, peer, message, true).await, Err(Code::PinIllegal), "{owner} {peer} {message}");
    }
    let said = |kind, message: i64| (kind, message.to_string());
    let heard = news(&site, "ann", "phone", "ben").await;
    assert_eq!(
        heard,
        [
            said(Kind::MessagePinned, id),
            said(Kind::MessagePinned, later),
            said(Kind::MessagePinned, id),
            said(Kind::MessageUnpinned, id)
        ]
    );
    let page = pins::list(&site.ctx, &site.app, "ann", "ben", None, 1).await.unwrap();
    assert_eq!(page.next, None);
}

#[tokio::test]
async fn a_complaint_is_kept_for_the_operator_with_what_was_said() {
    let (site, id) = scene().await;
    let said = || ("spam".to_owned(), "it is".to_owned());
    let report = async |owner: &str, message, said| {
        let excerpt = |entry: &messages::Entry| String::from_utf8_lossy(&entry.payload).into_owned();
        reports::add(&site.ctx, &site.app, owner, message, said, excerpt).await.map_err(|error| error.code)
    };
    report("ben", id, said()).await.unwrap();
    assert_eq!(report("carl", id, said()).await, Err(Code::ReportIllegal));
    assert_eq!(report("ben", id - 1, said()).await, Err(Code::ReportIllegal));
    let long = "x".repeat(REPORT_TEXT_BYTES_MAX + 1);
    assert_eq!(report("ben", id, (long.clone(), "r".into())).await, Err(Code::FieldIllegal));
    assert_eq!(report("ben", id, ("spam".into(), String::new())).await, Err(Code::FieldIllegal));
    let long = "界".repeat(REPORT_TEXT_BYTES_MAX);
    let talk = say(&site, "ann", "ben", text("web", &long)).await.unwrap().id;
    report("ben", talk, said()).await.unwrap();
    // Complained of again, it is one complaint, with what was said last.
    report("ben", id, ("abuse".into(), "worse".into())).await.unwrap();
    site.setup.clock.move_by(30 * DAY);
    let page = reports::list(&site.ctx, &site.app, None, 10).await.unwrap();
    let shown: Vec<_> =
        page.entries.iter().map(|one| (one.message, &*one.kind, &*one.reporter, &*one.sender)).collect();
    assert_eq!(shown, [(id, "abuse", "ben", "ann"), (talk, "spam", "ben", "ann")]);
    assert_eq!(page.entries[0].excerpt, "hello");
    let excerpt = &page.entries[1].excerpt;
    assert!(excerpt.len() <= REPORT_TEXT_BYTES_MAX && excerpt.chars().all(|c| c == '界'), "{excerpt}");
}
