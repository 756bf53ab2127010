//! Changing a message: who may, how often, and that both sides and whoever has yet to get it see the same.

use futures_util::future::join_all;
use yinxin_core::apps::{self, AppChanges};
use yinxin_core::conversations::{self, From};
use yinxin_core::limits::{EDITS_MAX, MESSAGE_BYTES_MAX};
use yinxin_core::messages::{self, Act, By, Edit, Entry, Kind, Outgoing, Receipt, Rewritten, Sent, Stamp};
use yinxin_core::mutes::Scope;
use yinxin_core::{Code, blocks, mutes};

use crate::kit::Site;
use crate::messages::{say, text};

const DAY: i64 = 86_400_000;

/// A text becomes what was sent, and how often it has been changed; a picture stays what it is.
fn apply(message: &Entry, sent: &[u8], stamp: &Stamp) -> Option<Rewritten> {
    if message.payload.starts_with(b"picture") {
        return None;
    }
    let payload = [sent, format!(" {}", stamp.count).as_bytes()].concat();
    Some(Rewritten { payload, news: b"look again".into() })
}

fn change(message: i64, to: &str) -> Outgoing {
    Outgoing { kind: Kind::About, act: Act::Edits(Edit { message, apply }), ..text("web", to) }
}

async fn edit(site: &Site, from: &str, to: &str, message: i64, new: &str) -> Result<Sent, Code> {
    say(site, from, to, change(message, new)).await
}

fn shown(entry: &Entry) -> String {
    String::from_utf8_lossy(&entry.payload).into_owned()
}

/// What the history shows one of the other, oldest first.
async fn history(site: &Site, owner: &str, peer: &str) -> Vec<String> {
    let page = conversations::history(&site.ctx, &site.app, owner, peer, From::After(None), 50).await.unwrap();
    page.entries.iter().map(shown).collect()
}

/// Ann has said "helo" to Ben.
async fn scene() -> (Site, Sent) {
    let site = Site::new().await;
    for name in ["ann", "ben", "carl"] {
        site.register(name).await;
    }
    let sent = say(&site, "ann", "ben", text("web", "helo")).await.unwrap();
    (site, sent)
}

#[tokio::test]
async fn both_sides_and_who_has_yet_to_get_it_see_the_change() {
    let (site, sent) = scene().await;
    let ben = yinxin_core::users::find(&site.ctx, &site.app, "ben").await.unwrap();
    messages::greet_device(&site.ctx, site.app.id, ben.user, "phone").await.unwrap();
    site.setup.clock.move_by(5);
    let edited = edit(&site, "ann", "ben", sent.id, "hello").await.unwrap().edited.unwrap();
    assert_eq!((edited.message, edited.count, edited.sent_ms), (sent.id, 1, sent.at_ms));
    assert_eq!(history(&site, "ann", "ben").await, ["hello 1"]);
    assert_eq!(history(&site, "ben", "ann").await, ["hello 1"]);
    let next = messages::next_for_device(&site.ctx, site.app.id, ben.user, "phone", "ann", 10).await.unwrap();
    assert_eq!(next.iter().map(shown).collect::<Vec<_>>(), ["hello 1", "look again"]);
    assert_eq!(next[0].message_id, sent.id, "it is the same message");
    assert_eq!(next[0].sent_ms, sent.at_ms);
}

#[tokio::test]
async fn only_the_sender_changes_only_what_is_there() {
    let (site, sent) = scene().await;
    let picture = say(&site, "ann", "ben", text("web", "picture")).await.unwrap();
    let receipt = Outgoing { kind: Kind::About, act: Act::Confirms(Receipt::Conversation), ..text("web", "read") };
    let receipt = say(&site, "ann", "ben", receipt).await.unwrap();
    let recalled = say(&site, "ann", "ben", text("web", "oops")).await.unwrap();
    let recall = Outgoing { kind: Kind::About, act: Act::Recalls(recalled.id), ..text("web", "recall") };
    say(&site, "ann", "ben", recall).await.unwrap();
    for (from, to, message, code) in [
        ("ben", "ann", sent.id, Code::EditForbidden),
        ("carl", "ben", sent.id, Code::EditNotFound),
        ("ann", "carl", sent.id, Code::EditNotFound),
        ("ann", "ben", sent.id - 1, Code::EditNotFound),
        ("ann", "ben", receipt.id, Code::EditNotFound),
        ("ann", "ben", recalled.id, Code::EditNotFound),
        ("ann", "ben", i64::MAX, Code::EditNotFound),
        ("ann", "ben", -1, Code::EditNotFound),
        ("ann", "ben", picture.id, Code::EditIllegal),
    ] {
        let refused = edit(&site, from, to, message, "no").await.unwrap_err();
        assert_eq!(refused, code, "{from} to {to}: {message}");
    }
    let long = "x".repeat(MESSAGE_BYTES_MAX);
    assert_eq!(edit(&site, "ann", "ben", sent.id, &long).await.unwrap_err(), Code::MessageTooLarge);
    assert_eq!(history(&site, "ben", "ann").await, ["helo", "picture"]);
    site.setup.clock.move_by(7 * DAY + 1);
    assert_eq!(edit(&site, "ann", "ben", sent.id, "late").await.unwrap_err(), Code::EditNotFound);
}

