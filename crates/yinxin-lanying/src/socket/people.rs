//! Users and devices by number, as these SDKs know them; everybody else knows them by name.

use std::collections::HashMap;
use std::sync::Arc;

use yinxin_core::{App, Ctx, Result, sessions, users};
use yinxin_floo::wire::Xid;

/// Names of nobody's that a connection keeps in mind; the client asks soon after it was told of one.
const NOBODIES_MAX: usize = 4096;
/// Where numbers begin that are no user's: above those of users, and below 2^53, so that JavaScript holds them.
const NOBODYS: u64 = 1 << 52;

/// The peers of one connection.
pub(super) struct People {
    ctx: Arc<Ctx>,
    app: Arc<App>,
    /// Names of those who are nobody here, by the numbers that were made up for them.
    nobodies: HashMap<u64, String>,
}

impl People {
    pub fn new(ctx: Arc<Ctx>, app: Arc<App>) -> Self {
        Self { ctx, app, nobodies: HashMap::new() }
    }

    /// The number of whoever has that name. A name of nobody's, under which a backend has sent or whose user is gone, has a
    /// number, too, always the same, so that its messages can be told from others'.
    pub async fn number(&mut self, name: &str) -> Result<u64> {
        if let Some(user) = users::look_up(&self.ctx, self.app.id, name).await? {
            return Ok(users::number_of(&self.ctx, &self.app, &user).await?.cast_unsigned());
        }
        let number = NOBODYS + u64::from(sessions::device_number(name).unsigned_abs());
        if self.nobodies.len() >= NOBODIES_MAX {
            self.nobodies.clear();
        }
        self.nobodies.insert(number, name.to_owned());
        Ok(number)
    }

    /// The user of that number, by name.
    pub async fn user(&self, number: u64) -> Result<Option<String>> {
        let Ok(number) = i64::try_from(number) else { return Ok(None) };
        let user = users::by_number(&self.ctx, self.app.id, number).await?;
        Ok(user.map(|user| user.username.clone()))
    }

    /// The queue of the conversation with whoever has that number.
    pub async fn queue(&self, number: u64) -> Result<Option<String>> {
        match self.nobodies.get(&number) {
            Some(name) => Ok(Some(name.clone())),
            None => self.user(number).await,
        }
    }

    /// The device of a sender.
    pub async fn device(&mut self, name: &str, resource: &str) -> Result<Xid> {
        Ok(Xid { uid: self.number(name).await?, device_sn: device_number(resource) })
    }
}

/// The number of a device; 0 for none, a backend.
pub(super) fn device_number(resource: &str) -> u32 {
    if resource.is_empty() { 0 } else { sessions::device_number(resource).unsigned_abs() }
}
