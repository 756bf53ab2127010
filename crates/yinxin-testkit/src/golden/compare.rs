//! The comparison: an expected reply against an actual one, key by key, with typed exceptions for what no two servers
//! share. Pure: it takes the time as a number and knows nothing of HTTP or of how the reply came about.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use super::shape::{self, Shape};

/// One place where two replies differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// JSON pointer.
    pub at: String,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub actual: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, actual {}", self.at, self.expected, self.actual)
    }
}

/// Which uuid of this server a uuid of the sample stands for. One to one: no two stand for the same.
#[derive(Debug, Clone, Default)]
pub struct Uuids(BTreeMap<String, String>);

impl Uuids {
    /// From now on `sample` stands for `real`.
    pub fn bind(&mut self, sample: &str, real: &str) {
        self.0.insert(sample.to_owned(), real.to_owned());
    }

    /// Whether `sample` stands for something yet.
    pub fn knows(&self, sample: &str) -> bool {
        self.0.contains_key(sample)
    }

    /// Whether `actual` may stand where the sample prints `sample`; if not, what should. The first sight binds.
    fn agree(&mut self, sample: &str, actual: &str) -> Result<(), String> {
        match self.0.get(sample) {
            Some(real) if real == actual => Ok(()),
            Some(real) => Err(format!("{real:?} (for {sample} of the sample)")),
            None if !shape::is_uuid(actual) => Err("a uuid".to_owned()),
            None if self.0.values().any(|real| real == actual) => {
                Err(format!("another uuid than the sample's other ids (for {sample} of the sample)"))
            }
            None => {
                self.bind(sample, actual);
                Ok(())
            }
        }
    }
}

/// What a comparison needs to know besides the two replies.
#[derive(Debug)]
pub struct Rules<'a> {
    /// Which members of an object are compared by shape, by their key.
    pub shape_of: fn(&str) -> Option<Shape>,
    /// JSON pointers of which only the type is compared.
    pub redact: &'a BTreeMap<String, String>,
    /// The current time in ms since 1970.
    pub now_ms: i64,
}

/// Compares two replies and returns every difference, in the order of the keys. `uuids` is what is known about the
/// sample's ids before; it learns the rest.
pub fn compare(rules: &Rules<'_>, uuids: &mut Uuids, expected: &Value, actual: &Value) -> Vec<Difference> {
    let mut comparison = Comparison { rules, uuids, differences: Vec::new() };
    comparison.value("", None, expected, actual);
    comparison.differences
}

struct Comparison<'a> {
    rules: &'a Rules<'a>,
    uuids: &'a mut Uuids,
    differences: Vec<Difference>,
}

