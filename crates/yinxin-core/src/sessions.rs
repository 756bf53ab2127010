//! [`Sessions`]: the domain asks who is connected and asks for connections to be closed; [`LocalSessions`] is the port to
//! whoever holds the connections of this server.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use yinxin_store::tables::sessions::{self, SessionRow};
use yinxin_store::{AppId, Sql, UserId};

use crate::cluster::{Cluster, Recorded};
use crate::error::Result;
use crate::presence::News;
use crate::users::User;

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
    pub platform: Cow<'static, str>,
    /// When it connected.
    pub since_ms: i64,
}

/// The number of a device, for those who know devices by numbers: the same for the same resource name, and never 0.
pub fn device_number(resource: &str) -> i32 {
    let [a, b, c, d, ..] = <[u8; 32]>::from(Sha256::digest(resource.as_bytes()));
    (i32::from_be_bytes([a, b, c, d]) & i32::MAX).max(1)
}

/// The same as pushes know the device by.
pub fn device_id(resource: &str) -> String {
    device_number(resource).to_string()
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

impl CloseReason {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::Kicked, Self::Banned, Self::PasswordChanged, Self::Deleted];

    /// The name in storage and in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kicked => "kicked",
            Self::Banned => "banned",
            Self::PasswordChanged => "password_changed",
            Self::Deleted => "deleted",
        }
    }
}

/// Why a connection is told to end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    /// The domain asked for it.
    Asked(CloseReason),
    /// The same device has connected again, or one too many of its platform: the older connection gives way. The text is
    /// what the newer one says about itself.
    Displaced(String),
    /// The server stops; the client may come back to another, or later.
    ServerStops,
}

impl Ending {
    /// The name of a displacement in storage.
    pub(crate) const DISPLACED: &'static str = "displaced";

    /// Reads what is stored. What a newer server has written and this one does not know is an end all the same.
    pub(crate) fn read(why: &str, note: String) -> Self {
        match CloseReason::ALL.into_iter().find(|reason| reason.name() == why) {
            Some(reason) => Self::Asked(reason),
            None if why == Self::DISPLACED => Self::Displaced(note),
            None => Self::ServerStops,
        }
    }
}

/// What is told to all connections of a server is told to so many parts of them, one after the other.
pub const PARTS: usize = 64;

/// The connections of this server.
pub trait LocalSessions: Send + Sync {
    /// Whether any device of the user is connected.
    fn is_online(&self, app: AppId, user: UserId) -> bool;
    /// The connected devices of the user.
    fn devices_of(&self, app: AppId, user: UserId) -> Vec<Device>;
    /// The same devices by what they run on.
    fn connections_of(&self, _app: AppId, _user: UserId) -> Vec<Connection> {
        Vec::new()
    }
    /// How many there are.
    fn count(&self) -> usize {
        0
    }
    /// Tells the connections of the user that something was put into that queue of its inbox; not the device that knows,
    /// if one does, since it sent what was put there. A hint: what it is about is in the inbox, and a connection that
    /// misses it finds it there.
    fn wake(&self, _app: AppId, _user: UserId, _queue: &str, _but: Option<&str>) {}
    /// Tells the connections of the user that the presence of somebody it watches has changed. Best effort.
    fn announce(&self, _app: AppId, _user: UserId, _news: &Arc<News>) {}
    /// Tells the connections of the user that whoever is at that address has shown a token that ends then
    /// ([`i64::MAX`]: never). Those from there need no other until then.
    fn renew(&self, _app: AppId, _user: UserId, _from: IpAddr, _token_ends_ms: i64) {}
    /// Closes all connections of the user, or those of one device.
    fn close(&self, app: AppId, user: UserId, resource: Option<&str>, reason: CloseReason);
    /// Closes all connections of the app's users.
    fn close_app(&self, _app: AppId, _reason: CloseReason) {}
    /// Ends the user's connection of that number.
    fn end(&self, _app: AppId, _user: UserId, _number: i64, _ending: Ending) {}
    /// Has the connections of one of [`PARTS`] parts look into their inboxes: wake-ups were lost.
    fn look_again(&self, _part: usize) {}
    /// Has the clients of a part come back to another server.
    fn send_away(&self, _part: usize) {}
}

