//! Durable writes without a password: their rate is the group commit's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Bench;
use crate::load::Load;
use crate::problem::{Problem, Result};
use crate::report::{Report, Target};
use crate::request::Filled;
use crate::seed;
use crate::site::post;

/// A prime above any number of users: multiplying by it shuffles them without meeting one twice.
const SHUFFLE: u64 = 2_654_435_761;

/// The pairs handed out so far; no two alike, in either order, until they run out.
struct Pairs {
    users: u64,
    next: AtomicU64,
}

impl Pairs {
    fn new(users: u32) -> Self {
        Self { users: u64::from(users), next: AtomicU64::new(0) }
    }

    /// Two users who have not been paired yet.
    fn next(&self) -> [u32; 2] {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (first, distance) = (number % self.users, 1 + number / self.users);
        let user = |place: u64| u32::try_from(place % self.users * SHUFFLE % self.users).unwrap_or(0);
        [user(first), user(first + distance)]
    }

    /// Whether a pair may have been handed out twice: distances from half the circle on are met from the other side.
    fn used_up(&self) -> bool {
        self.next.load(Ordering::Relaxed) > self.users * ((self.users - 1) / 2)
    }
}

impl Bench<'_> {
    /// New contacts between random users, each on disk before it is acknowledged.
    pub(super) async fn contact_add(&mut self, report: &mut Report) -> Result<()> {
        let (connections, least) = (self.settings.connections, self.settings.contact_users);
        let site = self.site()?;
        let server = site.start_with(least).await?;
        let user = seed::template_name();
        let request = post(&format!("users/{user}/contacts/users/{user}"), Some(&site.app.token), None);
        let pairs = Arc::new(Pairs::new(site.seeded()));
        let calls = |callers: u32| {
            let (request, pairs) = (request.clone(), Arc::clone(&pairs));
            Load::new(callers, move |_| {
                let pairs = Arc::clone(&pairs);
                Box::new(Filled::new(&request, move || pairs.next()))
            })
        };
        let many = self.rate("contact-add", &server, &calls(connections)).await?;
        report.rate(many.aiming(Target::PerSecond(15_000.0)));
        let one = self.rate("contact-add, one caller", &server, &calls(1)).await?;
        report.rate(one.aiming(Target::PerSecond(2_000.0)));
        if pairs.used_up() {
            return Err(Problem::new("all pairs of users were used up; give it fewer --seconds or --preload"));
        }
        server.stop().await
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Pairs;

    #[test]
    fn no_pair_comes_twice_in_either_order() {
        for users in [3, 100, 101] {
            let pairs = Pairs::new(users);
            let mut seen = HashSet::new();
            for _ in 0..users * ((users - 1) / 2) {
                let [a, b] = pairs.next();
                assert!(a < users && b < users && a != b);
                assert!(seen.insert([a.min(b), a.max(b)]), "{a} {b} of {users}");
            }
            assert!(!pairs.used_up());
            pairs.next();
            assert!(pairs.used_up());
        }
    }
}
