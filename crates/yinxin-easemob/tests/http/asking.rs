//! What this vendor's requests and answers look like.

pub use yinxin_testkit::asking::{Ask, Reply};

use serde_json::Value;

pub trait Bearer {
    /// As the bearer of a token.
    fn by(self, token: &str) -> Self;

    /// Without a token.
    fn anonymous(self) -> Self;
}

impl Bearer for Ask<'_> {
    fn by(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    fn anonymous(self) -> Self {
        self.without("authorization")
    }
}

/// An error body that is of the vendor's shape.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    pub status: u16,
    pub error: String,
    pub description: String,
    /// None for refused grants.
    pub exception: Option<String>,
}

pub trait Answer {
    /// The body of a success.
    #[track_caller]
    fn ok(&self) -> Value;

    /// The error, after a look at the shape of its body.
    #[track_caller]
    fn fault(&self) -> Fault;

    /// Expects that error.
    #[track_caller]
    fn refused(&self, status: u16, error: &str, description: &str) -> Fault;
}

impl Answer for Reply {
    #[track_caller]
    fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}: {}", self.asked, self.text());
        assert_eq!(self.header("content-type"), "application/json", "{}", self.asked);
        self.json()
    }

    #[track_caller]
    fn fault(&self) -> Fault {
        let shown = format!("{}: {} {}", self.asked, self.status, self.text());
        assert!((400..600).contains(&self.status), "{shown}");
        assert_eq!(self.header("content-type"), "application/json", "{shown}");
        let body = self.json();
        let mut keys: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
        // Only services of the SDK's have a number, too.
        keys.retain(|key| *key != "error_code" || !body["error_code"].is_u64());
        keys.sort_unstable();
        let is_grant =
            body["error"].as_str().is_some_and(|error| error.ends_with("_grant") || error.ends_with("grant_type"));
        let expected: &[&str] = if is_grant {
            &["duration", "error", "error_description", "timestamp"]
        } else {
            &["duration", "error", "error_description", "exception", "timestamp"]
        };
        assert_eq!(keys, expected, "{shown}");
        assert_eq!(body["timestamp"], self.at_ms, "{shown}");
        assert!(body["duration"].is_u64(), "{shown}");
        let text = |key: &str| body[key].as_str().map(str::to_owned);
        Fault {
            status: self.status,
            error: text("error").unwrap(),
            description: text("error_description").unwrap(),
            exception: text("exception"),
        }
    }

    #[track_caller]
    fn refused(&self, status: u16, error: &str, description: &str) -> Fault {
        let fault = self.fault();
        let found = (fault.status, &*fault.error, &*fault.description);
        assert_eq!(found, (status, error, description), "{}", self.asked);
        fault
    }
}
