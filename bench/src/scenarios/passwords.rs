//! Calls that hash a password: their rate is Argon2id's, and what they leave to everybody else.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;

use super::{Bench, median_rate, picked};
use crate::argon;
use crate::load::Load;
use crate::problem::Result;
use crate::report::{Rate, Report, Target};
use crate::request::{Dice, Filled, HOLE};
use crate::rounds::alternate;
use crate::seed;
use crate::server::Server;
use crate::site::{login_request, post};

/// Callers of the hashing scenarios: enough to keep the pool busy, too few to be told that it is.
const HASHING_CALLERS: u32 = 4;
/// Logins at once in the flood.
const FLOOD_CALLERS: u32 = 32;
/// Callers of the quick call meanwhile.
const CALM_CALLERS: u32 = 8;

impl Bench<'_> {
    /// Logins of known users with the right password.
    pub(super) async fn password_login(&mut self, report: &mut Report) -> Result<()> {
        let users = self.settings.known_users;
        let site = self.site()?;
        let server = site.start_with(users).await?;
        let load = logins(HASHING_CALLERS, users);
        report.rate(self.against_argon("password-login", &server, &load).await?);
        server.stop().await
    }

    /// New users, one a call.
    pub(super) async fn register(&mut self, report: &mut Report) -> Result<()> {
        let site = self.site()?;
        let server = site.start().await?;
        let body = json!({ "username": format!("r{HOLE}"), "password": seed::PASSWORD });
        let request = post("users", Some(&site.app.token), Some(&body.to_string()));
        let next = Arc::new(AtomicU32::new(0));
        let load = Load::new(HASHING_CALLERS, move |_| {
            let next = Arc::clone(&next);
            Box::new(Filled::new(&request, move || [next.fetch_add(1, Ordering::Relaxed)]))
        });
        report.rate(self.against_argon("register", &server, &load).await?);
        server.stop().await
    }

    async fn against_argon(&self, scenario: &str, server: &Server, load: &Load) -> Result<Rate> {
        let window = self.window();
        let subject = async || load.drive(server, window).await;
        let rounds = alternate(self.settings.rounds, subject, async || argon::rate(window.measured).await).await?;
        let rate = Rate::new(scenario, load.connections, &rounds, "Argon2id");
        Ok(rate.resident(server.resident_mib()?).aiming(Target::Ratio(0.90)))
    }

    /// The quick call in calm and during a flood of logins, which may be told that the server is busy.
    pub(super) async fn token_while_login(&mut self, report: &mut Report) -> Result<()> {
        let (users, window, rounds) = (self.settings.known_users, self.window(), self.settings.rounds);
        let site = self.site()?;
        let server = site.start_with(users).await?;
        let quick = picked(CALM_CALLERS, site.self_requests(&server, users).await?);
        let flood = Load { may_be_busy: true, ..logins(FLOOD_CALLERS, users) };
        let floods = RefCell::new(Vec::new());
        let during_flood = async || {
            let (quick, flood) = tokio::join!(quick.drive(&server, window), flood.drive(&server, window));
            let mut quick = quick?;
            floods.borrow_mut().push(flood?);
            // The process's time is mostly the logins'.
            quick.cpu_us = None;
            Ok(quick)
        };
        let rounds = alternate(rounds, during_flood, async || quick.drive(&server, window).await).await?;
        let floods = floods.into_inner();
        let busy: u64 = floods.iter().map(|flood| flood.busy).sum();
        let rate = Rate::new("token-while-login", CALM_CALLERS, &rounds, "calm").resident(server.resident_mib()?);
        report.rate(rate.aiming(Target::P99Ms(5.0)).noting(format!(
            "meanwhile {FLOOD_CALLERS} callers made {:.0} logins/s and were told {busy} times in all that the server is busy",
            median_rate(&floods)
        )));
        server.stop().await
    }
}

/// Logins of the first `users` users.
fn logins(callers: u32, users: u32) -> Load {
    let request = login_request(&seed::template_name());
    Load::new(callers, move |number| {
        let mut dice = Dice::new(number);
        Box::new(Filled::new(&request, move || [dice.below(users)]))
    })
}
