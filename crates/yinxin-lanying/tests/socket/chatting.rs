//! What is sent, and what arrives.

use prost::Message as _;
use yinxin_core::limits::MESSAGE_BYTES_MAX;
use yinxin_core::messages::{self, Act, Kind, Outgoing, Sender};
use yinxin_core::{hooks, users};
use yinxin_floo::wire::{
    Command, ErrorCode, MessageBody, MessageType, Meta, Namespace, Operation, OperationType, SyncUl, Xid,
};
use yinxin_msync::body::text_body;

use crate::peer::{meta, text};
use crate::world::World;

fn said(meta: &Meta) -> String {
    MessageBody::decode(&*meta.payload).unwrap().content
}

fn done(operation: OperationType, mid: u64) -> MessageBody {
    let operation = Some(Operation { r#type: operation.into(), mid, xid: None });
    MessageBody { r#type: MessageType::Oper.into(), operation, ..MessageBody::default() }
}

#[tokio::test]
async fn who_sends_is_what_the_server_knows() {
    let world = World::new().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let carol = world.somebody("carol").await;
    let forged = Meta { from: Some(Xid::user(carol.number)), timestamp: 1, ..text(bob.number, "hello") };
    let (code, answer) = alice.send(forged).await;
    assert_eq!(code, ErrorCode::Ok);
    let page = bob.sync().await;
    let [got] = &page.metas[..] else { panic!("{page:?}") };
    assert_eq!(got.from.unwrap().uid, alice.number);
    assert_eq!((got.to, page.xid), (Some(Xid::user(bob.number)), Some(Xid::user(alice.number))));
    assert_eq!((got.id, got.timestamp), (answer.server_mid, answer.server_time));
}

#[tokio::test]
async fn a_page_comes_again_until_it_is_confirmed_with_its_key() {
    let world = World::new().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    alice.send(text(bob.number, "one")).await;
    let first = bob.sync().await;
    assert_ne!(first.next_key, 0);
    alice.send(text(bob.number, "two")).await;
    for wrong in [0, 1, u64::MAX] {
        let page = bob.pull(alice.number, wrong).await;
        assert_eq!(page.metas.iter().map(said).collect::<Vec<_>>(), ["one", "two"]);
        assert_ne!(page.next_key, first.next_key);
    }
    let page = bob.pull(alice.number, 0).await;
    let end = bob.pull(alice.number, page.next_key).await;
    assert_eq!((end.metas.len(), end.next_key), (0, 0));
    assert!(bob.unread().await.is_empty());
}

#[tokio::test]
async fn what_is_not_offered_or_not_there_is_refused_and_the_line_stays() {
    let world = World::new().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let group = MessageBody { r#type: MessageType::GroupChat.into(), ..MessageBody::default() };
    let notice = Meta { ns: Namespace::RosterNotice.into(), ..text(bob.number, "x") };
    let junk = Meta { payload: b"\xff".to_vec(), ..text(bob.number, "x") };
    let large = text(bob.number, &"x".repeat(MESSAGE_BYTES_MAX));
    for (meta, code) in [
        (meta(bob.number, &group), ErrorCode::Fail),
        (meta(bob.number, &done(OperationType::Delete, 1)), ErrorCode::InvalidParameter),
        (meta(bob.number, &done(OperationType::PlayAck, 1)), ErrorCode::Fail),
        (meta(bob.number, &done(OperationType::Recall, 1)), ErrorCode::Fail),
        (notice, ErrorCode::Fail),
        (junk, ErrorCode::InvalidParameter),
        (large, ErrorCode::InvalidParameter),
        (text(0, "x"), ErrorCode::InvalidParameter),
        (text(u64::MAX, "x"), ErrorCode::InvalidParameter),
        (Meta { to: None, ..text(0, "x") }, ErrorCode::InvalidParameter),
    ] {
        assert_eq!(alice.send(meta.clone()).await.0, code, "{:?}", meta.to);
    }
    assert_eq!(bob.unread().await, [0; 0], "nothing was stored");
    let nobody = alice.pull(77, 0).await;
    assert_eq!((nobody.metas.len(), nobody.next_key), (0, 0));
    alice.command(Command::Notice, Vec::new()).await;
    assert_eq!(alice.sync().await.status.unwrap().code, ErrorCode::UnknownCommand as i32);
    assert_eq!(alice.send(text(bob.number, "still here")).await.0, ErrorCode::Ok);
}

#[tokio::test]
async fn only_who_sent_a_message_takes_it_back() {
    let world = World::new().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let (_, sent) = alice.send(text(bob.number, "mine")).await;
    let page = bob.sync().await;
    bob.pull(alice.number, page.next_key).await;
    let recall = done(OperationType::Recall, sent.server_mid);
    assert_eq!(bob.send(meta(alice.number, &recall)).await.0, ErrorCode::Fail);
    assert_eq!(alice.send(meta(bob.number, &recall)).await.0, ErrorCode::Ok);
    let page = bob.sync().await;
    let operation = MessageBody::decode(&*page.metas[0].payload).unwrap().operation.unwrap();
    assert_eq!((operation.r#type, operation.mid), (OperationType::Recall as i32, sent.server_mid));
}

#[tokio::test]
async fn what_a_house_sends_has_a_number_that_answers_to_nobody() {
    let world = World::new().await;
    let mut alice = world.login("alice").await;
    let outgoing = Outgoing {
        kind: Kind::Chat,
        origin: String::new(),
        payload: text_body("admin", "alice", "welcome"),
        act: Act::Says,
        online_only: false,
        read: |_| hooks::Content::default(),
    };
    messages::send(&world.ctx, &world.app, Sender::House("admin"), "alice", outgoing).await.unwrap();
    let page = alice.sync().await;
    let house = page.metas[0].from.unwrap().uid;
    assert_eq!((said(&page.metas[0]).as_str(), page.xid), ("welcome", Some(Xid::user(house))));
    assert!(house > 1 << 52 && house < 1 << 53, "JavaScript holds it");
    let end = alice.pull(house, page.next_key).await;
    assert_eq!((end.metas.len(), end.xid), (0, Some(Xid::user(house))));
    assert_eq!(alice.send(text(house, "thanks")).await.0, ErrorCode::InvalidParameter);
}

#[tokio::test]
async fn what_a_user_who_is_gone_has_sent_is_still_delivered() {
    let world = World::new().await;
    let mut alice = world.login("alice").await;
    let bob = world.somebody("bob").await;
    alice.send(text(bob.number, "farewell")).await;
    users::delete(&world.ctx, &world.app, "alice").await.unwrap();
    let mut bob = world.login("bob").await;
    let [gone] = bob.unread().await[..] else { panic!("nothing waits") };
    assert_ne!(gone, alice.number);
    let page = bob.pull(gone, 0).await;
    assert_eq!(said(&page.metas[0]), "farewell");
    bob.pull(gone, page.next_key).await;
    assert_eq!(bob.unread().await, [0; 0]);
}

#[tokio::test]
async fn looking_back_confirms_nothing() {
    let world = World::new().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    for content in ["one", "two", "three"] {
        alice.send(text(bob.number, content)).await;
    }
    let page = bob.sync().await;
    let back = |key, count| {
        let xid = Some(Xid::user(alice.number));
        SyncUl { xid, key, is_full_sync: true, full_sync_num: count, meta: None }.encode_to_vec()
    };
    for (key, count, expected) in
        [(0, 2, vec!["two", "three"]), (u64::MAX, 50, vec!["one", "two", "three"]), (1, -1, vec![])]
    {
        bob.command(Command::Sync, back(key, count)).await;
        let seen = bob.sync().await;
        assert!(seen.is_full_sync);
        assert_eq!(seen.metas.iter().map(said).collect::<Vec<_>>(), expected);
        assert_eq!(seen.next_key != 0, expected.len() == 2);
    }
    assert_eq!(said(&page.metas[0]), "one");
    assert!(bob.pull(alice.number, 0).await.metas.len() == 3, "all of it is still unconfirmed");
}
