//! What a client names an app by, and the standing tokens of an app's backend: random, kept as hashes, good until they
//! are revoked.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;
use yinxin_store::TokenId;
use yinxin_store::tables::admin_tokens::{self, AdminTokenRow};
use yinxin_store::tables::apps;
use zeroize::Zeroizing;

use super::{App, AppId, find, must_exist};
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{
    ADMIN_TOKEN_BYTES_MAX, ADMIN_TOKEN_BYTES_MIN, ADMIN_TOKEN_LABEL_CHARS_MAX, ADMIN_TOKENS_MAX, SHORT_ID_BYTES_MAX,
};
use crate::rng;

/// Letters of a short id that is made here, the form the vendor's have.
const SHORT_ID_LETTERS: usize = 12;

/// A standing token, without what is secret.
#[derive(Clone, Debug)]
pub struct AdminToken {
    /// Its id.
    pub id: Uuid,
    /// What its maker calls it.
    pub label: String,
    /// Creation time.
    pub created_ms: i64,
    hash: Box<[u8]>,
}

impl From<AdminTokenRow> for AdminToken {
    fn from(row: AdminTokenRow) -> Self {
        let AdminTokenRow { token, hash, label, created_ms } = row;
        Self { id: Uuid::from_bytes(token.0), label, created_ms, hash }
    }
}

/// A standing token that has just been made: its text cannot be had again.
pub struct NewAdminToken {
    /// Its id.
    pub id: Uuid,
    /// The token.
    pub token: Zeroizing<String>,
}

impl App {
    /// Whether the text is one of the standing tokens.
    pub(crate) fn has_admin_token(&self, text: &str) -> bool {
        if self.admin_tokens.is_empty() || text.len() > ADMIN_TOKEN_BYTES_MAX {
            return false;
        }
        let hash = hash(text);
        // All of them are looked at, so that the time tells nothing of which.
        self.admin_tokens.iter().fold(false, |found, known| found | bool::from(known.hash.ct_eq(&hash)))
    }
}

/// Tokens have 256 random bits, or were made elsewhere to be as hard to guess: a plain hash is enough.
fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// A new short id. Of 26 letters 256 is no multiple: bytes beyond the last full round are thrown away.
pub(super) fn new_short_id(ctx: &Ctx) -> String {
    let mut id = String::with_capacity(SHORT_ID_LETTERS);
    while id.len() < SHORT_ID_LETTERS {
        let fair = rng::bytes::<32>(ctx.rng.as_ref()).into_iter().filter(|byte| *byte < 234);
        let letters = fair.map(|byte| char::from(b'a' + byte % 26));
        id.extend(letters.take(SHORT_ID_LETTERS - id.len()));
    }
    id
}

/// Gives a short id to an app that was made before there were any.
pub(super) async fn complete(ctx: &Ctx, app: AppId) -> Result<()> {
    ctx.db
        .write((app, new_short_id(ctx)), |sql, (app, id)| {
            Box::pin(async move {
                apps::set_first_short_id(sql, *app, id).await?;
                Ok::<_, Error>(())
            })
        })
        .await
}

/// Makes a standing token.
pub async fn create_admin_token(ctx: &Ctx, app: &App, label: String) -> Result<NewAdminToken> {
    let token = Zeroizing::new(hex::encode(rng::bytes::<32>(ctx.rng.as_ref())));
    let row = new_row(ctx, &token, label)?;
    let id = Uuid::from_bytes(row.token.0);
    ctx.db
        .write((app.id, row), |sql, (app, row)| {
            Box::pin(async move {
                must_exist(sql, *app).await?;
                put(sql, *app, row).await
            })
        })
        .await?;
    Ok(NewAdminToken { id, token })
}

fn new_row(ctx: &Ctx, token: &str, label: String) -> Result<AdminTokenRow> {
    if label.chars().count() > ADMIN_TOKEN_LABEL_CHARS_MAX || label.contains('\0') {
        return Err(Error::about(Code::FieldIllegal, "label").with_limit(ADMIN_TOKEN_LABEL_CHARS_MAX));
    }
    let minted = ctx.mint.uuid();
    Ok(AdminTokenRow {
        token: TokenId(minted.uuid.into_bytes()),
        hash: hash(token).into(),
        label,
        created_ms: minted.at_ms,
    })
}

async fn put(sql: &mut dyn yinxin_store::Sql, app: AppId, row: &AdminTokenRow) -> Result<()> {
    if admin_tokens::insert(sql, app, row, ADMIN_TOKENS_MAX).await? {
        Ok(())
    } else {
        Err(Error::over(Code::AdminTokensFull, ADMIN_TOKENS_MAX))
    }
}

/// Revokes a standing token: it is good for nothing when this returns.
pub async fn revoke_admin_token(ctx: &Ctx, app: &App, id: &str) -> Result<()> {
    let unknown = || Error::about(Code::AdminTokenNotFound, id);
    let token = Uuid::try_parse(id).map_err(|_| unknown())?;
    let known = ctx
        .db
        .write((app.id, TokenId(token.into_bytes())), |sql, (app, token)| {
            Box::pin(async move { Ok::<_, Error>(admin_tokens::remove(sql, *app, *token).await?) })
        })
        .await?;
    known.then_some(()).ok_or_else(unknown)
}

/// Gives an app the short id it had elsewhere, and a standing token if one is brought along. The old short id stops
/// working, tokens live on.
pub async fn adopt_admin(
    ctx: &Ctx,
    app: &App,
    short_id: String,
    token: Option<Zeroizing<String>>,
    label: String,
) -> Result<Arc<App>> {
    let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if short_id.is_empty() || short_id.len() > SHORT_ID_BYTES_MAX || !is_word(&short_id) {
        return Err(Error::about(Code::FieldIllegal, "app_id").with_limit(SHORT_ID_BYTES_MAX));
    }
    let row = match &token {
        Some(token) if !is_adoptable(token) => {
            return Err(Error::about(Code::FieldIllegal, "admin_token").with_limit(ADMIN_TOKEN_BYTES_MAX));
        }
        Some(token) if app.has_admin_token(token) => None,
        Some(token) => Some(new_row(ctx, token, label)?),
        None => None,
    };
    ctx.db
        .write((app.id, short_id, row), |sql, (app, short_id, row)| {
            Box::pin(async move {
                if apps::by_short_id(sql, short_id).await?.is_some_and(|other| other.app != *app) {
                    return Err(Error::about(Code::ShortIdTaken, short_id));
                }
                if !apps::set_short_id(sql, *app, short_id).await? {
                    return Err(Code::AppNotFound.into());
                }
                match row {
                    Some(row) => put(sql, *app, row).await,
                    None => Ok(()),
                }
            })
        })
        .await?;
    find(ctx, &app.name.org, &app.name.name).await
}

/// Long enough not to be guessed, and nothing that a header cannot hold.
fn is_adoptable(token: &str) -> bool {
    (ADMIN_TOKEN_BYTES_MIN..=ADMIN_TOKEN_BYTES_MAX).contains(&token.len())
        && token.bytes().all(|byte| byte.is_ascii_graphic())
}
