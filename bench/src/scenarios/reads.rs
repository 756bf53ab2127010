//! Calls that write nothing: app tokens, users, states.

use serde_json::json;

use super::{Bench, picked, same_call};
use crate::load::Load;
use crate::problem::Result;
use crate::report::{Report, Target};
use crate::request::{Dice, Filled};
use crate::seed;
use crate::site::{get, post};

/// Names of one batch status call, the vendor's limit.
const STATUS_NAMES: u32 = 100;
/// Different batch status calls.
const STATUS_CALLS: u32 = 50;

impl Bench<'_> {
    /// One MAC, one look-up, no write.
    pub(super) async fn app_token(&mut self, report: &mut Report) -> Result<()> {
        let connections = self.settings.connections;
        let site = self.site()?;
        let (server, load) = (site.start().await?, same_call(connections, site.app.token_request()));
        report.rate(self.rate("app-token", &server, &load).await?.aiming(Target::Ratio(0.70)));
        server.stop().await
    }

    /// Users who look at themselves: few enough that the unmeasured start has read them all.
    pub(super) async fn user_get(&mut self, report: &mut Report) -> Result<()> {
        let (connections, users) = (self.settings.connections, self.settings.known_users);
        let site = self.site()?;
        let server = site.start_with(users).await?;
        let load = picked(connections, site.self_requests(&server, users).await?);
        report.rate(self.rate("user-get", &server, &load).await?.aiming(Target::Ratio(0.65)));
        server.stop().await
    }

    /// Random users of a folder too big for any cache.
    pub(super) async fn user_get_1m(&mut self, report: &mut Report) -> Result<()> {
        let (connections, users) = (self.settings.connections, self.settings.users);
        let site = self.site()?;
        let server = site.start_with(users).await?;
        let request = get(&format!("users/{}", seed::template_name()), &site.app.token);
        let load = Load::new(connections, move |number| {
            let mut dice = Dice::new(number);
            Box::new(Filled::new(&request, move || [dice.below(users)]))
        });
        let name = format!("user-get-1m ({users} users)");
        report.rate(self.rate(name, &server, &load).await?.aiming(Target::Ratio(0.40)));
        server.stop().await
    }

    /// A hundred names a call.
    pub(super) async fn status_batch(&mut self, report: &mut Report) -> Result<()> {
        let (connections, users) = (self.settings.connections, self.settings.known_users);
        let site = self.site()?;
        let server = site.start_with(users).await?;
        let mut dice = Dice::new(7);
        let requests = (0..STATUS_CALLS).map(|_| {
            let names: Vec<_> = (0..STATUS_NAMES).map(|_| seed::name(dice.below(users))).collect();
            let body = json!({ "usernames": names }).to_string();
            post("users/batch/status", Some(&site.app.token), Some(&body))
        });
        let load = picked(connections, requests.collect());
        report.rate(self.rate("status-batch", &server, &load).await?.aiming(Target::Ratio(0.25)));
        server.stop().await
    }
}
