//! A line holds no more than it may, loses nothing silently, and ends once.

use proptest::prelude::*;
use yinxin_core::sessions::CloseReason;

use super::*;

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn news() -> Arc<News> {
    Arc::new(News { username: "bob".into(), last_s: 0, expires_in_s: 0, ext: String::new(), devices: Vec::new() })
}

fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(value) => Some(value),
        std::task::Poll::Pending => None,
    }
}

#[test]
fn a_token_is_renewed_from_where_the_connection_is_and_never_shortened() {
    let (sender, _notes, _endings) = line(HERE, Some(100));
    sender.renew([192, 0, 2, 1].into(), 500);
    assert_eq!(sender.token_ends_ms(), 100);
    sender.renew(HERE, 50);
    assert_eq!(sender.token_ends_ms(), 100);
    sender.renew(HERE, 300);
    assert_eq!(sender.token_ends_ms(), 300);
    assert_eq!(line(HERE, None).0.token_ends_ms(), i64::MAX);
}

proptest! {
    /// Whatever it is told in whatever order: the first reason to end stands for good, and a wake-up either arrives or
    /// is known to be lost.
    #[test]
    fn a_line_ends_once_and_loses_no_wake_up_silently(told in proptest::collection::vec(0_u8..8, 0..120)) {
        let (sender, mut notes, mut endings) = line(HERE, None);
        let (mut woken, mut first) = (0, None);
        for step in told {
            match step {
                0 => {
                    sender.end(Ending::Asked(CloseReason::Kicked));
                    first.get_or_insert(Ending::Asked(CloseReason::Kicked));
                }
                1 => {
                    sender.end(Ending::ServerStops);
                    first.get_or_insert(Ending::ServerStops);
                }
                2 | 3 => sender.announce(&news()),
                _ => {
                    sender.wake("bob");
                    woken += 1;
                }
            }
            prop_assert_eq!(now(endings.next()), first.clone());
        }
        let (mut got, mut held) = (0, 0);
        while let Some(note) = now(notes.next()) {
            held += 1;
            got += usize::from(matches!(note, Note::Wake(_)));
        }
        prop_assert!(held <= NOTES_MAX);
        prop_assert_eq!(sender.take_missed(), got < woken);
        prop_assert!(!sender.take_missed());
        prop_assert_eq!(now(endings.next()), first);
    }
}
