//! The server at rest: how soon it answers, how much it holds.

use std::time::{Duration, Instant};

use super::Bench;
use crate::client::Connection;
use crate::problem::{Explain as _, Result};
use crate::report::Report;
use crate::request;
use crate::server::Server;
use crate::stats::Spread;

impl Bench<'_> {
    /// From the start of the process to the end of the first answer.
    pub(super) async fn start(&mut self, report: &mut Report) -> Result<()> {
        let (rounds, users) = (self.settings.rounds, self.settings.users);
        let site = self.site()?;
        let mut took = Vec::new();
        let alive = request::bytes("GET", "/livez", None, None);
        for _ in 0..rounds {
            let folder = site.empty_folder()?;
            let began = Instant::now();
            let server = site.start_on(&folder).await?;
            Connection::open(server.address()).await?.ask(&alive).await.explain("the server is not alive")?;
            took.push(began.elapsed());
            server.stop().await?;
        }
        report.figure("start, empty folder", "ms", milliseconds(&took), 300.0);
        site.start_with(users).await?.stop().await?;
        took.clear();
        for _ in 0..rounds {
            let began = Instant::now();
            let server = site.start().await?;
            let mut connection = Connection::open(server.address()).await?;
            connection.ask(&site.app.token_request()).await.explain("cannot get an app token")?;
            took.push(began.elapsed());
            server.stop().await?;
        }
        report.figure(format!("start, {} users", site.seeded()), "ms", milliseconds(&took), 2000.0);
        Ok(())
    }

    /// Resident memory after a moment without calls.
    pub(super) async fn memory(&mut self, report: &mut Report) -> Result<()> {
        let (users, settle) = (self.settings.users, self.window().measured.min(Duration::from_secs(2)));
        let site = self.site()?;
        let folder = site.empty_folder()?;
        let empty = settled(site.start_on(&folder).await?, settle).await?;
        report.figure("memory, empty folder", "MiB", Spread::of([empty]), 30.0);
        let full = settled(site.start_with(users).await?, settle).await?;
        report.figure(format!("memory, {} users", site.seeded()), "MiB", Spread::of([full]), 30.0);
        Ok(())
    }
}

async fn settled(server: Server, settle: Duration) -> Result<f64> {
    tokio::time::sleep(settle).await;
    let mib = server.resident_mib()?;
    server.stop().await?;
    Ok(mib)
}

fn milliseconds(took: &[Duration]) -> Spread {
    Spread::of(took.iter().map(|took| took.as_secs_f64() * 1000.0))
}
