//! The lives of rooms, the stays in them and who is barred: what one statement decides.

use yinxin_store::tables::nodes::{self, NodeRow};
use yinxin_store::tables::rooms::{self, RoomRow};
use yinxin_store::tables::{room_bars, room_endings, room_stays};
use yinxin_store::{AppId, BoxFuture, Db, NodeId, Result, Sql};

use crate::kit::Place;

const APP: AppId = AppId([0xA1; 16]);
const OTHER_APP: AppId = AppId([0xA2; 16]);

fn room(cid: i64, name: &str, open_until_ms: i64) -> RoomRow {
    RoomRow {
        cid,
        name: name.to_owned(),
        creator_uid: 1,
        created_ms: cid,
        entered_ms: None,
        open_until_ms: Some(open_until_ms),
        closed: false,
        abandoned: false,
        node: None,
    }
}

async fn on<T: Send + 'static>(db: &Db, work: for<'a> fn(&'a mut dyn Sql, &'a ()) -> BoxFuture<'a, Result<T>>) -> T {
    db.write((), work).await.unwrap()
}

#[tokio::test]
async fn a_name_has_one_life_at_a_time() {
    let db = Place::new().open().await;
    on(&db, |tx, ()| {
        Box::pin(async move {
            assert!(rooms::insert(tx, APP, &room(1, "a", 100)).await?);
            assert!(!rooms::insert(tx, APP, &room(2, "a", 100)).await?, "the name is taken");
            assert!(!rooms::insert(tx, APP, &room(1, "b", 100)).await?, "the number is taken");
            assert!(rooms::insert(tx, OTHER_APP, &room(1, "a", 100)).await?, "another app's");
            assert_eq!(rooms::close_lapsed(tx, APP, "a", 99).await?, None);
            assert_eq!(rooms::close_lapsed(tx, APP, "a", 100).await?, Some(1));
            assert!(rooms::insert(tx, APP, &room(2, "a", 200)).await?);
            assert_eq!(rooms::unclosed(tx, APP, "a").await?.map(|room| room.cid), Some(2));
            assert_eq!(rooms::latest_closed(tx, APP, "a").await?.map(|room| room.cid), Some(1));
            assert!(rooms::close(tx, APP, 2, 150).await?);
            assert!(!rooms::close(tx, APP, 2, 151).await?, "once");
            assert_eq!(rooms::by_cid(tx, APP, 2).await?.and_then(|room| room.open_until_ms), Some(150));
            Ok(())
        })
    })
    .await;
}

#[tokio::test]
async fn a_room_stays_while_somebody_is_in_it() {
    let db = Place::new().open().await;
    on(&db, |tx, ()| {
        Box::pin(async move {
            rooms::insert(tx, APP, &room(1, "a", 100)).await?;
            rooms::keep_open(tx, APP, 1, 50, 90).await?;
            assert_eq!(rooms::by_cid(tx, APP, 1).await?.unwrap().open_until_ms, Some(100), "never sooner");
            rooms::keep_open(tx, APP, 1, 50, 110).await?;
            assert!(!rooms::occupy(tx, APP, 1, 110).await?, "too late");
            rooms::keep_open(tx, APP, 1, 110, 200).await?;
            assert!(!rooms::occupy(tx, APP, 1, 110).await?, "what has ended is not kept open");
            assert!(rooms::occupy(tx, APP, 1, 109).await?);
            assert!(rooms::occupy(tx, APP, 1, 1_000_000).await?, "whatever the time is");
            rooms::vacate(tx, APP, 1, 2_000_000).await?;
            rooms::vacate(tx, APP, 1, 3_000_000).await?;
            let row = rooms::by_cid(tx, APP, 1).await?.unwrap();
            assert_eq!((row.entered_ms, row.open_until_ms), (Some(109), Some(2_000_000)));
            assert_eq!(rooms::remove_ended(tx, APP, 2_000_000, 10).await?, 0);
            assert_eq!(rooms::remove_ended(tx, APP, 2_000_001, 10).await?, 1);
            Ok(())
        })
    })
    .await;
}

#[tokio::test]
async fn a_server_that_starts_finds_what_the_last_one_left() {
    let db = Place::new().open().await;
    on(&db, |tx, ()| {
        Box::pin(async move {
            rooms::insert(tx, APP, &room(1, "a", 100)).await?;
            rooms::insert(tx, APP, &room(2, "b", 100)).await?;
            rooms::occupy(tx, APP, 1, 10).await?;
            room_stays::begin(tx, APP, 1, 7, 70, false, 10).await?;
            rooms::abandon_all(tx, 500).await?;
            room_stays::lose_all(tx, 440).await?;
            let row = rooms::by_cid(tx, APP, 1).await?.unwrap();
            assert_eq!((row.open_until_ms, row.abandoned), (Some(500), true));
            let row = rooms::by_cid(tx, APP, 2).await?.unwrap();
            assert_eq!((row.open_until_ms, row.abandoned), (Some(100), false), "nobody was in it");
            assert!(!room_stays::resume(tx, APP, 1, 7, false, 440).await?, "too long ago");
            assert!(room_stays::resume(tx, APP, 1, 7, false, 439).await?);
            assert!(rooms::occupy(tx, APP, 1, 499).await?);
            assert!(!rooms::by_cid(tx, APP, 1).await?.unwrap().abandoned);
            Ok(())
        })
    })
    .await;
}