#[tokio::test]
async fn who_may_not_speak_may_not_change_words_either() {
    let (site, sent) = scene().await;
    mutes::set(&site.ctx, &site.app, "ann", vec![(Scope::Chat, 60)]).await.unwrap();
    assert_eq!(edit(&site, "ann", "ben", sent.id, "no").await.unwrap_err(), Code::SenderMuted);
    let fleeting = Outgoing { kind: Kind::About, online_only: true, ..text("web", "typing") };
    assert_eq!(say(&site, "ann", "ben", fleeting).await.unwrap_err(), Code::SenderMuted);
    mutes::set(&site.ctx, &site.app, "ann", vec![(Scope::Chat, 0)]).await.unwrap();
    let only = |on| AppChanges { contacts_only_messaging: Some(on), ..AppChanges::default() };
    apps::change(&site.ctx, &site.app, only(true)).await.unwrap();
    assert_eq!(edit(&site, "ann", "ben", sent.id, "no").await.unwrap_err(), Code::NotContact);
    apps::change(&site.ctx, &site.app, only(false)).await.unwrap();
    blocks::add(&site.ctx, &site.app, "ben", vec!["ann".into()]).await.unwrap();
    assert_eq!(edit(&site, "ann", "ben", sent.id, "no").await.unwrap_err(), Code::SenderBlocked);
    assert_eq!(history(&site, "ben", "ann").await, ["helo"]);
}

#[tokio::test]
async fn of_many_changes_at_once_so_many_win_as_there_may_be_and_both_copies_agree() {
    let (site, sent) = scene().await;
    let words: Vec<String> = (0..EDITS_MAX + 5).map(|number| format!("word{number}")).collect();
    let all = join_all(words.iter().map(|word| edit(&site, "ann", "ben", sent.id, word))).await;
    let mut counts: Vec<i64> = all.iter().flatten().map(|sent| sent.edited.unwrap().count).collect();
    counts.sort_unstable();
    assert_eq!(counts, (1..=EDITS_MAX).collect::<Vec<_>>());
    assert!(all.iter().filter_map(|result| result.as_ref().err()).all(|code| *code == Code::EditsSpent));
    let kept = history(&site, "ann", "ben").await;
    assert!(kept[0].ends_with(&format!(" {EDITS_MAX}")), "{kept:?}");
    assert_eq!(history(&site, "ben", "ann").await, kept);
}

#[tokio::test]
async fn a_receiver_without_its_copy_gets_none_back_and_a_note_to_oneself_is_changed_once() {
    let (site, sent) = scene().await;
    conversations::erase(&site.ctx, &site.app, "ben", "ann", vec![sent.id], By::Device("web")).await.unwrap();
    edit(&site, "ann", "ben", sent.id, "hello").await.unwrap();
    assert_eq!(history(&site, "ann", "ben").await, ["hello 1"]);
    assert!(history(&site, "ben", "ann").await.is_empty());
    let note = say(&site, "ann", "ann", text("web", "milk")).await.unwrap();
    assert_eq!(edit(&site, "ann", "ann", note.id, "bread").await.unwrap().edited.unwrap().count, 1);
    assert_eq!(edit(&site, "ann", "ann", note.id, "butter").await.unwrap().edited.unwrap().count, 2);
    assert_eq!(history(&site, "ann", "ann").await, ["butter 2"]);
}
