//! The table of the calls, which makes the routes and which the OpenAPI document is checked against.

use std::pin::Pin;

use super::call::Call;
use super::{admit, credentials, nginx_rtmp};
use crate::answer::Answer;
use crate::errors::At;

pub(super) type Handling = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// A call; each is a POST.
pub struct Operation {
    /// Its `operationId`, and its name in metrics and logs.
    pub id: &'static str,
    /// Its path.
    pub path: &'static str,
    /// Whom its refusals are for.
    pub(super) at: At,
    pub(super) handler: fn(Call) -> Handling,
}

/// Every call.
pub const OPERATIONS: &[Operation] = &[
    Operation { id: "admit", path: "/nrtc/admit", at: At::Call, handler: |call| Box::pin(admit::admit(call)) },
    Operation {
        id: "give_credentials",
        path: "/nrtc/credentials",
        at: At::Join,
        handler: |call| Box::pin(credentials::give(call)),
    },
    Operation {
        id: "hook_nginx_rtmp",
        path: "/nrtc/hooks/nginx-rtmp",
        at: At::Call,
        handler: |call| Box::pin(nginx_rtmp::hook(call)),
    },
];
