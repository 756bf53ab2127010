//! Making users: one or many, with or without a password.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use yinxin_store::tables::handles::{self, USERNAME};
use yinxin_store::tables::push_marks;
use yinxin_store::tables::users::{self, NewUser, PushProfile};
use yinxin_store::{AppId, UserId};
use zeroize::Zeroizing;

use super::{User, look_up};
use crate::apps::{self, App};
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{NICKNAME_CHARS_MAX, PASSWORD_CHARS_MAX, REGISTER_BATCH_MAX};
use crate::names::{NameRule, Username};
use crate::pushes;
use crate::settings::{self, Setting};

/// A request for an account, as a caller spelled it.
#[derive(Clone, Debug, Default)]
pub struct Registration {
    /// The name.
    pub username: Option<String>,
    /// The password.
    pub password: Option<Zeroizing<String>>,
    /// Name shown in a push.
    pub nickname: Option<String>,
    /// Which names may be given.
    pub rule: NameRule,
    /// Where it comes from, if from outside: the hashes of one network wait for each other.
    pub from: Option<IpAddr>,
    /// What it has set from the first moment on.
    pub settings: Vec<(Setting, String)>,
    /// What pushes find it by: a device, `""` for all, and its alias.
    pub alias: Option<(String, String)>,
}

/// What a batch did.
#[derive(Debug)]
pub struct Registered {
    /// The new users, in the order of the call.
    pub created: Vec<Arc<User>>,
    /// Names that were taken, as the caller spelled them.
    pub taken: Vec<String>,
}

/// A registration that has been checked.
struct Account {
    name: Username,
    spelled: String,
    password: Zeroizing<String>,
    nickname: Option<String>,
    from: Option<IpAddr>,
    belongings: Belongings,
}

/// What a user is made with beside its row.
#[derive(Clone, Debug, Default)]
struct Belongings {
    settings: Vec<(Setting, String)>,
    alias: Option<(String, String)>,
}

/// A user to be inserted.
struct Newcomer {
    spelled: String,
    row: NewUser,
    belongings: Belongings,
    order: i64,
}

/// Registers one user.
pub async fn register(ctx: &Ctx, app: &App, registration: Registration) -> Result<Arc<User>> {
    let mut done = register_batch(ctx, app, vec![registration]).await?;
    done.created.pop().ok_or_else(|| Error::about(Code::UsernameTaken, done.taken.pop().unwrap_or_default()))
}

/// Registers up to 60 users. Names that are taken are left out; when all are, the call fails. Anything that is not
/// legal fails the whole call.
pub async fn register_batch(ctx: &Ctx, app: &App, registrations: Vec<Registration>) -> Result<Registered> {
    let size = registrations.len();
    if size > REGISTER_BATCH_MAX {
        return Err(Error::about(Code::BatchTooLarge, size.to_string()).with_limit(REGISTER_BATCH_MAX));
    }
    let accounts = without_repeats(registrations.into_iter().map(check).collect::<Result<_>>()?)?;
    let mut taken = Vec::new();
    let mut free = Vec::with_capacity(accounts.len());
    for account in accounts {
        // Hashing is dear; a name that is taken already needs none. The insert decides the races.
        match look_up(ctx, app.id, account.name.as_str()).await? {
            Some(_) => taken.push(account.spelled),
            None => free.push(account),
        }
    }
    // Hashes are ready in any order; ids are given in the order of the call, which is the order of lists.
    let new: Vec<Newcomer> = stream::iter(free)
        .map(|account| hash(ctx, account))
        .buffered(ctx.passwords.threads())
        .map_ok(|(Account { name, spelled, nickname, belongings, .. }, hash)| {
            let row = new_user(ctx, name, Some(hash), nickname);
            Newcomer { spelled, row, belongings, order: ctx.mint.order() }
        })
        .try_collect()
        .await?;
    let created = insert(ctx, app.id, new, &mut taken).await?;
    match taken.first() {
        Some(first) if created.is_empty() => Err(Error::about(Code::UsernameTaken, first)),
        _ => Ok(Registered { created, taken }),
    }
}

/// Registers a user that can only log in by tokens a backend asks for. A name that is taken gives its owner.
pub async fn register_without_password(ctx: &Ctx, app: &App, username: &str) -> Result<Arc<User>> {
    let name = Username::parse(username)?;
    let row = new_user(ctx, name, None, None);
    let (spelled, belongings, order) = (username.to_owned(), Belongings::default(), 0);
    insert(ctx, app.id, vec![Newcomer { spelled, row, belongings, order }], &mut Vec::new()).await?;
    super::find(ctx, app, username).await
}

