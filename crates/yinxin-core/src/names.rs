//! Names as newtypes, parsed once at the edge: what exists as a value here is legal.

use crate::error::{Code, Error, Result};
use crate::limits::{APP_NAME_CHARS_MAX, SHORT_NAME_BYTES_MAX, USERNAME_BYTES_MAX};

/// First path segments that belong to the server itself; no organisation may have them.
const RESERVED_ORGS: [&str; 21] = [
    "admin",
    "livez",
    "readyz",
    "metrics",
    "ws",
    "websocket",
    "management",
    "nimserver",
    "nrtc",
    "token",
    "user",
    "im_api",
    "v2",
    "v3",
    "static",
    "console",
    "app",
    "roster",
    "group",
    "file",
    "push",
];

/// Which names may be given. A user has one name, whoever gave it; the vendors differ in what they let it be.
#[derive(Clone, Copy, Debug)]
pub struct NameRule {
    bytes_max: usize,
    /// Allowed beside letters and digits.
    signs: &'static [u8],
    /// Chinese characters are letters, and a name is more than digits: a number stands for something else.
    is_word: bool,
    /// What no name may begin with.
    kept: &'static [&'static str],
}

impl NameRule {
    /// `[a-z0-9_.-]`, 1 to 64 bytes.
    pub const LONG: Self = Self { bytes_max: USERNAME_BYTES_MAX, signs: b"_.-", is_word: false, kept: &[] };
    /// `[a-z0-9_@.-]`, 1 to 32 bytes.
    pub const SHORT: Self = Self { bytes_max: SHORT_NAME_BYTES_MAX, signs: b"_.-@", is_word: false, kept: &[] };
    /// `[a-z0-9_]` and Chinese characters, not digits alone, 1 to 64 bytes; names that begin with `mta` or `maxim` are
    /// kept for the vendor's own.
    pub const WORD: Self = Self { bytes_max: USERNAME_BYTES_MAX, signs: b"_", is_word: true, kept: &["mta", "maxim"] };

    fn allows(self, text: &str) -> bool {
        let is_chinese = |c: char| self.is_word && ('\u{4e00}'..='\u{9fa5}').contains(&c);
        let is_sign = |c: char| u8::try_from(c).is_ok_and(|byte| self.signs.contains(&byte));
        let is_number = || text.bytes().all(|byte| byte.is_ascii_digit());
        // A path with one of these as a segment is rewritten by HTTP clients: such a user could not be reached.
        if matches!(text, "" | "." | "..") || (self.is_word && is_number()) {
            return false;
        }
        let folded = text.to_ascii_lowercase();
        let is_kept = self.kept.iter().any(|kept| folded.starts_with(kept));
        !is_kept && text.chars().all(|c| c.is_ascii_alphanumeric() || is_sign(c) || is_chinese(c))
    }
}

impl Default for NameRule {
    fn default() -> Self {
        Self::LONG
    }
}

/// A user's name, folded to lower case.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Username(String);

impl Username {
    /// Checks and folds a name as a caller spelled it, by [`NameRule::LONG`].
    pub fn parse(text: &str) -> Result<Self> {
        Self::parse_by(NameRule::LONG, text)
    }

    /// Checks and folds a name as a caller spelled it.
    pub fn parse_by(rule: NameRule, text: &str) -> Result<Self> {
        if text.len() > rule.bytes_max {
            return Err(Error::about(Code::UsernameTooLong, text).with_limit(rule.bytes_max));
        }
        if !rule.allows(text) {
            return Err(Error::about(Code::UsernameIllegal, text));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// The folded name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folded name, owned.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// An app's name pair, `ORG/APP` or `ORG#APP`: letters, digits, `-` and `_`, each 1 to 32 characters.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AppName {
    /// Organisation.
    pub org: String,
    /// App.
    pub name: String,
}

impl AppName {
    /// Parses either spelling.
    pub fn parse(text: &str) -> Result<Self> {
        let illegal = || Error::about(Code::AppNameIllegal, text);
        let (org, name) = text.split_once(['/', '#']).ok_or_else(illegal)?;
        let legal = |part: &str| {
            !part.is_empty()
                && part.len() <= APP_NAME_CHARS_MAX
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        };
        if !legal(org) || !legal(name) || RESERVED_ORGS.contains(&org) {
            return Err(illegal());
        }
        Ok(Self { org: org.to_owned(), name: name.to_owned() })
    }

    /// `ORG#APP`.
    pub fn app_key(&self) -> String {
        format!("{}#{}", self.org, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names_fold_and_are_bounded() {
        assert_eq!(Username::parse("User.1_-").unwrap().as_str(), "user.1_-");
        let long = "a".repeat(65);
        for (text, code) in [
            ("", Code::UsernameIllegal),
            ("a b", Code::UsernameIllegal),
            ("小明", Code::UsernameIllegal),
            ("a@b.c", Code::UsernameIllegal),
            ("a\0", Code::UsernameIllegal),
            ("a/b", Code::UsernameIllegal),
            ("..", Code::UsernameIllegal),
            (long.as_str(), Code::UsernameTooLong),
        ] {
            assert_eq!(Username::parse(text).unwrap_err().code, code, "{text:?}");
        }
        assert!(Username::parse(&"a".repeat(64)).is_ok());
        assert_eq!(Username::parse_by(NameRule::SHORT, "A@b.C").unwrap().as_str(), "a@b.c");
        let long = Username::parse_by(NameRule::SHORT, &"a".repeat(33)).unwrap_err();
        assert_eq!((long.code, long.limit), (Code::UsernameTooLong, 32));
    }

    #[test]
    fn words_take_chinese_and_are_no_numbers() {
        for text in ["test_user", "张三", "1a", "_", "a1", "Max"] {
            assert_eq!(Username::parse_by(NameRule::WORD, text).unwrap().as_str(), text.to_ascii_lowercase());
        }
        let long = "张".repeat(22);
        for text in ["", "123", "a-b", "a.b", "a@b.c", "a b", "mta1", "Maxim", "ａ", "a\0", long.as_str()] {
            assert!(Username::parse_by(NameRule::WORD, text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn app_names_take_both_separators_and_no_reserved_words() {
        let name = AppName::parse("easemob-demo#testapp").unwrap();
        assert_eq!(name, AppName::parse("easemob-demo/testapp").unwrap());
        assert_eq!(name.app_key(), "easemob-demo#testapp");
        for text in ["", "a", "a/", "/a", "a/b/c", "admin/x", "livez/x", "a b/c", "a/b%"] {
            assert_eq!(AppName::parse(text).unwrap_err().code, Code::AppNameIllegal, "{text:?}");
        }
    }
}
