//! Wrong passwords, tried at one node after the other.

use std::net::{IpAddr, Ipv4Addr};

use yinxin_core::limits::Limits;
use yinxin_core::tokens::{Login, log_in};
use yinxin_core::users::LoginName;
use yinxin_core::{Code, Ctx};
use zeroize::Zeroizing;

use crate::world::World;

async fn try_at(ctx: &Ctx, world: &World, name: &str, password: &str, from: u8) -> Result<(), Code> {
    let login = Login {
        name: Some(LoginName::Name(name)),
        password: Some(Zeroizing::new(password.to_owned())),
        ttl_s: None,
        tells_unknown: true,
        from: IpAddr::V4(Ipv4Addr::new(10, 0, 0, from)),
    };
    log_in(ctx, &world.app, login).await.map(drop).map_err(|error| error.code)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_tries_at_all_nodes_has_no_more_attempts() {
    let world = World::of(3).await;
    world.register("ann").await;
    for name in ["ann", "nobody"] {
        let borne = usize::try_from(Limits::default().password_failures).unwrap();
        for attempt in 0..borne {
            // A right one in between costs nothing.
            if name == "ann" {
                try_at(world.ctx(attempt % 3), &world, "ann", "first", 1).await.unwrap();
            }
            let code = try_at(world.ctx(attempt % 3), &world, name, "wrong", 1).await.unwrap_err();
            assert_ne!(code, Code::RateLimited, "attempt {attempt} of {name}");
        }
        for node in 0..3 {
            assert_eq!(try_at(world.ctx(node), &world, name, "wrong", 1).await, Err(Code::RateLimited));
        }
    }
    try_at(world.ctx(1), &world, "ann", "first", 2).await.unwrap();
}
