//! Token formats: sealing and opening of everything a client carries around as an opaque string.
//!
//! Owns the bytes of access tokens, client credentials, locally built user tokens, page cursors, call signatures and room
//! tokens, in the shapes the vendors' clients and servers use, so that a token of ours is indistinguishable from theirs to
//! any client.
//!
//! Must not know where keys, epochs, users or apps are stored, what time it is, or which error a caller answers with.
//! Everything here is a pure function of its arguments, and no input makes it panic.

pub mod access;
pub mod credentials;
pub mod cursor;
pub mod dynamic;
pub mod file_signature;
pub mod legacy;
pub mod media;
pub mod netease;
pub mod pass;
pub mod push_token;

pub use access::{Claims, Kind, MANAGEMENT_APP, MacKey, Opened, open, seal};
pub use credentials::{client_id, client_secret, parse_client_id};
pub use cursor::{decode_order_cursor, decode_user_cursor, encode_order_cursor, encode_user_cursor};
pub use dynamic::{Dynamic, is_dynamic, open_dynamic, seal_dynamic};
pub use legacy::{Legacy, is_legacy, open_legacy};

/// The text is not a token of the expected format.
///
/// Deliberately says neither where nor why: the difference is of no use to an honest caller, and the text itself may be
/// a secret with one character lost, so it must not reach a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed token")]
pub struct Malformed;
