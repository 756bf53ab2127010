//! Payloads: read as they were written, and nothing that comes is worse than an error.

use std::net::IpAddr;
use std::sync::Arc;

use proptest::prelude::*;
use yinxin_bus::wire::{decode, encode};
use yinxin_core::bus::Hint;
use yinxin_core::presence::News;
use yinxin_core::{AppId, HookId, NodeId, Touched, UserId};

fn apps() -> impl Strategy<Value = AppId> {
    any::<[u8; 16]>().prop_map(AppId)
}

fn users() -> impl Strategy<Value = UserId> {
    any::<[u8; 16]>().prop_map(UserId)
}

fn touches() -> impl Strategy<Value = Touched> {
    prop_oneof![
        apps().prop_map(Touched::App),
        (apps(), users()).prop_map(|(app, user)| Touched::User(app, user)),
        (apps(), any::<i64>()).prop_map(|(app, uid)| Touched::RoomTokens(app, uid)),
        (apps(), any::<[u8; 16]>()).prop_map(|(app, hook)| Touched::Outbox(app, HookId(hook))),
    ]
}

fn news() -> impl Strategy<Value = News> {
    let devices = proptest::collection::vec((any::<String>(), any::<i64>()), 0..4);
    (any::<String>(), any::<i64>(), any::<i64>(), any::<String>(), devices).prop_map(
        |(username, last_s, expires_in_s, ext, devices)| News { username, last_s, expires_in_s, ext, devices },
    )
}

fn hints() -> impl Strategy<Value = Hint> {
    prop_oneof![
        (apps(), users(), any::<String>(), any::<Option<String>>()).prop_map(|(app, user, queue, but)| Hint::Wake {
            app,
            user,
            queue,
            but
        }),
        (apps(), users(), news()).prop_map(|(app, user, news)| Hint::News { app, user, news: Arc::new(news) }),
        (apps(), users(), any::<IpAddr>(), any::<i64>()).prop_map(|(app, user, from, token_ends_ms)| Hint::Renew {
            app,
            user,
            from,
            token_ends_ms
        }),
        Just(Hint::Endings),
        (any::<u64>(), proptest::collection::vec(touches(), 0..20))
            .prop_map(|(number, touched)| Hint::Touches { number, touched }),
        any::<u64>().prop_map(|number| Hint::Heard { number }),
        proptest::collection::vec((apps(), any::<[u8; 16]>().prop_map(HookId)), 0..20).prop_map(Hint::Outbox),
        (apps(), any::<[u8; 16]>()).prop_map(|(app, hook)| Hint::Hurry { app, hook: HookId(hook) }),
        any::<u64>().prop_map(|number| Hint::Resync { number }),
    ]
}

proptest! {
    #[test]
    fn a_hint_is_read_as_it_was_written(from in any::<[u8; 16]>(), hint in hints()) {
        let bytes = encode(NodeId(from), &hint);
        prop_assert_eq!(decode(&bytes), Ok((NodeId(from), Some(hint))));
    }

    #[test]
    fn a_wounded_hint_is_an_error_or_another(
        hint in hints(),
        wounds in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = encode(NodeId([1; 16]), &hint);
        for (at, byte) in wounds {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _any = decode(&bytes);
        let _any = decode(&bytes[..cut.index(bytes.len())]);
    }

    #[test]
    fn whatever_comes_does_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _any = decode(&bytes);
    }
}
