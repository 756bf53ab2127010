//! Lists of users in pages: reading them and deleting them.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use yinxin_testkit::ground;

use crate::asking::Answer as _;
use crate::world::{World, numbered, usernames};

/// One page; the cursor of the next.
async fn page(w: &World, query: &str, cursor: Option<&str>) -> (Vec<String>, Option<String>) {
    let cursor = cursor.map_or(String::new(), |cursor| format!("&cursor={cursor}"));
    let page = w.get(&format!("/users?{query}{cursor}")).await.ok();
    assert_eq!(page["count"], page["entities"].as_array().unwrap().len());
    (usernames(&page["entities"]), page["cursor"].as_str().map(str::to_owned))
}

/// All pages.
async fn pages(w: &World, query: &str) -> Vec<Vec<String>> {
    let (first, mut cursor) = page(w, query, None).await;
    let mut pages = vec![first];
    while let Some(next) = cursor {
        let (names, after) = page(w, query, Some(&next)).await;
        pages.push(names);
        cursor = after;
    }
    pages
}

async fn register(w: &World, names: &[String]) {
    w.register(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn pages_make_up_the_whole_list_whatever_their_size() {
    let w = World::new().await;
    let all = numbered("user", 250);
    assert_eq!(pages(&w, "limit=10").await, [[""; 0]]);
    let mut registered = 0;
    for count in [1, 2, 9, 10, 11, 99, 100, 101, 250] {
        register(&w, &all[registered..count]).await;
        registered = count;
        for limit in [1, 2, 3, 7, 10, 33, 50, 99, 100] {
            let pages = pages(&w, &format!("limit={limit}")).await;
            assert!(pages.iter().rev().skip(1).all(|page| page.len() == limit), "{count} by {limit}");
            assert_eq!(pages.concat(), &all[..count], "{count} by {limit}");
        }
    }
    for limit in 4..100 {
        assert_eq!(pages(&w, &format!("limit={limit}")).await.concat(), all, "by {limit}");
    }
}

#[tokio::test]
async fn the_size_of_a_page_is_ten_by_default_and_a_hundred_at_most() {
    let w = World::new().await;
    register(&w, &numbered("user", 120)).await;
    for (query, size) in [("", 10), ("limit=", 10), ("limit=100", 100), ("limit=101", 100), ("limit=99999", 100)] {
        let reply = w.get(&format!("/users?{query}")).await.ok();
        assert_eq!(reply["count"], size, "{query}");
    }
    for query in ["limit=x", "limit=1.5", "limit=99999999999999999999", "cursor=x", "cursor=%00", "limit=%FF"] {
        assert_eq!(w.get(&format!("/users?{query}")).await.fault().status, 400, "{query}");
    }
}

#[tokio::test]
async fn a_page_says_how_it_was_asked_for_and_where_the_next_begins() {
    let w = World::new().await;
    register(&w, &numbered("user", 3)).await;
    let plain = w.get("/users").await.ok();
    assert_eq!((plain.get("params"), plain.get("cursor")), (None, None));
    let first = w.get("/users?limit=2").await.ok();
    assert_eq!(first["params"], json!({ "limit": ["2"] }));
    assert_eq!(first["uri"], "http://im.test/acme/chat/users");
    let cursor = first["cursor"].as_str().unwrap();
    let next = yinxin_token::decode_user_cursor(cursor).unwrap();
    assert_eq!(next.to_string(), w.uuid("user3").await, "the cursor names the first user not yet shown");
    let last = w.get(&format!("/users?limit=2&cursor={cursor}")).await.ok();
    assert_eq!(last["params"], json!({ "limit": ["2"], "cursor": [cursor] }));
    assert_eq!(usernames(&last["entities"]), ["user3"]);
    assert_eq!(last.get("cursor"), None);
}

#[tokio::test]
async fn a_list_can_be_of_those_who_are_banned_or_not() {
    let w = World::new().await;
    register(&w, &numbered("user", 30)).await;
    for number in (3..=30).step_by(3) {
        w.call("POST", &format!("/users/user{number}/deactivate")).await.ok();
    }
    let (banned, free): (Vec<_>, Vec<_>) =
        numbered("user", 30).into_iter().partition(|name| name[4..].parse::<u8>().unwrap() % 3 == 0);
    for limit in [1, 4, 100] {
        assert_eq!(pages(&w, &format!("activated=1&limit={limit}")).await.concat(), free);
        assert_eq!(pages(&w, &format!("activated=true&limit={limit}")).await.concat(), free);
        assert_eq!(pages(&w, &format!("limit={limit}&activated=0")).await.concat(), banned);
    }
    assert_eq!(w.get("/users?activated=maybe").await.fault().status, 400);
}

/// Lists while users are deleted between the pages; gives what was seen, and who was there all the time.
async fn list_while_deleting(count: usize, limit: usize, doomed: &[usize]) -> (Vec<String>, Vec<String>) {
    let w = World::new().await;
    let mut rest = numbered("user", count);
    register(&w, &rest).await;
    let mut doomed = doomed.iter();
    let query = format!("limit={limit}");
    let (mut seen, mut cursor) = page(&w, &query, None).await;
    while let Some(next) = cursor {
        if let Some(index) = doomed.next().filter(|_| !rest.is_empty()) {
            let name = rest.remove(index % rest.len());
            w.delete(&format!("/users/{name}")).await.ok();
        }
        let (names, after) = page(&w, &query, Some(&next)).await;
        seen.extend(names);
        cursor = after;
    }
    (seen, rest)
}

#[test]
fn nobody_is_missed_or_shown_twice_while_others_are_deleted() {
    let runtime = ground::runtime();
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let input = (1..50_usize, 1..12_usize, prop::collection::vec(0..50_usize, 0..50));
    let outcome = runner.run(&input, |(count, limit, doomed)| {
        let (seen, rest) = runtime.block_on(list_while_deleting(count, limit, &doomed));
        let once: BTreeSet<&String> = seen.iter().collect();
        prop_assert_eq!(once.len(), seen.len(), "nobody twice");
        prop_assert!(rest.iter().all(|name| once.contains(name)), "nobody missed");
        Ok(())
    });
    outcome.unwrap();
}

#[tokio::test]
async fn users_are_deleted_oldest_first() {
    let w = World::new().await;
    let all = numbered("user", 16);
    register(&w, &all).await;
    let reply = w.delete("/users?limit=2").await.ok();
    assert_eq!(usernames(&reply["entities"]), all[..2]);
    assert_eq!(reply["params"], json!({ "limit": ["2"] }));
    assert_eq!((&reply["action"], &reply["path"], reply.get("count")), (&json!("delete"), &json!("/users"), None));
    let cursor = reply["cursor"].as_str().unwrap();
    assert_eq!(yinxin_token::decode_user_cursor(cursor).unwrap().to_string(), w.uuid("user3").await);
    // From the cursor on, ten when nobody says how many; then the rest, then none.
    let reply = w.delete(&format!("/users?cursor={cursor}")).await.ok();
    assert_eq!(usernames(&reply["entities"]), all[2..12]);
    let reply = w.delete("/users?limit=100").await.ok();
    assert_eq!(usernames(&reply["entities"]), all[12..]);
    assert_eq!(reply.get("cursor"), None);
    assert_eq!(w.delete("/users?limit=100").await.ok()["entities"], json!([]));
}

#[tokio::test]
async fn a_call_deletes_five_hundred_users_at_most() {
    let w = World::new().await;
    let all = numbered("user", 520);
    register(&w, &all).await;
    let reply: Value = w.delete("/users?limit=1000").await.ok();
    assert_eq!(usernames(&reply["entities"]), all[..500]);
    assert_eq!(w.names().await, all[500..]);
}

#[tokio::test]
async fn a_call_that_does_not_say_whom_deletes_nobody() {
    let w = World::new().await;
    register(&w, &numbered("user", 3)).await;
    for query in ["limit=0", "limit=-1", "limit=-9223372036854775808"] {
        for method in ["GET", "DELETE"] {
            let fault = w.call(method, &format!("/users?{query}")).await.fault();
            assert_eq!((fault.status, &*fault.error), (400, "illegal_argument"), "{method} {query}");
        }
    }
    let fault = w.delete("/users?ql=select%20*%20where%20username%20%3D%20%27user3%27").await.fault();
    assert_eq!((fault.status, &*fault.error), (400, "illegal_argument"));
    assert_eq!(w.names().await, ["user1", "user2", "user3"]);
    assert_eq!(usernames(&w.delete("/users?ql=&limit=1").await.ok()["entities"]), ["user1"]);
}
