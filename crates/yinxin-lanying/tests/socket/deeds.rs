//! What a user makes of its own side of a conversation: its other devices hear of it, the other user does not.

use prost::Message as _;
use yinxin_core::conversations::{self, From, Listing, Which};
use yinxin_floo::wire::{
    Conversation, ConversationOperation, ConversationOperationType, ConversationPayloadType, ErrorCode, MessageBody,
    MessageType, Meta, Namespace, Operation, OperationType, SyncDl, Xid,
};

use crate::peer::{Peer, meta, text};
use crate::world::World;

/// Something done to a message, as the SDK says it to its own user.
fn operation(of: &Peer, peer: u64, r#type: OperationType, mid: u64) -> Meta {
    let operation = Some(Operation { r#type: r#type.into(), mid, xid: Some(Xid::user(peer)) });
    meta(of.number, &MessageBody { r#type: MessageType::Oper.into(), operation, ..MessageBody::default() })
}

/// Something done to a conversation; the SDK does not say to whom.
fn removal(peer: u64, r#type: ConversationOperationType) -> Meta {
    let operation = Some(ConversationOperation { r#type: r#type.into(), xid: Some(Xid::user(peer)) });
    let payload = Conversation { r#type: ConversationPayloadType::Oper.into(), operation }.encode_to_vec();
    Meta { id: 9, ns: Namespace::Conversation.into(), payload, ..Meta::default() }
}

/// What the only meta of a page says was done, to which message of which conversation.
fn done(page: &SyncDl) -> (OperationType, u64, u64) {
    let [meta] = &page.metas[..] else { panic!("{page:?}") };
    let operation = MessageBody::decode(&*meta.payload).unwrap().operation.unwrap();
    (OperationType::try_from(operation.r#type).unwrap(), operation.mid, operation.xid.unwrap().uid)
}

async fn ok(peer: &mut Peer, meta: Meta) {
    let (code, answer) = peer.send(meta).await;
    assert_eq!(code, ErrorCode::Ok);
    assert_ne!(answer.server_mid, 0, "the SDK takes that for a failure");
}

/// Takes a page and confirms it.
async fn take(peer: &mut Peer, from: u64) -> SyncDl {
    let page = peer.sync().await;
    assert_eq!(peer.pull(from, page.next_key).await.metas, []);
    page
}

async fn kept(world: &World, owner: &str, peer: &str) -> usize {
    let page = conversations::history(&world.ctx, &world.app, owner, peer, From::After(None), 50).await;
    page.unwrap().entries.len()
}

async fn listed(world: &World, owner: &str) -> usize {
    let listing = Listing { which: Which::All, before: None, limit: 50, with_empty: true };
    conversations::list(&world.ctx, &world.app, owner, listing).await.unwrap().entries.len()
}

#[tokio::test]
async fn a_message_is_deleted_on_ones_own_side_only() {
    let world = World::new().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let mut tablet = world.login_with("bob", 2).await;
    let (_, sent) = alice.send(text(bob.number, "delete me")).await;
    for device in [&mut bob, &mut tablet] {
        take(device, alice.number).await;
    }
    let deletion = operation(&bob, alice.number, OperationType::Delete, sent.server_mid);
    ok(&mut bob, deletion.clone()).await;
    assert_eq!(done(&take(&mut tablet, alice.number).await), (OperationType::Delete, sent.server_mid, alice.number));
    assert_eq!((kept(&world, "bob", "alice").await, kept(&world, "alice", "bob").await), (0, 1));
    // Once more, or of what never was, is no error.
    ok(&mut bob, deletion).await;
    let unknown = operation(&bob, alice.number, OperationType::Delete, u64::MAX);
    ok(&mut bob, unknown).await;
    assert_eq!(alice.unread().await, [0; 0]);
}

#[tokio::test]
async fn what_is_deleted_before_a_device_has_it_does_not_come() {
    let world = World::new().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let mut tablet = world.login_with("bob", 2).await;
    let (_, sent) = alice.send(text(bob.number, "delete me")).await;
    take(&mut bob, alice.number).await;
    // The page is on its way, and comes again for who does not confirm it.
    tablet.sync().await;
    let deletion = operation(&bob, alice.number, OperationType::Delete, sent.server_mid);
    ok(&mut bob, deletion).await;
    let page = tablet.pull(alice.number, 0).await;
    assert_eq!(done(&page), (OperationType::Delete, sent.server_mid, alice.number));
}

#[tokio::test]
async fn a_message_looks_unread_on_the_users_devices_again_also_on_one_that_was_away() {
    let world = World::new().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let mut tablet = world.login_with("bob", 2).await;
    let (_, sent) = alice.send(text(bob.number, "read me later")).await;
    for device in [&mut bob, &mut tablet] {
        take(device, alice.number).await;
    }
    drop(tablet);
    let unread = operation(&bob, alice.number, OperationType::ReadCancel, sent.server_mid);
    ok(&mut bob, unread).await;
    let unknown = operation(&bob, alice.number, OperationType::ReadCancel, 7);
    ok(&mut bob, unknown).await;
    let mut tablet = world.login_with("bob", 2).await;
    let page = tablet.pull(alice.number, 0).await;
    assert_eq!(done(&page), (OperationType::ReadCancel, sent.server_mid, alice.number));
    assert_eq!(alice.unread().await, [0; 0]);
}

#[tokio::test]
async fn a_conversation_is_removed_from_the_device_or_from_everywhere() {
    let world = World::new().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let mut tablet = world.login_with("bob", 2).await;
    alice.send(text(bob.number, "hello")).await;
    for device in [&mut bob, &mut tablet] {
        take(device, alice.number).await;
    }
    ok(&mut bob, removal(alice.number, ConversationOperationType::Delete)).await;
    assert_eq!((listed(&world, "bob").await, kept(&world, "bob", "alice").await), (1, 1));
    ok(&mut bob, removal(alice.number, ConversationOperationType::DeleteEverywhere)).await;
    assert_eq!((listed(&world, "bob").await, kept(&world, "bob", "alice").await), (0, 0));
    let page = take(&mut tablet, alice.number).await;
    let [told] = &page.metas[..] else { panic!("{page:?}") };
    assert_eq!(told.ns, Namespace::Conversation as i32);
    let told = Conversation::decode(&*told.payload).unwrap().operation.unwrap();
    assert_eq!(told.r#type, ConversationOperationType::DeleteEverywhere as i32);
    assert_eq!(told.xid, Some(Xid::user(alice.number)));
    assert_eq!((listed(&world, "alice").await, kept(&world, "alice", "bob").await), (1, 1));
    alice.send(text(bob.number, "again")).await;
    assert_eq!((listed(&world, "bob").await, kept(&world, "bob", "alice").await), (1, 1));
}

#[tokio::test]
async fn a_deed_that_is_about_nobody_or_unknown_is_refused() {
    let world = World::new().await;
    let (mut alice, bob) = (world.login("alice").await, world.somebody("bob").await);
    let junk = Meta { payload: b"\xff".to_vec(), ..removal(bob.number, ConversationOperationType::Delete) };
    for (deed, code) in [
        (operation(&alice, 77, OperationType::Delete, 1), ErrorCode::InvalidParameter),
        (operation(&alice, 0, OperationType::ReadCancel, 1), ErrorCode::InvalidParameter),
        (removal(77, ConversationOperationType::DeleteEverywhere), ErrorCode::InvalidParameter),
        (removal(bob.number, ConversationOperationType::Unknown), ErrorCode::Fail),
        (junk, ErrorCode::InvalidParameter),
    ] {
        assert_eq!(alice.send(deed).await.0, code);
    }
}
