//! Tokens that open files and nothing else: for addresses of pictures, which land in logs and histories where an access
//! token must not. A request shows the token and a signature made with its secret, so that the address of one file opens
//! no other.

use uuid::Uuid;
use yinxin_token::access::{self, Claims, Kind};
use yinxin_token::file_signature;
use zeroize::Zeroizing;

use crate::apps::App;
use crate::ctx::Ctx;
use crate::error::{Code, Result};
use crate::tokens::Caller;
use crate::users::{self, User};
use yinxin_store::UserId;

/// A token for files and what requests with it are signed with.
pub struct FileGrant {
    /// The token.
    pub token: String,
    /// The secret: never sent again.
    pub secret: Zeroizing<String>,
}

/// Gives a user, who has just proved who it is, a token for files that lives as long as its access token and ends with
/// it.
pub fn issue(ctx: &Ctx, app: &App, user: &User, ttl_s: i64) -> FileGrant {
    let claims = Claims {
        id: ctx.mint.uuid().uuid,
        app: app.uuid(),
        principal: Uuid::from_bytes(user.user.0),
        kind: Kind::User,
        issued_ms: ctx.clock.now_ms(),
        ttl_s: u32::try_from(ttl_s).unwrap_or(u32::MAX),
    };
    let token = access::seal(&claims, ctx.keys.file_tokens(), user.token_epoch);
    FileGrant { secret: ctx.keys.file_secret(&token), token }
}

/// Who asks for that file, by a token for files and the signature of the request.
pub async fn authenticate(ctx: &Ctx, app: &App, token: &str, signature: &str, file: &str) -> Result<Caller> {
    let opened = access::open(token).map_err(|_| Code::TokenCorrupt)?;
    let claims = opened.claims;
    if claims.kind != Kind::User || claims.app != app.uuid() {
        return Err(Code::TokenUnknown.into());
    }
    let user = users::by_id(ctx, app.id, UserId(claims.principal.into_bytes())).await?.ok_or(Code::TokenUnknown)?;
    let is_ours = opened.verify(ctx.keys.file_tokens(), user.token_epoch);
    if !is_ours || !user.active {
        return Err(Code::TokenUnknown.into());
    }
    if claims.is_expired(ctx.clock.now_ms()) {
        return Err(Code::TokenExpired.into());
    }
    if !file_signature::is_of(signature, &ctx.keys.file_secret(token), &app.short_id, file, token) {
        return Err(Code::SignatureWrong.into());
    }
    Ok(Caller::User(user))
}
