//! `reactions`: what people stick to a message. Each of the two who have the message owns a copy.

use crate::{AppId, Result, Row, Sql, UserId};

/// One reaction of one person.
#[derive(Clone, Debug, PartialEq)]
pub struct ReactionRow {
    /// What it is.
    pub reaction: String,
    /// Folded name of whose it is.
    pub reactor: String,
}

/// Adds a reaction to the owner's copy; `false` when it is there.
pub async fn add(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    message: i64,
    new: &ReactionRow,
    since_seq: i64,
) -> Result<bool> {
    const SQL: &str = "INSERT INTO reactions (app_id, user_id, message_id, reaction, reactor, since_seq) \
                       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    let args =
        [app.arg(), owner.arg(), message.into(), (&new.reaction).into(), (&new.reactor).into(), since_seq.into()];
    Ok(sql.exec(SQL, &args).await? == 1)
}

/// Removes a reaction from the owner's copy; `false` when it is not there.
pub async fn remove(sql: &mut dyn Sql, app: AppId, owner: UserId, message: i64, old: &ReactionRow) -> Result<bool> {
    const SQL: &str = "DELETE FROM reactions WHERE app_id = $1 AND user_id = $2 AND message_id = $3 \
                       AND reaction = $4 AND reactor = $5";
    let args = [app.arg(), owner.arg(), message.into(), (&old.reaction).into(), (&old.reactor).into()];
    Ok(sql.exec(SQL, &args).await? == 1)
}

/// How many different reactions but that one a message has.
pub async fn kinds_beside(sql: &mut dyn Sql, app: AppId, owner: UserId, message: i64, reaction: &str) -> Result<i64> {
    const SQL: &str = "SELECT COUNT(DISTINCT reaction) FROM reactions WHERE app_id = $1 AND user_id = $2 \
                       AND message_id = $3 AND reaction <> $4";
    let args = [app.arg(), owner.arg(), message.into(), reaction.into()];
    sql.rows(SQL, &args).await?.pop().map_or(Ok(0), |mut row| row.take(0))
}

/// Up to `limit` reactions to a message, the oldest first.
pub async fn of_message(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    message: i64,
    limit: i64,
) -> Result<Vec<ReactionRow>> {
    const SQL: &str = "SELECT reaction, reactor FROM reactions WHERE app_id = $1 AND user_id = $2 AND message_id = $3 \
                       ORDER BY since_seq LIMIT $4";
    let read = |mut row: Row| Ok(ReactionRow { reaction: row.take(0)?, reactor: row.take(1)? });
    let args = [app.arg(), owner.arg(), message.into(), limit.into()];
    sql.rows(SQL, &args).await?.into_iter().map(read).collect()
}

/// Removes all reactions to a message.
pub async fn forget(sql: &mut dyn Sql, app: AppId, owner: UserId, message: i64) -> Result<()> {
    const SQL: &str = "DELETE FROM reactions WHERE app_id = $1 AND user_id = $2 AND message_id = $3";
    sql.exec(SQL, &[app.arg(), owner.arg(), message.into()]).await?;
    Ok(())
}

/// Removes the reactions to up to `limit` messages of the owner before the id `before`.
pub async fn expire(sql: &mut dyn Sql, app: AppId, owner: UserId, before: i64, limit: i64) -> Result<i64> {
    const SQL: &str = "DELETE FROM reactions WHERE app_id = $1 AND user_id = $2 AND message_id IN \
                       (SELECT DISTINCT message_id FROM reactions WHERE app_id = $1 AND user_id = $2 \
                       AND message_id < $3 ORDER BY message_id LIMIT $4)";
    Ok(sql.exec(SQL, &[app.arg(), owner.arg(), before.into(), limit.into()]).await?.cast_signed())
}
