//! What a file is called and what it is: texts from outside, made fit to be printed in a header.

use crate::limits::{FILE_NAME_CHARS_MAX, MEDIA_TYPE_BYTES_MAX};

const UNKNOWN: &str = "application/octet-stream";

/// What files of a kind begin with, after so many bytes.
const BEGINNINGS: [(usize, &[u8], &str); 11] = [
    (0, b"\xFF\xD8\xFF", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1A\n", "image/png"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1A\x45\xDF\xA3", "video/webm"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"#!AMR", "audio/amr"),
    (8, b"WAVE", "audio/wav"),
    (0, b"%PDF-", "application/pdf"),
];

/// A media type: the one that was named, if it is one; else the one that the first bytes tell.
pub(super) fn media_type(named: Option<&str>, head: &[u8]) -> String {
    let named = named.map(str::trim).filter(|named| is_media_type(named) && !named.eq_ignore_ascii_case(UNKNOWN));
    named.unwrap_or_else(|| told_by(head)).to_owned()
}

/// The media type that the first bytes of a file tell.
pub(super) fn told_by(head: &[u8]) -> &'static str {
    let fits = |(at, begin, _): &&(usize, &[u8], &str)| head.get(*at..).is_some_and(|head| head.starts_with(begin));
    BEGINNINGS.iter().find(fits).map_or(UNKNOWN, |(_, _, kind)| kind)
}

fn is_media_type(text: &str) -> bool {
    let is_token =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b));
    let (kind, parameters) = text.split_once(';').unwrap_or((text, ""));
    let (main, sub) = kind.trim().split_once('/').unwrap_or_default();
    text.len() <= MEDIA_TYPE_BYTES_MAX
        && is_token(main)
        && is_token(sub)
        && parameters.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// Whether a browser may show such a file where it is linked: nothing that can hold a program.
pub fn shows_in_place(media_type: &str) -> bool {
    let kind = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_picture = ["image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp", "image/avif", "image/heic"];
    is_picture.contains(&&*kind) || kind.starts_with("audio/") || kind.starts_with("video/")
}

/// The last part of a path, without what cannot be seen.
pub(super) fn clean_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    last.chars().filter(|c| !c.is_control()).take(FILE_NAME_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_named_or_told() {
        for (named, head, kind) in [
            (Some("image/png"), &b"GIF89a"[..], "image/png"),
            (Some("text/plain; charset=utf-8"), b"", "text/plain; charset=utf-8"),
            (Some("application/octet-stream"), b"GIF89a", "image/gif"),
            (None, b"\xFF\xD8\xFF\xE0", "image/jpeg"),
            (None, b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
            (None, b"\0\0\0\x18ftypmp42", "video/mp4"),
            (None, b"<html>", UNKNOWN),
            (None, b"", UNKNOWN),
            (Some("nonsense"), b"", UNKNOWN),
            (Some("a/b\r\nx: y"), b"", UNKNOWN),
            (Some("a/b;\u{e9}"), b"", UNKNOWN),
            (Some("/"), b"", UNKNOWN),
        ] {
            assert_eq!(media_type(named, head), kind, "{named:?}");
        }
        assert_eq!(media_type(Some(&format!("a/{}", "b".repeat(126))), b""), UNKNOWN);
    }

    #[test]
    fn what_may_hold_a_program_is_not_shown() {
        for kind in ["image/png", "IMAGE/JPEG", "video/mp4", "audio/ogg;codecs=opus"] {
            assert!(shows_in_place(kind), "{kind}");
        }
        for kind in ["image/svg+xml", "text/html", "text/plain", "application/pdf", "application/xml", UNKNOWN, ""] {
            assert!(!shows_in_place(kind), "{kind}");
        }
    }

    #[test]
    fn names_are_the_last_part_of_a_path() {
        for (name, clean) in [
            ("a.txt", "a.txt"),
            ("C:\\home\\小.png", "小.png"),
            ("../../etc/passwd", "passwd"),
            ("a\r\n\0b", "ab"),
            ("a/", ""),
        ] {
            assert_eq!(clean_name(name), clean);
        }
        assert_eq!(clean_name(&"名".repeat(300)).chars().count(), FILE_NAME_CHARS_MAX);
    }
}
