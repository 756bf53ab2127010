//! Who gets in, and by which door.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use yinxin_core::apps::{self, AppChanges};
use yinxin_core::names::AppName;
use yinxin_core::{tokens, users};
use yinxin_floo::wire::{ErrorCode, Provision, Xid};

use crate::peer::{Peer, login};
use crate::world::{Somebody, World};

#[tokio::test]
async fn what_asks_for_no_websocket_of_the_third_version_hears_why() {
    let world = World::new().await;
    for (query, said) in [
        ("EIO=3&transport=polling", r#"{"code":0,"message":"Transport unknown"}"#),
        ("EIO=4&transport=websocket", r#"{"code":5,"message":"Unsupported protocol version"}"#),
        ("EIO=3&transport=websocket&sid=a", r#"{"code":1,"message":"Session ID unknown"}"#),
        ("EIO=3&transport=websocket", r#"{"code":3,"message":"Bad request"}"#),
        ("", r#"{"code":0,"message":"Transport unknown"}"#),
    ] {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        let request = format!("GET /socket.io/?{query} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.ends_with(said), "{query}: {answer}");
        assert!(answer.to_ascii_lowercase().contains("access-control-allow-origin: *"));
    }
}

/// What that login hears, and that it is the end.
async fn refused(world: &World, provision: Provision) -> ErrorCode {
    let mut peer = Peer::open(world.address).await;
    let code = peer.provision(provision).await;
    assert_eq!(peer.closed().await, (1008, "login refused".into()));
    code
}

#[tokio::test]
async fn no_token_but_the_users_own_lets_in() {
    let world = World::new().await;
    let (alice, bob) = (world.somebody("alice").await, world.somebody("bob").await);
    let other = apps::create(&world.ctx, AppName::parse("acme/other").unwrap(), AppChanges::default()).await.unwrap();
    let foreign = tokens::issue_for_user(&world.ctx, &other, Some("alice"), true, None).await.unwrap().0.token;
    let secret = world.app.reveal_client_secret();
    let backend = tokens::issue_to_app(&world.ctx, &world.app, Some(&world.app.client_id), Some(secret), None).unwrap();
    for token in [String::new(), "x".into(), "dt-x".into(), "é".into(), foreign, backend.token, bob.token.clone()] {
        let provision = login(&Somebody { number: alice.number, token: token.clone() });
        assert_eq!(refused(&world, provision).await, ErrorCode::InvalidToken, "{token}");
    }
    for xid in [None, Some(Xid::user(0)), Some(Xid::user(bob.number)), Some(Xid::user(u64::MAX))] {
        let provision = Provision { xid, ..login(&alice) };
        assert_eq!(refused(&world, provision).await, ErrorCode::InvalidToken);
    }
    for device_guid in [String::new(), "a\0b".into(), "x".repeat(257)] {
        let provision = Provision { device_guid, ..login(&alice) };
        assert_eq!(refused(&world, provision).await, ErrorCode::InvalidParameter);
    }
    assert!(world.registry.is_empty());
    Peer::open(world.address).await.log_in(&alice).await;
}

#[tokio::test]
async fn a_banned_user_and_one_whose_tokens_were_ended_are_told_apart() {
    let world = World::new().await;
    let (alice, bob) = (world.somebody("alice").await, world.somebody("bob").await);
    users::ban(&world.ctx, &world.app, "alice").await.unwrap();
    assert_eq!(refused(&world, login(&alice)).await, ErrorCode::UserFrozen);
    users::delete(&world.ctx, &world.app, "bob").await.unwrap();
    assert_eq!(refused(&world, login(&bob)).await, ErrorCode::InvalidToken);
    apps::delete(&world.ctx, &world.app).await.unwrap();
    assert_eq!(refused(&world, login(&alice)).await, ErrorCode::InvalidToken);
}
