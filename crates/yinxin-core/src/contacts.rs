//! Contacts: mutual, bounded per user, newest first.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

pub use yinxin_store::tables::contacts::{ContactRow as Contact, InvitationRow as Invitation};
use yinxin_store::tables::{blocks, contacts};
use yinxin_store::{AppId, Sql, UserId};

use crate::apps::App;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{
    CONTACT_EXT_CHARS_MAX, CONTACT_IMPORT_MAX, CONTACTS_MAX, INVITATION_BYTES_MAX, INVITATION_MS, INVITATIONS_MAX,
    PEOPLE_PAGE_MAX, RELATION_CHECK_MAX, REMARK_CHARS_MAX,
};
use crate::messages::{self, Kind, News};
use crate::mint::ORDER_BITS;
use crate::push::{self, RuleChanges, RuleKind};
use crate::rates::Whose;
use crate::settings::{self, Admission, Setting};
use crate::users::{self, User, must_exist};
use crate::wrong_passwords::Trial;

/// Two users of one call, found.
struct Pair {
    owner: Arc<User>,
    friend: Arc<User>,
}

async fn pair(ctx: &Ctx, app: &App, owner: &str, friend: &str) -> Result<Pair> {
    Ok(Pair { owner: users::find(ctx, app, owner).await?, friend: users::find(ctx, app, friend).await? })
}

/// Makes two users contacts of each other; again is no error. Those who are connected are told. Gives the friend.
pub async fn add(ctx: &Ctx, app: &App, owner: &str, friend: &str) -> Result<Arc<User>> {
    let Pair { owner, friend } = pair(ctx, app, owner, friend).await?;
    befriend(ctx, app, &owner, &friend, None).await?;
    Ok(friend)
}

/// `remark`: what the owner calls the friend from now on; `None` leaves it as it is.
async fn befriend(ctx: &Ctx, app: &App, owner: &User, friend: &User, remark: Option<&str>) -> Result<()> {
    if owner.user == friend.user {
        return Err(Error::about(Code::FieldIllegal, "a user cannot be its own contact"));
    }
    // Who is away reads the list at the next login; a note for each would double what this call costs.
    let to_owner = News::if_online(ctx, app.id, owner, Kind::Added, friend, "").await?;
    let to_friend = News::if_online(ctx, app.id, friend, Kind::Added, owner, "").await?;
    let order = ctx.mint.order();
    let remark = remark.map(str::to_owned);
    let input = (app.id, owner.user, friend.user, order, app.settings.contacts_max, remark, to_owner, to_friend);
    ctx.db
        .write(input, |sql, (app, owner, friend, order, max, remark, to_owner, to_friend)| {
            Box::pin(async move {
                must_exist(sql, *app, *owner).await?;
                must_exist(sql, *app, *friend).await?;
                join(sql, *app, (*owner, *friend), *order, *max).await?;
                if let Some(remark) = remark {
                    contacts::set_remark(sql, *app, *owner, *friend, remark).await?;
                }
                for (to, news) in [(owner, to_owner), (friend, to_friend)] {
                    if let Some(news) = news {
                        messages::note(sql, *app, *to, news).await?;
                    }
                }
                Ok::<_, Error>(())
            })
        })
        .await?;
    ctx.sessions.wake(app.id, owner.user, &friend.username);
    ctx.sessions.wake(app.id, friend.user, &owner.username);
    Ok(())
}

/// Makes two users contacts of each other, and what either has asked of the other is answered.
async fn join(sql: &mut dyn Sql, app: AppId, pair: (UserId, UserId), order: i64, max: i64) -> Result<()> {
    for (owner, friend) in [pair, (pair.1, pair.0)] {
        add_side(sql, app, owner, friend, order, max).await?;
        contacts::uninvite(sql, app, owner, friend, i64::MIN).await?;
    }
    Ok(())
}

async fn add_side(sql: &mut dyn Sql, app: AppId, owner: UserId, friend: UserId, order: i64, max: i64) -> Result<()> {
    if contacts::add(sql, app, owner, friend, order, max).await? || contacts::has(sql, app, owner, friend).await? {
        Ok(())
    } else {
        Err(Error::over(Code::ContactsFull, max))
    }
}

