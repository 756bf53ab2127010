//! Which addresses may be called when private ones may not.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use parking_lot::Mutex;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Whether an address is one of the internet, and not of this machine, its network or its cloud.
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    let is_special = v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_documentation()
        || v4.is_multicast()
        || a == 0
        || a >= 240
        // Carrier-grade NAT, protocol assignments, benchmarks.
        || (a == 100 && (64..128).contains(&b))
        || (a, b, c) == (192, 0, 0)
        || (a == 198 && (b == 18 || b == 19));
    !is_special
}

fn is_public_v6(v6: Ipv6Addr) -> bool {
    let segments = v6.segments();
    // Global unicast, without documentation; addresses that carry an IPv4 address are as good as that one.
    match segments {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        // Teredo, documentation.
        [0x2001, 0 | 0xdb8, ..] | [0x3fff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

/// What a name leads to, for all who have asked for it.
type Found = Shared<BoxFuture<'static, Result<Arc<[SocketAddr]>, String>>>;
/// Asks the system, which may take long and cannot be hurried.
type Ask = fn(String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;

/// Looks names up; when private addresses may not be called, only public ones are found.
///
/// A name is looked up once at a time, however many want it and give up: each look-up holds a thread of the runtime's for
/// as long as the system takes, and there are things that wait for such a thread which have nothing to do with hooks.
pub struct Resolver {
    private: bool,
    ask: Ask,
    /// What is being looked up.
    asked: Arc<Mutex<HashMap<String, Found>>>,
}

impl Resolver {
    pub fn new(private: bool) -> Self {
        Self {
            private,
            ask: |name| Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) }),
            asked: Arc::default(),
        }
    }

    fn find(&self, name: &str) -> Found {
        let begin = || {
            let (name, asked, answer) = (name.to_owned(), Arc::clone(&self.asked), (self.ask)(name.to_owned()));
            let look = tokio::spawn(async move {
                let found = AssertUnwindSafe(answer).catch_unwind().await;
                asked.lock().remove(&name);
                found
                    .map_or_else(|_| Err("the look-up failed".to_owned()), |found| found.map_err(|why| why.to_string()))
            });
            let found = async { look.await.map_err(|stopped| stopped.to_string())?.map(Arc::from) };
            found.boxed().shared()
        };
        self.asked.lock().entry(name.to_owned()).or_insert_with(begin).clone()
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (private, found) = (self.private, self.find(name.as_str()));
        Box::pin(async move {
            let found = found.await?;
            let permitted: Vec<SocketAddr> =
                found.iter().copied().filter(|found| private || is_public(found.ip())).collect();
            if permitted.is_empty() {
                return Err("the name has no address that may be called".into());
            }
            Ok::<Addrs, _>(Box::new(permitted.into_iter()))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        for public in ["1.1.1.1", "100.128.0.1", "172.32.0.1", "2606:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1"]
        {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for private in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.1",
            "192.168.0.1",
            "198.18.0.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
    }

    /// Look-ups that were begun, and those that may end.
    static BEGUN: AtomicUsize = AtomicUsize::new(0);
    static MAY_END: Semaphore = Semaphore::const_new(0);

    #[tokio::test]
    async fn a_name_is_looked_up_once_at_a_time() {
        let slow: Ask = |_| {
            BEGUN.fetch_add(1, Ordering::SeqCst);
            Box::pin(async {
                MAY_END.acquire().await.unwrap().forget();
                Ok(vec![([192, 0, 2, 1], 0).into()])
            })
        };
        let resolver = Resolver { ask: slow, ..Resolver::new(true) };
        let ask = || resolver.resolve("backend.test".parse().unwrap());
        // Who gives up does not make the next one begin again.
        for _ in 0..100 {
            assert!(ask().now_or_never().is_none());
        }
        let (first, second) = (ask(), ask());
        assert_eq!(BEGUN.load(Ordering::SeqCst), 1);
        MAY_END.add_permits(1);
        for found in [first.await, second.await] {
            assert_eq!(found.unwrap().count(), 1);
        }
        // What was found is not kept: a name may lead elsewhere the next time.
        MAY_END.add_permits(1);
        assert_eq!(ask().await.unwrap().count(), 1);
        assert_eq!(BEGUN.load(Ordering::SeqCst), 2);
    }
}
