//! [`Ask`]: one request, written as a test reads; [`Reply`]: its answer and what tests expect of one.

use std::pin::Pin;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;
use yinxin_http::Arrival;

use crate::world::World;

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

    /// As the bearer of a token.
    pub fn by(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Without a token.
    pub fn anonymous(mut self) -> Self {
        self.headers.remove(header::AUTHORIZATION);
        self
    }

    /// With a header, replacing one of that name.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        self
    }

    /// With a JSON body, labelled as one.
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").raw(body.to_string())
    }

    /// With a body of any bytes, not labelled.
    pub fn raw(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// From that address.
    pub fn from(mut self, client: &str) -> Self {
        self.arrival.client = client.parse().unwrap();
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
            let asked = format!("{} {} {:?}", self.method, self.uri, String::from_utf8_lossy(&self.body));
            let mut request = Request::new(Body::from(self.body));
            *request.method_mut() = self.method;
            *request.uri_mut() = self.uri;
            *request.headers_mut() = self.headers;
            request.extensions_mut().insert(self.arrival);
            let response = self.world.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            Reply { asked, status: parts.status.as_u16(), headers: parts.headers, body, now_ms: self.world.now_ms() }
        })
    }
}

/// An answer.
pub struct Reply {
    asked: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
    now_ms: i64,
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

impl Reply {
    /// The body, which must be JSON and labelled so.
    #[track_caller]
    pub fn json(&self) -> Value {
        let label = self.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        assert_eq!(label, Some(&b"application/json"[..]), "{}: {} {}", self.asked, self.status, self.text());
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{}: {error}: {}", self.asked, self.text()))
    }

    /// The body of a success.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}: {}", self.asked, self.text());
        self.json()
    }

    /// The error, after a look at the shape of its body.
    #[track_caller]
    pub fn fault(&self) -> Fault {
        let shown = format!("{}: {} {}", self.asked, self.status, self.text());
        assert!((400..600).contains(&self.status), "{shown}");
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
        assert_eq!(body["timestamp"], self.now_ms, "{shown}");
        assert!(body["duration"].is_u64(), "{shown}");
        let text = |key: &str| body[key].as_str().map(str::to_owned);
        Fault {
            status: self.status,
            error: text("error").unwrap(),
            description: text("error_description").unwrap(),
            exception: text("exception"),
        }
    }

    /// Expects that error.
    #[track_caller]
    pub fn refused(&self, status: u16, error: &str, description: &str) -> Fault {
        let fault = self.fault();
        let found = (fault.status, &*fault.error, &*fault.description);
        assert_eq!(found, (status, error, description), "{}", self.asked);
        fault
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
