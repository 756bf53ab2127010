//! The checks of a database server: whether what it acknowledges stays, and whether it is one that we can use.

use std::time::Duration;

use yinxin_core::clock::{Clock, SystemClock};
use yinxin_core::{POSTGRES_VERSION_MIN, PostgresOptions, Survey};

use super::Finding;

/// As long as anybody would look at a terminal that says nothing.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Nodes that disagree by more than this disagree about the ends of tokens.
const CLOCKS_APART_WARN_MS: i64 = 1_000;
/// What is told of a node's life assumes less.
const CLOCKS_APART_MAX_MS: i64 = 30_000;
/// Connections that the server keeps for its operator.
const RESERVED: i64 = 3;
/// With fewer, a batch of writes that reads many rows meets others for no reason.
const READ_LOCKS_MIN: i64 = 256;

pub(super) fn database(options: &PostgresOptions, is_node: bool) -> Vec<Finding> {
    match look(options) {
        Ok((survey, now_ms)) => judge(&survey, options.connections(is_node), now_ms),
        Err(why) => vec![Finding::fail(
            "database",
            why,
            "check database.url, that the server runs, and that pg_hba.conf lets this machine in",
        )],
    }
}

fn look(options: &PostgresOptions) -> Result<(Survey, i64), String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|fault| fault.to_string())?;
    let asked = async { tokio::time::timeout(TIMEOUT, yinxin_core::survey(options)).await };
    let survey = runtime.block_on(asked).map_err(|_| format!("no answer in {} s", TIMEOUT.as_secs()))?;
    survey.map(|survey| (survey, SystemClock.now_ms())).map_err(|fault| fault.to_string())
}

/// `ours`: the connections of one server.
fn judge(survey: &Survey, ours: usize, now_ms: i64) -> Vec<Finding> {
    vec![
        server(survey),
        durability(survey),
        encoding(survey),
        connections(survey, ours),
        read_locks(survey),
        clocks(survey, now_ms),
    ]
}

fn server(survey: &Survey) -> Finding {
    const CHECK: &str = "database";
    let schema = survey.schema.map_or_else(|| "no schema yet".to_owned(), |version| format!("schema {version}"));
    let way = if survey.encrypted { "encrypted" } else { "not encrypted" };
    let found = format!("{}: PostgreSQL {}, {schema}, {way}", survey.place, survey.version);
    if survey.version_number < POSTGRES_VERSION_MIN {
        return Finding::fail(CHECK, found, "PostgreSQL 15 or newer is needed");
    }
    Finding::ok(CHECK, found)
}

fn durability(survey: &Survey) -> Finding {
    const CHECK: &str = "database durability";
    let found = format!(
        "fsync {}, full_page_writes {}, synchronous_commit {}",
        spoken(survey.fsync),
        spoken(survey.full_page_writes),
        survey.synchronous_commit
    );
    if !survey.fsync || !survey.full_page_writes {
        let advice = "set both to on: a crash of its machine may lose what was acknowledged, or all of it";
        return Finding::fail(CHECK, found, advice);
    }
    if survey.synchronous_commit == "off" {
        return Finding::warn(CHECK, found, "the server's connections set it to on; set it so for the others, too");
    }
    Finding::ok(CHECK, found)
}

