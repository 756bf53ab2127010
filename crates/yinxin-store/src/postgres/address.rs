//! Where the database is and how to get there: the URL, taken apart; what of it may be shown; one connection made.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::config::{Config, Host, SslMode, TargetSessionAttrs};

use super::PostgresOptions;
use super::conn::{Conn, Era, Patience, said};
use super::tls::{Tls, Trust};
use crate::error::{Error, Result};

/// What a URL looks like, said to whoever gave another: never with a part of theirs, which may be a password.
const FORM: &str = "it is postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full; in a password, signs like \
                    @ : / ? # % are written %40 %3A %2F %3F %23 %25";

pub(super) struct Address {
    /// How to get to each host: one that is silent must not use up the time of the next.
    hosts: Vec<Config>,
    /// Which of them was the primary when last seen.
    primary: AtomicUsize,
    tls: Tls,
    /// How long each may take.
    connect: Duration,
    era: Era,
}

/// A connection on which nothing was heard for so long is asked whether it still is one.
const KEEPALIVE: Duration = Duration::from_secs(15);

impl Address {
    pub fn parse(options: &PostgresOptions) -> Result<Self> {
        // A password may hold a question mark, but no @.
        let host = options.url.rfind('@').unwrap_or_default();
        let question = options.url[host..].find('?').map_or(options.url.len(), |at| host + at);
        let (rest, parameters) = options.url.split_at(question);
        let parameters = parameters.trim_start_matches('?');
        if !["postgresql://", "postgres://"].iter().any(|scheme| rest.starts_with(scheme)) {
            return Err(wrong(FORM));
        }
        let mut mode = "prefer".to_owned();
        let mut roots = None;
        let mut others = Vec::new();
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = || percent_decode_str(value).decode_utf8_lossy().into_owned();
            match name {
                "sslmode" => mode = value(),
                "sslrootcert" => roots = Some(PathBuf::from(value())),
                _ => others.push(parameter),
            }
        }
        let (encrypts, trust) = read_mode(&mode, roots)?;
        let mut hosts = Vec::new();
        for url in one_by_one(rest) {
            let mut config: Config = format!("{url}?{}", others.join("&")).parse().map_err(|_| wrong(FORM))?;
            if config.get_hosts().len() != 1 || config.get_user().is_none() || config.get_dbname().is_none() {
                return Err(wrong(FORM));
            }
            // A host that is gone is not waited for as long as a statement may run.
            let silent = options.statement.saturating_mul(2).min(KEEPALIVE * 2);
            config.ssl_mode(encrypts).connect_timeout(options.connect).tcp_user_timeout(silent);
            if !others.iter().any(|parameter| parameter.starts_with("keepalives")) {
                config.keepalives_idle(KEEPALIVE).keepalives_interval(KEEPALIVE / 3).keepalives_retries(3);
            }
            // After a failover the old primary may still answer, and must not be taken for the record.
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
            if config.get_application_name().is_none() {
                config.application_name("yinxin");
            }
            hosts.push(config);
        }
        Ok(Self {
            hosts,
            primary: AtomicUsize::default(),
            tls: Tls::new(trust)?,
            connect: options.connect,
            era: Era::default(),
        })
    }

    /// Connects to a host that takes writes: to the one that did so last, or to the first one after it. On that connection a
    /// statement may run for so long.
    pub async fn connect(&self, statement: Duration) -> Result<Conn> {
        let begin = self.primary.load(Ordering::Relaxed);
        let mut why = Vec::new();
        for position in (0..self.hosts.len()).map(|step| (begin + step) % self.hosts.len()) {
            let host = &self.hosts[position];
            match tokio::time::timeout(self.connect, self.connect_to(host, statement)).await {
                Ok(Ok(conn)) => {
                    self.primary.store(position, Ordering::Relaxed);
                    return Ok(conn);
                }
                Ok(Err(fault)) => why.push(format!("{}: {}", shown(host), said(&fault))),
                Err(_) => why.push(format!("{}: no answer within {:?}", shown(host), self.connect)),
            }
        }
        Err(Error::Away(format!("cannot connect to {self}: {}", why.join("; ")).into()))
    }

    async fn connect_to(&self, host: &Config, statement: Duration) -> Result<Conn, tokio_postgres::Error> {
        let era = self.era.now();
        let (client, driver) = host.connect(self.tls.clone()).await?;
        let driver = tokio::spawn(async move {
            if let Err(fault) = driver.await {
                tracing::warn!(error = %said(&fault), "a connection to the database was lost");
            }
        });
        Ok(Conn::new(client, driver.abort_handle(), Patience::new(statement), era))
    }
}

