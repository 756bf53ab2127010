//! The server's keys: the master key in a file beside the data, the token keys in the database sealed under it, and
//! the sealing of every secret that must be read back (client secrets, push certificates).

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use yinxin_store::Db;
use yinxin_store::tables::keys::{self, KeyRow};
use yinxin_token::access::MacKey;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::ctx::Parts;
use crate::error::{Code, Error, Result};
use crate::rng::{self, Rng};

/// Kind of the token keys in `server_keys`.
const TOKEN: &str = "token";
const NONCE_BYTES: usize = 24;

/// The key that seals the others. Whoever has it and the database has everything.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey([u8; 32]);

impl MasterKey {
    /// A new one.
    pub fn generate(rng: &dyn Rng) -> Self {
        Self(rng::bytes(rng))
    }

    /// Reads the file's form: 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        hex::decode(text.trim()).ok()?.try_into().ok().map(Self)
    }

    /// The file's form.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }

    /// A key for one purpose, so that no two uses share key material.
    fn derive(&self, purpose: &str) -> [u8; 32] {
        mac(&self.0, purpose.as_bytes())
    }
}

/// Keys in use by a running server.
pub struct Keys {
    sealer: XChaCha20Poly1305,
    /// Newest first; the first signs, all verify.
    tokens: Vec<MacKey>,
    disguise: [u8; 32],
    room_tokens: [u8; 32],
    passes: [u8; 32],
    admissions: [u8; 32],
    file_tokens: MacKey,
    file_secrets: [u8; 32],
    push_tokens: [u8; 32],
}

impl Keys {
    /// Opens the token keys in the database, or makes the first one.
    pub(crate) async fn open(db: &Db, parts: &Parts) -> Result<Self> {
        let sealer = XChaCha20Poly1305::new(&parts.master.derive("yinxin seal v1").into());
        let mut keys = Self {
            sealer,
            tokens: Vec::new(),
            disguise: parts.master.derive("yinxin disguise v1"),
            room_tokens: parts.master.derive("yinxin room token v1"),
            passes: parts.master.derive("yinxin room pass v1"),
            admissions: parts.master.derive("yinxin admission v1"),
            file_tokens: MacKey::new(0, &parts.master.derive("yinxin file token v1")),
            file_secrets: parts.master.derive("yinxin file secret v1"),
            push_tokens: parts.master.derive("yinxin push token v1"),
        };
        let first = keys.seal(parts.rng.as_ref(), TOKEN, &rng::bytes::<32>(parts.rng.as_ref()));
        let first = KeyRow { key_id: 1, sealed: first.into(), created_ms: parts.clock.now_ms() };
        let rows = db
            .write(first, |sql, first| {
                Box::pin(async move {
                    if keys::all(sql, TOKEN).await?.is_empty() {
                        // Two nodes may start on an empty database at once; the row that is there counts.
                        keys::insert(sql, TOKEN, first).await?;
                    }
                    Ok::<_, Error>(keys::all(sql, TOKEN).await?)
                })
            })
            .await?;
        keys.tokens = rows.iter().map(|row| keys.token_key(row)).collect::<Result<_>>()?;
        Ok(keys)
    }

    fn token_key(&self, row: &KeyRow) -> Result<MacKey> {
        let mut secret: [u8; 32] = self
            .unseal(TOKEN, &row.sealed)?
            .try_into()
            .map_err(|_| Error::about(Code::Internal, "a token key does not have 32 bytes"))?;
        // The token carries eight bits of the number; keys are retired long before it wraps.
        let key = MacKey::new(row.key_id.to_le_bytes()[0], &secret);
        secret.zeroize();
        Ok(key)
    }

    /// The key that signs new tokens.
    pub fn signing(&self) -> &MacKey {
        &self.tokens[0]
    }

    /// The key of that number, to check a token with.
    pub fn verifying(&self, id: u8) -> Option<&MacKey> {
        self.tokens.iter().find(|key| key.id() == id)
    }

    /// Encrypts a secret for storage. `place` names where it is stored and must be the same when it is read.
    pub fn seal(&self, rng: &dyn Rng, place: &str, secret: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = rng::bytes(rng);
        let payload = Payload { msg: secret, aad: place.as_bytes() };
        let sealed = self.sealer.encrypt(&XNonce::from(nonce), payload);
        // The cipher refuses only messages of more than 256 GiB.
        let mut stored = nonce.to_vec();
        stored.extend(sealed.unwrap_or_default());
        stored
    }

    /// Decrypts a stored secret. Fails when the master key is another than the one it was sealed with.
    pub fn unseal(&self, place: &str, stored: &[u8]) -> Result<Vec<u8>> {
        let wrong = || {
            let text = format!("a stored secret ({place}) cannot be opened: is master.key the one of this database?");
            Error::from(Code::Internal).caused_by(text)
        };
        let (nonce, sealed) = stored.split_first_chunk::<NONCE_BYTES>().ok_or_else(wrong)?;
        self.sealer.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: place.as_bytes() }).map_err(|_| wrong())
    }

    /// 32 bytes that depend on the text and on this server's key and tell nothing of either: for made-up values that
    /// must be the same each time they are asked for.
    pub fn disguise(&self, text: &[u8]) -> [u8; 32] {
        mac(&self.disguise, text)
    }

    /// The key that admission keys are made with.
    pub(crate) fn admissions(&self) -> &[u8; 32] {
        &self.admissions
    }

    /// The key that passes for rooms are made with.
    pub(crate) fn passes(&self) -> &[u8; 32] {
        &self.passes
    }

    /// The key that tokens for files are made with. No access token is checked with it, nor the other way round.
    pub(crate) fn file_tokens(&self) -> &MacKey {
        &self.file_tokens
    }

    /// What requests for files are signed with by whom that token was given to.
    pub(crate) fn file_secret(&self, token: &str) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(mac(&self.file_secrets, token.as_bytes())))
    }

    /// The key that names devices for pushes.
    pub(crate) fn push_tokens(&self) -> &[u8; 32] {
        &self.push_tokens
    }

    /// The key that room tokens are made with.
    pub(crate) fn room_tokens(&self) -> &[u8; 32] {
        &self.room_tokens
    }
}

fn mac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    // HMAC takes keys of any length; the error cannot happen with 32 bytes.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mac| mac.chain_update(message).finalize().into_bytes().into())
        .unwrap_or_default()
}