impl Comparison<'_> {
    fn value(&mut self, at: &str, key: Option<&str>, expected: &Value, actual: &Value) {
        if self.rules.redact.contains_key(at) {
            if kind(expected) != kind(actual) || actual == "" {
                self.differ(at, format!("a non-empty {}", kind(expected)), actual.to_string());
            }
            return;
        }
        match (expected, actual, key.and_then(self.rules.shape_of)) {
            (Value::Object(expected), Value::Object(actual), _) => self.object(at, expected, actual),
            (Value::Array(expected), Value::Array(actual), _) => self.array(at, expected, actual),
            (Value::Object(_) | Value::Array(_), _, _) => self.differ(at, expected.to_string(), actual.to_string()),
            (_, _, Some(shape)) => self.shape(at, shape, expected, actual),
            (Value::String(expected), Value::String(actual), None) => self.text(at, expected, actual),
            _ if expected == actual => {}
            _ => self.differ(at, expected.to_string(), actual.to_string()),
        }
    }

    fn object(&mut self, at: &str, expected: &Map<String, Value>, actual: &Map<String, Value>) {
        for (key, expected) in expected {
            let at = format!("{at}/{key}");
            match actual.get(key) {
                Some(actual) => self.value(&at, Some(key), expected, actual),
                None => self.differ(&at, expected.to_string(), "no such key"),
            }
        }
        for (key, actual) in actual.iter().filter(|(key, _)| !expected.contains_key(*key)) {
            self.differ(&format!("{at}/{key}"), "no such key", actual.to_string());
        }
    }

    fn array(&mut self, at: &str, expected: &[Value], actual: &[Value]) {
        for (n, (expected, actual)) in expected.iter().zip(actual).enumerate() {
            self.value(&format!("{at}/{n}"), None, expected, actual);
        }
        for (n, expected) in expected.iter().enumerate().skip(actual.len()) {
            self.differ(&format!("{at}/{n}"), expected.to_string(), "no such element");
        }
        for (n, actual) in actual.iter().enumerate().skip(expected.len()) {
            self.differ(&format!("{at}/{n}"), "no such element", actual.to_string());
        }
    }

    fn shape(&mut self, at: &str, shape: Shape, expected: &Value, actual: &Value) {
        let agreed = match shape {
            Shape::Uuid => self.uuid(expected, actual),
            Shape::Cursor => self.cursor(expected, actual),
            Shape::Millis => shape::millis(actual, self.rules.now_ms),
            Shape::Duration => shape::duration(actual),
            Shape::AccessToken => shape::access_token(actual),
            Shape::HexToken => shape::hex_token(expected, actual),
            Shape::Number => shape::number(actual),
        };
        if let Err(wanted) = agreed {
            self.differ(at, wanted, actual.to_string());
        }
    }

    fn uuid(&mut self, expected: &Value, actual: &Value) -> Result<(), String> {
        let sample = expected.as_str().ok_or("a uuid in the sample")?;
        self.uuids.agree(sample, actual.as_str().ok_or("a uuid")?)
    }

    /// A cursor names the first user of the next page, so the user it names follows the rule of the uuids.
    fn cursor(&mut self, expected: &Value, actual: &Value) -> Result<(), String> {
        let actual = actual.as_str().and_then(shape::cursor).ok_or(shape::CURSOR)?;
        match expected.as_str().and_then(shape::cursor) {
            Some(sample) => self.uuids.agree(&sample, &actual).map_err(|wanted| format!("a cursor at {wanted}")),
            None => Ok(()),
        }
    }

    /// Text is compared exactly but for the uuids inside, which follow the rule of the uuids.
    fn text(&mut self, at: &str, expected: &str, actual: &str) {
        let (wanted, got) = (shape::split_uuids(expected), shape::split_uuids(actual));
        let mut agreed = wanted.len() == got.len();
        for (n, (wanted, got)) in wanted.iter().zip(&got).enumerate() {
            // Literal text and uuids alternate.
            agreed &= if n % 2 == 0 { wanted == got } else { self.uuids.agree(wanted, got).is_ok() };
        }
        if !agreed {
            let known = |(n, part): (usize, &&str)| match self.uuids.0.get(*part) {
                Some(real) if n % 2 == 1 => real.clone(),
                _ => (*part).to_owned(),
            };
            let expected: String = wanted.iter().enumerate().map(known).collect();
            self.differ(at, format!("{expected:?}"), format!("{actual:?}"));
        }
    }

    fn differ(&mut self, at: &str, expected: impl Into<String>, actual: impl Into<String>) {
        let at = if at.is_empty() { "/" } else { at }.to_owned();
        self.differences.push(Difference { at, expected: expected.into(), actual: actual.into() });
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_700_000_000_000;
    const APP: &str = "8be024f0-e978-11e8-b697-5d598d5f8402";
    const OWNER: &str = "4759aa70-eba5-11e8-925f-6fa0510823ba";
    const FRIEND: &str = "b2aade90-e978-11e8-a974-f3368f82e4f1";
    const REAL_APP: &str = "11111111-e978-11e8-b697-5d598d5f8402";
    const REAL_OWNER: &str = "22222222-eba5-11e8-925f-6fa0510823ba";
    const REAL_FRIEND: &str = "33333333-e978-11e8-a974-f3368f82e4f1";

    fn expected() -> Value {
        json!({
            "action": "post", "application": APP, "path": format!("/users/{OWNER}/contacts"),
            "entities": [{ "uuid": FRIEND, "created": 1, "username": "user2", "activated": true }],
            "params": { "limit": ["2"] }, "timestamp": 1, "duration": 63, "count": 1,
        })
    }

    fn actual() -> Value {
        json!({
            "action": "post", "application": REAL_APP, "path": format!("/users/{REAL_OWNER}/contacts"),
            "entities": [{ "uuid": REAL_FRIEND, "created": NOW - 5, "username": "user2", "activated": true }],
            "params": { "limit": ["2"] }, "timestamp": NOW, "duration": 0, "count": 1,
        })
    }

    fn differences(redact: &[&str], actual: &Value) -> Vec<String> {
        let redact = redact.iter().map(|at| ((*at).to_owned(), "a reason".to_owned())).collect();
        let rules = Rules { shape_of: shape::easemob, redact: &redact, now_ms: NOW };
        let mut uuids = Uuids::default();
        uuids.bind(APP, REAL_APP);
        uuids.bind(OWNER, REAL_OWNER);
        compare(&rules, &mut uuids, &expected(), actual).into_iter().map(|d| d.at).collect()
    }

    /// The places that differ after one change to a reply that does not.
    fn after(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let mut actual = actual();
        change(&mut actual);
        differences(&[], &actual)
    }

    #[test]
    fn a_like_reply_has_no_difference() {
        assert_eq!(differences(&[], &actual()), Vec::<String>::new());
    }

    #[test]
    fn catches_a_missing_and_an_extra_key_at_any_depth() {
        assert_eq!(after(|v| drop(v.as_object_mut().unwrap().remove("count"))), ["/count"]);
        assert_eq!(after(|v| v["organization"] = json!("o")), ["/organization"]);
        assert_eq!(
            after(|v| drop(v["entities"][0].as_object_mut().unwrap().remove("username"))),
            ["/entities/0/username"]
        );
        assert_eq!(after(|v| v["params"]["cursor"] = json!([])), ["/params/cursor"]);
    }

    #[test]
    fn catches_a_wrong_value_and_a_wrong_type() {
        assert_eq!(after(|v| v["action"] = json!("put")), ["/action"]);
        assert_eq!(after(|v| v["count"] = json!("1")), ["/count"]);
        assert_eq!(after(|v| v["count"] = json!(1.0)), ["/count"]);
        assert_eq!(after(|v| v["entities"][0]["activated"] = json!("true")), ["/entities/0/activated"]);
        assert_eq!(after(|v| v["entities"] = json!({})), ["/entities"]);
        assert_eq!(after(|v| v["timestamp"] = json!({})), ["/timestamp"]);
        assert_eq!(after(|v| *v = json!("text")), ["/"]);
    }

    #[test]
    fn catches_elements_too_many_and_too_few() {
        assert_eq!(after(|v| v["entities"] = json!([])), ["/entities/0"]);
        assert_eq!(after(|v| v["params"]["limit"] = json!(["2", "3"])), ["/params/limit/1"]);
    }

    #[test]
    fn catches_a_bad_uuid() {
        for bad in ["", "22222222", &REAL_FRIEND.to_uppercase(), "00000000-0000-0000-0000-000000000000"] {
            assert_eq!(after(|v| v["entities"][0]["uuid"] = json!(bad)), ["/entities/0/uuid"], "{bad}");
        }
        assert_eq!(after(|v| v["application"] = json!(REAL_FRIEND)), ["/application", "/entities/0/uuid"][..1]);
    }

    #[test]
    fn a_uuid_inside_text_must_be_the_one_it_stands_for() {
        let path = |uuid: &str| json!(format!("/users/{uuid}/contacts"));
        assert_eq!(after(|v| v["path"] = path(REAL_FRIEND)), ["/path"]);
        assert_eq!(after(|v| v["path"] = path("user1")), ["/path"]);
        assert_eq!(after(|v| v["path"] = json!(format!("/users/{REAL_OWNER}/blocks"))), ["/path"]);
    }

    #[test]
    fn two_ids_of_the_sample_are_two_ids_here() {
        assert_eq!(after(|v| v["entities"][0]["uuid"] = json!(REAL_OWNER)), ["/entities/0/uuid"]);
    }

    #[test]
    fn catches_implausible_times() {
        for bad in [json!(NOW - 60_001), json!(NOW + 60_001), json!(NOW / 1000), json!("1"), json!(1.5)] {
            assert_eq!(after(|v| v["timestamp"] = bad.clone()), ["/timestamp"], "{bad}");
        }
        for bad in [json!(-1), json!(60_001), json!(0.5), json!("0")] {
            assert_eq!(after(|v| v["duration"] = bad.clone()), ["/duration"], "{bad}");
        }
    }

    #[test]
    fn a_redacted_value_still_has_its_type() {
        let mut actual = actual();
        actual["action"] = json!("anything");
        assert_eq!(differences(&["/action"], &actual), Vec::<String>::new());
        actual["action"] = json!("");
        assert_eq!(differences(&["/action"], &actual), ["/action"]);
        actual["action"] = json!(7);
        assert_eq!(differences(&["/action"], &actual), ["/action"]);
    }

    #[test]
    fn a_cursor_names_the_user_its_sample_names() {
        let cursor = "LTgzNDAxMjM3OTpfdmZ5VU9tREVlaTZPUV90ZmN3ODNR";
        let (redact, mut uuids) = (BTreeMap::new(), Uuids::default());
        let rules = Rules { shape_of: shape::easemob, redact: &redact, now_ms: NOW };
        let mut agrees = |actual: &str| {
            compare(&rules, &mut uuids, &json!({ "cursor": cursor }), &json!({ "cursor": actual })).is_empty()
        };
        assert!(!agrees("LTgzNDAxMjM3OQ") && !agrees("not base64!") && !agrees(""));
        assert!(agrees("LTgzNDAxMjM3OToxTEFnNE9sNEVlaVQ0UEdhdmJNR2tB"), "the first sight binds");
        assert!(!agrees(cursor), "another user than before");
    }
}
