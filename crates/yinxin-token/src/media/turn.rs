//! The passwords of TURN servers that share a secret (coturn's `use-auth-secret`, the "REST API for access to TURN
//! services"): the user name is `<expiry, Unix seconds>:<user>`, the password base64 of HMAC-SHA1 over it.

/// A user name and its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// Until when it is good, and whose it is.
    pub username: String,
    /// The password.
    pub password: String,
}

/// The credential of that user.
pub fn seal(user: &str, until_s: i64, secret: &str) -> Credential {
    let username = format!("{until_s}:{user}");
    Credential { password: super::sign(secret, &username), username }
}
