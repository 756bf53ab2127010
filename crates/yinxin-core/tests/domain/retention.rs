//! What is kept in inboxes, how long and how much: too old is gone for readers at once, for the disk a little later.

use futures_util::future::join_all;
use yinxin_core::conversations::{self, From, Listing, Which};
use yinxin_core::limits::{INBOX_QUEUE_MAX, INBOX_TRIM_EVERY, SWEEP_ROWS};
use yinxin_core::messages::{self, Kind};
use yinxin_core::retention::Sweep;
use yinxin_core::{Error, UserId};

use crate::kit::Site;
use crate::messages::{say, text, waiting};

const DAY: i64 = 86_400_000;

async fn rows(site: &Site, table: &'static str) -> i64 {
    let count = site.ctx.db.read(table, |sql, table| {
        Box::pin(
            async move { sql.rows(table, &[]).await?.pop().map_or(Ok(0), |mut row| Ok::<i64, Error>(row.take(0)?)) },
        )
    });
    count.await.unwrap()
}

async fn kept(site: &Site) -> i64 {
    rows(site, "SELECT COUNT(*) FROM inbox").await
}

async fn sweep(site: &Site) -> usize {
    let mut sweep = Sweep::default();
    let mut steps = 0;
    while sweep.step(&site.ctx).await.unwrap() {
        steps += 1;
    }
    steps
}

async fn people(site: &Site, names: &[&str]) -> Vec<UserId> {
    let mut ids = Vec::new();
    for name in names {
        ids.push(site.register(name).await.user);
    }
    ids
}

#[tokio::test]
async fn what_is_too_old_is_gone_for_every_reader_before_it_is_swept() {
    let site = Site::new().await;
    let ids = people(&site, &["ann", "ben"]).await;
    let (app, ben) = (site.app.id, ids[1]);
    messages::greet_device(&site.ctx, app, ben, "phone").await.unwrap();
    let old = say(&site, "ann", "ben", text("web", "old")).await.unwrap();
    site.setup.clock.move_by(7 * DAY);
    assert_eq!(waiting(&site, "ben").await, 1, "a week is a week");
    let new = say(&site, "ann", "ben", text("web", "new")).await.unwrap();
    site.setup.clock.move_by(1);
    assert_eq!(kept(&site).await, 4, "nothing has been swept");

    assert_eq!(waiting(&site, "ben").await, 1);
    let queues = messages::queues_for_device(&site.ctx, app, ben, "phone").await.unwrap();
    assert_eq!(queues, [("ann".to_owned(), 1)]);
    let next = messages::next_for_device(&site.ctx, app, ben, "phone", "ann", 10).await.unwrap();
    assert_eq!(next.iter().map(|entry| entry.message_id).collect::<Vec<_>>(), [new.id]);
    for from in [From::Before(None), From::After(None), From::After(Some(old.id - 1))] {
        let page = conversations::history(&site.ctx, &site.app, "ben", "ann", from, 10).await.unwrap();
        assert_eq!(page.entries.iter().map(|entry| entry.message_id).collect::<Vec<_>>(), [new.id], "{from:?}");
    }
    let recall = messages::Outgoing { kind: Kind::About, act: messages::Act::Recalls(old.id), ..text("web", "recall") };
    assert!(say(&site, "ann", "ben", recall).await.is_err(), "what is gone cannot be taken back");

    site.setup.clock.move_by(7 * DAY);
    assert_eq!(waiting(&site, "ben").await, 0);
    assert!(messages::queues_for_device(&site.ctx, app, ben, "phone").await.unwrap().is_empty());
    let all = |with_empty| Listing { which: Which::All, before: None, limit: 10, with_empty };
    assert!(conversations::list(&site.ctx, &site.app, "ben", all(false)).await.unwrap().entries.is_empty());
    let listed = conversations::list(&site.ctx, &site.app, "ben", all(true)).await.unwrap().entries;
    assert!(listed.iter().all(|conversation| conversation.last.is_none() && conversation.waiting == 0));
}

