//! What a backend signs its calls with: a key that names the app, a secret, and a second secret for permission keys.

use yinxin_store::tables::apps;
use yinxin_store::{AppId, Sql};
use yinxin_token::media::admission;
use zeroize::Zeroizing;

use super::{Sealed, seal, unseal};
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::rng;

/// Kind of the secret that signs calls and locally computed room tokens.
const SIGNING_SECRET: &str = "signing";
/// Kind of the secret that makes permission keys.
const PERMISSION_SECRET: &str = "permission";

/// An app's credentials for signed calls.
pub struct Signing {
    /// The app's name in signed calls.
    pub key: String,
    pub(crate) secret: Zeroizing<String>,
    pub(crate) permission_secret: Zeroizing<String>,
}

impl Signing {
    pub(super) fn unseal(ctx: &Ctx, app: AppId, key: String, sealed: &Sealed) -> Result<Self> {
        let secret = unseal(ctx, app, sealed, SIGNING_SECRET)?;
        Ok(Self { key, secret, permission_secret: unseal(ctx, app, sealed, PERMISSION_SECRET)? })
    }

    /// The secret that signs calls, for the operator's eyes.
    pub fn reveal_secret(&self) -> &str {
        &self.secret
    }

    /// What a media server shows that asks whom to let in, for the operator's eyes. It changes with the secret.
    pub fn reveal_admission_key(&self) -> Zeroizing<String> {
        Zeroizing::new(admission::key(&self.secret))
    }

    /// The secret that makes permission keys, for the operator's eyes.
    pub fn reveal_permission_secret(&self) -> &str {
        &self.permission_secret
    }
}

/// Both secrets, sealed.
pub(super) struct NewSecrets {
    signing: Vec<u8>,
    permission: Vec<u8>,
}

/// A new key: 32 hexadecimal digits, the form the vendor's have.
pub(super) fn new_key(ctx: &Ctx) -> String {
    hex::encode(rng::bytes::<16>(ctx.rng.as_ref()))
}

pub(super) fn new_secrets(ctx: &Ctx, app: AppId) -> NewSecrets {
    let signing = Zeroizing::new(hex::encode(rng::bytes::<16>(ctx.rng.as_ref())));
    let permission = Zeroizing::new(hex::encode(rng::bytes::<32>(ctx.rng.as_ref())));
    NewSecrets {
        signing: seal(ctx, app, SIGNING_SECRET, &signing),
        permission: seal(ctx, app, PERMISSION_SECRET, &permission),
    }
}

pub(super) async fn put(sql: &mut dyn Sql, app: AppId, secrets: &NewSecrets, now_ms: i64) -> Result<()> {
    apps::put_secret(sql, app, SIGNING_SECRET, &secrets.signing, now_ms).await?;
    apps::put_secret(sql, app, PERMISSION_SECRET, &secrets.permission, now_ms).await?;
    Ok(())
}

/// Gives credentials to an app that was made before there were any.
pub(super) async fn complete(ctx: &Ctx, app: AppId) -> Result<()> {
    let input = (app, new_key(ctx), new_secrets(ctx, app), ctx.clock.now_ms());
    ctx.db
        .write(input, |sql, (app, key, secrets, now_ms)| {
            Box::pin(async move {
                if apps::set_first_signing_key(sql, *app, key).await? {
                    put(sql, *app, secrets, *now_ms).await?;
                }
                Ok::<_, Error>(())
            })
        })
        .await
}
