//! What the kit knows about a request before the router sees it: its id, who sent it, when, and what it may send.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use crate::ServeOptions;

/// The header that carries a request's id, both ways.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// A caller's own id may be that long.
const GIVEN_ID_BYTES_MAX: usize = 64;

/// One request, as it arrived. It stands in the request's extensions.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The request's id, for logs; it is sent back as `x-request-id`.
    pub id: RequestId,
    /// Who sent it: the peer, or whom a trusted proxy names.
    pub client: IpAddr,
    /// Whether the client spoke TLS, by the word of a trusted proxy.
    pub https: bool,
    /// When its headers were complete.
    pub at: Instant,
    /// Whether the head is larger than [`ServeOptions::header_bytes_max`]: to be refused, in the dialect's shape.
    pub head_too_large: bool,
    /// Limit for [`crate::read_body`] where the call has none of its own.
    pub body_bytes_max: usize,
    /// Time for [`crate::read_body`] where the call has none of its own.
    pub body_timeout: Duration,
}

impl Arrival {
    /// An arrival from this machine with the default limits, for routers that are called without a socket.
    pub fn in_process() -> Self {
        let options = ServeOptions::default();
        Self {
            id: RequestId::from_bits(RandomState::new().hash_one(0_u8)),
            client: IpAddr::V4(Ipv4Addr::LOCALHOST),
            https: false,
            at: Instant::now(),
            head_too_large: false,
            body_bytes_max: options.body_bytes_max,
            body_timeout: options.body_timeout,
        }
    }
}

/// The id of a request: 13 characters of ours, or what the caller gave, at most 64 visible ASCII characters.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestId(Spelling);

#[derive(Clone, PartialEq, Eq)]
enum Spelling {
    Made([u8; 13]),
    Given(HeaderValue),
}

impl RequestId {
    /// The caller's id, or else the one of these bits.
    pub(crate) fn given_or(headers: &HeaderMap, bits: impl FnOnce() -> u64) -> Self {
        match headers.get(REQUEST_ID) {
            Some(given) if is_legal(given.as_bytes()) => Self(Spelling::Given(given.clone())),
            _ => Self::from_bits(bits()),
        }
    }

    fn from_bits(mut bits: u64) -> Self {
        // Crockford's alphabet: nothing that is mistaken for something else when read out.
        const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let mut text = [0; 13];
        for place in text.iter_mut().rev() {
            *place = ALPHABET[usize::from(bits.to_le_bytes()[0] & 31)];
            bits >>= 5;
        }
        Self(Spelling::Made(text))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Spelling::Made(text) => std::str::from_utf8(text).unwrap_or_default(),
            Spelling::Given(value) => value.to_str().unwrap_or_default(),
        }
    }

    /// The id as the value of the answer's header.
    pub(crate) fn to_header(&self) -> HeaderValue {
        match &self.0 {
            Spelling::Made(text) => HeaderValue::from_bytes(text).unwrap_or(HeaderValue::from_static("")),
            Spelling::Given(value) => value.clone(),
        }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn is_legal(id: &[u8]) -> bool {
    !id.is_empty() && id.len() <= GIVEN_ID_BYTES_MAX && id.iter().all(u8::is_ascii_graphic)
}

/// The bits of the `count`-th id after `seed`: all different within a seed, and without order for who does not know it.
/// This is the mixing function of `SplitMix64`; ids need to be distinct, not secret.
pub(crate) fn mix(seed: u64, count: u64) -> u64 {
    let mut bits = seed.wrapping_add(count.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Bytes of a request's head: request line, headers and the separators between them.
pub fn head_bytes(parts: &Parts) -> usize {
    bytes_of(&parts.method, &parts.uri, &parts.headers)
}

pub(crate) fn bytes_of(method: &Method, uri: &Uri, headers: &HeaderMap) -> usize {
    // "GET " target " HTTP/1.1\r\n", "name: value\r\n" each, "\r\n".
    let target = uri.path_and_query().map_or(0, |target| target.as_str().len())
        + uri.authority().map_or(0, |host| host.as_str().len())
        + uri.scheme_str().map_or(0, |scheme| scheme.len() + 3);
    let lines: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    method.as_str().len() + target + 12 + lines + 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_ids_are_short_and_distinct() {
        let ids: std::collections::HashSet<String> =
            (0..10_000).map(|count| RequestId::from_bits(mix(7, count)).to_string()).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| id.len() == 13 && is_legal(id.as_bytes())));
        assert_eq!(RequestId::from_bits(33).as_str(), "0000000000011");
    }

    #[test]
    fn a_given_id_is_kept_only_when_short_and_visible() {
        let mut headers = HeaderMap::new();
        for (given, kept) in
            [("abc-1", true), (&"x".repeat(64), true), (&"x".repeat(65), false), ("", false), ("a b", false)]
        {
            headers.insert(REQUEST_ID, HeaderValue::from_str(given).unwrap());
            assert_eq!(RequestId::given_or(&headers, || 1).as_str() == given, kept, "{given}");
        }
    }

    #[test]
    fn a_head_is_as_large_as_on_the_wire() {
        let request = axum::http::Request::get("/a?b=c").header("host", "x").header("accept", "*/*").body(()).unwrap();
        let wire = "GET /a?b=c HTTP/1.1\r\nhost: x\r\naccept: */*\r\n\r\n";
        assert_eq!(head_bytes(&request.into_parts().0), wire.len());
    }
}