fn spoken(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

fn encoding(survey: &Survey) -> Finding {
    const CHECK: &str = "database texts";
    let found = format!("{}, database {}, ours \"C\"", survey.encoding, survey.collation);
    if survey.encoding != "UTF8" {
        return Finding::fail(CHECK, found, "create the database with ENCODING 'UTF8'");
    }
    if survey.foreign_order > 0 {
        let found = format!("{} columns are not compared byte by byte", survey.foreign_order);
        return Finding::fail(CHECK, found, "somebody changed the schema: give them COLLATE \"C\" back, and reindex");
    }
    Finding::ok(CHECK, found)
}

fn connections(survey: &Survey, ours: usize) -> Finding {
    const CHECK: &str = "database connections";
    let ours = i64::try_from(ours).unwrap_or(i64::MAX);
    let found = format!("{ours} of each node, {} in all", survey.connections_max);
    if ours > survey.connections_max - RESERVED {
        let advice = "raise max_connections, or lower database.write_connections and database.read_connections";
        return Finding::warn(CHECK, found, advice);
    }
    Finding::ok(CHECK, found)
}

fn read_locks(survey: &Survey) -> Finding {
    const CHECK: &str = "database read locks";
    let found = format!("max_pred_locks_per_transaction {}", survey.read_locks);
    if survey.read_locks < READ_LOCKS_MIN {
        return Finding::warn(
            CHECK,
            found,
            format!("set it to {READ_LOCKS_MIN} or more: large batches meet others less"),
        );
    }
    Finding::ok(CHECK, found)
}

fn clocks(survey: &Survey, now_ms: i64) -> Finding {
    const CHECK: &str = "database clock";
    let apart = (survey.clock_ms - now_ms).abs();
    let found = format!("{apart} ms from this machine's, asked in {} ms", survey.round_trip.as_millis());
    let advice = "let both machines keep time by NTP";
    match apart {
        0..CLOCKS_APART_WARN_MS => Finding::ok(CHECK, found),
        CLOCKS_APART_WARN_MS..CLOCKS_APART_MAX_MS => Finding::warn(CHECK, found, advice),
        _ => Finding::fail(CHECK, found, advice),
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    fn sound() -> Survey {
        Survey {
            place: "postgresql://ann@one/im".to_owned(),
            version: "15.1".to_owned(),
            version_number: 150_001,
            fsync: true,
            full_page_writes: true,
            synchronous_commit: "on".to_owned(),
            encoding: "UTF8".to_owned(),
            collation: "de_DE.UTF-8".to_owned(),
            connections_max: 100,
            read_locks: 256,
            encrypted: true,
            schema: Some(7),
            in_use: true,
            foreign_order: 0,
            clock_ms: 1_000_000,
            round_trip: Duration::from_millis(1),
        }
    }

    fn worst(change: impl FnOnce(&mut Survey)) -> State {
        let mut survey = sound();
        change(&mut survey);
        let findings = judge(&survey, 27, 1_000_100);
        findings.iter().map(|finding| finding.state).max().unwrap()
    }

    #[test]
    fn what_loses_data_is_refused_and_what_may_be_better_is_warned_of() {
        assert_eq!(worst(|_| {}), State::Ok);
        assert_eq!(worst(|survey| survey.fsync = false), State::Fail);
        assert_eq!(worst(|survey| survey.full_page_writes = false), State::Fail);
        assert_eq!(worst(|survey| survey.synchronous_commit = "off".to_owned()), State::Warn);
        assert_eq!(worst(|survey| survey.synchronous_commit = "remote_apply".to_owned()), State::Ok);
        assert_eq!(worst(|survey| survey.version_number = 140_012), State::Fail);
        assert_eq!(worst(|survey| survey.encoding = "SQL_ASCII".to_owned()), State::Fail);
        assert_eq!(worst(|survey| survey.foreign_order = 1), State::Fail);
        assert_eq!(worst(|survey| survey.connections_max = 30), State::Ok);
        assert_eq!(worst(|survey| survey.connections_max = 29), State::Warn);
        assert_eq!(worst(|survey| survey.read_locks = 64), State::Warn);
        assert_eq!(worst(|survey| survey.clock_ms += 5_000), State::Warn);
        assert_eq!(worst(|survey| survey.clock_ms -= 50_000), State::Fail);
    }

    #[test]
    fn every_connection_of_a_server_counts() {
        let options = PostgresOptions { writers: 16, readers: 8, ..PostgresOptions::at(String::new()) };
        assert_eq!((options.connections(false), options.connections(true)), (25, 27));
    }
}
