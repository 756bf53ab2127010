//! The hook of nginx's RTMP module: `on_publish` and `on_play` post a form and look at the status of the answer.
//!
//! The form ends with the parameters of the stream's URL, as the client wrote them, so a client can repeat any name in it:
//! what counts is the first, which is the module's own.

use yinxin_core::rates::Bucket;
use yinxin_core::rooms::doors::Request;
use yinxin_core::rooms::tokens::Privileges;
use yinxin_core::rooms::{RoomName, RoomUid, admission};
use yinxin_core::{Code, Error};

use super::call::Call;
use crate::actions::form::Form;
use crate::answer::{self, Answer};

/// Lets somebody publish a stream or play it, or not.
pub(super) async fn hook(mut call: Call) -> Answer {
    let query = Form::parse(call.parts.uri.query().unwrap_or_default().as_bytes())?;
    let given = |name| query.get(name).unwrap_or_default();
    let app = admission::authenticate(call.ctx(), given("app_key"), given("key")).await?;
    call.ctx().rates.call(app.id, Bucket::Tokens)?;
    let form = Form::parse(&call.body().await?)?;
    let to_do = match form.get("call") {
        Some("publish") => Privileges::SEND,
        Some("play") => Privileges::RECEIVE,
        other => return Err(Error::about(Code::FieldIllegal, format!("call={}", other.unwrap_or_default()))),
    };
    let room = RoomName::parse(form.get("name").unwrap_or_default())?;
    let request = Request {
        uid: RoomUid::parse(form.get("uid").unwrap_or_default())?,
        room: &room,
        token: form.filled("token"),
        permission_key: form.filled("perm_key"),
    };
    admission::admit(call.ctx(), &app, &request, to_do).await?;
    Ok(answer::done())
}
