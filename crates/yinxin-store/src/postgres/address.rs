//! Where the database is and how to get there: the URL, taken apart; what of it may be shown; one connection made.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::config::{Config, Host, SslMode, TargetSessionAttrs};

use super::PostgresOptions;
use super::conn::{Conn, text};
use super::tls::{Tls, Trust};
use crate::error::{Error, Result};

/// What a URL looks like, said to whoever gave another: never with a part of theirs, which may be a password.
const FORM: &str = "it is postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full; in a password, signs like \
                    @ : / ? # % are written %40 %3A %2F %3F %23 %25";

pub(super) struct Address {
    config: Config,
    tls: Tls,
    /// How long all of connecting may take: a host may take the connection and say nothing.
    patience: Duration,
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
        let mut config: Config = format!("{rest}?{}", others.join("&")).parse().map_err(|_| wrong(FORM))?;
        if config.get_hosts().is_empty() || config.get_user().is_none() || config.get_dbname().is_none() {
            return Err(wrong(FORM));
        }
        let (encrypts, trust) = read_mode(&mode, roots)?;
        config.ssl_mode(encrypts).connect_timeout(options.connect).tcp_user_timeout(options.statement * 2);
        if !others.iter().any(|parameter| parameter.starts_with("keepalives")) {
            config.keepalives_idle(KEEPALIVE).keepalives_interval(KEEPALIVE / 3).keepalives_retries(3);
        }
        // After a failover the old primary may still answer, and must not be taken for the record.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        if config.get_application_name().is_none() {
            config.application_name("yinxin");
        }
        let hosts = u32::try_from(config.get_hosts().len()).unwrap_or(u32::MAX);
        Ok(Self { patience: options.connect.saturating_mul(hosts.saturating_add(1)), config, tls: Tls::new(trust)? })
    }

    /// Connects to the first host that takes writes. On that connection an answer is waited for as long as `patience`.
    pub async fn connect(&self, patience: Duration) -> Result<Conn> {
        let refused = |why: String| Error::Engine(format!("cannot connect to {self}: {why}").into());
        let made = tokio::time::timeout(self.patience, self.config.connect(self.tls.clone())).await;
        let made = made.map_err(|_| refused(format!("nothing has come of it within {:?}", self.patience)))?;
        let (client, driver) = made.map_err(|source| refused(text(&source)))?;
        let driver = tokio::spawn(async move {
            if let Err(source) = driver.await {
                tracing::warn!(error = %text(&source), "a connection to the database was lost");
            }
        });
        Ok(Conn::new(client, driver.abort_handle(), patience))
    }
}

impl fmt::Display for Address {
    /// Everything but the password and the parameters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "postgresql://{}@", self.config.get_user().unwrap_or_default())?;
        for (position, host) in self.config.get_hosts().iter().enumerate() {
            let comma = if position == 0 { "" } else { "," };
            match host {
                Host::Tcp(name) => write!(f, "{comma}{name}")?,
                Host::Unix(path) => write!(f, "{comma}{}", path.display())?,
            }
            let ports = self.config.get_ports();
            if let Some(port) = ports.get(position).or_else(|| ports.first()) {
                write!(f, ":{port}")?;
            }
        }
        write!(f, "/{}", self.config.get_dbname().unwrap_or_default())
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
