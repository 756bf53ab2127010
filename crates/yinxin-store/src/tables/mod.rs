//! The statements, a module per table. Every function takes the app first, and its statement says `app_id = $1`;
//! the exceptions are the app directory itself and the server's own keys.

pub mod apps;
pub mod attributes;
pub mod blocks;
pub mod contacts;
pub mod conversations;
pub mod handles;
pub mod inbox;
pub mod keys;
pub mod message_pins;
pub mod mutes;
pub mod presence;
pub mod push;
pub mod reactions;
pub mod reports;
pub mod users;
