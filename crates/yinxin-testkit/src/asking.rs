//! [`Ask`]: one request to a router in this process, written as a test reads; [`Reply`]: its answer. What a vendor's
//! requests and answers look like, each dialect's tests add.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::Poll;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};
use futures_util::stream;
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;
use yinxin_http::Arrival;

use crate::ground::Ground;

/// A request.
#[must_use = "awaiting it sends it"]
pub struct Ask<'g> {
    /// Whom it is asked.
    pub ground: &'g Ground,
    router: &'g Router,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    /// `None`: one that nobody may read.
    body: Option<Bytes>,
    arrival: Arrival,
}

impl<'g> Ask<'g> {
    /// A request without a body.
    pub fn new(ground: &'g Ground, method: &str, path: &str) -> Self {
        Self::to(ground, &ground.router, method, path)
    }

    /// The same to another router on that ground.
    pub fn to(ground: &'g Ground, router: &'g Router, method: &str, path: &str) -> Self {
        Self {
            ground,
            router,
            method: Method::from_bytes(method.as_bytes()).unwrap(),
            uri: path.parse().unwrap_or_else(|error| panic!("{path:?}: {error}")),
            headers: HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("im.test"))]),
            body: Some(Bytes::new()),
            arrival: Arrival::in_process(),
        }
    }

    /// With a header, replacing one of that name.
    #[expect(clippy::needless_pass_by_value, reason = "numbers and texts read alike")]
    pub fn header(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(&value.to_string()).unwrap());
        self
    }

    /// Without a header.
    pub fn without(mut self, name: &'static str) -> Self {
        self.headers.remove(name);
        self
    }

    /// With a JSON body, labelled as one.
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").raw(body.to_string())
    }

    /// With a body of any bytes, not labelled.
    pub fn raw(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// With a body that nobody may read.
    pub fn unreadable(mut self) -> Self {
        self.body = None;
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

impl<'g> IntoFuture for Ask<'g> {
    type Output = Reply;
    type IntoFuture = Pin<Box<dyn Future<Output = Reply> + Send + 'g>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let shown = self.body.as_deref().map(String::from_utf8_lossy);
            let asked = format!("{} {} {:.200?}", self.method, self.uri, shown.unwrap_or_default());
            let mut request = Request::new(self.body.map_or_else(unreadable, Body::from));
            *request.method_mut() = self.method;
            *request.uri_mut() = self.uri;
            *request.headers_mut() = self.headers;
            request.extensions_mut().insert(self.arrival);
            let response = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let at_ms = self.ground.now_ms();
            Reply { asked, status: parts.status.as_u16(), headers: parts.headers, body, at_ms }
        })
    }
}

fn unreadable() -> Body {
    let read = || -> Poll<Option<Result<Bytes, Infallible>>> { panic!("the body was read") };
    Body::from_stream(stream::poll_fn(move |_| read()))
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// The request, for messages.
    pub asked: String,
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// When it was answered.
    pub at_ms: i64,
}

impl Reply {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body, which must be JSON and labelled so.
    #[track_caller]
    pub fn json(&self) -> Value {
        let label = self.header("content-type");
        assert!(label.starts_with("application/json"), "{}: {} {}", self.asked, self.status, self.text());
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{}: {error}: {}", self.asked, self.text()))
    }
}
