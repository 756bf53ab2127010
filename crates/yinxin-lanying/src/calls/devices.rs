//! A user's devices: which are connected, and which are pushed to. A device is known by a number here; the same resource
//! name has the same number.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use yinxin_core::push::{self, DeviceRow};
use yinxin_core::sessions::{Connection, device_number};
use yinxin_core::users::{self, User};
use yinxin_core::{Code, Error, Result};

use crate::answer::{self, Answer};
use crate::body::Number;
use crate::call::Call;
use crate::rights::{Myself, Viewer};

/// `GET /user/online_status`.
pub(crate) async fn online_status(call: &Call, me: Myself) -> Answer {
    answer::ok(json!({ "online": call.ctx.sessions.is_online(call.app.id, me.user.user).await? }))
}

/// `GET /user/device/list`: those that are connected.
pub(crate) async fn list(call: &Call, me: Myself) -> Answer {
    #[derive(Serialize)]
    struct Shown {
        device_sn: i32,
        platform: u8,
        user_agent: String,
        user_id: i64,
    }
    let user_id = users::number_of(&call.ctx, &call.app, &me.user).await?;
    let shown = |connection: Connection| Shown {
        device_sn: device_number(&connection.resource),
        platform: platform(&connection.platform),
        user_agent: connection.device_name,
        user_id,
    };
    let connections = call.ctx.sessions.connections_of(call.app.id, me.user.user).await?;
    answer::ok(connections.into_iter().map(shown).collect::<Vec<_>>())
}

/// The vendor's number for what a client runs on; 0 for what it has none for.
fn platform(name: &str) -> u8 {
    match name {
        "ios" => 1,
        "android" => 2,
        "windows" | "pc" => 3,
        "mac" => 4,
        "linux" => 5,
        "web" => 6,
        _ => 0,
    }
}

/// The number of a device, behind the question mark or, as the web SDK has it, in the body.
fn device_sn(call: &Call, name: &'static str) -> Result<i32> {
    #[derive(Deserialize)]
    struct Device {
        #[serde(default)]
        device_sn: Number,
    }
    let given = match call.query.number(name)? {
        Some(number) => Some(number),
        None => call.json::<Device>()?.device_sn.0,
    };
    let number = given.and_then(|number| i32::try_from(number).ok());
    number.ok_or_else(|| Error::about(Code::FieldIllegal, name))
}

/// Ends the connections of the device of that number.
async fn end(call: &Call, me: &Myself, number: i32) -> Result<()> {
    for connection in call.ctx.sessions.connections_of(call.app.id, me.user.user).await? {
        if device_number(&connection.resource) == number {
            users::kick(&call.ctx, &call.app, &me.user.username, Some(&connection.resource)).await?;
        }
    }
    Ok(())
}

/// `POST /user/kick`: a device that is not connected need not be.
pub(crate) async fn kick(call: &Call, me: Myself) -> Answer {
    end(call, &me, device_sn(call, "device_sn")?).await?;
    answer::done()
}

/// `POST /user/device/remove`: its connections end, and nothing is pushed to it any more.
pub(crate) async fn remove(call: &Call, me: Myself) -> Answer {
    let number = device_sn(call, "device_sn")?;
    end(call, &me, number).await?;
    bind(call, &me.user, unbound(number.to_string())).await
}

/// Whose device is meant, and by which id: by the push token that the device got at its login, which the app's backend
/// may show for any user, or by its number.
async fn addressed(call: &Call, viewer: Viewer, number: &'static str) -> Result<(Arc<User>, String)> {
    #[derive(Deserialize)]
    struct Addressed {
        push_token: Option<String>,
    }
    let in_query = call.query.get("push_token").map(str::to_owned);
    let token =
        in_query.map_or_else(|| call.json::<Addressed>().map(|body| body.push_token), |token| Ok(Some(token)))?;
    let Some(token) = token else {
        let user = viewer.user.ok_or_else(|| Error::about(Code::FieldIllegal, "user_id"))?;
        return Ok((user, device_sn(call, number)?.to_string()));
    };
    viewer.device_of(call, &token).await
}

/// `POST /user/token/bind`.
pub(crate) async fn bind_push(call: &Call, viewer: Viewer) -> Answer {
    #[derive(Deserialize)]
    struct Binding {
        device_token: Option<String>,
        notifier_name: Option<String>,
    }
    let Binding { device_token, notifier_name } = call.json()?;
    let missing = |field: &'static str| move || Error::about(Code::FieldIllegal, field);
    let device_token = device_token.filter(|token| !token.is_empty()).ok_or_else(missing("device_token"))?;
    let notifier_name = notifier_name.ok_or_else(missing("notifier_name"))?;
    let (user, device_id) = addressed(call, viewer, "device_sn").await?;
    bind(call, &user, DeviceRow { device_id, notifier_name, device_token }).await
}

/// `POST /user/token/unbind?deviceSn=`.
pub(crate) async fn unbind_push(call: &Call, viewer: Viewer) -> Answer {
    let (user, device) = addressed(call, viewer, "deviceSn").await?;
    bind(call, &user, unbound(device)).await
}

/// A device that nothing is pushed to any more.
fn unbound(device_id: String) -> DeviceRow {
    DeviceRow { device_id, notifier_name: String::new(), device_token: String::new() }
}

async fn bind(call: &Call, user: &User, device: DeviceRow) -> Answer {
    push::bind(&call.ctx, &call.app, &user.username, device).await?;
    answer::done()
}