/// Ends a friendship on both sides; none is no error. The friend is told, and the owner's devices that are connected.
/// Gives the former friend.
pub async fn remove(ctx: &Ctx, app: &App, owner: &str, friend: &str) -> Result<Arc<User>> {
    let Pair { owner, friend } = pair(ctx, app, owner, friend).await?;
    let to_owner = News::if_online(ctx, app.id, &owner, Kind::Removed, &friend, "").await?;
    let to_friend = News::of(ctx, Kind::Removed, &owner, "");
    ctx.db
        .write((app.id, owner.user, friend.user, to_owner, to_friend), |sql, input| {
            Box::pin(async move {
                let (app, owner, friend, to_owner, to_friend) = input;
                let was_friend = contacts::remove(sql, *app, *owner, *friend).await?;
                contacts::remove(sql, *app, *friend, *owner).await?;
                if was_friend {
                    messages::note(sql, *app, *friend, to_friend).await?;
                    if let Some(news) = to_owner {
                        messages::note(sql, *app, *owner, news).await?;
                    }
                }
                Ok::<_, Error>(())
            })
        })
        .await?;
    ctx.sessions.wake(app.id, owner.user, &friend.username);
    ctx.sessions.wake(app.id, friend.user, &owner.username);
    Ok(friend)
}

/// Asks a user to become a contact. A user who blocks the inviter is not asked, which the inviter is not told.
pub async fn invite(ctx: &Ctx, app: &App, from: &str, to: &str, reason: &str) -> Result<Arc<User>> {
    let Pair { owner: from, friend: to } = pair(ctx, app, from, to).await?;
    if from.user == to.user {
        return Err(Error::about(Code::FieldIllegal, "a user cannot be its own contact"));
    }
    if reason.len() > INVITATION_BYTES_MAX {
        return Err(Error::about(Code::FieldIllegal, "reason").with_limit(1024));
    }
    let news = News::of(ctx, Kind::Invited, &from, reason);
    let input = (app.id, to.user, from.user, news, ctx.mint.order(), reason.to_owned(), oldest_invitation(ctx));
    ctx.db
        .write(input, |sql, (app, to, from, news, order, reason, oldest)| {
            Box::pin(async move {
                must_exist(sql, *app, *from).await?;
                must_exist(sql, *app, *to).await?;
                if blocks::has(sql, *app, *to, *from).await? || contacts::has(sql, *app, *to, *from).await? {
                    return Ok(());
                }
                contacts::expire_invitations(sql, *app, *to, *oldest).await?;
                contacts::invite(sql, *app, *to, *from, *order, reason).await?;
                if contacts::invitations(sql, *app, *to).await? > INVITATIONS_MAX {
                    return Err(Error::over(Code::ContactsFull, INVITATIONS_MAX));
                }
                messages::note(sql, *app, *to, news).await
            })
        })
        .await?;
    ctx.sessions.wake(app.id, to.user, &from.username);
    Ok(to)
}

/// Asks a user to become a contact on the terms that user has set. If they are contacts then, a remark that is not empty is
/// what the asking one calls the other. A user who blocks the other is not asked, which is not told.
pub async fn apply(
    ctx: &Ctx,
    app: &App,
    from: &User,
    to: &User,
    reason: &str,
    answer: Option<&str>,
    remark: Option<&str>,
) -> Result<()> {
    let remark = remark.filter(|remark| !remark.is_empty());
    remark.map_or(Ok(()), check_remark)?;
    let is_blocked = from.user != to.user && is_blocked(ctx, app, to, from).await?;
    let wants = settings::of_user(ctx, app, to).await?;
    let is_right = || {
        let wanted = wants.get(Setting::Answer).map(str::trim).filter(|wanted| !wanted.is_empty());
        wanted.is_some() && wanted == answer.map(str::trim)
    };
    match wants.admission() {
        Admission::Closed => return Err(Code::InvitationRefused.into()),
        Admission::Question => guess(ctx, app, (from, to), is_right()).await?,
        Admission::Open | Admission::Consent => {}
    }
    if is_blocked {
        return Ok(());
    }
    if wants.admission() == Admission::Consent {
        return invite(ctx, app, &from.username, &to.username, reason).await.map(drop);
    }
    befriend(ctx, app, from, to, remark).await
}

