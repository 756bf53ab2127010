//! [`Ask`]: one request, and what its [`Answer`] may be.

use std::convert::Infallible;
use std::task::Poll;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use futures_util::stream;
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use crate::world::World;

/// A request under construction.
pub struct Ask<'a> {
    world: &'a World,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Body,
}

impl<'a> Ask<'a> {
    pub fn new(world: &'a World, method: &str, path: &str) -> Self {
        Self { world, method: method.to_owned(), path: path.to_owned(), headers: Vec::new(), body: Body::empty() }
    }

    #[expect(clippy::needless_pass_by_value, reason = "numbers and texts read alike")]
    pub fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// With a token, of whomever.
    pub fn by(self, token: &str) -> Self {
        self.header("access-token", token)
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Body::from(body.into());
        self
    }

    /// With a body that nobody may read.
    pub fn unreadable(mut self) -> Self {
        let read = || -> Poll<Option<Result<Vec<u8>, Infallible>>> { panic!("the body was read") };
        self.body = Body::from_stream(stream::poll_fn(move |_| read()));
        self
    }

    pub async fn send(self) -> Answer {
        let mut request = Request::builder().method(self.method.as_str()).uri(&self.path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(self.body).unwrap();
        let response = self.world.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { what: format!("{} {}", self.method, self.path), status: parts.status, headers: parts.headers, bytes }
    }

    /// What a success says.
    pub async fn ok(self) -> Value {
        self.send().await.ok()
    }

    /// Fails unless it is refused with that code.
    pub async fn refused(self, code: u32) -> String {
        self.send().await.refused(code)
    }
}

pub struct Answer {
    pub what: String,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        let text = || String::from_utf8_lossy(&self.bytes).into_owned();
        serde_json::from_slice(&self.bytes).unwrap_or_else(|fault| panic!("{}: {fault}: {}", self.what, text()))
    }

    /// The data of a success.
    pub fn ok(&self) -> Value {
        let mut body = self.json();
        assert_eq!((self.status, &body["code"]), (StatusCode::OK, &200.into()), "{}: {body}", self.what);
        assert!(body.as_object().unwrap().contains_key("message") && body["message"].is_null(), "{body}");
        body["data"].take()
    }

    /// The text of a refusal under HTTP 200.
    pub fn refused(&self, code: u32) -> String {
        let body = self.json();
        assert_eq!((self.status, &body["code"]), (StatusCode::OK, &code.into()), "{}: {body}", self.what);
        assert_eq!(body.as_object().unwrap().len(), 2, "{body}");
        body["message"].as_str().unwrap().to_owned()
    }
}
