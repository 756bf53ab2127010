//! The statements, a module per table. Every function takes the app first, and its statement says `app_id = $1`;
//! the exceptions are the app directory itself and the server's own: its keys and its garbage.

pub mod apps;
pub mod attributes;
pub mod blocks;
pub mod contacts;
pub mod conversations;
pub mod files;
pub mod garbage;
pub mod handles;
pub mod hook_log;
pub mod hook_outbox;
pub mod hook_sessions;
pub mod hooks;
pub mod inbox;
pub mod keys;
pub mod message_pins;
pub mod mutes;
pub mod presence;
pub mod push;
pub mod reactions;
pub mod reports;
pub mod room_bars;
pub mod room_stays;
pub mod room_tokens;
pub mod rooms;
pub mod users;
