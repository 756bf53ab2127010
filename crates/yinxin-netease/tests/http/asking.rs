//! What this vendor's requests and answers look like.

pub use yinxin_testkit::asking::{Ask, Reply};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use yinxin_core::App;
use yinxin_token::netease::check_sum;

/// As the document's sample sends it in every call.
pub const NONCE: &str = "12345";

pub trait Signed {
    /// With the signature of that app's backend, made now.
    fn signed_by(self, app: &App) -> Self;

    /// With a signature of these parts.
    fn signed_with(self, key: &str, secret: &str, nonce: &str, cur_time: &str) -> Self;

    /// With a form.
    fn form(self, pairs: &[(&str, &str)]) -> Self;
}

impl Signed for Ask<'_> {
    fn signed_by(self, app: &App) -> Self {
        let now_s = self.ground.now_s();
        self.signed_with(&app.signing.key, app.signing.reveal_secret(), NONCE, &now_s.to_string())
    }

    /// With a signature of these parts.
    fn signed_with(self, key: &str, secret: &str, nonce: &str, cur_time: &str) -> Self {
        self.header("appkey", key)
            .header("nonce", nonce)
            .header("curtime", cur_time)
            .header("checksum", check_sum(secret, nonce, cur_time))
    }

    /// With a form.
    fn form(self, pairs: &[(&str, &str)]) -> Self {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let pairs: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        self.header("content-type", "application/x-www-form-urlencoded;charset=utf-8").raw(pairs.join("&"))
    }
}

pub trait Answer {
    /// The body, which must be JSON under HTTP 200 and labelled so, for pages of any origin.
    #[track_caller]
    fn said(&self) -> Value;

    /// The body of a success.
    #[track_caller]
    fn ok(&self) -> Value;

    /// The code and the text of a refusal, after a look at its shape.
    #[track_caller]
    fn fault(&self) -> (u64, String);

    /// Expects that refusal.
    #[track_caller]
    fn refused(&self, code: u64, desc: &str);
}

impl Answer for Reply {
    #[track_caller]
    fn said(&self) -> Value {
        assert_eq!(self.status, 200, "{}: {}", self.asked, self.text());
        assert_eq!(self.header("content-type"), "application/json; charset=utf-8", "{}", self.asked);
        assert_eq!(self.header("access-control-allow-origin"), "*", "{}", self.asked);
        self.json()
    }

    #[track_caller]
    fn ok(&self) -> Value {
        let body = self.said();
        assert_eq!(body["code"], 200, "{}: {}", self.asked, self.text());
        body
    }

    #[track_caller]
    fn fault(&self) -> (u64, String) {
        let body = self.said();
        let shown = format!("{}: {}", self.asked, self.text());
        assert!(self.body.starts_with(br#"{"desc":""#), "{shown}");
        assert_eq!(body.as_object().unwrap().len(), 2, "{shown}");
        let code = body["code"].as_u64().unwrap_or_else(|| panic!("{shown}"));
        assert_ne!(code, 200, "{shown}");
        (code, body["desc"].as_str().unwrap().to_owned())
    }

    #[track_caller]
    fn refused(&self, code: u64, desc: &str) {
        assert_eq!(self.fault(), (code, desc.to_owned()), "{}", self.asked);
    }
}
