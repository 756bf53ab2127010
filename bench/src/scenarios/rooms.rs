//! Room tokens: new ones, each on disk before it is given, and those that are asked for again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use super::Bench;
use crate::client::Connection;
use crate::load::Load;
use crate::problem::{Explain as _, Problem, Result};
use crate::report::{Report, Target};
use crate::request::{Dice, Filled, HOLE};
use crate::server::Server;

impl Bench<'_> {
    /// One row a call.
    pub(super) async fn room_token(&mut self, report: &mut Report) -> Result<()> {
        let connections = self.settings.connections;
        let site = self.site()?;
        let server = site.start().await?;
        let request = site.app.room_token_request(&format!("uid={HOLE}&channelName=bench"));
        must_give_a_token(&server, &request).await?;
        let next = Arc::new(AtomicU32::new(0));
        let load = Load::new(connections, move |_| {
            let next = Arc::clone(&next);
            Box::new(Filled::new(&request, move || [next.fetch_add(1, Ordering::Relaxed)]))
        });
        report.rate(self.rate("room-token", &server, &load).await?.aiming(Target::Ratio(0.15)));
        server.stop().await
    }

    /// A backend that asks each time somebody joins: for each number a write in 6 s, at most.
    pub(super) async fn room_token_again(&mut self, report: &mut Report) -> Result<()> {
        let (connections, users) = (self.settings.connections, self.settings.known_users);
        let site = self.site()?;
        let server = site.start().await?;
        let request = site.app.room_token_request(&format!("uid={HOLE}&channelName=again"));
        must_give_a_token(&server, &request).await?;
        let load = Load::new(connections, move |number| {
            let mut dice = Dice::new(number);
            Box::new(Filled::new(&request, move || [dice.below(users)]))
        });
        report.rate(self.rate("room-token-again", &server, &load).await?.aiming(Target::Ratio(0.70)));
        server.stop().await
    }
}

/// Refusals are answered with 200, too: they would be counted as tokens.
async fn must_give_a_token(server: &Server, request: &[u8]) -> Result<()> {
    let request = String::from_utf8_lossy(request).replace(HOLE, "99999999");
    let mut connection = Connection::open(server.address()).await?;
    let reply = connection.ask(request.as_bytes()).await.explain("cannot get a room token")?;
    let reply: Value = serde_json::from_slice(&reply).explain("a room token reply is not JSON")?;
    let given = reply["code"] == 200 && reply["token"].is_string();
    given.then_some(()).ok_or_else(|| Problem::new(format!("no room token was given: {reply}")))
}
