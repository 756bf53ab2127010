//! What users have about one another.

use yinxin_core::apps::{self, AppChanges};
use yinxin_core::limits::{CONTACTS_MAX, REMARK_CHARS_MAX};
use yinxin_core::push::{self, RuleChanges, RuleKind};
use yinxin_core::settings::{Admission, Setting};
use yinxin_core::users::Registration;
use yinxin_core::{Code, contacts, mutes, users};

use crate::kit::{Site, secret};

#[tokio::test]
async fn mutes_set_in_one_moment_are_all_listed() {
    let site = Site::new().await;
    for name in ["ann", "ben"] {
        site.register(name).await;
        let all = mutes::Scope::ALL.map(|scope| (scope, -1)).to_vec();
        mutes::set(&site.ctx, &site.app, name, all).await.unwrap();
    }
    let mut listed = Vec::new();
    for number in 1.. {
        let page = mutes::page(&site.ctx, &site.app, number, 1).await.unwrap();
        let Some(mute) = page.into_iter().next() else { break };
        listed.push((mute.username, mute.scope));
    }
    let expected = ["ann", "ben"].map(|name| mutes::Scope::ALL.map(|scope| (name.to_owned(), scope.name().to_owned())));
    assert_eq!(listed, expected.concat());
}

#[tokio::test]
async fn a_push_rule_is_one_however_its_name_is_spelled_and_ends_with_its_target() {
    let site = Site::new().await;
    for name in ["ann", "ben"] {
        site.register(name).await;
    }
    let mode = |mode: &str| RuleChanges { mode: Some(mode.to_owned()), ..RuleChanges::default() };
    let set = async |target, changes| {
        push::set_rule(&site.ctx, &site.app, "ann", RuleKind::User, target, changes).await.unwrap().mode
    };
    let read = async |target| push::rule_of(&site.ctx, &site.app, "ann", RuleKind::User, target).await.unwrap().mode;
    assert_eq!(set("Ben", mode("NONE")).await.as_deref(), Some("NONE"));
    assert_eq!(read("ben").await.as_deref(), Some("NONE"));
    assert_eq!(set("BEN", mode("ALL")).await.as_deref(), Some("ALL"));
    assert_eq!(read("ben").await.as_deref(), Some("ALL"));
    users::delete(&site.ctx, &site.app, "ben").await.unwrap();
    site.register("ben").await;
    assert_eq!(read("ben").await, None, "the next owner of the name is somebody else");
}

#[tokio::test]
async fn who_becomes_a_contact_has_its_name_by_then() {
    let site = Site::new().await;
    let ann = site.register("ann").await;
    let open = Registration {
        username: Some("ben".to_owned()),
        password: Some(secret("first")),
        settings: vec![(Setting::Admission, Admission::Open.number().to_string())],
        ..Registration::default()
    };
    let ben = users::register(&site.ctx, &site.app, open).await.unwrap();
    let apply = async |remark: &str| contacts::apply(&site.ctx, &site.app, &ann, &ben, "hi", None, Some(remark)).await;
    let known = async || {
        let (_, contact) = contacts::relation(&site.ctx, &site.app, &ann, &ben).await.unwrap();
        contact.map(|contact| contact.remark)
    };
    let before = site.ctx.db.writer_gauge().commits;
    assert_eq!(apply(&"B".repeat(REMARK_CHARS_MAX + 1)).await.unwrap_err().code, Code::RemarkTooLong);
    assert_eq!((known().await, site.ctx.db.writer_gauge().commits), (None, before));
    apply("B").await.unwrap();
    assert_eq!((known().await, site.ctx.db.writer_gauge().commits), (Some(Some("B".to_owned())), before + 1));
    apply("").await.unwrap();
    assert_eq!(known().await, Some(Some("B".to_owned())), "an empty one is none");
}

#[tokio::test]
async fn a_list_shows_contacts_beyond_a_limit_that_was_lowered() {
    let site = Site::new().await;
    for name in ["ann", "ben", "carl", "dora"] {
        site.register(name).await;
    }
    for name in ["ben", "carl", "dora"] {
        contacts::add(&site.ctx, &site.app, "ann", name).await.unwrap();
    }
    let limit = |max| AppChanges { contacts_max: Some(max), ..AppChanges::default() };
    let app = apps::change(&site.ctx, &site.app, limit(1)).await.unwrap();
    assert_eq!(contacts::all(&site.ctx, &app, "ann").await.unwrap().len(), 3);
    for (max, legal) in [(CONTACTS_MAX, true), (CONTACTS_MAX + 1, false), (i64::MAX, false)] {
        assert_eq!(apps::change(&site.ctx, &site.app, limit(max)).await.is_ok(), legal, "{max}");
    }
}