#[tokio::test]
async fn a_pass_begins_one_stay() {
    let db = Place::new().open().await;
    on(&db, |tx, ()| {
        Box::pin(async move {
            assert!(!room_stays::resume(tx, APP, 1, 7, false, 0).await?, "not begun");
            assert!(room_stays::begin(tx, APP, 1, 7, 70, false, 10).await?);
            assert!(!room_stays::begin(tx, APP, 1, 7, 70, false, 11).await?);
            assert!(room_stays::resume(tx, APP, 1, 7, false, 0).await?, "it lasts");
            room_stays::end(tx, APP, 1, 7, 20, true).await?;
            assert!(room_stays::resume(tx, APP, 1, 7, false, 0).await?, "it was lost");
            room_stays::end(tx, APP, 1, 7, 30, false).await?;
            assert!(!room_stays::resume(tx, APP, 1, 7, false, 0).await?, "it was ended");
            assert!(room_stays::begin(tx, APP, 1, 8, 70, false, 40).await?);
            room_stays::end(tx, APP, 1, 8, 50, true).await?;
            room_stays::end_of_uid(tx, APP, 1, 70, 60).await?;
            assert!(!room_stays::resume(tx, APP, 1, 8, false, 0).await?, "it was lost, and then ended");
            let page = room_stays::page(tx, APP, 1, (0, 0), 10).await?;
            let shown: Vec<_> = page.iter().map(|stay| (stay.pass_id, stay.entered_ms, stay.left_ms)).collect();
            assert_eq!(shown, [(7, 10, Some(30)), (8, 40, Some(50))]);
            let page = room_stays::page(tx, APP, 1, (10, 7), 1).await?;
            assert_eq!(page.iter().map(|stay| stay.pass_id).collect::<Vec<_>>(), [8]);
            assert_eq!(room_stays::remove_ended(tx, APP, 31, 10).await?, 1);
            Ok(())
        })
    })
    .await;
}

#[tokio::test]
async fn bars_end() {
    let db = Place::new().open().await;
    on(&db, |tx, ()| {
        Box::pin(async move {
            room_bars::put(tx, APP, "a", 70, 100).await?;
            room_bars::put(tx, APP, "a", 70, 200).await?;
            room_bars::put(tx, APP, "a", 60, 300).await?;
            room_bars::put(tx, APP, "b", 70, 50).await?;
            assert_eq!(room_bars::until(tx, APP, "a", 70, 199).await?, Some(200));
            assert_eq!(room_bars::until(tx, APP, "a", 70, 200).await?, None);
            assert_eq!(room_bars::until(tx, OTHER_APP, "a", 70, 0).await?, None);
            assert_eq!(room_bars::of_name(tx, APP, "a", 0, 10).await?, [60, 70]);
            assert_eq!(room_bars::of_name(tx, APP, "a", 200, 10).await?, [60]);
            room_bars::remove(tx, APP, "a", 60).await?;
            assert_eq!(room_bars::of_name(tx, APP, "a", 0, 10).await?, [70]);
            assert_eq!(room_bars::remove_ended(tx, APP, 50, 10).await?, 1);
            Ok(())
        })
    })
    .await;
}

#[tokio::test]
async fn a_node_that_is_dead_is_told_of_no_app_and_what_it_was_told_goes_with_it() {
    const LIVES: NodeId = NodeId([1; 16]);
    const DEAD: NodeId = NodeId([2; 16]);
    let db = Place::new().open().await;
    on(&db, |tx, ()| {
        Box::pin(async move {
            for (number, node) in [(1, LIVES), (2, DEAD)] {
                let (name, url) = (String::new(), String::new());
                let row = NodeRow { node, number, name, url, seen_ms: 1, hears: true };
                assert!(nodes::insert(tx, &row).await?);
            }
            nodes::retire(tx, DEAD).await?;
            room_endings::add_of_app(tx, APP, NodeId([3; 16])).await?;
            assert_eq!(room_endings::of_node(tx, LIVES, 10).await?.len(), 1);
            assert!(room_endings::of_node(tx, DEAD, 10).await?.is_empty());
            nodes::remove(tx, LIVES).await?;
            assert_eq!(room_endings::of_node(tx, LIVES, 10).await?.len(), 1, "it lives");
            nodes::retire(tx, LIVES).await?;
            nodes::remove(tx, LIVES).await?;
            assert!(room_endings::of_node(tx, LIVES, 10).await?.is_empty());
            Ok(())
        })
    })
    .await;
}
