//! A router over a database of its own, and the callers of it.

use std::future::poll_fn;
use std::ops::Deref;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use futures_util::future::BoxFuture;
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;
use yinxin_admin::{AdminKey, router};
use yinxin_core::Ctx;
use yinxin_core::hooks::{Courier, Letter, Reply as Answer, Undelivered};
use yinxin_core::rng::SystemRng;
use yinxin_http::Arrival;
use yinxin_realtime::{Bounds, Registry};
use yinxin_testkit::ground::{Ground, Setup};

/// A backend that wants nothing sent.
struct Grump;

impl Courier for Grump {
    fn check(&self, url: &str) -> Result<(), String> {
        if url.starts_with("http") { Ok(()) } else { Err("no scheme".to_owned()) }
    }

    fn post(&self, _: Letter) -> BoxFuture<'_, Result<Answer, Undelivered>> {
        let body = br#"{"allow":false,"reason":"not today"}"#.to_vec();
        Box::pin(async { Ok(Answer { status: 200, body, retry_after_s: None }) })
    }
}

pub struct Api {
    ground: Ground,
    pub registry: Arc<Registry>,
    authorization: String,
}

impl Deref for Api {
    type Target = Ground;

    fn deref(&self) -> &Ground {
        &self.ground
    }
}

impl Api {
    /// A server with the app `acme/chat`.
    pub async fn start() -> Self {
        let registry = Registry::new(Bounds::default());
        let key = AdminKey::generate(&SystemRng);
        let authorization = format!("Bearer {}", key.reveal());
        let setup = Setup { courier: Arc::new(Grump), ..Setup::default() };
        let routes = move |ctx: &Arc<Ctx>| router(Arc::clone(ctx), key.clone());
        let ground = Ground::new(setup, registry.clone(), routes).await;
        let api = Self { ground, registry, authorization };
        api.post("/apps", r#"{"org":"acme","app":"chat"}"#).await.expect(StatusCode::CREATED);
        api
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, "").await
    }

    pub async fn post(&self, path: &str, body: &str) -> Reply {
        self.call("POST", path, body).await
    }

    pub async fn call(&self, method: &str, path: &str, body: &str) -> Reply {
        self.send(method, &format!("/admin/v1{path}"), Some(&self.authorization), body.as_bytes().to_vec()).await
    }

    pub async fn send(&self, method: &str, path: &str, authorization: Option<&str>, body: Vec<u8>) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        self.send_whole(request.body(Body::from(body)).unwrap()).await
    }

    pub async fn send_whole(&self, mut request: Request<Body>) -> Reply {
        if request.extensions().get::<Arrival>().is_none() {
            request.extensions_mut().insert(Arrival::in_process());
        }
        Reply::of(self.router.clone().oneshot(request).await.unwrap()).await
    }

    /// Calls and goes away at once.
    pub async fn abandon(&self, method: &str, path: &str, body: &str) {
        let request = Request::builder()
            .method(method)
            .uri(format!("/admin/v1{path}"))
            .header(header::AUTHORIZATION, &self.authorization)
            .extension(Arrival::in_process())
            .body(Body::from(body.to_owned()));
        let mut called = pin!(self.router.clone().oneshot(request.unwrap()));
        let answered = poll_fn(|cx| Poll::Ready(called.as_mut().poll(cx).is_ready())).await;
        assert!(!answered);
    }

    pub fn authorization(&self) -> &str {
        &self.authorization
    }
}

#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub json: Value,
}

impl Reply {
    /// Every answer is JSON and must not be kept by anybody.
    async fn of(response: Response<Body>) -> Self {
        let status = response.status();
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        Self { status, json: serde_json::from_slice(&body).unwrap() }
    }

    #[track_caller]
    pub fn expect(self, status: StatusCode) -> Value {
        assert_eq!(self.status, status, "{}", self.json);
        self.json
    }

    #[track_caller]
    pub fn refused(self, status: StatusCode, code: &str) -> String {
        assert_eq!(self.status, status, "{}", self.json);
        assert_eq!(self.json.as_object().unwrap().len(), 1);
        assert_eq!(self.json["error"]["code"], code, "{}", self.json);
        self.json["error"]["message"].as_str().unwrap().to_owned()
    }
}
