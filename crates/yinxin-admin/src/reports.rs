//! Users' complaints about messages, for whoever answers for an app.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use yinxin_core::Code;
use yinxin_core::limits::REPORT_PAGE_MAX;
use yinxin_core::reports::{self, Report};

use crate::apps::Tenant;
use crate::problem::{Answer, Problem};
use crate::routes::Shared;
use crate::wire::{Params, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    cursor: Option<i64>,
    limit: Option<i64>,
}

/// A complaint as the wire shows it. Ids are texts: not every reader of JSON has numbers of 64 bits.
#[derive(Serialize)]
struct View<'a> {
    message: String,
    sender: &'a str,
    reporter: &'a str,
    kind: &'a str,
    reason: &'a str,
    excerpt: &'a str,
    reported: i64,
}

impl<'a> From<&'a Report> for View<'a> {
    fn from(report: &'a Report) -> Self {
        let Report { reporter, sender, message, kind, reason, excerpt, reported_ms, .. } = report;
        Self { message: message.to_string(), sender, reporter, kind, reason, excerpt, reported: *reported_ms }
    }
}

pub(crate) async fn list(State(shared): State<Shared>, tenant: Tenant, Params(page): Params<Page>) -> Answer {
    #[derive(Serialize)]
    struct List<'a> {
        reports: Vec<View<'a>>,
        cursor: Option<String>,
    }
    let limit = page.limit.unwrap_or(REPORT_PAGE_MAX);
    if !(1..=REPORT_PAGE_MAX).contains(&limit) {
        return Err(Problem::new(Code::FieldIllegal, format!("limit is 1 to {REPORT_PAGE_MAX}, not {limit}")));
    }
    let found = reports::list(&shared.ctx, &tenant.0, page.cursor, limit).await?;
    let list = List {
        reports: found.entries.iter().map(View::from).collect(),
        cursor: found.next.map(|next| next.to_string()),
    };
    json(StatusCode::OK, &list)
}
