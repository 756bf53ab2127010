//! The alternation: subject and reference take turns, so that what the machine does meanwhile meets both.

use crate::load::Outcome;
use crate::problem::Result;

/// What each round measured of either side, in order.
#[derive(Default)]
pub struct Rounds {
    /// The server under test.
    pub subject: Vec<Outcome>,
    /// What it is compared with.
    pub reference: Vec<Outcome>,
}

/// Measures both sides `rounds` times; who goes first changes from round to round, against drift.
pub async fn alternate(
    rounds: u32,
    subject: impl AsyncFn() -> Result<Outcome>,
    reference: impl AsyncFn() -> Result<Outcome>,
) -> Result<Rounds> {
    let mut measured = Rounds::default();
    for round in 0..rounds {
        if round % 2 == 0 {
            measured.reference.push(reference().await?);
            measured.subject.push(subject().await?);
        } else {
            measured.subject.push(subject().await?);
            measured.reference.push(reference().await?);
        }
    }
    Ok(measured)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::{Outcome, alternate};

    #[tokio::test]
    async fn both_sides_take_turns() {
        let order = RefCell::new(String::new());
        let side = async |name: char| {
            order.borrow_mut().push(name);
            Ok(Outcome::of_rate(1.0))
        };
        let rounds = alternate(3, async || side('s').await, async || side('r').await).await.unwrap();
        assert_eq!(order.into_inner(), "rssrrs");
        assert_eq!((rounds.subject.len(), rounds.reference.len()), (3, 3));
    }
}
