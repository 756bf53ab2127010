//! Who is connected, and with what. Source: docs/dialects/netease.md.

use std::collections::BTreeMap;

use serde::Serialize;
use yinxin_core::names::{NameRule, Username};
use yinxin_core::sessions::Connection;
use yinxin_core::users;

use super::call::Call;
use crate::answer::{self, Answer};

#[derive(Serialize)]
struct Found {
    data: Data,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Data {
    invalid_accids: Vec<String>,
    /// Those who are connected.
    status: BTreeMap<String, Vec<Login>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Login {
    client_type: u8,
    login_time: i64,
}

impl From<&Connection> for Login {
    fn from(connection: &Connection) -> Self {
        Self { client_type: client_type(&connection.platform), login_time: connection.since_ms }
    }
}

/// `user/userOnlineStatus.action`.
pub(super) async fn status(call: &Call) -> Answer {
    let mut data = Data::default();
    let mut users = Vec::new();
    for spelled in call.accids()? {
        let user = match Username::parse_by(NameRule::SHORT, &spelled) {
            Ok(name) => users::look_up(call.ctx(), call.app.id, name.as_str()).await?,
            Err(_) => None,
        };
        match user {
            Some(user) => users.push(user),
            None => data.invalid_accids.push(spelled),
        }
    }
    let ids: Vec<_> = users.iter().map(|user| user.user).collect();
    let connections = call.ctx().sessions.connections_of_each(call.app.id, &ids).await?;
    for (user, connections) in users.iter().zip(connections) {
        if !connections.is_empty() {
            data.status.insert(user.username.clone(), connections.iter().map(Login::from).collect());
        }
    }
    answer::ok(Found { data })
}

/// The vendor's number for what a client runs on; 0 for what it has none for.
fn client_type(platform: &str) -> u8 {
    match platform {
        "android" => 1,
        "ios" => 2,
        "pc" => 4,
        "web" => 16,
        "mac" => 64,
        _ => 0,
    }
}