/// An answer to a user's question. Wrong ones are limited as wrong passwords are, wherever they come from.
async fn guess(ctx: &Ctx, app: &App, (from, to): (&User, &User), is_right: bool) -> Result<()> {
    let whose = format!("answer of {} to {}", from.username, to.username);
    let nowhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let trial = Trial { app: app.id, whose: Whose::Nobody(&whose), from: nowhere };
    trial.begin(ctx).await?;
    if is_right {
        trial.was_not_wrong(ctx);
        return Ok(());
    }
    trial.was_wrong(ctx).await?;
    Err(Code::InvitationRefused.into())
}

async fn is_blocked(ctx: &Ctx, app: &App, by: &User, other: &User) -> Result<bool> {
    ctx.db
        .read((app.id, by.user, other.user), |sql, (app, by, other)| {
            Box::pin(async move { Ok::<_, Error>(blocks::has(sql, *app, *by, *other).await?) })
        })
        .await
}

/// Whether a user's devices may write to another.
pub async fn may_write(ctx: &Ctx, app: &App, from: &User, to: &User) -> Result<bool> {
    if is_blocked(ctx, app, to, from).await? {
        return Ok(false);
    }
    Ok(!app.settings.contacts_only_messaging || entry(ctx, app, to, from).await?.is_some())
}

/// Whether the owner blocks the other, and what it notes about it as a contact.
pub async fn relation(ctx: &Ctx, app: &App, owner: &User, other: &User) -> Result<(bool, Option<Contact>)> {
    Ok((is_blocked(ctx, app, owner, other).await?, entry(ctx, app, owner, other).await?))
}

async fn entry(ctx: &Ctx, app: &App, owner: &User, friend: &User) -> Result<Option<Contact>> {
    ctx.db
        .read((app.id, owner.user, friend.user), |sql, (app, owner, friend)| {
            Box::pin(async move { Ok::<_, Error>(contacts::one(sql, *app, *owner, *friend).await?) })
        })
        .await
}

/// The order id of the oldest invitation that still waits.
fn oldest_invitation(ctx: &Ctx) -> i64 {
    (ctx.clock.now_ms() - INVITATION_MS) << ORDER_BITS
}

/// When an invitation no longer waits.
pub fn expires_ms(invitation: &Invitation) -> i64 {
    (invitation.since_seq >> ORDER_BITS) + INVITATION_MS
}

/// A page of the invitations that wait for a user, older than `before`.
pub async fn invitations(ctx: &Ctx, app: &App, of: &User, before: Option<i64>, limit: i64) -> Result<Page<Invitation>> {
    let limit = limit.clamp(1, INVITATIONS_MAX);
    let rows = ctx
        .db
        .read((app.id, of.user, oldest_invitation(ctx)..before.unwrap_or(i64::MAX), limit), |sql, input| {
            Box::pin(async move {
                let (app, of, seqs, limit) = input;
                Ok::<_, Error>(contacts::invitation_page(sql, *app, *of, seqs.clone(), *limit + 1).await?)
            })
        })
        .await?;
    Ok(Page::cut(rows, limit, |row| row.since_seq))
}

/// Accepts an invitation: both are contacts now, and the inviter is told.
pub async fn accept(ctx: &Ctx, app: &App, to: &str, from: &str) -> Result<Arc<User>> {
    answer(ctx, app, to, from, Kind::Accepted).await
}

/// Declines an invitation; the inviter is told.
pub async fn decline(ctx: &Ctx, app: &App, to: &str, from: &str) -> Result<Arc<User>> {
    answer(ctx, app, to, from, Kind::Declined).await
}

