//! Questions whose cost must not grow with the number of users: read through an index that holds just what they give.

use yinxin_store::tables::users::{self, NewUser, PageStart};
use yinxin_store::{AppId, Db, UserId};

use crate::kit::{Place, query, text};

const APP: AppId = AppId([0xA1; 16]);

async fn add(db: &Db, number: u8, active: bool) {
    let added = db.write((number, active), |tx, (number, active)| {
        Box::pin(async move {
            let user = UserId([*number; 16]);
            let new = NewUser {
                user,
                username: format!("user{number}"),
                password_hash: None,
                created_ms: i64::from(*number),
                tokens_not_before_s: 0,
                push_nickname: None,
            };
            users::insert(tx, APP, &new).await?;
            if !active {
                users::deactivate(tx, APP, user, 0).await?;
            }
            Ok::<_, yinxin_store::Error>(())
        })
    });
    added.await.unwrap();
}

async fn page(db: &Db, active: Option<bool>, limit: i64) -> Vec<String> {
    let found = db.read((active, limit), |tx, (active, limit)| {
        Box::pin(users::page(tx, APP, PageStart { created_ms: 3, user: UserId([0; 16]) }, *active, *limit))
    });
    found.await.unwrap().into_iter().map(|user| user.username).collect()
}

#[tokio::test]
async fn a_page_of_users_is_in_order_of_age_whether_they_are_banned_or_not() {
    let db = Place::new().open().await;
    for number in 1..=20 {
        add(&db, number, number % 3 != 0).await;
    }
    assert_eq!(page(&db, None, 4).await, ["user3", "user4", "user5", "user6"]);
    assert_eq!(page(&db, Some(true), 4).await, ["user4", "user5", "user7", "user8"]);
    assert_eq!(page(&db, Some(false), 4).await, ["user3", "user6", "user9", "user12"]);
    assert_eq!(page(&db, None, 100).await.len(), 18);
    assert_eq!((page(&db, Some(true), 100).await.len(), page(&db, Some(false), 100).await.len()), (12, 6));
}

#[tokio::test]
async fn a_page_reads_an_index_of_its_sort() {
    let db = Place::embedded().open().await;
    for (sort, index) in [("active", "users_active_by_age"), ("NOT active", "users_banned_by_age")] {
        let sql = format!(
            "EXPLAIN QUERY PLAN SELECT * FROM users WHERE app_id = $1 AND {sort} \
             AND (created_ms, user_id) >= ($2, $3) ORDER BY created_ms, user_id LIMIT $4"
        );
        let plan = format!("{:?}", query(&db, text(sql), Vec::new(), 4).await);
        assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{plan}");
    }
}