/// A URL without parameters as one for each of its hosts.
fn one_by_one(url: &str) -> impl Iterator<Item = String> {
    let begin = url.rfind('@').map_or_else(|| url.find("//").map_or(0, |at| at + 2), |at| at + 1);
    let end = url[begin..].find('/').map_or(url.len(), |at| begin + at);
    url[begin..end].split(',').map(move |host| format!("{}{host}{}", &url[..begin], &url[end..]))
}

/// Where it leads.
fn shown(host: &Config) -> String {
    let name = match host.get_hosts() {
        [Host::Tcp(address)] if address.contains(':') => format!("[{address}]"),
        [Host::Tcp(name)] => name.clone(),
        [Host::Unix(path)] => path.display().to_string(),
        _ => String::new(),
    };
    host.get_ports().first().map_or_else(|| name.clone(), |port| format!("{name}:{port}"))
}

impl fmt::Display for Address {
    /// Everything but the password and the parameters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = &self.hosts[0];
        let hosts: Vec<_> = self.hosts.iter().map(shown).collect();
        let (user, database) = (first.get_user().unwrap_or_default(), first.get_dbname().unwrap_or_default());
        write!(f, "postgresql://{user}@{}/{database}", hosts.join(","))
    }
}

fn read_mode(mode: &str, roots: Option<PathBuf>) -> Result<(SslMode, Trust)> {
    Ok(match mode {
        "disable" => (SslMode::Disable, Trust::Anybody),
        "prefer" => (SslMode::Prefer, Trust::Anybody),
        "require" => (SslMode::Require, Trust::Anybody),
        "verify-full" => (SslMode::Require, roots.map_or(Trust::System, Trust::File)),
        _ => return Err(wrong("sslmode is disable, prefer, require or verify-full")),
    })
}

fn wrong(why: &str) -> Error {
    Error::Engine(format!("the URL of the database cannot be read: {why}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<String, String> {
        let parsed = Address::parse(&PostgresOptions::at(url.to_owned()));
        parsed.map(|address| address.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_url_is_shown_without_its_password() {
        let shown = parse("postgresql://ann:s%40cret@one:5432,two:5433/im?sslmode=require&keepalives=1").unwrap();
        assert_eq!(shown, "postgresql://ann@one:5432,two:5433/im");
        assert_eq!(parse("postgres://ann@[::1]:5433,one/im").unwrap(), "postgresql://ann@[::1]:5433,one:5432/im");
        assert_eq!(parse("postgres://ann@%2Frun%2Fpostgresql/im").unwrap(), "postgresql://ann@/run/postgresql:5432/im");
        let options = PostgresOptions::at("postgres://ann:s%40cret@one/im".to_owned());
        assert!(!format!("{options:?}").contains("s@cret") && !format!("{options:?}").contains("s%40cret"));
    }

    #[test]
    fn a_wrong_url_is_refused_without_a_word_of_it() {
        for url in [
            "",
            "s3cret",
            "mysql://ann:s3cret@one/im",
            "postgres://ann:s3cret@one",
            "postgres://one/s3cret",
            "postgres://ann:pw@one/im?s3cret=1",
            "postgres://ann:pw@one:s3cret/im",
            "postgres://ann:pw@one/im?sslmode=s3cret",
            "postgres://ann:pw@one/im?connect_timeout=s3cret",
            "postgres://ann:pw@one/im?sslmode=verify-ca&s3cret",
        ] {
            let refused = parse(url).expect_err(url);
            assert!(!refused.contains("s3cret"), "{refused}");
        }
    }

    #[test]
    fn a_file_of_certificates_must_hold_some() {
        let folder = tempfile::TempDir::new().unwrap();
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "").unwrap();
        for file in [&empty, &folder.path().join("missing.pem")] {
            let url = format!("postgres://ann@one/im?sslmode=verify-full&sslrootcert={}", file.display());
            let refused = parse(&url).unwrap_err();
            assert!(refused.contains(&file.display().to_string()), "{refused}");
        }
    }
}
