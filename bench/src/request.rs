//! Ready-made request bytes, and where a call differs from the next: eight digits patched in place, no allocation.

/// Marks where a number goes in a request; names in this program therefore always have eight digits.
pub const HOLE: &str = "########";

/// One request's bytes. `token` is sent as a bearer token, a `body` as JSON.
pub fn bytes(method: &str, path: &str, token: Option<&str>, body: Option<&str>) -> Vec<u8> {
    use std::fmt::Write as _;
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/json\r\n");
    // Writing to a String cannot fail.
    if let Some(token) = token {
        let _ = write!(text, "authorization: Bearer {token}\r\n");
    }
    if let Some(body) = body {
        let _ = write!(text, "content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    } else if method == "GET" {
        text.push_str("\r\n");
    } else {
        text.push_str("content-length: 0\r\n\r\n");
    }
    text.into_bytes()
}

/// A POST with a form and headers of its own.
pub fn form(path: &str, headers: &[(&str, &str)], form: &str) -> Vec<u8> {
    let lines: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let headers = lines.concat();
    let length = form.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/json\r\n{headers}\
         content-type: application/x-www-form-urlencoded;charset=utf-8\r\ncontent-length: {length}\r\n\r\n{form}"
    )
    .into_bytes()
}

/// The source of one connection's calls.
pub trait Calls: Send {
    /// The next request's bytes.
    fn next(&mut self) -> &[u8];
}

/// Picks among requests made beforehand.
pub struct Picked {
    requests: std::sync::Arc<[Vec<u8>]>,
    dice: Dice,
}

impl Picked {
    /// Picks at random, differently for each connection.
    pub fn new(requests: std::sync::Arc<[Vec<u8>]>, connection: u32) -> Self {
        Self { requests, dice: Dice::new(connection) }
    }
}

impl Calls for Picked {
    fn next(&mut self) -> &[u8] {
        let count = u32::try_from(self.requests.len()).unwrap_or(u32::MAX);
        &self.requests[self.dice.below(count) as usize]
    }
}

/// One request whose holes are filled with fresh numbers for each call.
pub struct Filled<const N: usize, F> {
    bytes: Vec<u8>,
    holes: [usize; N],
    numbers: F,
}

impl<const N: usize, F: FnMut() -> [u32; N] + Send> Filled<N, F> {
    /// `request` holds exactly `N` times [`HOLE`].
    pub fn new(request: &[u8], numbers: F) -> Self {
        let places = request.windows(HOLE.len()).enumerate().filter(|(_, window)| *window == HOLE.as_bytes());
        let places: Vec<usize> = places.map(|(at, _)| at).collect();
        let holes = places.try_into().expect("a request template has as many holes as its calls have numbers");
        Self { bytes: request.to_vec(), holes, numbers }
    }
}

impl<const N: usize, F: FnMut() -> [u32; N] + Send> Calls for Filled<N, F> {
    fn next(&mut self) -> &[u8] {
        for (at, number) in self.holes.into_iter().zip((self.numbers)()) {
            write_digits(&mut self.bytes[at..at + HOLE.len()], number);
        }
        &self.bytes
    }
}

/// Decimal, right-aligned, zero-padded.
fn write_digits(place: &mut [u8], mut number: u32) {
    for digit in place.iter_mut().rev() {
        *digit = b"0123456789"[(number % 10) as usize];
        number /= 10;
    }
}

/// A small seeded generator (SplitMix64): the same calls in every run.
pub struct Dice(u64);

impl Dice {
    /// A different sequence per `seed`.
    pub fn new(seed: u32) -> Self {
        Self(u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// A number below `limit`; 0 when the limit is 0.
    pub fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // The upper half times the limit, shifted back, is below the limit.
        let upper = mixed >> 32;
        u32::try_from((upper * u64::from(limit)) >> 32).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Calls as _, Dice, Filled, HOLE, Picked, bytes, form};

    #[test]
    fn a_request_carries_token_and_length() {
        let text = String::from_utf8(bytes("POST", "/a/b/users", Some("T"), Some("{}"))).unwrap();
        assert!(text.starts_with("POST /a/b/users HTTP/1.1\r\nhost: "));
        assert!(text.contains("\r\nauthorization: Bearer T\r\n"));
        assert!(text.ends_with("\r\ncontent-length: 2\r\n\r\n{}"));
        let text = String::from_utf8(form("/a", &[("AppKey", "k")], "uid=1")).unwrap();
        assert!(text.starts_with("POST /a HTTP/1.1\r\n") && text.contains("\r\nAppKey: k\r\ncontent-type: "));
        assert!(text.ends_with("\r\ncontent-length: 5\r\n\r\nuid=1"));
        assert!(bytes("GET", "/", None, None).ends_with(b"json\r\n\r\n"));
        assert!(bytes("POST", "/", None, None).ends_with(b"\r\ncontent-length: 0\r\n\r\n"));
    }

    #[test]
    fn holes_are_filled_in_order() {
        let mut next = 40;
        let mut calls = Filled::new(format!("/u{HOLE}/x/u{HOLE}").as_bytes(), || {
            next += 2;
            [next, next + 1]
        });
        assert_eq!(calls.next(), b"/u00000042/x/u00000043");
        assert_eq!(calls.next(), b"/u00000044/x/u00000045");
    }

    #[test]
    fn dice_stay_below_their_limit_and_differ() {
        let (mut one, mut two) = (Dice::new(1), Dice::new(2));
        let first: Vec<u32> = (0..1000).map(|_| one.below(10)).collect();
        let second: Vec<u32> = (0..1000).map(|_| two.below(10)).collect();
        assert!(first.iter().all(|number| *number < 10));
        assert!((0..10).all(|number| first.contains(&number)));
        assert_ne!(first, second);
        assert_eq!(one.below(0), 0);
    }

    #[test]
    fn every_request_is_picked() {
        let mut calls = Picked::new(Arc::new([b"a".to_vec(), b"b".to_vec()]), 3);
        let seen: Vec<u8> = (0..50).map(|_| calls.next()[0]).collect();
        assert!(seen.contains(&b'a') && seen.contains(&b'b'));
    }
}
