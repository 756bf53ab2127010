//! `yinxin doctor`: looks for what is wrong and says what to do. It changes nothing.

mod checks;
mod nats;
mod postgres;

use serde::Serialize;

use crate::args::DoctorArgs;
use crate::config::{self, Given};
use crate::data::DataDir;
use crate::exit::{Failure, Outcome};
use crate::print;

/// What a check found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Warn,
    Fail,
}

impl State {
    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        }
    }
}

/// One line of the report.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    state: State,
    detail: String,
    /// What to do; empty when there is nothing to do.
    advice: String,
}

impl Finding {
    fn ok(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, state: State::Ok, detail: detail.into(), advice: String::new() }
    }

    fn warn(check: &'static str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, state: State::Warn, detail: detail.into(), advice: advice.into() }
    }

    fn fail(check: &'static str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, state: State::Fail, detail: detail.into(), advice: advice.into() }
    }
}

#[derive(Serialize)]
struct Report<'a> {
    ok: bool,
    findings: &'a [Finding],
}

pub(crate) fn run(args: &DoctorArgs) -> Outcome {
    let mut configured = config::load(&Given::from_process(args.config.as_deref()));
    if let (Ok(config), Some(data)) = (&mut configured, &args.data) {
        config.data.clone_from(data);
    }
    let dir = configured.as_ref().map_or_else(|_| DataDir::named(args.data.as_deref()), config::Config::folder);
    let mut findings = vec![checks::configuration(&configured)];
    let served = configured.as_ref().ok().and_then(|config| config.postgres().ok().flatten());
    findings.extend(checks::folder(&dir, served.is_none()));
    let is_node = configured.as_ref().is_ok_and(|config| config.cluster_name.0.is_some());
    findings.extend(served.iter().flat_map(|server| postgres::database(server, is_node)));
    findings.extend(configured.as_ref().ok().map(|config| checks::files(config, &dir)));
    if let Ok(config) = &configured
        && let Ok(Some(cluster)) = config.cluster()
    {
        findings.extend(nats::cluster(config, &dir, cluster));
    }
    findings.push(checks::server(&dir));
    findings.push(checks::open_files(configured.as_ref().map_or(0, |config| config.connections.0)));
    findings.push(checks::clock());
    let worst = findings.iter().map(|finding| finding.state).max().unwrap_or(State::Ok);
    if args.json {
        print::json(&Report { ok: worst < State::Fail, findings: &findings });
    } else {
        let row = |finding: &Finding| {
            let Finding { check, state, detail, advice } = finding;
            vec![(*check).to_owned(), state.name().to_owned(), detail.clone(), advice.clone()]
        };
        print::table(&["check", "state", "found", "what to do"], findings.iter().map(row));
    }
    if worst == State::Fail { Err(Failure::failed("something is wrong, see above")) } else { Ok(()) }
}