async fn answer(ctx: &Ctx, app: &App, to: &str, from: &str, kind: Kind) -> Result<Arc<User>> {
    let Pair { owner: to, friend: from } = pair(ctx, app, to, from).await?;
    let (news, order) = (News::of(ctx, kind, &to, ""), ctx.mint.order());
    let input = (app.id, to.user, from.user, news, order, app.settings.contacts_max, oldest_invitation(ctx));
    ctx.db
        .write(input, |sql, (app, to, from, news, order, max, oldest)| {
            Box::pin(async move {
                must_exist(sql, *app, *to).await?;
                must_exist(sql, *app, *from).await?;
                if !contacts::uninvite(sql, *app, *to, *from, *oldest).await? {
                    return Err(Code::NotInvited.into());
                }
                if news.kind == Kind::Accepted {
                    join(sql, *app, (*to, *from), *order, *max).await?;
                }
                messages::note(sql, *app, *from, news).await
            })
        })
        .await?;
    ctx.sessions.wake(app.id, from.user, &to.username);
    Ok(from)
}

/// Ends all friendships of a user.
pub async fn remove_all(ctx: &Ctx, app: &App, owner: &str) -> Result<()> {
    let owner = users::find(ctx, app, owner).await?;
    ctx.db
        .write((app.id, owner.user), |sql, (app, owner)| {
            Box::pin(async move { Ok::<_, Error>(contacts::remove_all(sql, *app, *owner).await?) })
        })
        .await
}

/// A page of a list that is ordered by age.
#[derive(Debug)]
pub struct Page<T> {
    /// The entries, newest first.
    pub entries: Vec<T>,
    /// Where the next page begins, if there is one.
    pub next: Option<i64>,
}

impl<T> Page<T> {
    /// Cuts what was read one longer than asked for.
    pub(crate) fn cut(mut entries: Vec<T>, limit: i64, order: impl Fn(&T) -> i64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = entries.len() > limit;
        entries.truncate(limit);
        let next = if more { entries.last().map(order) } else { None };
        Self { entries, next }
    }
}

/// All contacts of a user, newest first: also those beyond an app's limit that was lowered since.
pub async fn all(ctx: &Ctx, app: &App, owner: &str) -> Result<Vec<Contact>> {
    Ok(read(ctx, app, owner, None, CONTACTS_MAX).await?.entries)
}

/// A page of contacts older than `before`.
pub async fn page(ctx: &Ctx, app: &App, owner: &str, before: Option<i64>, limit: i64) -> Result<Page<Contact>> {
    if limit > PEOPLE_PAGE_MAX {
        return Err(Error::over(Code::PageTooLarge, PEOPLE_PAGE_MAX));
    }
    read(ctx, app, owner, before, limit.max(1)).await
}

async fn read(ctx: &Ctx, app: &App, owner: &str, before: Option<i64>, limit: i64) -> Result<Page<Contact>> {
    let owner = users::find(ctx, app, owner).await?;
    let rows = ctx
        .db
        .read((app.id, owner.user, before.unwrap_or(i64::MAX), limit), |sql, (app, owner, before, limit)| {
            Box::pin(async move { Ok::<_, Error>(contacts::page(sql, *app, *owner, *before, *limit + 1).await?) })
        })
        .await?;
    Ok(Page::cut(rows, limit, |row| row.since_seq))
}

/// What an owner notes about a contact; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// What it calls it.
    pub remark: Option<String>,
    /// What the app keeps here.
    pub ext: Option<String>,
    /// The mode of the push rule of their conversation.
    pub push_mode: Option<String>,
}

/// The rule for what a contact is called.
fn check_remark(remark: &str) -> Result<()> {
    let is_short = remark.chars().count() <= REMARK_CHARS_MAX;
    is_short.then_some(()).ok_or_else(|| Error::over(Code::RemarkTooLong, REMARK_CHARS_MAX))
}

/// Sets what the owner calls a contact.
pub async fn set_remark(ctx: &Ctx, app: &App, owner: &str, friend: &str, remark: String) -> Result<()> {
    let Pair { owner, friend } = pair(ctx, app, owner, friend).await?;
    note(ctx, app, &owner, &friend, Notes { remark: Some(remark), ..Notes::default() }).await
}

