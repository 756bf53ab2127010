//! What a backend signs its calls with: a key that names the app, a secret, and a second secret for permission keys.

use std::sync::Arc;

use yinxin_store::tables::apps;
use yinxin_store::{AppId, Sql};
use yinxin_token::media::admission;
use zeroize::Zeroizing;

use super::{App, Sealed, seal, unseal};
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{SIGNING_KEY_BYTES_MAX, SIGNING_SECRET_BYTES_MAX};
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
    pub(crate) admission_key: Zeroizing<String>,
}

impl Signing {
    pub(super) fn unseal(ctx: &Ctx, app: AppId, key: String, sealed: &Sealed) -> Result<Self> {
        let secret = unseal(ctx, app, sealed, SIGNING_SECRET)?;
        let admission_key = Zeroizing::new(admission::key(&app.0, &secret, ctx.keys.admissions()));
        Ok(Self { key, secret, permission_secret: unseal(ctx, app, sealed, PERMISSION_SECRET)?, admission_key })
    }

    /// The secret that signs calls, for the operator's eyes.
    pub fn reveal_secret(&self) -> &str {
        &self.secret
    }

    /// What a media server shows that asks whom to let in, for the operator's eyes. It changes with the secret.
    pub fn reveal_admission_key(&self) -> &str {
        &self.admission_key
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
    sealed(ctx, app, &signing, &permission)
}

fn sealed(ctx: &Ctx, app: AppId, signing: &str, permission: &str) -> NewSecrets {
    NewSecrets {
        signing: seal(ctx, app, SIGNING_SECRET, signing),
        permission: seal(ctx, app, PERMISSION_SECRET, permission),
    }
}

/// Credentials that an app had elsewhere and brings along, so that its backends and clients need not change theirs.
pub struct Brought {
    /// The app's name in signed calls.
    pub key: String,
    /// The secret that signs calls.
    pub secret: Zeroizing<String>,
    /// The secret that makes permission keys; `None`: as it is.
    pub permission_secret: Option<Zeroizing<String>>,
}

impl Brought {
    fn check(&self) -> Result<()> {
        let secrets = [("app_secret", Some(&self.secret)), ("perm_secret", self.permission_secret.as_ref())];
        let secrets =
            secrets.into_iter().filter_map(|(name, text)| Some((name, text?.as_str(), SIGNING_SECRET_BYTES_MAX)));
        for (name, text, bytes_max) in
            [("app_key", self.key.as_str(), SIGNING_KEY_BYTES_MAX)].into_iter().chain(secrets)
        {
            // What stands in a header, and what a person copies: nothing that cannot be seen.
            if text.is_empty() || text.len() > bytes_max || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(Error::about(Code::FieldIllegal, name).with_limit(bytes_max));
            }
        }
        Ok(())
    }
}

/// Gives an app the credentials it had elsewhere. The old ones stop working.
pub async fn adopt(ctx: &Ctx, app: &App, brought: Brought) -> Result<Arc<App>> {
    brought.check()?;
    let permission = brought.permission_secret.as_ref().unwrap_or(&app.signing.permission_secret);
    let secrets = sealed(ctx, app.id, &brought.secret, permission);
    ctx.db
        .write((app.id, brought.key, secrets, ctx.clock.now_ms()), |sql, (app, key, secrets, now_ms)| {
            Box::pin(async move {
                if apps::by_signing_key(sql, key).await?.is_some_and(|other| other.app != *app) {
                    return Err(Error::about(Code::SigningKeyTaken, key));
                }
                if !apps::set_signing_key(sql, *app, key).await? {
                    return Err(Code::AppNotFound.into());
                }
                put(sql, *app, secrets, *now_ms).await
            })
        })
        .await?;
    super::find(ctx, &app.name.org, &app.name.name).await
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