/// A connection that counts as such, until it leaves.
#[must_use = "dropping it ends the connection's being on record"]
pub struct Entered(Option<Recorded>);

impl Entered {
    /// The connection has gone.
    pub async fn leave(self) {
        if let Some(recorded) = self.0 {
            recorded.leave().await;
        }
    }
}

/// Who is connected: to this server, or to any of a cluster. Of one server the answers are in memory and ready at once.
#[derive(Clone)]
pub struct Sessions {
    local: Arc<dyn LocalSessions>,
    /// Of one server, none.
    cluster: Option<Arc<Cluster>>,
}

impl Sessions {
    pub(crate) fn new(local: Arc<dyn LocalSessions>, cluster: Option<Arc<Cluster>>) -> Self {
        Self { local, cluster }
    }

    /// Notes that a connection of this server has come, before its client is told so; it is registered already, under
    /// that number. `None`: the user has as many as one may have, in a cluster; a server by itself has its own bounds.
    pub async fn enter(
        &self,
        app: AppId,
        user: &User,
        device: &Device,
        platform: &str,
        number: i64,
    ) -> Result<Option<Entered>> {
        match &self.cluster {
            None => Ok(Some(Entered(None))),
            Some(cluster) => {
                let recorded = cluster.record(app, user, device, platform, number).await?;
                Ok(recorded.map(|recorded| Entered(Some(recorded))))
            }
        }
    }

    /// What the record says of each of those users; `None` where there is one server only.
    async fn on_record(&self, app: AppId, users: &[UserId]) -> Result<Option<Vec<Vec<SessionRow>>>> {
        match &self.cluster {
            None => Ok(None),
            Some(cluster) => Ok(Some(cluster.sessions_of(app, users).await?)),
        }
    }

    /// Whether any device of the user is connected.
    pub async fn is_online(&self, app: AppId, user: UserId) -> Result<bool> {
        match self.on_record(app, &[user]).await? {
            None => Ok(self.local.is_online(app, user)),
            Some(rows) => Ok(rows.iter().any(|rows| !rows.is_empty())),
        }
    }

    /// The same of each of those users, in order.
    pub async fn are_online(&self, app: AppId, users: &[UserId]) -> Result<Vec<bool>> {
        match self.on_record(app, users).await? {
            None => Ok(users.iter().map(|user| self.local.is_online(app, *user)).collect()),
            Some(rows) => Ok(rows.iter().map(|rows| !rows.is_empty()).collect()),
        }
    }

    /// The same within a write.
    pub(crate) async fn is_online_in(&self, sql: &mut dyn Sql, app: AppId, user: UserId) -> Result<bool> {
        match &self.cluster {
            None => Ok(self.local.is_online(app, user)),
            Some(cluster) => {
                let rows = sessions::of_user(sql, app, user).await?;
                Ok(rows.iter().any(|row| cluster.counts(row)))
            }
        }
    }

    /// The connected devices of the user, newest first.
    pub async fn devices_of(&self, app: AppId, user: UserId) -> Result<Vec<Device>> {
        match self.on_record(app, &[user]).await? {
            None => Ok(self.local.devices_of(app, user)),
            Some(rows) => Ok(rows.into_iter().flatten().map(Device::from).collect()),
        }
    }

    /// The same within a write.
    pub(crate) async fn devices_in(&self, sql: &mut dyn Sql, app: AppId, user: UserId) -> Result<Vec<Device>> {
        match &self.cluster {
            None => Ok(self.local.devices_of(app, user)),
            Some(cluster) => {
                let rows = sessions::of_user(sql, app, user).await?;
                Ok(rows.into_iter().filter(|row| cluster.counts(row)).map(Device::from).collect())
            }
        }
    }

