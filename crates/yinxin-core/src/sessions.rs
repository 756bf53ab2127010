//! The port to whoever holds the connections: the domain asks who is connected and asks for connections to be closed.

use std::net::IpAddr;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use yinxin_store::{AppId, UserId};

use crate::presence::News;

/// A connected device of a user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    /// The device's resource name, unique among the user's devices.
    pub resource: String,
    /// The device's own id.
    pub device_uuid: String,
    /// Its name for people.
    pub device_name: String,
    /// What it says about itself to the device it replaces.
    pub note: String,
    /// When it connected.
    pub since_ms: i64,
}

/// A connection, for those who ask what a user is here with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Connection {
    /// The device's resource name.
    pub resource: String,
    /// The device's name for people.
    pub device_name: String,
    /// What it runs on.
    pub platform: &'static str,
    /// When it connected.
    pub since_ms: i64,
}

/// The number of a device, for those who know devices by numbers: the same for the same resource name, and never 0.
pub fn device_number(resource: &str) -> i32 {
    let [a, b, c, d, ..] = <[u8; 32]>::from(Sha256::digest(resource.as_bytes()));
    (i32::from_be_bytes([a, b, c, d]) & i32::MAX).max(1)
}

/// Why connections are closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CloseReason {
    /// A backend asked for it.
    Kicked,
    /// The user was banned.
    Banned,
    /// The password was changed.
    PasswordChanged,
    /// The user was deleted, or the app with all its users.
    Deleted,
}

/// The connections of a server, or of all servers of a cluster.
pub trait Sessions: Send + Sync {
    /// Whether any device of the user is connected.
    fn is_online(&self, app: AppId, user: UserId) -> bool;
    /// The connected devices of the user.
    fn devices_of(&self, app: AppId, user: UserId) -> Vec<Device>;
    /// The same devices by what they run on.
    fn connections_of(&self, _app: AppId, _user: UserId) -> Vec<Connection> {
        Vec::new()
    }
    /// Tells the connections of the user that something was put into that queue of its inbox.
    /// A hint: what it is about is in the inbox, and a connection that misses it finds it there.
    fn wake(&self, _app: AppId, _user: UserId, _queue: &str) {}
    /// The same for all devices of the user but the one that knows, since it sent what was put there.
    fn wake_others(&self, _app: AppId, _user: UserId, _queue: &str, _resource: &str) {}
    /// Tells the connections of the user that the presence of somebody it watches has changed. Best effort.
    fn announce(&self, _app: AppId, _user: UserId, _news: &Arc<News>) {}
    /// Tells the connections of the user that whoever is at that address has shown a token that ends then
    /// ([`i64::MAX`]: never). Those from there need no other until then.
    fn renew(&self, _app: AppId, _user: UserId, _from: IpAddr, _token_ends_ms: i64) {}
    /// Closes all connections of the user, or those of one device.
    fn close(&self, app: AppId, user: UserId, resource: Option<&str>, reason: CloseReason);
    /// Closes all connections of the app's users.
    fn close_app(&self, _app: AppId, _reason: CloseReason) {}
}
