//! Room tokens in memory are never older than what was acknowledged: what has been used up is not given again, whoever
//! asks meanwhile. And one that admits once does so on one of two servers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use yinxin_core::Code;
use yinxin_core::rooms::tokens::{self, Request};
use yinxin_core::rooms::{RoomName, RoomUid};

use crate::kit::Site;

const ROUNDS: usize = 200;

fn request(repeat_use: Option<bool>) -> Request {
    let room = RoomName::parse("room").unwrap();
    Request { uid: RoomUid::new(7).unwrap(), room: Some(room), ttl_s: None, repeat_use }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_token_that_was_used_up_is_not_given_again() {
    let site = Arc::new(Site::new().await);
    let done = Arc::new(AtomicBool::new(false));
    // Others who only ask keep the token in memory.
    let askers: Vec<_> = (0..2)
        .map(|_| {
            let (site, done) = (Arc::clone(&site), Arc::clone(&done));
            tokio::spawn(async move {
                while !done.load(Ordering::SeqCst) {
                    tokens::issue(&site.ctx, &site.app, &request(None)).await.unwrap();
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let (uid, room) = (RoomUid::new(7).unwrap(), RoomName::parse("room").unwrap());
    for _ in 0..ROUNDS {
        let token = tokens::issue(&site.ctx, &site.app, &request(Some(false))).await.unwrap();
        let join = || tokens::admit(&site.ctx, &site.app, uid, &room, Some(&token), None);
        join().await.unwrap();
        assert_eq!(join().await.map_err(|error| error.code).err(), Some(Code::RoomTokenWrong));
        let next = tokens::issue(&site.ctx, &site.app, &request(None)).await.unwrap();
        assert_ne!(next, token);
    }
    done.store(true, Ordering::SeqCst);
    for asker in askers {
        asker.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_who_join_on_two_servers_one_is_admitted() {
    let site = Site::new().await;
    let second = site.setup.open().await;
    let servers = [Arc::clone(&site.ctx), second];
    let (uid, room) = (RoomUid::new(7).unwrap(), RoomName::parse("room").unwrap());
    for _ in 0..50 {
        let token = tokens::issue(&site.ctx, &site.app, &request(Some(false))).await.unwrap();
        let joining = servers.clone().map(|ctx| {
            let (app, room, token) = (Arc::clone(&site.app), room.clone(), token.clone());
            tokio::spawn(async move { tokens::admit(&ctx, &app, uid, &room, Some(&token), None).await })
        });
        let mut admitted = 0;
        for join in joining {
            match join.await.unwrap() {
                Ok(_) => admitted += 1,
                Err(error) => assert_eq!(error.code, Code::RoomTokenWrong),
            }
        }
        assert_eq!(admitted, 1);
    }
}
