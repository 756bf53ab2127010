use proptest::prelude::*;

use super::*;

fn pulled(queue: &str, key: Option<u64>) -> Event {
    Event::Pulled { queue: queue.into(), key }
}

fn fetched(queue: &str, last: Option<i64>, key: u64) -> Event {
    Event::Fetched { queue: queue.into(), last, key }
}

fn fetch(queue: &str) -> Vec<Action> {
    vec![Action::Fetch(queue.into())]
}

#[test]
fn a_backlog_is_paged_and_each_page_confirmed() {
    let mut delivery = Delivery::new();
    assert_eq!(delivery.on(Event::Listed(vec!["bob".into()])), []);
    assert_eq!(delivery.on(pulled("bob", None)), fetch("bob"));
    assert_eq!(delivery.on(fetched("bob", Some(20), 7)), [Action::SendPage { queue: "bob".into(), key: 7 }]);
    assert_eq!(
        delivery.on(pulled("bob", Some(7))),
        [Action::Confirm { queue: "bob".into(), up_to: 20 }, Action::Fetch("bob".into())]
    );
    assert_eq!(delivery.on(fetched("bob", None, 8)), [Action::SendEnd("bob".into())]);
    assert!(delivery.queues.is_empty());
}

#[test]
fn news_waits_for_the_page_on_its_way() {
    let mut delivery = Delivery::new();
    assert_eq!(delivery.on(Event::Woken("bob".into())), [], "before the client's first question nothing is sent");
    delivery.on(Event::Listed(Vec::new()));
    assert_eq!(delivery.on(Event::Woken("bob".into())), fetch("bob"));
    assert_eq!(delivery.on(fetched("bob", Some(1), 5)), [Action::SendPage { queue: "bob".into(), key: 5 }]);
    assert_eq!(delivery.on(Event::Woken("bob".into())), []);
    let confirmed = delivery.on(pulled("bob", Some(5)));
    assert_eq!(confirmed, [Action::Confirm { queue: "bob".into(), up_to: 1 }, Action::Fetch("bob".into())]);
}

#[test]
fn a_wrong_key_confirms_nothing_and_the_page_comes_again() {
    let mut delivery = Delivery::new();
    delivery.on(Event::Listed(Vec::new()));
    delivery.on(Event::Woken("bob".into()));
    delivery.on(fetched("bob", Some(1), 5));
    assert_eq!(delivery.on(pulled("bob", Some(4))), fetch("bob"));
    assert_eq!(delivery.on(fetched("bob", Some(1), 6)), [Action::SendPage { queue: "bob".into(), key: 6 }]);
}

#[test]
fn an_announced_queue_is_not_sent_before_it_is_asked_for() {
    let mut delivery = Delivery::new();
    delivery.on(Event::Listed(vec!["bob".into()]));
    assert_eq!(delivery.on(Event::Woken("bob".into())), []);
    assert_eq!(delivery.on(pulled("bob", None)), fetch("bob"));
}

#[test]
fn what_failed_is_done_when_it_is_asked_for_again() {
    let mut delivery = Delivery::new();
    delivery.on(Event::Listed(Vec::new()));
    assert_eq!(delivery.on(Event::Woken("bob".into())), fetch("bob"));
    assert_eq!(delivery.on(Event::Failed("bob".into())), []);
    assert!(!delivery.is_busy("bob") && delivery.queues.is_empty());
    assert_eq!(delivery.on(Event::Woken("bob".into())), fetch("bob"));
    assert_eq!(delivery.on(fetched("bob", Some(1), 5)), [Action::SendPage { queue: "bob".into(), key: 5 }]);
    assert_eq!(delivery.on(Event::Failed("bob".into())), [], "the page was not sent");
    assert_eq!(delivery.on(pulled("bob", None)), fetch("bob"));
    delivery.on(Event::Failed("bob".into()));
    assert_eq!(delivery.on(Event::Woken("bob".into())), fetch("bob"));
    assert_eq!(delivery.on(fetched("bob", None, 6)), [Action::SendEnd("bob".into())], "the client still waits");
    delivery.on(Event::Listed(vec!["bob".into()]));
    delivery.on(Event::Failed("bob".into()));
    assert_eq!(delivery.on(Event::Woken("bob".into())), [], "it is announced all the same");
}

proptest! {
    /// A client that plays by the rules gets every message of a queue once and in order, whatever comes between, and
    /// whatever cannot be read, or sent, at first.
    #[test]
    fn everything_arrives_once_and_in_order(
        steps in proptest::collection::vec(0_u8..4, 1..200),
        page in 1_usize..4,
        failures in proptest::collection::vec(any::<bool>(), 0..50),
    ) {
        let (mut failures, mut missed) = (failures.into_iter(), false);
        let (mut delivery, mut inbox, mut got) = (Delivery::new(), Vec::<i64>::new(), Vec::<i64>::new());
        let (mut confirmed, mut next_key, mut in_hand) = (0_i64, 0_u64, Vec::<u64>::new());
        let mut work: Vec<Action> = delivery.on(Event::Listed(Vec::new()));
        let mut ending = 0;
        let mut steps = steps.into_iter();
        loop {
            if let Some(action) = (!work.is_empty()).then(|| work.remove(0)) {
                if matches!(action, Action::Fetch(_) | Action::SendPage { .. }) && failures.next() == Some(true) {
                    missed = true;
                    work = delivery.on(Event::Failed("q".into()));
                    continue;
                }
                match action {
                    Action::Confirm { up_to, .. } => { prop_assert!(up_to > confirmed); confirmed = up_to; }
                    Action::Fetch(queue) => {
                        let last = inbox.iter().copied().filter(|id| *id > confirmed).take(page).last();
                        next_key += 1;
                        work.extend(delivery.on(fetched(&queue, last, next_key)));
                    }
                    Action::SendPage { key, .. } => {
                        let news: Vec<i64> = inbox.iter().copied().filter(|id| *id > confirmed).take(page).collect();
                        got.extend(news);
                        in_hand.push(key);
                    }
                    Action::SendEnd(_) => {}
                }
                continue;
            }
            match steps.next() {
                Some(0 | 1) => { inbox.push(inbox.last().map_or(1, |last| last + 1)); work.extend(delivery.on(Event::Woken("q".into()))); }
                Some(_) => if let Some(key) = in_hand.pop() { work.extend(delivery.on(pulled("q", Some(key)))); },
                None => match in_hand.pop() {
                    Some(key) => work.extend(delivery.on(pulled("q", Some(key)))),
                    None if missed => { missed = false; work.extend(delivery.on(Event::Woken("q".into()))); }
                    None if ending > 0 => break,
                    None => { ending += 1; work.extend(delivery.on(Event::Woken("q".into()))); }
                },
            }
        }
        prop_assert_eq!(got, inbox);
    }
}
