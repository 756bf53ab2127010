//! The state of the server.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use yinxin_core::apps;

use crate::problem::Answer;
use crate::routes::Shared;
use crate::wire::json;

#[derive(Serialize)]
struct View {
    version: &'static str,
    started: i64,
    uptime_seconds: i64,
    cached_users: usize,
    password_threads: usize,
    apps_clearing: i64,
    writer: Writer,
}

#[derive(Serialize)]
struct Writer {
    queued: usize,
    last_group: usize,
    commits: usize,
}

pub(crate) async fn show(State(shared): State<Shared>) -> Answer {
    let ctx = &shared.ctx;
    let gauge = ctx.db.writer_gauge();
    let view = View {
        version: env!("CARGO_PKG_VERSION"),
        started: shared.started_ms,
        uptime_seconds: (ctx.clock.now_ms() - shared.started_ms).max(0) / 1000,
        cached_users: ctx.cached_users(),
        password_threads: ctx.passwords.threads(),
        apps_clearing: apps::clearing(ctx).await?,
        writer: Writer { queued: gauge.queued, last_group: gauge.last_group, commits: gauge.commits },
    };
    json(StatusCode::OK, &view)
}
