//! `user/getToken.action`: room tokens. Source: netease-get-token.txt.

use serde::Serialize;
use yinxin_core::rooms::tokens::{self, Request};
use yinxin_core::rooms::{RoomName, RoomUid};

use super::call::Call;
use crate::answer::{self, Answer};

#[derive(Serialize)]
struct Token<'a> {
    token: &'a str,
}

/// Gives a number its token for a room, or for any.
pub(super) async fn get(call: &Call) -> Answer {
    let form = &call.form;
    let request = Request {
        uid: RoomUid::parse(form.get("uid").unwrap_or_default())?,
        room: form.filled("channelName").map(RoomName::parse).transpose()?,
        ttl_s: form.filled("expireAt").map(seconds),
        repeat_use: form.switch("repeatUse")?,
    };
    let token = tokens::issue(call.ctx(), &call.app, &request).await?;
    answer::ok(Token { token: &token })
}

/// What is no number is refused like one that is out of bounds, by the use case.
fn seconds(text: &str) -> i64 {
    text.parse().unwrap_or(0)
}