    /// The same devices by what they run on.
    pub async fn connections_of(&self, app: AppId, user: UserId) -> Result<Vec<Connection>> {
        match self.on_record(app, &[user]).await? {
            None => Ok(self.local.connections_of(app, user)),
            Some(rows) => Ok(rows.into_iter().flatten().map(Connection::from).collect()),
        }
    }

    /// The same of each of those users, in order.
    pub async fn connections_of_each(&self, app: AppId, users: &[UserId]) -> Result<Vec<Vec<Connection>>> {
        match self.on_record(app, users).await? {
            None => Ok(users.iter().map(|user| self.local.connections_of(app, *user)).collect()),
            Some(rows) => Ok(rows.into_iter().map(|rows| rows.into_iter().map(Connection::from).collect()).collect()),
        }
    }

    /// Tells the connections of the user that something was put into that queue of its inbox.
    pub fn wake(&self, app: AppId, user: UserId, queue: &str) {
        self.wake_but(app, user, queue, None);
    }

    /// The same for all devices of the user but the one that knows, since it sent what was put there.
    pub fn wake_others(&self, app: AppId, user: UserId, queue: &str, resource: &str) {
        self.wake_but(app, user, queue, Some(resource));
    }

    fn wake_but(&self, app: AppId, user: UserId, queue: &str, but: Option<&str>) {
        self.local.wake(app, user, queue, but);
        if let Some(cluster) = &self.cluster {
            cluster.wake(app, user, queue, but);
        }
    }

    /// Tells the connections of the user that the presence of somebody it watches has changed. Best effort.
    pub fn announce(&self, app: AppId, user: UserId, news: &Arc<News>) {
        self.local.announce(app, user, news);
        if let Some(cluster) = &self.cluster {
            cluster.announce(app, user, news);
        }
    }

    /// Tells the connections of the user that whoever is at that address has shown a token that ends then
    /// ([`i64::MAX`]: never).
    pub fn renew(&self, app: AppId, user: UserId, from: IpAddr, token_ends_ms: i64) {
        self.local.renew(app, user, from, token_ends_ms);
        if let Some(cluster) = &self.cluster {
            cluster.renew(app, user, from, token_ends_ms);
        }
    }

    /// Closes all connections of the user, or those of one device. Those of other nodes must be among the endings that the
    /// record has: see [`dismiss`].
    pub fn close(&self, app: AppId, user: UserId, resource: Option<&str>, reason: CloseReason) {
        self.local.close(app, user, resource, reason);
        self.tell_endings();
    }

    /// Closes all connections of the app's users, likewise.
    pub fn close_app(&self, app: AppId, reason: CloseReason) {
        self.local.close_app(app, reason);
        self.tell_endings();
    }

    /// Tells the other nodes that the record has endings for them.
    pub(crate) fn tell_endings(&self) {
        if let Some(cluster) = &self.cluster {
            cluster.tell_endings();
        }
    }

    /// Whether connections are on record.
    pub(crate) fn are_on_record(&self) -> bool {
        self.cluster.is_some()
    }
}

/// Notes in the write that is the reason that a user's connections are to end, on whichever node. Where there is one server
/// only nothing is on record.
pub(crate) async fn dismiss(sql: &mut dyn Sql, app: AppId, user: UserId, reason: CloseReason) -> Result<()> {
    Ok(sessions::end_all(sql, app, user, reason.name()).await?)
}

/// The same of one device.
pub(crate) async fn dismiss_one(
    sql: &mut dyn Sql,
    app: AppId,
    user: UserId,
    resource: &str,
    reason: CloseReason,
) -> Result<()> {
    Ok(sessions::end_one(sql, app, user, resource, (reason.name(), "")).await?)
}

impl From<SessionRow> for Device {
    fn from(row: SessionRow) -> Self {
        let SessionRow { resource, device_uuid, device_name, note, since_ms, .. } = row;
        Self { resource, device_uuid, device_name, note, since_ms }
    }
}

impl From<SessionRow> for Connection {
    fn from(row: SessionRow) -> Self {
        let SessionRow { resource, device_name, platform, since_ms, .. } = row;
        Self { resource, device_name, platform: platform.into(), since_ms }
    }
}
