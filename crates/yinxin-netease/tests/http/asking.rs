//! [`Ask`]: one request, written as a test reads; [`Reply`]: its answer and what tests expect of one.

use std::pin::Pin;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};
use http_body_util::BodyExt;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tower::ServiceExt;
use yinxin_core::App;
use yinxin_http::Arrival;
use yinxin_token::netease::check_sum;

use crate::world::World;

/// As the document's sample sends it in every call.
pub const NONCE: &str = "12345";

/// A request; awaiting it sends it.
pub struct Ask<'w> {
    world: &'w World,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
    arrival: Arrival,
}

impl<'w> Ask<'w> {
    pub fn new(world: &'w World, method: &str, path: &str) -> Self {
        Self {
            world,
            method: Method::from_bytes(method.as_bytes()).unwrap(),
            uri: path.parse().unwrap_or_else(|error| panic!("{path:?}: {error}")),
            headers: HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("im.test"))]),
            body: Bytes::new(),
            arrival: Arrival::in_process(),
        }
    }

    /// With the signature of that app's backend, made now.
    pub fn signed_by(self, app: &App) -> Self {
        let now_s = self.world.now_s();
        self.signed_with(&app.signing.key, app.signing.reveal_secret(), NONCE, &now_s.to_string())
    }

    /// With a signature of these parts.
    pub fn signed_with(self, key: &str, secret: &str, nonce: &str, cur_time: &str) -> Self {
        self.header("appkey", key)
            .header("nonce", nonce)
            .header("curtime", cur_time)
            .header("checksum", &check_sum(secret, nonce, cur_time))
    }

    /// With a header, replacing one of that name.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        self
    }

    /// Without a header.
    pub fn without(mut self, name: &'static str) -> Self {
        self.headers.remove(name);
        self
    }

    /// With a form.
    pub fn form(self, pairs: &[(&str, &str)]) -> Self {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let pairs: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        self.header("content-type", "application/x-www-form-urlencoded;charset=utf-8").raw(pairs.join("&"))
    }

    /// With a body of any bytes.
    pub fn raw(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// As it arrived.
    pub fn arriving(mut self, arrival: Arrival) -> Self {
        self.arrival = arrival;
        self
    }
}

impl<'w> IntoFuture for Ask<'w> {
    type Output = Reply;
    type IntoFuture = Pin<Box<dyn Future<Output = Reply> + Send + 'w>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let asked = format!("{} {} {:.200?}", self.method, self.uri, String::from_utf8_lossy(&self.body));
            let mut request = Request::new(Body::from(self.body));
            *request.method_mut() = self.method;
            *request.uri_mut() = self.uri;
            *request.headers_mut() = self.headers;
            request.extensions_mut().insert(self.arrival);
            let response = self.world.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            Reply { asked, status: parts.status.as_u16(), headers: parts.headers, body }
        })
    }
}

/// An answer.
pub struct Reply {
    asked: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    /// The body, which must be JSON under HTTP 200 and labelled so.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}: {}", self.asked, self.text());
        let label = self.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        assert_eq!(label, Some(&b"application/json; charset=utf-8"[..]), "{}: {}", self.asked, self.text());
        assert_eq!(self.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*", "{}", self.asked);
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{}: {error}: {}", self.asked, self.text()))
    }

    /// The body of a success.
    #[track_caller]
    pub fn ok(&self) -> Value {
        let body = self.json();
        assert_eq!(body["code"], 200, "{}: {}", self.asked, self.text());
        body
    }

    /// The code and the text of a refusal, after a look at its shape.
    #[track_caller]
    pub fn fault(&self) -> (u64, String) {
        let body = self.json();
        let shown = format!("{}: {}", self.asked, self.text());
        assert!(self.body.starts_with(br#"{"desc":""#), "{shown}");
        assert_eq!(body.as_object().unwrap().len(), 2, "{shown}");
        let code = body["code"].as_u64().unwrap_or_else(|| panic!("{shown}"));
        assert_ne!(code, 200, "{shown}");
        (code, body["desc"].as_str().unwrap().to_owned())
    }

    /// Expects that refusal.
    #[track_caller]
    pub fn refused(&self, code: u64, desc: &str) {
        assert_eq!(self.fault(), (code, desc.to_owned()), "{}", self.asked);
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
