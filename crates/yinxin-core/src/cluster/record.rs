//! The record of who is connected where: a row per connection, from before its client is told that it is in until it is
//! gone. An end that could not be written is written later.

use std::sync::Arc;

use yinxin_store::tables::sessions::{self, SessionRow, USERS_MAX};
use yinxin_store::tables::{apps, nodes, users};
use yinxin_store::{AppId, NodeId, Sql, UserId};

use super::Cluster;
use crate::error::{Code, Error, Result};
use crate::limits::{DEVICES_PER_PLATFORM, LEFTOVERS_MAX, SESSIONS_PER_USER};
use crate::sessions::{Device, Ending};
use crate::users::User;

/// What takes a connection off the record.
#[derive(Clone)]
pub(super) struct Entry {
    app: AppId,
    user: UserId,
    resource: String,
    at: (NodeId, i64),
}

/// A connection on record. Dropped without [`Self::leave`] it is taken off later.
pub(crate) struct Recorded {
    cluster: Arc<Cluster>,
    entry: Option<Entry>,
}

impl Recorded {
    /// Takes the connection off the record.
    pub async fn leave(mut self) {
        let Some(entry) = self.entry.take() else { return };
        self.cluster.owners.lock().remove(&entry.at.1);
        if let Err(error) = self.cluster.forget(vec![entry.clone()]).await {
            tracing::warn!(%error, "the end of a connection could not be written; it is tried again");
            self.cluster.leave_over(entry);
        }
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        if let Some(entry) = self.entry.take() {
            self.cluster.owners.lock().remove(&entry.at.1);
            self.cluster.leave_over(entry);
        }
    }
}

/// Somebody who comes in.
struct Arrival {
    app: AppId,
    user: UserId,
    token_epoch: i64,
    session: SessionRow,
}

impl Cluster {
    /// Puts a connection on record. One of the same device, wherever it is, or the oldest of a platform that has too many,
    /// has to go. `None`: the user has as many as one may have.
    ///
    /// Whoever was banned, or lost its tokens, since the user was read is refused as if by its token.
    pub(crate) async fn record(
        self: &Arc<Self>,
        app: AppId,
        user: &User,
        device: &Device,
        platform: &str,
        number: i64,
    ) -> Result<Option<Recorded>> {
        let session = SessionRow {
            resource: device.resource.clone(),
            node: self.node,
            number,
            platform: platform.to_owned(),
            device_uuid: device.device_uuid.clone(),
            device_name: device.device_name.clone(),
            note: device.note.clone(),
            since_ms: device.since_ms,
        };
        let entry = Entry { app, user: user.user, resource: device.resource.clone(), at: (self.node, number) };
        self.owners.lock().insert(number, (app, user.user));
        // From here on, whatever happens, it is taken off the record when this is dropped.
        let mut recorded = Recorded { cluster: Arc::clone(self), entry: Some(entry) };
        let arrival = Arrival { app, user: user.user, token_epoch: user.token_epoch, session };
        let displaced = match self.db.write(arrival, |sql, arrival| Box::pin(arrive(sql, arrival))).await {
            Ok(Some(displaced)) => displaced,
            Ok(None) => {
                recorded.entry = None;
                self.owners.lock().remove(&number);
                return Ok(None);
            }
            Err(error) => {
                if error.code == Code::TokenUnknown {
                    self.cache.forget(&[yinxin_store::Touched::User(app, user.user), yinxin_store::Touched::App(app)]);
                }
                return Err(error);
            }
        };
        if displaced {
            self.tell_endings();
        }
        Ok(Some(recorded))
    }

    /// The connections of some users on nodes that live, each user's newest first.
    pub(super) async fn rows_of(&self, app: AppId, users: &[UserId]) -> Result<Vec<(UserId, SessionRow)>> {
        let mut rows = match users {
            [] => Vec::new(),
            [user] => self
                .db
                .read((app, *user), |sql, (app, user)| {
                    Box::pin(async move { Ok::<_, Error>(sessions::of_user(sql, *app, *user).await?) })
                })
                .await?
                .into_iter()
                .map(|row| (*user, row))
                .collect(),
            users => {
                self.db
                    .read((app, users.to_vec()), |sql, (app, users)| {
                        Box::pin(async move { Ok::<_, Error>(sessions::of_users(sql, *app, users).await?) })
                    })
                    .await?
            }
        };
        rows.retain(|(_, row)| self.counts(row));
        Ok(rows)
    }

