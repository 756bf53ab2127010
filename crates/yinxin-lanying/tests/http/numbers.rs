//! The number of a user of another dialect, which is given when somebody first asks for it.

use std::collections::BTreeSet;
use std::future::IntoFuture as _;

use futures_util::future::join_all;

use crate::asking::{Answer as _, Bearer as _};
use crate::world::World;

#[tokio::test]
async fn all_who_ask_first_are_told_one_number() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    for round in 0..8 {
        let name = format!("foreign{round}");
        w.foreign_user(&name).await;
        let looks = (0..32).map(|look| {
            let by_name = || w.get(&format!("/roster/name?username={name}")).by(&ann.token);
            if look % 4 == 0 { w.log_in(&name).into_future() } else { by_name().into_future() }
        });
        let told: BTreeSet<i64> =
            join_all(looks).await.iter().map(|answer| answer.ok()["user_id"].as_i64().unwrap()).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        let number = told.first().unwrap();
        let found = w.get(&format!("/roster/id?user_id={number}")).by(&ann.token).await.ok();
        assert_eq!(found["username"], name.as_str());
        let known = format!("'{number}'");
        let handles = w.dump().await.lines().filter(|row| row.starts_with("handles: ") && row.contains(&known)).count();
        assert_eq!(handles, 1);
    }
}