fn check(registration: Registration) -> Result<Account> {
    let spelled = registration.username.ok_or(Code::UsernameMissing)?;
    let name = Username::parse_by(registration.rule, &spelled)?;
    let password = registration.password.filter(|password| !password.is_empty()).ok_or(Code::PasswordMissing)?;
    check_password(&password)?;
    let nickname = registration.nickname;
    if nickname.as_ref().is_some_and(|nickname| nickname.chars().count() > NICKNAME_CHARS_MAX) {
        return Err(Error::over(Code::NicknameTooLong, NICKNAME_CHARS_MAX));
    }
    let Registration { from, settings, alias, .. } = registration;
    settings::check(&settings)?;
    alias.as_ref().map_or(Ok(()), |(_, alias)| pushes::check_alias(alias))?;
    Ok(Account { name, spelled, password, nickname, from, belongings: Belongings { settings, alias } })
}

/// The rule for every new password that is not empty.
pub(super) fn check_password(password: &str) -> Result<()> {
    check_length(password, PASSWORD_CHARS_MAX)
}

pub(super) fn check_length(password: &str, chars_max: usize) -> Result<()> {
    if password.chars().count() > chars_max { Err(Error::over(Code::PasswordTooLong, chars_max)) } else { Ok(()) }
}

/// One name twice with the same password is one user; with two passwords nobody can know which was meant.
fn without_repeats(accounts: Vec<Account>) -> Result<Vec<Account>> {
    let mut seen: HashMap<Username, Zeroizing<String>> = HashMap::new();
    let mut kept = Vec::with_capacity(accounts.len());
    for account in accounts {
        match seen.get(&account.name) {
            None => {
                seen.insert(account.name.clone(), account.password.clone());
                kept.push(account);
            }
            Some(password) if *password == account.password => {}
            Some(_) => return Err(Error::about(Code::BatchConflict, account.spelled)),
        }
    }
    Ok(kept)
}

async fn hash(ctx: &Ctx, account: Account) -> Result<(Account, String)> {
    let hash = ctx.passwords.hash(account.password.clone(), account.from).await?;
    Ok((account, hash))
}

pub(super) fn new_user(
    ctx: &Ctx,
    name: Username,
    password_hash: Option<String>,
    push_nickname: Option<String>,
) -> NewUser {
    let minted = ctx.mint.uuid();
    NewUser {
        user: UserId(minted.uuid.into_bytes()),
        username: name.into_string(),
        password_hash,
        created_ms: minted.at_ms,
        tokens_not_before_s: dead_until_s(minted.at_ms),
        push_nickname,
    }
}

/// The last second whose locally computed tokens do not speak for a user made at that time: they were a namesake's.
pub(super) fn dead_until_s(created_ms: i64) -> i64 {
    created_ms.div_euclid(1000) - 1
}

/// Inserts those whose names are free, and notes the others.
async fn insert(ctx: &Ctx, app: AppId, new: Vec<Newcomer>, taken: &mut Vec<String>) -> Result<Vec<Arc<User>>> {
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let new = Arc::new(new);
    let inserted = ctx
        .db
        .write((app, Arc::clone(&new)), |sql, (app, new)| {
            Box::pin(async move {
                apps::must_exist(sql, *app).await?;
                let mut inserted = Vec::with_capacity(new.len());
                for Newcomer { row, belongings: Belongings { settings, alias }, order, .. } in new.iter() {
                    let free = handles::claim(sql, *app, USERNAME, &row.username, row.user).await?;
                    if free {
                        users::insert(sql, *app, row).await?;
                        settings::set(sql, *app, row.user, settings).await?;
                    }
                    if let Some((device, alias)) = alias.as_ref().filter(|_| free) {
                        push_marks::set_alias(sql, *app, row.user, (device, alias), *order).await?;
                    }
                    inserted.push(free);
                }
                Ok::<_, Error>(inserted)
            })
        })
        .await?;
    let mut created = Vec::with_capacity(new.len());
    for (Newcomer { spelled, row, .. }, inserted) in new.iter().zip(inserted) {
        if inserted {
            created.push(Arc::new(as_stored(row)));
        } else {
            taken.push(spelled.clone());
        }
    }
    Ok(created)
}

pub(super) fn as_stored(new: &NewUser) -> User {
    User {
        user: new.user,
        username: new.username.clone(),
        called: None,
        created_ms: new.created_ms,
        modified_ms: new.created_ms,
        active: true,
        token_epoch: 0,
        tokens_not_before_s: new.tokens_not_before_s,
        numeric_id: None,
        push: PushProfile { nickname: new.push_nickname.clone(), ..PushProfile::default() },
        group_ignores: Vec::new(),
    }
}
