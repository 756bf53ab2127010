//! `contacts` and `invitations`: who is whose friend, and who asked to be. A friendship is two rows, one owned by each
//! side; an invitation one, owned by the invited.

use std::ops::Range;

use crate::{AppId, Result, Row, Sql, UserId};

/// A friend as the owner's list shows it.
#[derive(Clone, Debug)]
pub struct ContactRow {
    /// The friend.
    pub user: UserId,
    /// The friend's folded name.
    pub username: String,
    /// The owner's remark about the friend.
    pub remark: Option<String>,
    /// What the app keeps about the friend for the owner.
    pub ext: Option<String>,
    /// When they became friends, as an order id.
    pub since_seq: i64,
}

macro_rules! columns {
    () => {
        "c.contact_id, u.username, c.remark, c.ext, c.since_seq FROM contacts c \
         JOIN users u ON u.app_id = c.app_id AND u.user_id = c.contact_id"
    };
}

fn read(mut row: Row) -> Result<ContactRow> {
    Ok(ContactRow {
        user: row.take(0)?,
        username: row.take(1)?,
        remark: row.take(2)?,
        ext: row.take(3)?,
        since_seq: row.take(4)?,
    })
}

/// Adds one side of a friendship unless the owner has `max` friends; `false` when nothing was added, because of that
/// or because it was there.
pub async fn add(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    friend: UserId,
    since_seq: i64,
    max: i64,
) -> Result<bool> {
    const SQL: &str = "INSERT INTO contacts (app_id, user_id, contact_id, since_seq) SELECT $1, $2, $3, $4 \
                       WHERE (SELECT COUNT(*) FROM contacts WHERE app_id = $1 AND user_id = $2) < $5 \
                       ON CONFLICT (app_id, user_id, contact_id) DO NOTHING";
    Ok(sql.exec(SQL, &[app.arg(), owner.arg(), friend.arg(), since_seq.into(), max.into()]).await? == 1)
}

/// Removes one side.
pub async fn remove(sql: &mut dyn Sql, app: AppId, owner: UserId, friend: UserId) -> Result<bool> {
    const SQL: &str = "DELETE FROM contacts WHERE app_id = $1 AND user_id = $2 AND contact_id = $3";
    Ok(sql.exec(SQL, &[app.arg(), owner.arg(), friend.arg()]).await? == 1)
}

/// Removes both sides of every friendship of the owner.
pub async fn remove_all(sql: &mut dyn Sql, app: AppId, owner: UserId) -> Result<()> {
    const OTHERS: &str = "DELETE FROM contacts WHERE app_id = $1 AND contact_id = $2 AND user_id IN \
                          (SELECT contact_id FROM contacts WHERE app_id = $1 AND user_id = $2)";
    sql.exec(OTHERS, &[app.arg(), owner.arg()]).await?;
    sql.exec("DELETE FROM contacts WHERE app_id = $1 AND user_id = $2", &[app.arg(), owner.arg()]).await?;
    Ok(())
}

/// Whether `friend` is in the owner's list.
pub async fn has(sql: &mut dyn Sql, app: AppId, owner: UserId, friend: UserId) -> Result<bool> {
    const SQL: &str = "SELECT 1 FROM contacts WHERE app_id = $1 AND user_id = $2 AND contact_id = $3";
    Ok(!sql.rows(SQL, &[app.arg(), owner.arg(), friend.arg()]).await?.is_empty())
}

/// Sets the owner's remark; `false` when they are not friends.
pub async fn set_remark(sql: &mut dyn Sql, app: AppId, owner: UserId, friend: UserId, remark: &str) -> Result<bool> {
    const SQL: &str = "UPDATE contacts SET remark = $4 WHERE app_id = $1 AND user_id = $2 AND contact_id = $3";
    Ok(sql.exec(SQL, &[app.arg(), owner.arg(), friend.arg(), remark.into()]).await? == 1)
}

/// Up to `limit` friends, newest first, older than the order id `before_seq`.
pub async fn page(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    before_seq: i64,
    limit: i64,
) -> Result<Vec<ContactRow>> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " WHERE c.app_id = $1 AND c.user_id = $2 AND c.since_seq < $3 ORDER BY c.since_seq DESC LIMIT $4"
    );
    let rows = sql.rows(SQL, &[app.arg(), owner.arg(), before_seq.into(), limit.into()]).await?;
    rows.into_iter().map(read).collect()
}

