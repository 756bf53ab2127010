//! `presence_status` and `presence_subscriptions`: what devices said of themselves, and who wants to hear it.

use crate::{AppId, Result, Row, Sql, UserId};

/// What one device of a user published.
#[derive(Clone, Debug)]
pub struct StatusRow {
    /// The device's resource name.
    pub resource: String,
    /// The published number.
    pub status: i64,
    /// The published text.
    pub ext: String,
    /// When.
    pub published_s: i64,
}

/// One subscription of an owner.
#[derive(Clone, Debug)]
pub struct SubscriptionRow {
    /// The watched user's folded name.
    pub username: String,
    /// End.
    pub until_s: i64,
    /// When it was made, as an order id.
    pub since_seq: i64,
}

/// Stores what a device publishes.
pub async fn publish(sql: &mut dyn Sql, app: AppId, user: UserId, status: &StatusRow) -> Result<()> {
    const SQL: &str = "INSERT INTO presence_status (app_id, user_id, resource, status, ext, published_s) \
                       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (app_id, user_id, resource) DO UPDATE SET \
                       status = excluded.status, ext = excluded.ext, published_s = excluded.published_s";
    let args = [
        app.arg(),
        user.arg(),
        (&status.resource).into(),
        status.status.into(),
        (&status.ext).into(),
        status.published_s.into(),
    ];
    sql.exec(SQL, &args).await?;
    Ok(())
}

/// Keeps the `keep` devices that published last, the one named among them whatever the clock says.
pub async fn trim(sql: &mut dyn Sql, app: AppId, user: UserId, newest: &str, keep: i64) -> Result<()> {
    const SQL: &str = "DELETE FROM presence_status WHERE app_id = $1 AND user_id = $2 AND resource <> $3 \
                       AND resource NOT IN (SELECT resource FROM presence_status WHERE app_id = $1 AND user_id = $2 \
                       AND resource <> $3 ORDER BY published_s DESC, resource LIMIT $4)";
    sql.exec(SQL, &[app.arg(), user.arg(), newest.into(), (keep - 1).into()]).await?;
    Ok(())
}

/// What the user's devices published, newest first.
pub async fn of_user(sql: &mut dyn Sql, app: AppId, user: UserId) -> Result<Vec<StatusRow>> {
    const SQL: &str = "SELECT resource, status, ext, published_s FROM presence_status \
                       WHERE app_id = $1 AND user_id = $2 ORDER BY published_s DESC, resource";
    let read = |mut row: Row| {
        Ok(StatusRow { resource: row.take(0)?, status: row.take(1)?, ext: row.take(2)?, published_s: row.take(3)? })
    };
    sql.rows(SQL, &[app.arg(), user.arg()]).await?.into_iter().map(read).collect()
}

/// Changes the status of a device that has published one.
pub async fn set_status(
    sql: &mut dyn Sql,
    app: AppId,
    user: UserId,
    resource: &str,
    status: i64,
    now_s: i64,
) -> Result<()> {
    const SQL: &str = "UPDATE presence_status SET status = $4, published_s = $5 \
                       WHERE app_id = $1 AND user_id = $2 AND resource = $3";
    sql.exec(SQL, &[app.arg(), user.arg(), resource.into(), status.into(), now_s.into()]).await?;
    Ok(())
}

/// Up to `limit` users who watch that one now, and until when.
pub async fn watchers(
    sql: &mut dyn Sql,
    app: AppId,
    target: UserId,
    now_s: i64,
    limit: i64,
) -> Result<Vec<(UserId, i64)>> {
    const SQL: &str = "SELECT user_id, until_s FROM presence_subscriptions \
                       WHERE app_id = $1 AND target_id = $2 AND until_s > $3 ORDER BY until_s LIMIT $4";
    let rows = sql.rows(SQL, &[app.arg(), target.arg(), now_s.into(), limit.into()]).await?;
    rows.into_iter().map(|mut row| Ok((row.take(0)?, row.take(1)?))).collect()
}

/// Subscribes, or prolongs a subscription.
pub async fn subscribe(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    target: UserId,
    until_s: i64,
    since_seq: i64,
) -> Result<()> {
    const SQL: &str = "INSERT INTO presence_subscriptions (app_id, user_id, target_id, until_s, since_seq) \
                       VALUES ($1, $2, $3, $4, $5) ON CONFLICT (app_id, user_id, target_id) DO UPDATE SET \
                       until_s = excluded.until_s";
    sql.exec(SQL, &[app.arg(), owner.arg(), target.arg(), until_s.into(), since_seq.into()]).await?;
    Ok(())
}

/// Forgets the owner's subscriptions that have ended.
pub async fn forget_ended(sql: &mut dyn Sql, app: AppId, owner: UserId, now_s: i64) -> Result<()> {
    const SQL: &str = "DELETE FROM presence_subscriptions WHERE app_id = $1 AND user_id = $2 AND until_s <= $3";
    sql.exec(SQL, &[app.arg(), owner.arg(), now_s.into()]).await?;
    Ok(())
}

/// Ends a subscription.
pub async fn unsubscribe(sql: &mut dyn Sql, app: AppId, owner: UserId, target: UserId) -> Result<()> {
    const SQL: &str = "DELETE FROM presence_subscriptions WHERE app_id = $1 AND user_id = $2 AND target_id = $3";
    sql.exec(SQL, &[app.arg(), owner.arg(), target.arg()]).await?;
    Ok(())
}

/// The owner's subscriptions that have not ended, in the order they were made.
pub async fn subscriptions(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    now_s: i64,
    limit: i64,
) -> Result<Vec<SubscriptionRow>> {
    const SQL: &str = "SELECT u.username, s.until_s, s.since_seq FROM presence_subscriptions s \
                       JOIN users u ON u.app_id = s.app_id AND u.user_id = s.target_id \
                       WHERE s.app_id = $1 AND s.user_id = $2 AND s.until_s > $3 ORDER BY s.since_seq LIMIT $4";
    let read =
        |mut row: Row| Ok(SubscriptionRow { username: row.take(0)?, until_s: row.take(1)?, since_seq: row.take(2)? });
    let args = [app.arg(), owner.arg(), now_s.into(), limit.into()];
    sql.rows(SQL, &args).await?.into_iter().map(read).collect()
}
