//! Users who are connected and silent: what each costs in memory.

use std::time::Duration;

use super::Bench;
use crate::bare::ECHO;
use crate::chat;
use crate::problem::Result;
use crate::report::Report;
use crate::server::Server;
use crate::stats::Spread;

/// What a server may still be tidying up after the last login.
const SETTLE: Duration = Duration::from_millis(500);

impl Bench<'_> {
    /// Each user has been seen before, so that a session is charged for itself and not for the record in the cache.
    pub(super) async fn sessions(&mut self, report: &mut Report) -> Result<()> {
        let count = self.settings.sessions;
        let site = self.site()?;
        let server = site.start_with(count).await?;
        let tokens = site.user_tokens(&server, count).await?;
        server.stop().await?;
        let server = site.start().await?;
        let names: Vec<String> = (0..count).map(crate::seed::name).collect();
        for (name, token) in names.iter().zip(tokens.iter()) {
            drop(chat::login(server.address(), name, token).await?);
        }
        let logins = async || {
            let mut open = Vec::new();
            for (name, token) in names.iter().zip(tokens.iter()) {
                open.push(chat::login(server.address(), name, token).await?);
            }
            Ok(open)
        };
        let ours = per_session_kib(&server, count, logins).await?;
        server.stop().await?;
        let bare = &self.bare;
        let sockets = async || {
            let mut open = Vec::new();
            for _ in 0..count {
                open.push(chat::open(bare.address(), ECHO).await?);
            }
            Ok(open)
        };
        let stock = per_session_kib(bare, count, sockets).await?;
        let what = format!("memory of a session, {count} connected; a bare axum websocket: {stock:.1} KiB");
        report.figure(what, "KiB", Spread::of([ours]), 12.0);
        Ok(())
    }
}

async fn per_session_kib<T>(server: &Server, count: u32, open: impl AsyncFn() -> Result<Vec<T>>) -> Result<f64> {
    tokio::time::sleep(SETTLE).await;
    let before = server.resident_mib()?;
    let held = open().await?;
    tokio::time::sleep(SETTLE).await;
    let grown = server.resident_mib()? - before;
    drop(held);
    Ok(grown * 1024.0 / f64::from(count))
}
