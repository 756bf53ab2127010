//! Bringing users over: one JSON object per line, `{"username":…,"password_hash":…,"nickname":…,"user_id":…}`.

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use yinxin_core::users::{self, IMPORT_MAX, Import};
use yinxin_core::{Code, Error};

use crate::apps::Tenant;
use crate::problem::{Answer, Problem};
use crate::routes::Shared;
use crate::wire::{from_json, json, whole_body};

/// Bytes of one import.
const IMPORT_BYTES_MAX: usize = 8 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    username: String,
    password_hash: Option<String>,
    nickname: Option<String>,
    /// The number that it was known by elsewhere.
    user_id: Option<i64>,
}

#[derive(Serialize)]
struct Done {
    imported: usize,
    existing: usize,
}

/// Nothing is written unless every line is legal.
pub(crate) async fn import(State(shared): State<Shared>, tenant: Tenant, request: Request) -> Answer {
    let body = whole_body(request, IMPORT_BYTES_MAX).await?;
    // Reading ten thousand lines takes tens of milliseconds: not on a thread that serves others.
    let users = tokio::task::spawn_blocking(move || parse(&body))
        .await
        .map_err(|fault| Error::from(Code::Internal).caused_by(fault))??;
    let done = users::import(&shared.ctx, &tenant.0, users).await?;
    json(StatusCode::OK, &Done { imported: done.imported, existing: done.existing })
}

fn parse(body: &Bytes) -> Result<Vec<Import>, Problem> {
    let lines = body.split(|&byte| byte == b'\n').enumerate().filter(|(_, line)| !line.trim_ascii().is_empty());
    let mut users = Vec::new();
    for (number, line) in lines {
        if users.len() == IMPORT_MAX {
            return Err(Problem::new(Code::BatchTooLarge, format!("more than {IMPORT_MAX} lines in one import")));
        }
        users.push(parse_line(line).map_err(|problem| problem.at(&format!("line {}", number + 1)))?);
    }
    Ok(users)
}

fn parse_line(line: &[u8]) -> Result<Import, Problem> {
    let line: Line = from_json(line)?;
    let import = Import::parse(&line.username, line.password_hash, line.nickname)?;
    Ok(match line.user_id {
        Some(number) => import.with_number(number)?,
        None => import,
    })
}
