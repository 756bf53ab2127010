//! Messages: who may write to whom, and that a decision and the message it is about are one.

use std::sync::Arc;

use yinxin_core::apps::{self, AppChanges};
use yinxin_core::hooks::Content;
use yinxin_core::messages::{self, Act, Edit, Kind, Outgoing, Receipt, Sender, Sent};
use yinxin_core::{Code, Error, contacts, offline};

use crate::kit::Site;

/// A text as a user's device sends it; without a device, as a backend does.
pub fn text(device: &str, text: &str) -> Outgoing {
    Outgoing {
        kind: Kind::Chat,
        origin: device.to_owned(),
        payload: text.into(),
        act: Act::Says,
        online_only: false,
        read: |_| Content::default(),
    }
}

pub async fn say(site: &Site, from: &str, to: &str, outgoing: Outgoing) -> Result<Sent, Code> {
    let sender = yinxin_core::users::find(&site.ctx, &site.app, from).await.unwrap();
    messages::send(&site.ctx, &site.app, Sender::User(&sender), to, outgoing).await.map_err(|error: Error| error.code)
}

pub async fn waiting(site: &Site, name: &str) -> i64 {
    offline::waiting(&site.ctx, &site.app, name).await.unwrap().1
}

async fn contacts_only(site: &Site, on: bool) {
    let changes = AppChanges { contacts_only_messaging: Some(on), ..AppChanges::default() };
    apps::change(&site.ctx, &site.app, changes).await.unwrap();
}

#[tokio::test]
async fn a_user_may_be_confined_to_contacts_and_a_backend_is_not() {
    let site = Site::new().await;
    for name in ["ann", "ben", "carl"] {
        site.register(name).await;
    }
    say(&site, "ann", "ben", text("phone", "before")).await.unwrap();
    // The site's app is as it was before the change, as a connection's is.
    contacts_only(&site, true).await;
    assert_eq!(say(&site, "ann", "ben", text("phone", "no")).await.unwrap_err(), Code::NotContact);
    assert_eq!(waiting(&site, "ben").await, 1, "nothing is kept of what was refused");
    say(&site, "ann", "ann", text("phone", "to myself")).await.unwrap();
    say(&site, "ann", "ben", text("", "from the backend in her name")).await.unwrap();
    let house = messages::send(&site.ctx, &site.app, Sender::House("admin"), "ben", text("", "news")).await;
    house.unwrap();
    contacts::add(&site.ctx, &site.app, "ann", "ben").await.unwrap();
    say(&site, "ann", "ben", text("phone", "yes")).await.unwrap();
    say(&site, "ben", "ann", text("phone", "yes")).await.unwrap();
    assert_eq!(say(&site, "ann", "carl", text("phone", "no")).await.unwrap_err(), Code::NotContact);
    contacts_only(&site, false).await;
    say(&site, "ann", "carl", text("phone", "after")).await.unwrap();
}

#[tokio::test]
async fn who_is_no_contact_any_more_may_confirm_and_take_back_but_not_speak() {
    let site = Site::new().await;
    for name in ["ann", "ben"] {
        site.register(name).await;
    }
    contacts_only(&site, true).await;
    contacts::add(&site.ctx, &site.app, "ann", "ben").await.unwrap();
    let sent = say(&site, "ann", "ben", text("phone", "hello")).await.unwrap();
    contacts::remove(&site.ctx, &site.app, "ben", "ann").await.unwrap();
    let about = |act| Outgoing { kind: Kind::About, act, ..text("phone", "about") };
    let edit = |message| Act::Edits(Edit { message, apply: |_, _, _| None });
    assert_eq!(say(&site, "ann", "ben", about(edit(1))).await.unwrap_err(), Code::NotContact);
    let fleeting = Outgoing { online_only: true, ..about(Act::Says) };
    assert_eq!(say(&site, "ann", "ben", fleeting).await.unwrap_err(), Code::NotContact);
    say(&site, "ben", "ann", about(Act::Confirms(Receipt::Conversation))).await.unwrap();
    say(&site, "ann", "ben", about(Act::Recalls(sent.id))).await.unwrap();
}

#[tokio::test]
async fn nobody_is_written_to_after_the_end_of_a_friendship_was_acknowledged() {
    let site = Arc::new(Site::new().await);
    for name in ["ann", "ben"] {
        site.register(name).await;
    }
    contacts_only(&site, true).await;
    for _ in 0..20 {
        contacts::add(&site.ctx, &site.app, "ann", "ben").await.unwrap();
        let writer = tokio::spawn({
            let site = Arc::clone(&site);
            async move {
                let mut sent = 0;
                while say(&site, "ann", "ben", text("phone", "still there?")).await.is_ok() {
                    sent += 1;
                }
                sent
            }
        });
        contacts::remove(&site.ctx, &site.app, "ben", "ann").await.unwrap();
        let at_the_end = waiting(&site, "ben").await;
        writer.await.unwrap();
        assert_eq!(waiting(&site, "ben").await, at_the_end);
    }
}

#[tokio::test]
async fn a_message_costs_no_more_statements_than_it_must() {
    let site = Site::new().await;
    for name in ["ann", "ben"] {
        site.register(name).await;
    }
    contacts::add(&site.ctx, &site.app, "ann", "ben").await.unwrap();
    let cost = async || {
        let before = site.ctx.db.writer_gauge().statements;
        say(&site, "ann", "ben", text("phone", "hello")).await.unwrap();
        site.ctx.db.writer_gauge().statements - before
    };
    // Both exist, no block, no mute; an entry and its conversation on each side.
    assert_eq!(cost().await, 8);
    contacts_only(&site, true).await;
    assert_eq!(cost().await, 9, "and whether they are contacts, where that matters");
}

#[tokio::test]
async fn a_connection_of_an_app_that_is_gone_does_not_write_to_its_namesake() {
    let site = Site::new().await;
    let ann = site.register("ann").await;
    apps::delete(&site.ctx, &site.app).await.unwrap();
    let name = site.app.name.clone();
    let namesake = apps::create(&site.ctx, name, AppChanges::default()).await.unwrap();
    yinxin_core::users::register_without_password(&site.ctx, &namesake, "ben").await.unwrap();
    let refused = messages::send(&site.ctx, &site.app, Sender::User(&ann), "ben", text("phone", "hello")).await;
    assert_eq!(refused.unwrap_err().code, Code::AppNotFound);
}
