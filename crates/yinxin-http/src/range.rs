//! The `Range` header: which part of a body is asked for.

use std::ops::Range;

use axum::http::header::{IF_RANGE, RANGE};
use axum::http::{HeaderMap, HeaderValue};

/// What of a body is to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Asked {
    /// All of it.
    Whole,
    /// Those bytes; never none.
    Part(Range<u64>),
    /// Something that is not in it.
    Nothing,
}

/// Which bytes of `length` a request asks for. Several ranges at once, and whatever is no range, count as none asked for,
/// as does a range of another version than `tag`.
pub fn asked_range(headers: &HeaderMap, length: u64, tag: &str) -> Asked {
    let text = |value: Option<&HeaderValue>| value.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let is_other = headers.get(IF_RANGE).is_some_and(|wanted| wanted.as_bytes() != tag.as_bytes());
    let asked = text(headers.get(RANGE));
    let Some((first, last)) = asked.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Asked::Whole;
    };
    if is_other {
        return Asked::Whole;
    }
    let range = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(length),
        (Some(first), None) if last.trim().is_empty() => first..length,
        (None, Some(suffix)) if first.trim().is_empty() => length.saturating_sub(suffix)..length,
        _ => return Asked::Whole,
    };
    if range.is_empty() { Asked::Nothing } else { Asked::Part(range) }
}

fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // More digits than a length can have are beyond every end.
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        for (range, asked) in [
            ("bytes=0-0", Asked::Part(0..1)),
            ("bytes=2-4", Asked::Part(2..5)),
            ("bytes=7-", Asked::Part(7..10)),
            ("bytes=7-99", Asked::Part(7..10)),
            ("bytes=0-99999999999999999999999", Asked::Part(0..10)),
            ("bytes=-3", Asked::Part(7..10)),
            ("bytes=-99", Asked::Part(0..10)),
            ("bytes=10-", Asked::Nothing),
            ("bytes=99999999999999999999999-", Asked::Nothing),
            ("bytes=-0", Asked::Nothing),
            ("bytes=4-2", Asked::Whole),
            ("bytes=0-1,3-4", Asked::Whole),
            ("bytes=-", Asked::Whole),
            ("bytes=a-b", Asked::Whole),
            ("bytes=+1-2", Asked::Whole),
            ("lines=1-2", Asked::Whole),
            ("", Asked::Whole),
        ] {
            let headers = HeaderMap::from_iter([(RANGE, HeaderValue::from_static(range))]);
            assert_eq!(asked_range(&headers, 10, "\"a\""), asked, "{range}");
        }
        let mut headers = HeaderMap::from_iter([(RANGE, HeaderValue::from_static("bytes=2-4"))]);
        assert_eq!(asked_range(&headers, 0, ""), Asked::Nothing);
        headers.insert(IF_RANGE, HeaderValue::from_static("\"a\""));
        assert_eq!(asked_range(&headers, 10, "\"a\""), Asked::Part(2..5));
        assert_eq!(asked_range(&headers, 10, "\"b\""), Asked::Whole);
    }
}
