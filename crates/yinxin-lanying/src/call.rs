//! [`Call`]: one request to an app that exists, as its handler sees it.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use yinxin_core::users::{self, User};
use yinxin_core::{App, Code, Ctx, Error, Result};
use yinxin_http::{Arrival, Form, FormFault, PacedBody};

use crate::query::Query;
use crate::{Options, body};

/// The app that is called.
const APP_ID: &str = "app_id";
/// Who calls.
const ACCESS_TOKEN: &str = "access-token";

/// A request.
pub(crate) struct Call {
    pub ctx: Arc<Ctx>,
    pub app: Arc<App>,
    pub options: Arc<Options>,
    pub arrival: Arrival,
    pub headers: HeaderMap,
    pub query: Query,
    /// Read when the caller has shown its right.
    pub body: Bytes,
    /// The body of an upload, until it is taken.
    pub unread: Mutex<Option<Body>>,
}

impl Call {
    /// The body as an object.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        body::object(&self.body)
    }

    /// Takes the body of an upload as a form that is read as it comes, of at most so many bytes.
    pub fn take_form(&self, bytes_max: usize) -> Result<Form, FormFault> {
        let body = self.unread.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
        let body = PacedBody::new(body, bytes_max, self.arrival.body_timeout)?;
        Form::new(self.headers.get(header::CONTENT_TYPE), body)
    }

    /// What the caller shows; empty when it shows nothing. Addresses of pictures have it behind the question mark.
    pub fn token(&self) -> &str {
        match text(&self.headers, ACCESS_TOKEN) {
            "" => self.query.get(ACCESS_TOKEN).unwrap_or_default(),
            token => token,
        }
    }

    /// A number in a header; `None` when it is not there.
    pub fn header_number(&self, name: &str) -> Result<Option<i64>> {
        match text(&self.headers, name) {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| Error::about(Code::FieldIllegal, name)),
        }
    }

    /// The user of that number.
    pub async fn user(&self, number: i64) -> Result<Arc<User>> {
        let user = users::by_number(&self.ctx, self.app.id, number).await?;
        user.ok_or_else(|| Error::about(Code::UserNotFound, number.to_string()))
    }

    /// The user that a parameter names.
    pub async fn user_in_query(&self, name: &str) -> Result<Arc<User>> {
        let number = self.query.number(name)?.ok_or_else(|| Error::about(Code::FieldIllegal, name))?;
        self.user(number).await
    }

    /// `scheme` and `host[:port]` that the caller reaches this server by.
    pub fn place(&self) -> (&str, &str) {
        if let Some((scheme, host)) = self.options.public_url.as_deref().and_then(|url| url.split_once("://")) {
            return (scheme, host.trim_end_matches('/'));
        }
        let scheme = if self.arrival.https { "https" } else { "http" };
        (scheme, Some(text(&self.headers, "host")).filter(|host| !host.is_empty()).unwrap_or("localhost"))
    }
}

/// The app that a request names; addresses of pictures do it behind the question mark.
pub(crate) fn app_id<'a>(headers: &'a HeaderMap, query: &'a Query) -> &'a str {
    match text(headers, APP_ID) {
        "" => query.get(APP_ID).unwrap_or_default(),
        id => id,
    }
}

/// A header as text. One that is no UTF-8 is as good as none.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok()).unwrap_or_default().trim()
}