/// Notes what is given about a contact, all or none.
pub async fn note(ctx: &Ctx, app: &App, owner: &User, friend: &User, notes: Notes) -> Result<()> {
    notes.remark.as_deref().map_or(Ok(()), check_remark)?;
    if notes.ext.as_ref().is_some_and(|ext| ext.chars().count() > CONTACT_EXT_CHARS_MAX) {
        return Err(Error::about(Code::FieldIllegal, "ext").with_limit(CONTACT_EXT_CHARS_MAX));
    }
    let rule = notes.push_mode.clone().map(|mode| RuleChanges { mode: Some(mode), ..RuleChanges::default() });
    let rule = rule.map(|changes| changes.checked(ctx)).transpose()?;
    let input = (app.id, owner.user, (friend.user, friend.username.clone()), notes, rule);
    ctx.db
        .write(input, |sql, (app, owner, (friend, name), notes, rule)| {
            Box::pin(async move {
                contacts::one(sql, *app, *owner, *friend).await?.ok_or(Code::NotContacts)?;
                if let Some(remark) = &notes.remark {
                    contacts::set_remark(sql, *app, *owner, *friend, remark).await?;
                }
                if let Some(ext) = &notes.ext {
                    contacts::set_ext(sql, *app, *owner, *friend, ext).await?;
                }
                match rule {
                    Some(rule) => push::put_rule(sql, (*app, *owner), RuleKind::User, name, rule).await,
                    None => Ok(()),
                }
            })
        })
        .await
}

/// What an import did, by name.
#[derive(Debug, Default)]
pub struct Imported {
    /// Contacts now.
    pub added: Vec<String>,
    /// There is no such user.
    pub unknown: Vec<String>,
    /// The friend's list is full.
    pub full: Vec<String>,
    /// Could not be added for another reason.
    pub failed: Vec<String>,
}

/// Makes up to ten users contacts of the owner. Fails as a whole only when the owner's own list is full.
pub async fn import(ctx: &Ctx, app: &App, owner: &str, names: Vec<String>) -> Result<Imported> {
    let owner = users::find(ctx, app, owner).await?;
    if names.len() > CONTACT_IMPORT_MAX {
        return Err(Error::over(Code::ImportTooLarge, CONTACT_IMPORT_MAX));
    }
    if read(ctx, app, &owner.username, None, app.settings.contacts_max).await?.entries.len()
        >= usize::try_from(app.settings.contacts_max).unwrap_or(usize::MAX)
    {
        return Err(Error::over(Code::ContactsFull, app.settings.contacts_max));
    }
    let mut done = Imported::default();
    for name in names {
        let Some(friend) = users::look_up(ctx, app.id, &name).await? else {
            done.unknown.push(name);
            continue;
        };
        match befriend(ctx, app, &owner, &friend, None).await.map_err(|error| error.code) {
            Ok(()) => done.added.push(name),
            Err(Code::ContactsFull) => done.full.push(name),
            Err(Code::UserNotFound) => done.unknown.push(name),
            Err(Code::FieldIllegal) => done.failed.push(name),
            Err(code) => return Err(code.into()),
        }
    }
    Ok(done)
}

/// For each of up to 100 names, whether it is a contact of the owner.
pub async fn check(ctx: &Ctx, app: &App, owner: &str, names: Vec<String>) -> Result<Vec<(String, bool)>> {
    relations(ctx, app, owner, names, |sql, app, owner, other| Box::pin(contacts::has(sql, app, owner, other))).await
}

/// A question about one user's relation to another.
type Relation =
    for<'a> fn(&'a mut dyn Sql, AppId, UserId, UserId) -> yinxin_store::BoxFuture<'a, yinxin_store::Result<bool>>;

pub(crate) async fn relations(
    ctx: &Ctx,
    app: &App,
    owner: &str,
    names: Vec<String>,
    holds: Relation,
) -> Result<Vec<(String, bool)>> {
    let owner = users::find(ctx, app, owner).await?;
    if names.is_empty() || names.len() > RELATION_CHECK_MAX {
        return Err(Error::over(Code::TooManyNames, RELATION_CHECK_MAX));
    }
    let mut answers = Vec::with_capacity(names.len());
    for name in names {
        let holds = match users::look_up(ctx, app.id, &name).await? {
            None => false,
            Some(other) => {
                ctx.db
                    .read((app.id, owner.user, other.user, holds), |sql, (app, owner, other, holds)| {
                        Box::pin(async move { Ok::<_, Error>(holds(sql, *app, *owner, *other).await?) })
                    })
                    .await?
            }
        };
        answers.push((name, holds));
    }
    Ok(answers)
}