#[tokio::test]
async fn a_sweep_takes_what_is_too_old_and_leaves_the_rest() {
    let site = Site::new().await;
    let ids = people(&site, &["ann", "ben", "carl"]).await;
    say(&site, "ann", "ben", text("web", "old")).await.unwrap();
    say(&site, "ann", "carl", text("web", "old")).await.unwrap();
    for (user, peer) in [(ids[1], "ann"), (ids[2], "ann")] {
        messages::confirm(&site.ctx, site.app.id, user, "phone", peer, 1).await.unwrap();
    }
    site.setup.clock.move_by(4 * DAY);
    say(&site, "ann", "ben", text("web", "newer")).await.unwrap();
    sweep(&site).await;
    assert_eq!(kept(&site).await, 6, "nothing is too old yet");
    site.setup.clock.move_by(4 * DAY);
    sweep(&site).await;
    assert_eq!(kept(&site).await, 2, "the newer message, on both sides");
    assert_eq!(waiting(&site, "ben").await, 1);
    assert_eq!(rows(&site, "SELECT COUNT(*) FROM conversations").await, 2, "an empty conversation is forgotten");
    assert_eq!(rows(&site, "SELECT COUNT(*) FROM inbox_cursors").await, 2, "and who has read how much of it");
    site.setup.clock.move_by(8 * DAY);
    sweep(&site).await;
    assert_eq!((kept(&site).await, rows(&site, "SELECT COUNT(*) FROM inbox_cursors").await), (0, 0));
    let sent = say(&site, "ann", "ben", text("web", "again")).await.unwrap();
    let next = messages::next_for_device(&site.ctx, site.app.id, ids[1], "phone", "ann", 10).await.unwrap();
    assert_eq!(next.iter().map(|entry| entry.message_id).collect::<Vec<_>>(), [sent.id]);
}

#[tokio::test]
async fn one_write_of_a_sweep_is_small_and_a_sweep_goes_through_all_queues() {
    let site = Site::new().await;
    people(&site, &["ann", "ben"]).await;
    let count = 3 * SWEEP_ROWS / 2;
    for _ in 0..3 {
        join_all((0..count / 3).map(|_| say(&site, "ann", "ben", text("web", "old")))).await;
    }
    let names: Vec<String> = (0..300).map(|number| format!("user{number}")).collect();
    for name in &names {
        yinxin_core::users::register_without_password(&site.ctx, &site.app, name).await.unwrap();
    }
    join_all(names.iter().map(|name| say(&site, "ben", name, text("web", "old")))).await;
    assert_eq!(kept(&site).await, 2 * count + 600);
    site.setup.clock.move_by(8 * DAY);
    let before = site.ctx.db.writer_gauge().commits;
    let steps = sweep(&site).await;
    assert_eq!(kept(&site).await, 0);
    assert_eq!(rows(&site, "SELECT COUNT(*) FROM conversations").await, 0);
    assert!(steps >= 3, "602 queues in steps of 256: {steps}");
    let writes = site.ctx.db.writer_gauge().commits - before;
    let least = usize::try_from((2 * count + 600) / SWEEP_ROWS).unwrap();
    assert!(writes >= least, "{writes} writes for {} rows", 2 * count + 600);
}

#[tokio::test]
async fn a_queue_that_is_too_long_loses_its_oldest() {
    let site = Site::new().await;
    let ids = people(&site, &["ann", "ben"]).await;
    let total = INBOX_QUEUE_MAX + 2 * INBOX_TRIM_EVERY;
    let mut last = 0;
    for _ in 0..=total / INBOX_TRIM_EVERY {
        let sent = join_all((0..INBOX_TRIM_EVERY).map(|_| say(&site, "ann", "ben", text("web", "hello")))).await;
        last = sent.into_iter().map(|sent| sent.unwrap().id).max().unwrap();
        assert!(waiting(&site, "ben").await <= INBOX_QUEUE_MAX);
    }
    let waits = waiting(&site, "ben").await;
    assert!(waits >= INBOX_QUEUE_MAX - INBOX_TRIM_EVERY, "{waits}");
    let page = conversations::history(&site.ctx, &site.app, "ben", "ann", From::Before(None), 1).await.unwrap();
    assert_eq!(page.entries[0].message_id, last, "the newest are kept");
    assert_eq!(kept(&site).await, 2 * waits, "the sender's copies are bounded, too");
    let queues = messages::queues_for_device(&site.ctx, site.app.id, ids[1], "phone").await.unwrap();
    assert_eq!(queues, [("ann".to_owned(), waits)], "what is listed is what is there");
}
