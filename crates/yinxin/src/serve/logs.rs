//! The log: lines on standard error, as text or JSON.

use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};
use crate::data::{DataDir, is_private};

/// Starts logging as configured.
pub(super) fn start(config: &Config) {
    // The level was checked when the configuration was read.
    let filter = EnvFilter::try_new(&config.log_level.0).unwrap_or_default();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}

/// Says so when others on the machine can look into the data folder. It may be meant, so it is no failure.
pub(super) fn warn_if_open(dir: &DataDir) {
    match DataDir::mode(dir.root()) {
        Ok(mode) if !is_private(mode) => tracing::warn!(
            folder = %dir.root().display(),
            mode = %format!("{mode:o}"),
            "others on this machine can look into the data folder; `chmod 700` closes it"
        ),
        Ok(_) => {}
        Err(fault) => tracing::warn!(%fault, "the data folder's permissions cannot be read"),
    }
}
