//! Reports: a user complains of a message it has; the operator reads the complaints.

use std::sync::Arc;

use yinxin_store::tables::inbox;
use yinxin_store::tables::reports::{self, ReportRow};

use crate::apps::App;
use crate::contacts::Page;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{REPORT_PAGE_MAX, REPORT_TEXT_BYTES_MAX, REPORTS_MAX};
use crate::messages::Entry;
use crate::mint::ORDER_BITS;
use crate::retention::kept_from;
use crate::users::{self, must_exist};

/// A complaint as the operator sees it.
#[derive(Debug)]
pub struct Report {
    /// Folded name of who complains.
    pub reporter: String,
    /// Folded name of who sent the message.
    pub sender: String,
    /// The message.
    pub message: i64,
    /// The reporter's word for what is wrong.
    pub kind: String,
    /// The reporter's reason.
    pub reason: String,
    /// What the message said, if it was a text.
    pub excerpt: String,
    /// When.
    pub reported_ms: i64,
    order: i64,
}

/// Notes a complaint about a message that the user has. `excerpt` reads what a message says.
pub async fn add(
    ctx: &Ctx,
    app: &App,
    reporter: &str,
    message: i64,
    (kind, reason): (String, String),
    excerpt: impl Fn(&Entry) -> String,
) -> Result<()> {
    let reporter = users::find(ctx, app, reporter).await?;
    for (field, text) in [("reportType", &kind), ("reportReason", &reason)] {
        if text.is_empty() || text.len() > REPORT_TEXT_BYTES_MAX {
            return Err(Error::about(Code::FieldIllegal, field).with_limit(REPORT_TEXT_BYTES_MAX));
        }
    }
    let unknown = || Error::about(Code::ReportIllegal, message.to_string());
    if message < kept_from(ctx.clock.now_ms()) {
        return Err(unknown());
    }
    let found = ctx
        .db
        .read((app.id, reporter.user, message), |sql, (app, reporter, message)| {
            Box::pin(async move {
                let Some(queue) = inbox::queue_of(sql, *app, *reporter, *message).await? else { return Ok(None) };
                Ok::<_, Error>(inbox::entry(sql, *app, *reporter, &queue, *message).await?)
            })
        })
        .await?
        .ok_or_else(unknown)?;
    let mut said = excerpt(&found);
    said.truncate(said.floor_char_boundary(REPORT_TEXT_BYTES_MAX));
    let row = ReportRow { message_id: message, sender: found.sender, kind, reason, excerpt: said, reported_seq: 0 };
    ctx.db
        .write((app.id, reporter.user, row, Arc::clone(&ctx.mint)), |sql, (app, reporter, row, mint)| {
            Box::pin(async move {
                must_exist(sql, *app, *reporter).await?;
                let row = ReportRow { reported_seq: mint.order(), ..row.clone() };
                reports::put(sql, *app, *reporter, &row).await?;
                Ok::<_, Error>(reports::trim(sql, *app, *reporter, REPORTS_MAX).await?)
            })
        })
        .await
}

/// Up to `limit` (at most 100) complaints of the app, the newest first, before that place.
pub async fn list(ctx: &Ctx, app: &App, before: Option<i64>, limit: i64) -> Result<Page<Report>> {
    let limit = limit.clamp(1, REPORT_PAGE_MAX);
    let rows = ctx
        .db
        .read((app.id, before.unwrap_or(i64::MAX), limit + 1), |sql, (app, before, limit)| {
            Box::pin(async move { Ok::<_, Error>(reports::page(sql, *app, *before, *limit).await?) })
        })
        .await?;
    let shown = |(reporter, row): (String, ReportRow)| Report {
        reporter,
        sender: row.sender,
        message: row.message_id,
        kind: row.kind,
        reason: row.reason,
        excerpt: row.excerpt,
        reported_ms: row.reported_seq >> ORDER_BITS,
        order: row.reported_seq,
    };
    Ok(Page::cut(rows.into_iter().map(shown).collect(), limit, |report| report.order))
}
