//! The push token: names a device of a user to an app's backend, which gets it from the device.
//!
//! base64url of the user's id (16 bytes), the device's own id, and a MAC of 16 bytes over the app and both.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

const ID: usize = 16;
const MAC: usize = 16;

/// Makes the token.
pub fn seal(key: &[u8; 32], app: &[u8; ID], user: &[u8; ID], device: &str) -> String {
    URL_SAFE_NO_PAD.encode([&user[..], device.as_bytes(), &mac(key, app, user, device)].concat())
}

/// The user and the device, if the token was made with that key for that app.
pub fn open(key: &[u8; 32], app: &[u8; ID], token: &str) -> Option<([u8; ID], String)> {
    let raw = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (user, rest) = raw.split_first_chunk::<ID>()?;
    let (device, found) = rest.split_last_chunk::<MAC>()?;
    let device = std::str::from_utf8(device).ok()?;
    bool::from(mac(key, app, user, device).ct_eq(found)).then(|| (*user, device.to_owned()))
}

fn mac(key: &[u8; 32], app: &[u8; ID], user: &[u8; ID], device: &str) -> [u8; MAC] {
    let whole = Hmac::<Sha256>::new_from_slice(key)
        .map(|mac| mac.chain_update(app).chain_update(user).chain_update(device).finalize().into_bytes());
    let mut short = [0; MAC];
    if let Ok(whole) = whole {
        short.copy_from_slice(&whole[..MAC]);
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_device_in_its_app_only() {
        let (key, app, user) = ([1; 32], [2; 16], [3; 16]);
        let token = seal(&key, &app, &user, "phone");
        assert_eq!(open(&key, &app, &token), Some((user, "phone".to_owned())));
        assert_eq!(open(&[9; 32], &app, &token), None);
        assert_eq!(open(&key, &[9; 16], &token), None);
        for at in 0..token.len() {
            let mut other = token.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            assert!(open(&key, &app, &other).is_none(), "{at}");
        }
        for text in ["", "A", "é"] {
            assert_eq!(open(&key, &app, text), None);
        }
    }
}
