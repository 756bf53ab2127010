//! `user/getToken.action`: room tokens. Source: netease-get-token.txt.

use serde::Serialize;
use yinxin_core::rooms::tokens::{self, Request};
use yinxin_core::rooms::{RoomName, RoomUid};
use yinxin_core::{Code, Error, Result};

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
        repeat_use: form.filled("repeatUse").map(switch).transpose()?,
    };
    let token = tokens::issue(call.ctx(), &call.app, &request).await?;
    answer::ok(Token { token: &token })
}

/// What is no number is refused like one that is out of bounds, by the use case.
fn seconds(text: &str) -> i64 {
    text.parse().unwrap_or(0)
}

/// Quirk(netease): the document's sample value is `640`: any number but 0 is yes. Source: netease-get-token.txt.
fn switch(text: &str) -> Result<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Ok(true),
        _ if text.eq_ignore_ascii_case("false") => Ok(false),
        _ => match text.parse::<i64>() {
            Ok(number) => Ok(number != 0),
            Err(_) => Err(Error::about(Code::FieldIllegal, format!("repeatUse={text}"))),
        },
    }
}
