//! What this vendor's requests and answers look like.

pub use yinxin_testkit::asking::{Ask, Reply};

use serde_json::Value;

pub trait Bearer {
    /// With a token, of whomever.
    fn by(self, token: &str) -> Self;
}

impl Bearer for Ask<'_> {
    fn by(self, token: &str) -> Self {
        self.header("access-token", token)
    }
}

pub trait Answer {
    /// The data of a success.
    #[track_caller]
    fn ok(&self) -> Value;

    /// Expects a refusal under HTTP 200 with that code; gives its text.
    #[track_caller]
    fn refused(&self, code: u32) -> String;
}

impl Answer for Reply {
    #[track_caller]
    fn ok(&self) -> Value {
        let mut body = self.json();
        assert_eq!((self.status, &body["code"]), (200, &200.into()), "{}: {body}", self.asked);
        assert!(body.as_object().unwrap().contains_key("message") && body["message"].is_null(), "{body}");
        body["data"].take()
    }

    #[track_caller]
    fn refused(&self, code: u32) -> String {
        let body = self.json();
        assert_eq!((self.status, &body["code"]), (200, &code.into()), "{}: {body}", self.asked);
        assert_eq!(body.as_object().unwrap().len(), 2, "{body}");
        body["message"].as_str().unwrap().to_owned()
    }
}
