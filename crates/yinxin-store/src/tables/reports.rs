//! `reports`: messages that their receivers complain of.

use crate::{AppId, Result, Row, Sql, UserId};

/// A complaint.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportRow {
    /// The message.
    pub message_id: i64,
    /// Folded name of who sent it.
    pub sender: String,
    /// The reporter's word for what is wrong with it.
    pub kind: String,
    /// The reporter's reason.
    pub reason: String,
    /// What the message said, if it was a text.
    pub excerpt: String,
    /// When it was reported, as an order id.
    pub reported_seq: i64,
}

/// Notes a complaint; another one of the same user about the same message replaces it.
pub async fn put(sql: &mut dyn Sql, app: AppId, reporter: UserId, report: &ReportRow) -> Result<()> {
    const SQL: &str = "INSERT INTO reports (app_id, user_id, message_id, sender, kind, reason, excerpt, reported_seq) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (app_id, user_id, message_id) DO UPDATE SET \
                       kind = excluded.kind, reason = excluded.reason, excerpt = excluded.excerpt, \
                       reported_seq = excluded.reported_seq";
    let args = [
        app.arg(),
        reporter.arg(),
        report.message_id.into(),
        (&report.sender).into(),
        (&report.kind).into(),
        (&report.reason).into(),
        (&report.excerpt).into(),
        report.reported_seq.into(),
    ];
    sql.exec(SQL, &args).await?;
    Ok(())
}

/// Keeps the `keep` newest complaints of a user.
pub async fn trim(sql: &mut dyn Sql, app: AppId, reporter: UserId, keep: i64) -> Result<()> {
    const SQL: &str = "DELETE FROM reports WHERE app_id = $1 AND user_id = $2 AND message_id NOT IN \
                       (SELECT message_id FROM reports WHERE app_id = $1 AND user_id = $2 \
                       ORDER BY reported_seq DESC LIMIT $3)";
    sql.exec(SQL, &[app.arg(), reporter.arg(), keep.into()]).await?;
    Ok(())
}

/// Up to `limit` complaints of all users of the app before the order id `before`, the newest first, each with the name of
/// who complains.
pub async fn page(sql: &mut dyn Sql, app: AppId, before: i64, limit: i64) -> Result<Vec<(String, ReportRow)>> {
    const SQL: &str = "SELECT u.username, r.message_id, r.sender, r.kind, r.reason, r.excerpt, r.reported_seq \
                       FROM reports r JOIN users u ON u.app_id = r.app_id AND u.user_id = r.user_id \
                       WHERE r.app_id = $1 AND r.reported_seq < $2 ORDER BY r.reported_seq DESC LIMIT $3";
    let read = |mut row: Row| {
        let report = ReportRow {
            message_id: row.take(1)?,
            sender: row.take(2)?,
            kind: row.take(3)?,
            reason: row.take(4)?,
            excerpt: row.take(5)?,
            reported_seq: row.take(6)?,
        };
        Ok((row.take(0)?, report))
    };
    sql.rows(SQL, &[app.arg(), before.into(), limit.into()]).await?.into_iter().map(read).collect()
}