    /// Whether a connection on record is one: its node lives.
    pub(crate) fn counts(&self, row: &SessionRow) -> bool {
        self.nodes.is_alive(row.node)
    }

    /// The connections of each of those users, in order.
    pub(crate) async fn sessions_of(&self, app: AppId, users: &[UserId]) -> Result<Vec<Vec<SessionRow>>> {
        let mut found = std::collections::HashMap::<UserId, Vec<SessionRow>>::new();
        for some in users.chunks(USERS_MAX) {
            for (user, row) in self.rows_of(app, some).await? {
                found.entry(user).or_default().push(row);
            }
        }
        // A user may be named twice.
        Ok(users.iter().map(|user| found.get(user).cloned().unwrap_or_default()).collect())
    }

    /// Tells a user's connections elsewhere, soon.
    pub(crate) fn wake(&self, app: AppId, user: UserId, queue: &str, but: Option<&str>) {
        self.wakes.wake(app, user, queue, but);
    }

    /// The same of news of presence.
    pub(crate) fn announce(&self, app: AppId, user: UserId, news: &Arc<crate::presence::News>) {
        self.wakes.announce(app, user, news);
    }

    /// The same of a token that was shown.
    pub(crate) fn renew(&self, app: AppId, user: UserId, from: std::net::IpAddr, token_ends_ms: i64) {
        self.wakes.renew(app, user, from, token_ends_ms);
    }

    fn leave_over(&self, entry: Entry) {
        let mut leftovers = self.leftovers.lock();
        // There are no more of them than there were connections.
        if leftovers.len() < LEFTOVERS_MAX {
            leftovers.push(entry);
        }
    }

    pub(super) async fn forget_leftovers(&self) -> Result<()> {
        let entries = std::mem::take(&mut *self.leftovers.lock());
        let mut left = entries.as_slice();
        while !left.is_empty() {
            let (some, rest) = left.split_at(left.len().min(USERS_MAX));
            if let Err(error) = self.forget(some.to_vec()).await {
                self.leftovers.lock().extend_from_slice(left);
                return Err(error);
            }
            left = rest;
        }
        Ok(())
    }

    async fn forget(&self, entries: Vec<Entry>) -> Result<()> {
        self.db
            .write(entries, |sql, entries| {
                Box::pin(async move {
                    for Entry { app, user, resource, at } in entries {
                        sessions::remove(sql, *app, *user, resource, *at).await?;
                    }
                    Ok::<_, Error>(())
                })
            })
            .await
    }
}

/// Gives whether somebody has to go; `None` when there is no place.
async fn arrive(sql: &mut dyn Sql, arrival: &Arrival) -> Result<Option<bool>> {
    let Arrival { app, user, token_epoch, session } = arrival;
    let row = users::by_id(sql, *app, *user).await?;
    let is_good = row.is_some_and(|row| row.active && row.token_epoch == *token_epoch);
    if !is_good || !apps::exists(sql, *app).await? {
        return Err(Code::TokenUnknown.into());
    }
    if !nodes::is_member(sql, session.node).await? {
        return Err(Error::from(Code::Busy));
    }
    let here = sessions::of_user(sql, *app, *user).await?;
    let Ok(displaced) = to_displace(&here, session) else { return Ok(None) };
    if let Some(row) = displaced {
        let ending = (Ending::DISPLACED, session.note.as_str());
        sessions::end_one(sql, *app, *user, &row.resource, ending).await?;
    }
    sessions::insert(sql, *app, *user, session).await?;
    Ok(Some(displaced.is_some()))
}

/// There are as many as there may be.
struct Full;

/// Which connection gives way to a new one, if one must. They stand newest first.
fn to_displace<'a>(here: &'a [SessionRow], new: &SessionRow) -> Result<Option<&'a SessionRow>, Full> {
    let of_platform = || here.iter().filter(|row| row.platform == new.platform);
    let same = here.iter().find(|row| row.resource == new.resource);
    let oldest = || (of_platform().count() >= DEVICES_PER_PLATFORM).then(|| of_platform().next_back()).flatten();
    let displaced = same.or_else(oldest);
    if displaced.is_none() && here.len() >= SESSIONS_PER_USER { Err(Full) } else { Ok(displaced) }
}