/// The owner's entry about one friend.
pub async fn one(sql: &mut dyn Sql, app: AppId, owner: UserId, friend: UserId) -> Result<Option<ContactRow>> {
    const SQL: &str = concat!("SELECT ", columns!(), " WHERE c.app_id = $1 AND c.user_id = $2 AND c.contact_id = $3");
    sql.rows(SQL, &[app.arg(), owner.arg(), friend.arg()]).await?.pop().map(read).transpose()
}

/// Sets what the app keeps about the friend for the owner; `false` when they are not friends.
pub async fn set_ext(sql: &mut dyn Sql, app: AppId, owner: UserId, friend: UserId, ext: &str) -> Result<bool> {
    const SQL: &str = "UPDATE contacts SET ext = $4 WHERE app_id = $1 AND user_id = $2 AND contact_id = $3";
    Ok(sql.exec(SQL, &[app.arg(), owner.arg(), friend.arg(), ext.into()]).await? == 1)
}

/// Notes an invitation; again renews it.
pub async fn invite(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    inviter: UserId,
    since_seq: i64,
    reason: &str,
) -> Result<()> {
    const SQL: &str = "INSERT INTO invitations (app_id, user_id, inviter_id, since_seq, reason) \
                       VALUES ($1, $2, $3, $4, $5) ON CONFLICT (app_id, user_id, inviter_id) DO UPDATE SET \
                       since_seq = excluded.since_seq, reason = excluded.reason";
    sql.exec(SQL, &[app.arg(), owner.arg(), inviter.arg(), since_seq.into(), reason.into()]).await?;
    Ok(())
}

/// Forgets an invitation; `false` when there was none, or only one from before that order id.
pub async fn uninvite(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    inviter: UserId,
    since_seq_min: i64,
) -> Result<bool> {
    const SQL: &str = "DELETE FROM invitations \
                       WHERE app_id = $1 AND user_id = $2 AND inviter_id = $3 AND since_seq >= $4";
    Ok(sql.exec(SQL, &[app.arg(), owner.arg(), inviter.arg(), since_seq_min.into()]).await? == 1)
}

/// Forgets invitations of the owner from before that order id.
pub async fn expire_invitations(sql: &mut dyn Sql, app: AppId, owner: UserId, since_seq_min: i64) -> Result<()> {
    const SQL: &str = "DELETE FROM invitations WHERE app_id = $1 AND user_id = $2 AND since_seq < $3";
    sql.exec(SQL, &[app.arg(), owner.arg(), since_seq_min.into()]).await?;
    Ok(())
}

/// How many invitations wait for the owner.
pub async fn invitations(sql: &mut dyn Sql, app: AppId, owner: UserId) -> Result<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM invitations WHERE app_id = $1 AND user_id = $2";
    sql.rows(SQL, &[app.arg(), owner.arg()]).await?.pop().map_or(Ok(0), |mut row| row.take(0))
}

/// An invitation that waits for its owner.
#[derive(Clone, Debug)]
pub struct InvitationRow {
    /// Who asks.
    pub inviter: UserId,
    /// Why.
    pub reason: String,
    /// Since when, as an order id.
    pub since_seq: i64,
}

/// Up to `limit` invitations, newest first, with order ids within that range.
pub async fn invitation_page(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    seqs: Range<i64>,
    limit: i64,
) -> Result<Vec<InvitationRow>> {
    const SQL: &str = "SELECT inviter_id, reason, since_seq FROM invitations \
                       WHERE app_id = $1 AND user_id = $2 AND since_seq >= $3 AND since_seq < $4 \
                       ORDER BY since_seq DESC LIMIT $5";
    let args = [app.arg(), owner.arg(), seqs.start.into(), seqs.end.into(), limit.into()];
    let rows = sql.rows(SQL, &args).await?;
    rows.into_iter()
        .map(|mut row| Ok(InvitationRow { inviter: row.take(0)?, reason: row.take(1)?, since_seq: row.take(2)? }))
        .collect()
}
