//! How many may upload at a time, of a server and of one user.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use yinxin_store::{AppId, UserId};

use crate::error::{Code, Result};
use crate::limits::USER_UPLOADS_MAX;
use crate::tokens::Caller;

pub(super) struct Seats {
    most: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    /// Of users with at least one.
    of: HashMap<(AppId, UserId), usize>,
}

impl Seats {
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, taken: Mutex::default() })
    }

    /// How many are uploading.
    pub fn taken(&self) -> usize {
        self.taken.lock().all
    }

    /// A seat, or "busy". An app's backend may take all.
    pub fn take(self: &Arc<Self>, app: AppId, caller: &Caller) -> Result<Seat> {
        let user = match caller {
            Caller::App => None,
            Caller::User(user) => Some((app, user.user)),
        };
        let mut taken = self.taken.lock();
        let of_user = user.and_then(|user| taken.of.get(&user)).copied().unwrap_or_default();
        if taken.all >= self.most || of_user >= USER_UPLOADS_MAX {
            metrics::counter!("yinxin_upload_busy_total").increment(1);
            return Err(Code::Busy.into());
        }
        taken.all += 1;
        if let Some(user) = user {
            taken.of.insert(user, of_user + 1);
        }
        Ok(Seat { seats: Arc::clone(self), user })
    }
}

/// One of the seats; given back when dropped.
pub(super) struct Seat {
    seats: Arc<Seats>,
    user: Option<(AppId, UserId)>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken.lock();
        taken.all -= 1;
        let Some(user) = self.user else { return };
        match taken.of.get_mut(&user) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(taken.of.remove(&user)),
        }
    }
}
