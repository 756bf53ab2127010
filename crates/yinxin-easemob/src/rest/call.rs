//! [`Call`]: one request after routing, as its handler and the renderer see it.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::RawPathParams;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use uuid::Uuid;
use yinxin_core::tokens::{self, Caller};
use yinxin_core::{App, Code, Ctx, Error, Result, users};
use yinxin_http::{Arrival, BodyFault, Form, FormFault, PacedBody};

use super::dispatch::Dialect;
use super::op::Op;

/// A request to an app that exists.
pub(crate) struct Call {
    pub dialect: Arc<Dialect>,
    pub op: Op,
    pub app: Arc<App>,
    pub arrival: Arrival,
    pub parts: Parts,
    /// The path's parameters, decoded, by name.
    pub params: RawPathParams,
    /// Locked by nobody: the mutex only makes a call shareable between threads, which a body is not.
    pub body: Mutex<Option<Body>>,
}

impl Call {
    /// The context of the use cases.
    pub fn ctx(&self) -> &Ctx {
        &self.dialect.ctx
    }

    /// The path parameter of that name. The static twin of a parameter (`/users/batch/status`) is its value.
    pub fn param(&self, name: &str) -> &str {
        let named = self.params.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
        let twin =
            || self.parts.uri.path().split('/').skip(3).skip_while(|part| *part != "users" && *part != "user").nth(1);
        named.or_else(twin).unwrap_or_default()
    }

    /// The user that the path names.
    pub fn owner(&self) -> &str {
        self.param("username")
    }

    /// The second user that the path names.
    pub fn other(&self) -> &str {
        self.param("other")
    }

    pub fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// What stands behind `Bearer`; empty when there is nothing.
    pub fn bearer(&self) -> &str {
        let header = self.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let value = header.unwrap_or_default().trim();
        match value.split_at_checked(6) {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            // A token without the word before it is taken as one, as the vendor does; anything else is corrupt.
            _ => value,
        }
    }

    /// Who is calling.
    pub async fn caller(&self) -> Result<Caller> {
        match tokens::authenticate(self.ctx(), &self.app, self.bearer()).await {
            Err(error) if error.code == Code::TokenMissing => Err(self.refused(Code::TokenMissing).await?),
            caller => caller,
        }
    }

    /// A refusal that names the permission the caller lacks, as the vendor prints it.
    pub async fn refused(&self, code: Code) -> Result<Error> {
        // Quirk(easemob): the batch status call is a POST, its permission says `get`. Source: easemob-user-system.txt.
        let action = match *self.parts.method.as_str().as_bytes() {
            _ if self.op == Op::StatusBatch => "get",
            [b'P', b'O', ..] => "post",
            [b'P', ..] => "put",
            [b'D', ..] => "delete",
            _ => "get",
        };
        let app = self.app.uuid();
        let resource = if self.op.is_files() {
            "/chatfiles".to_owned()
        } else if self.op.is_about_one_user() && !self.owner().is_empty() {
            format!("/users/{}", self.owner_id().await?)
        } else {
            "/users".to_owned()
        };
        Ok(Error::about(code, format!("applications:{action}:{app}:{resource}")))
    }

    /// The id of the user in the path, or one made up for a name that nobody has.
    async fn owner_id(&self) -> Result<Uuid> {
        let owner = users::look_up(self.ctx(), self.app.id, self.owner()).await?;
        Ok(owner.map_or_else(
            || users::made_up_id(self.ctx(), &self.app, self.owner()),
            |user| Uuid::from_bytes(user.user.0),
        ))
    }

    /// Takes the body; a second time it is empty.
    pub async fn take_body(&mut self) -> Result<Bytes> {
        let body = self.body.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let Some(body) = body else { return Ok(Bytes::new()) };
        let Arrival { body_bytes_max, body_timeout, .. } = self.arrival;
        yinxin_http::read_body(body, body_bytes_max, body_timeout).await.map_err(unread)
    }

    /// Takes the body as a form that is read as it comes, of at most so many bytes.
    pub fn take_form(&mut self, bytes_max: usize) -> Result<Form, FormFault> {
        let body = self.body.get_mut().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
        let body = PacedBody::new(body, bytes_max, self.arrival.body_timeout)?;
        Form::new(self.headers().get(header::CONTENT_TYPE), body)
    }

    /// `scheme://host/org/app`, as replies print it.
    pub fn base(&self) -> String {
        let app = &self.app.name;
        if let Some(url) = &self.dialect.options.public_url {
            return format!("{}/{}/{}", url.trim_end_matches('/'), app.org, app.name);
        }
        let scheme = if self.arrival.https { "https" } else { "http" };
        let host = self.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        format!("{scheme}://{host}/{}/{}", app.org, app.name)
    }

    /// The part of the path behind the app, as requested.
    pub fn path_in_app(&self) -> &str {
        let path = self.parts.uri.path();
        path.match_indices('/').nth(2).map_or("", |(at, _)| &path[at..])
    }
}

/// A body that could not be read.
pub(crate) fn unread(fault: BodyFault) -> Error {
    match fault {
        BodyFault::TooLarge { limit } => Error::over(Code::BodyTooLarge, limit),
        BodyFault::Incomplete => Code::BodyIncomplete.into(),
        BodyFault::TimedOut => Code::BodyTimedOut.into(),
    }
}
