//! Bringing users over from elsewhere, with the hashes of their passwords: no password is hashed here.

use std::sync::Arc;

use argon2::Params;
use phc::PasswordHash;
use yinxin_store::tables::handles::{self, NUMERIC_ID, USERNAME};
use yinxin_store::tables::users::{self, NewUser};
use yinxin_store::{AppId, Sql, UserId};

use super::is_number;
use super::register::dead_until_s;
use crate::apps::{self, App};
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::NICKNAME_CHARS_MAX;
use crate::names::Username;
use crate::passwords::{FOREIGN_MEMORY_MAX_KIB, HASH_BYTES};

/// Users in one call.
pub const IMPORT_MAX: usize = 10_000;
/// Users in one transaction: the writer serves others in between.
const CHUNK: usize = 1_000;
/// Passes and lanes a hash may ask for: checking an imported hash must not take the machine down either.
const FOREIGN_PASSES_MAX: u32 = 64;
const FOREIGN_LANES_MAX: u32 = 16;
const ARGON2_VERSION: u32 = 0x13;

/// A user to bring over that has been checked.
#[derive(Debug)]
pub struct Import {
    name: Username,
    password_hash: Option<String>,
    nickname: Option<String>,
    numeric_id: Option<i64>,
}

impl Import {
    /// Checks a user as a caller wrote it. The hash is an Argon2id PHC string; without one the user can only log in by
    /// tokens a backend asks for.
    pub fn parse(username: &str, password_hash: Option<String>, nickname: Option<String>) -> Result<Self> {
        let name = Username::parse(username)?;
        if password_hash.as_deref().is_some_and(|hash| !is_checkable(hash)) {
            // The value is a secret: only its place is named.
            return Err(Error::about(Code::FieldIllegal, "password_hash"));
        }
        match &nickname {
            Some(nickname) if nickname.chars().count() > NICKNAME_CHARS_MAX => {
                Err(Error::over(Code::NicknameTooLong, NICKNAME_CHARS_MAX))
            }
            Some(nickname) if nickname.contains('\0') => Err(Error::about(Code::FieldIllegal, "nickname")),
            _ => Ok(Self { name, password_hash, nickname, numeric_id: None }),
        }
    }

    /// The same user with the number it had elsewhere.
    pub fn with_number(mut self, number: i64) -> Result<Self> {
        if !is_number(number) {
            return Err(Error::about(Code::FieldIllegal, format!("user_id={number}")));
        }
        self.numeric_id = Some(number);
        Ok(self)
    }
}

/// Whether a login will be able to check a password against this hash.
fn is_checkable(hash: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(hash) else { return false };
    let Ok(params) = Params::try_from(&parsed) else { return false };
    parsed.algorithm == argon2::ARGON2ID_IDENT
        && parsed.version == Some(ARGON2_VERSION)
        && parsed.salt.is_some()
        && parsed.hash.is_some_and(|hash| hash.as_bytes().len() == HASH_BYTES)
        && params.m_cost() <= FOREIGN_MEMORY_MAX_KIB
        && params.t_cost() <= FOREIGN_PASSES_MAX
        && params.p_cost() <= FOREIGN_LANES_MAX
}

/// What an import did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Imported {
    /// New users.
    pub imported: usize,
    /// Names that existed; their users are as they were.
    pub existing: usize,
}

/// Imports up to [`IMPORT_MAX`] users. Those before a failure stay: the same call again counts them as existing.
pub async fn import(ctx: &Ctx, app: &App, users: Vec<Import>) -> Result<Imported> {
    if users.len() > IMPORT_MAX {
        return Err(Error::about(Code::BatchTooLarge, users.len().to_string()).with_limit(IMPORT_MAX));
    }
    let new: Arc<[New]> = users.into_iter().map(|import| (import.numeric_id, new_user(ctx, import))).collect();
    let mut done = Imported::default();
    for start in (0..new.len()).step_by(CHUNK) {
        let imported = insert(ctx, app.id, Arc::clone(&new), start).await?;
        done.imported += imported;
        done.existing += CHUNK.min(new.len() - start) - imported;
    }
    Ok(done)
}

fn new_user(ctx: &Ctx, import: Import) -> NewUser {
    let minted = ctx.mint.uuid();
    NewUser {
        user: UserId(minted.uuid.into_bytes()),
        username: import.name.into_string(),
        password_hash: import.password_hash,
        created_ms: minted.at_ms,
        tokens_not_before_s: dead_until_s(minted.at_ms),
        push_nickname: import.nickname,
    }
}

/// A user to insert, and the number it brings along.
type New = (Option<i64>, NewUser);

/// Inserts one chunk and says how many of its names were free.
async fn insert(ctx: &Ctx, app: AppId, new: Arc<[New]>, start: usize) -> Result<usize> {
    ctx.db
        .write((app, new, start), |sql, (app, new, start)| {
            Box::pin(async move {
                apps::must_exist(sql, *app).await?;
                let mut imported = 0;
                for (number, user) in new.iter().skip(*start).take(CHUNK) {
                    if handles::claim(sql, *app, USERNAME, &user.username, user.user).await? {
                        users::insert(sql, *app, user).await?;
                        if let Some(number) = number {
                            keep_number(sql, *app, user.user, *number).await?;
                        }
                        imported += 1;
                    }
                }
                Ok::<_, Error>(imported)
            })
        })
        .await
}

/// Gives a new user the number it had elsewhere.
async fn keep_number(sql: &mut dyn Sql, app: AppId, user: UserId, number: i64) -> Result<()> {
    if !handles::claim(sql, app, NUMERIC_ID, &number.to_string(), user).await? {
        return Err(Error::about(Code::LoginNameTaken, format!("user_id={number}")));
    }
    users::set_numeric_id(sql, app, user, number).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn parse(hash: &str) -> Result<Import> {
        Import::parse("ann", Some(hash.to_owned()), None)
    }

    #[test]
    fn hashes_are_checked_for_their_form() {
        assert!(parse(HASH).is_ok());
        let other = |from: &str, to: &str| HASH.replace(from, to);
        for hash in [
            String::new(),
            "secret".into(),
            other("argon2id", "argon2i"),
            other("argon2id", "scrypt"),
            other("v=19", "v=16"),
            other("v=19$", ""),
            other("m=19456", "m=999999999"),
            other("t=2", "t=1000000"),
            other("p=1", "p=200"),
            HASH[..HASH.len() - 8].to_owned(),
            HASH[..HASH.rfind('$').unwrap()].to_owned(),
        ] {
            let refused = parse(&hash).is_err_and(|error| error.subject == "password_hash");
            assert!(refused, "{hash}");
        }
    }

    #[test]
    fn names_and_nicknames_are_checked() {
        let code = |name: &str, nickname: &str| {
            Import::parse(name, None, Some(nickname.to_owned())).map(|_| ()).map_err(|error| error.code)
        };
        assert_eq!(code("Ann", "Ann"), Ok(()));
        assert_eq!(code("a b", ""), Err(Code::UsernameIllegal));
        assert_eq!(code("ann", &"x".repeat(101)), Err(Code::NicknameTooLong));
        assert_eq!(code("ann", "a\0"), Err(Code::FieldIllegal));
    }
}
