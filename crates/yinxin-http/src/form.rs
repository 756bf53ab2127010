//! Forms of several parts (`multipart/form-data`), read as they come: of a file in one of them no more is held than has
//! just arrived.

mod head;
mod split;

use axum::http::HeaderValue;
use bytes::Bytes;

use crate::body::{BodyFault, PacedBody};
pub use head::Field;
use split::{Event, Splitter};

/// Why a form could not be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FormFault {
    /// By its content type the body is none.
    #[error("the content type is not multipart/form-data with a boundary")]
    NotAForm,
    /// It breaks the rules of the format; what exactly.
    #[error("the form is malformed: {0}")]
    Malformed(&'static str),
    /// The body could not be read.
    #[error(transparent)]
    Body(#[from] BodyFault),
}

/// A form on its way.
pub struct Form {
    body: PacedBody,
    splitter: Splitter,
    /// Of the field last given, there may be more.
    in_field: bool,
}

impl Form {
    /// The form in a body of that content type.
    pub fn new(content_type: Option<&HeaderValue>, body: PacedBody) -> Result<Self, FormFault> {
        let boundary = content_type.and_then(|value| head::boundary(value.as_bytes())).ok_or(FormFault::NotAForm)?;
        Ok(Self { body, splitter: Splitter::new(&boundary), in_field: false })
    }

    /// The next field, past what was not read of the one before; `None` when the form, and the body, have ended.
    pub async fn field(&mut self) -> Result<Option<Field>, FormFault> {
        while self.in_field {
            self.data().await?;
        }
        if let Event::Field(field) = self.event().await? {
            self.in_field = true;
            return Ok(Some(field));
        }
        // What follows a form means nothing, but a connection can be used again only when all of it is read.
        while self.body.next().await?.is_some() {}
        Ok(None)
    }

    /// The next bytes of the field; `None` at its end.
    pub async fn data(&mut self) -> Result<Option<Bytes>, FormFault> {
        if !self.in_field {
            return Ok(None);
        }
        if let Event::Data(data) = self.event().await? {
            return Ok(Some(data));
        }
        self.in_field = false;
        Ok(None)
    }

    async fn event(&mut self) -> Result<Event, FormFault> {
        loop {
            if let Some(event) = self.splitter.next().map_err(FormFault::Malformed)? {
                return Ok(event);
            }
            match self.body.next().await? {
                Some(data) => self.splitter.push(&data),
                None => return Err(FormFault::Malformed("it ends before its last boundary")),
            }
        }
    }
}
