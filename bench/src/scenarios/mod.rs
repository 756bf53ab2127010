//! The scenarios: what is called, by how many, and what it should reach.

mod messages;
mod passwords;
mod reads;
mod rest;
mod rooms;
mod sessions;
mod writes;

use std::process::{Command, Stdio};

use clap::ValueEnum;

use crate::load::{Load, Outcome, Window};
use crate::machine::Machine;
use crate::options::Settings;
use crate::problem::{Explain as _, Problem, Result};
use crate::report::{Rate, Report};
use crate::request::{self, Picked};
use crate::rounds::{Rounds, alternate};
use crate::server::Server;
use crate::site::Site;

/// What can be measured, in the order a full run does it: small folders first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// The bare server against itself: checks the generator, needs no yinxin
    Bare,
    /// POST /token, client_credentials
    AppToken,
    /// GET /users/{self} with the user's own token, cached
    UserGet,
    /// POST /users/batch/status of 100 users
    StatusBatch,
    /// POST /users/{a}/contacts/users/{b}, durable, by many callers and by one
    ContactAdd,
    /// POST user/getToken.action for numbers that have no token yet, durable
    RoomToken,
    /// POST user/getToken.action for numbers that have a token
    RoomTokenAgain,
    /// Messages to users who are away, durable, each sender waits for the answer; against a websocket echo
    MessageSend,
    /// Messages between users who are there, 1,000 a second: from the send to the arrival; against a websocket echo
    MessageLatency,
    /// Memory of a connected user who says nothing; against axum's own websocket
    Sessions,
    /// POST /token, password; against the Argon2id rate of all cores
    PasswordLogin,
    /// POST /users with a password; against the Argon2id rate of all cores
    Register,
    /// GET /users/{self} during a flood of logins; against the same in calm
    TokenWhileLogin,
    /// GET a random user of the big folder with an app token
    #[value(name = "user-get-1m")]
    UserGet1m,
    /// From start to the first answer, on an empty and on the big folder
    Start,
    /// Resident memory at rest, on an empty and on the big folder
    Memory,
}

impl Scenario {
    /// All that measure yinxin; on a database of its own, those that make sense there.
    pub fn usual(has_database: bool) -> Vec<Self> {
        let measures = |scenario: &Self| *scenario != Self::Bare && !(has_database && scenario.is_about_folders());
        Self::value_variants().iter().copied().filter(measures).collect()
    }

    /// Whether it compares data folders.
    pub fn is_about_folders(self) -> bool {
        matches!(self, Self::Start | Self::Memory)
    }

    /// As on the command line.
    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// What every scenario works with.
struct Bench<'a> {
    settings: &'a Settings,
    bare: Server,
    site: Option<Site>,
}

/// Runs the chosen scenarios; one that fails is reported and the next is run.
pub async fn run_all(settings: &Settings) -> Result<Report> {
    let mut report = Report::new(Machine::seen_from(&settings.scratch), settings.clone());
    let needs_yinxin = settings.scenarios.iter().any(|scenario| *scenario != Scenario::Bare);
    let site = if needs_yinxin { Some(Site::create(settings).await?) } else { None };
    let mut bench = Bench { settings, bare: start_bare(settings).await?, site };
    if settings.preload {
        eprintln!("importing {} users", settings.users);
        bench.site()?.start_with(settings.users).await?.stop().await?;
    }
    for scenario in &settings.scenarios {
        eprintln!("{} …", scenario.name());
        if let Err(problem) = bench.run(*scenario, &mut report).await {
            let last_words = bench.site.as_ref().map_or_else(String::new, Site::last_words);
            report.failure(scenario.name(), &format!("{problem}{last_words}"));
        }
    }
    Ok(report)
}

/// Starts this program in its other role.
async fn start_bare(settings: &Settings) -> Result<Server> {
    let mut command = Command::new(std::env::current_exe().explain("cannot find this program")?);
    command.arg("bare").stdin(Stdio::piped());
    let log = tempfile::NamedTempFile::new_in(&settings.scratch);
    let log = log.explain("cannot write beside this program; name a folder with --scratch")?;
    Server::start("bare", vec![(command, log.path().to_owned())]).await
}

impl Bench<'_> {
    async fn run(&mut self, scenario: Scenario, report: &mut Report) -> Result<()> {
        match scenario {
            Scenario::Bare => self.bare_against_itself(report).await,
            Scenario::AppToken => self.app_token(report).await,
            Scenario::UserGet => self.user_get(report).await,
            Scenario::StatusBatch => self.status_batch(report).await,
            Scenario::ContactAdd => self.contact_add(report).await,
            Scenario::RoomToken => self.room_token(report).await,
            Scenario::RoomTokenAgain => self.room_token_again(report).await,
            Scenario::MessageSend => self.message_send(report).await,
            Scenario::MessageLatency => self.message_latency(report).await,
            Scenario::Sessions => self.sessions(report).await,
            Scenario::PasswordLogin => self.password_login(report).await,
            Scenario::Register => self.register(report).await,
            Scenario::TokenWhileLogin => self.token_while_login(report).await,
            Scenario::UserGet1m => self.user_get_1m(report).await,
            Scenario::Start => self.start(report).await,
            Scenario::Memory => self.memory(report).await,
        }
    }

    fn site(&mut self) -> Result<&mut Site> {
        self.site.as_mut().ok_or_else(|| Problem::new("this scenario needs a yinxin server"))
    }

    fn window(&self) -> Window {
        self.settings.window()
    }

    /// Alternates a load on a server with the bare server under as many connections.
    async fn against_bare(&self, server: &Server, load: &Load) -> Result<Rounds> {
        let (window, bare_load) = (self.window(), bare_load(load.connections));
        let subject = async || load.drive(server, window).await;
        alternate(self.settings.rounds, subject, async || bare_load.drive(&self.bare, window).await).await
    }

    /// The usual row: a load on a freshly started server, compared with the bare one.
    async fn rate(&self, scenario: impl Into<String>, server: &Server, load: &Load) -> Result<Rate> {
        let rounds = self.against_bare(server, load).await?;
        Ok(Rate::new(scenario, load.connections, &rounds, "bare").resident(server.resident_mib()?))
    }

    async fn bare_against_itself(&self, report: &mut Report) -> Result<()> {
        let second = start_bare(self.settings).await?;
        report.rate(self.rate("bare", &second, &bare_load(self.settings.connections)).await?);
        report.rate(self.rate("bare, one caller", &second, &bare_load(1)).await?);
        Ok(())
    }
}

/// What the bare server is asked.
fn bare_load(connections: u32) -> Load {
    let request = request::bytes("GET", "/bare", Some("none"), None);
    same_call(connections, request)
}

/// The same request over and over.
fn same_call(connections: u32, request: Vec<u8>) -> Load {
    picked(connections, vec![request])
}

/// Requests picked at random among some made beforehand.
fn picked(connections: u32, requests: Vec<Vec<u8>>) -> Load {
    let requests: std::sync::Arc<[Vec<u8>]> = requests.into();
    Load::new(connections, move |number| Box::new(Picked::new(requests.clone(), number)))
}

/// The calls a second of some rounds, median, for a remark.
fn median_rate(outcomes: &[Outcome]) -> f64 {
    crate::stats::Spread::of(outcomes.iter().map(|outcome| outcome.per_second)).median
}
