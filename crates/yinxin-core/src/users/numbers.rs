//! The number that a user is known by where users are numbers: 13 decimal digits, a multiple of 16, below 2^53 so that
//! JavaScript holds it. It is given when it is first needed, so that users who never meet such a client cost nothing,
//! and kept for good.

use std::sync::Arc;

use yinxin_store::tables::handles::{self, NUMERIC_ID};
use yinxin_store::tables::users;
use yinxin_store::{AppId, UserId};

use super::{User, by_id};
use crate::apps::App;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::NUMBERS_CHUNK;
use crate::rng;

const FIRST: i64 = 1_000_000_000_000;
const LAST: i64 = 9_999_999_999_999;
const STEP: i64 = 16;
/// Numbers of 560 billion that are tried for one user. Even where a tenth of them is taken, ten fail once in 10^10.
const TRIES: usize = 10;

/// Whether a number can be a user's. What was given elsewhere need not have 13 digits.
pub fn is_number(number: i64) -> bool {
    (1..1 << 53).contains(&number)
}

/// Drawn, not counted: who knows one number knows no other.
fn draw(ctx: &Ctx) -> i64 {
    let steps = (LAST - FIRST) / STEP;
    let drawn = u64::from_be_bytes(rng::bytes(ctx.rng.as_ref())) % steps.cast_unsigned();
    FIRST + drawn.cast_signed() * STEP
}

/// The number of a user.
pub async fn number_of(ctx: &Ctx, app: &App, user: &User) -> Result<i64> {
    if let Some(number) = user.numeric_id {
        return Ok(number);
    }
    let given = numbers_of(ctx, app, vec![user.user]).await?;
    given.first().map(|(_, number)| *number).ok_or_else(|| Error::about(Code::UserNotFound, &user.username))
}

/// The numbers of users, in order; those who are gone are left out.
pub async fn numbers_of(ctx: &Ctx, app: &App, of: Vec<UserId>) -> Result<Vec<(UserId, i64)>> {
    let mut found = Vec::with_capacity(of.len());
    for chunk in of.chunks(NUMBERS_CHUNK) {
        let mut missing = Vec::new();
        let known = read(ctx, app.id, chunk.to_vec()).await?;
        for (user, number) in &known {
            if *number == Some(None) {
                missing.push(*user);
            }
        }
        let given = give(ctx, app.id, missing).await?;
        for (user, number) in known {
            let given = || given.iter().find(|(known, _)| *known == user).map(|(_, number)| *number);
            found.extend(number.flatten().or_else(given).map(|number| (user, number)));
        }
    }
    Ok(found)
}

type Known = Vec<(UserId, Option<Option<i64>>)>;

async fn read(ctx: &Ctx, app: AppId, of: Vec<UserId>) -> Result<Known> {
    let mut known = Vec::with_capacity(of.len());
    let mut unseen = Vec::new();
    for user in of {
        let row = ctx.cache.user(app, user);
        if row.is_none() {
            unseen.push((known.len(), user));
        }
        known.push((user, row.map(|row| row.numeric_id)));
    }
    if unseen.is_empty() {
        return Ok(known);
    }
    let read = ctx
        .db
        .read((app, unseen), |sql, (app, unseen)| {
            Box::pin(async move {
                let mut read = Vec::with_capacity(unseen.len());
                for (at, user) in unseen {
                    read.push((*at, users::numeric_id(sql, *app, *user).await?));
                }
                Ok::<_, Error>(read)
            })
        })
        .await?;
    for (at, number) in read {
        known[at].1 = number;
    }
    Ok(known)
}

/// Gives numbers to those who have none; a user who has one by now keeps it.
async fn give(ctx: &Ctx, app: AppId, mut to: Vec<UserId>) -> Result<Vec<(UserId, i64)>> {
    let mut given = Vec::with_capacity(to.len());
    for _ in 0..TRIES {
        if to.is_empty() {
            return Ok(given);
        }
        let drawn: Vec<(UserId, i64)> = to.iter().map(|user| (*user, draw(ctx))).collect();
        let (done, again) = write(ctx, app, drawn).await?;
        given.extend(done);
        to = again;
    }
    if to.is_empty() { Ok(given) } else { Err(Error::about(Code::Internal, "no number is free for a user")) }
}

/// Who has which number now, and who is to be tried again.
type Round = (Vec<(UserId, i64)>, Vec<UserId>);

async fn write(ctx: &Ctx, app: AppId, drawn: Vec<(UserId, i64)>) -> Result<Round> {
    ctx.db
        .write((app, drawn), |sql, (app, drawn)| {
            Box::pin(async move {
                let (mut done, mut again) = (Vec::with_capacity(drawn.len()), Vec::new());
                for (user, number) in drawn {
                    if !users::set_numeric_id(sql, *app, *user, *number).await? {
                        // It has one by now, or is gone.
                        let known = users::numeric_id(sql, *app, *user).await?.flatten();
                        done.extend(known.map(|known| (*user, known)));
                    } else if handles::claim(sql, *app, NUMERIC_ID, &number.to_string(), *user).await? {
                        done.push((*user, *number));
                    } else {
                        users::unset_numeric_id(sql, *app, *user).await?;
                        again.push(*user);
                    }
                }
                Ok::<_, Error>((done, again))
            })
        })
        .await
}

/// The user with that number.
pub async fn by_number(ctx: &Ctx, app: AppId, number: i64) -> Result<Option<Arc<User>>> {
    if !is_number(number) {
        return Ok(None);
    }
    // No name has this sign, so that numbers and names are remembered together.
    let remembered = format!("#{number}");
    if let Some(id) = ctx.cache.user_named(app, &remembered) {
        match by_id(ctx, app, id).await? {
            Some(user) => return Ok(Some(user)),
            None => ctx.cache.forget_name(app, &remembered),
        }
    }
    let ticket = ctx.cache.ticket();
    let found = ctx
        .db
        .read((app, number), |sql, (app, number)| {
            Box::pin(async move { Ok::<_, Error>(users::by_handle(sql, *app, NUMERIC_ID, &number.to_string()).await?) })
        })
        .await?
        .map(Arc::new);
    if let Some(user) = &found {
        ctx.cache.keep_name(app, &remembered, user.user);
        ctx.cache.keep_user(ticket, app, user);
    }
    Ok(found)
}
