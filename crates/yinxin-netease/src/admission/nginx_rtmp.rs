//! The hook of nginx's RTMP module: `on_publish` and `on_play` post a form and look at the status of the answer.
//!
//! The form ends with the parameters of the stream's URL, as the client wrote them, so a client can repeat any name in it:
//! what counts is the first, which is the module's own. The module cuts what a client asks for at 255 bytes, so that a
//! permission key never arrives whole; whoever may join may publish and play.

use yinxin_core::rates::Bucket;
use yinxin_core::rooms::doors::Request;
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
    let verb = form.get("call").unwrap_or_default();
    if !["publish", "play"].contains(&verb) {
        return Err(Error::about(Code::FieldIllegal, format!("call={verb}")));
    }
    // Not left out of account in silence: without one, everything is permitted.
    if form.get("perm_key").is_some() {
        return Err(Error::about(Code::FieldIllegal, "perm_key is too long for this hook"));
    }
    let room = RoomName::parse(form.get("name").unwrap_or_default())?;
    let uid = RoomUid::parse(form.get("uid").unwrap_or_default())?;
    let request = Request { uid, room: &room, token: form.filled("token"), permission_key: None };
    admission::admit(call.ctx(), &app, &request).await?;
    Ok(answer::done())
}
