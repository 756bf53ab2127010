//! The handlers, a module per family of calls. A handler turns its arguments into a use case and the result into an
//! answer; it decides nothing about the domain.

pub(crate) mod account;
pub(crate) mod apps;
pub(crate) mod attributes;
pub(crate) mod blocks;
pub(crate) mod contacts;
pub(crate) mod conversations;
pub(crate) mod files;
pub(crate) mod history;
pub(crate) mod messages;
pub(crate) mod mutes;
pub(crate) mod online;
pub(crate) mod presence;
pub(crate) mod push;
pub(crate) mod reactions;
pub(crate) mod token;
pub(crate) mod users;

use serde::Deserialize;

/// `{"usernames": […]}`.
#[derive(Deserialize)]
pub(crate) struct Usernames {
    pub usernames: Option<Vec<String>>,
}
