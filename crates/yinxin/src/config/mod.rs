//! The configuration: one TOML file and the environment.
//!
//! A key is a line in the table in [`keys`]; everything else (the default file, the explanations, the names in the
//! environment, the check) is made from it. The command line wins over the environment, that over the file, and the
//! file over the default.

mod cluster;
pub(crate) mod commands;
mod database;
mod fault;
mod keys;
mod layers;
mod media;
mod setting;

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use yinxin_core::files::{self, Bucket, Place};
use yinxin_core::limits::{Limits, SocketLimits};
use yinxin_core::passwords::HashCost;
use yinxin_hooks::Bounds;
use yinxin_http::ServeOptions;
use zeroize::Zeroizing;

use crate::data::{DataDir, KeyFiles};
use crate::exit::{Failure, Outcome};

pub(crate) use keys::Config;
pub(crate) use layers::{Given, load};
pub(crate) use setting::LogFormat;

impl Config {
    /// What the listener is told.
    pub fn serve_options(&self) -> ServeOptions {
        ServeOptions {
            header_timeout: Duration::from_millis(self.header_timeout_ms.0),
            idle_timeout: Duration::from_millis(self.idle_timeout_ms.0),
            body_timeout: Duration::from_millis(self.body_timeout_ms.0),
            connections_max: self.connections.to_usize(),
            connections_per_client_max: self.connections_per_client.to_usize(),
            header_bytes_max: self.header_bytes.to_usize(),
            body_bytes_max: self.body_bytes.to_usize(),
            drain_timeout: Duration::from_millis(self.drain_timeout_ms.0),
            trusted_proxies: self.trusted_proxies.0.clone(),
            ..ServeOptions::default()
        }
    }

    /// What the domain is told.
    pub fn limits(&self) -> Limits {
        let cores = std::thread::available_parallelism().map_or(2, NonZeroUsize::get);
        Limits {
            cached_users: self.cached_users.to_usize(),
            password_queue: self.password_queue.to_usize(),
            password_threads: match self.password_threads.to_usize() {
                0 => cores,
                threads => threads,
            },
            password_failures: self.password_failures.to_u32(),
            password_forgive_s: self.password_forgive_seconds.to_u32(),
            token_calls_per_s: self.token_calls_per_second.to_u32(),
            file_bytes: self.files_file_bytes.0,
            app_file_bytes: self.files_app_bytes.0,
            file_days: self.files_days.to_u32(),
            uploads: self.files_uploads.to_usize(),
            hook_outbox_events: self.hook_outbox_events.to_i64(),
            hook_log_entries: self.hook_log_entries.to_i64(),
            hook_asks: self.hook_questions.to_usize(),
        }
    }

    /// The data folder, and where its keys are.
    pub fn folder(&self) -> DataDir {
        let keys = KeyFiles { master: self.keys_master_file.0.clone(), admin: self.keys_admin_file.0.clone() };
        DataDir::at(&self.data).with_keys(keys)
    }

    /// How many calls to hooks are under way at a time.
    pub fn hook_bounds(&self) -> Bounds {
        Bounds { in_all: self.hook_calls.to_usize(), per_hook: self.hook_calls_per_hook.to_usize() }
    }

    /// Bounds of chat connections.
    pub fn socket_limits(&self) -> SocketLimits {
        let frames_per_s = self.frames_per_second.to_u32();
        SocketLimits { frames_per_s, frames_at_once: frames_per_s.saturating_mul(10), ..SocketLimits::default() }
    }

    /// Where uploaded files are, and who may open them.
    pub fn file_setup(&self, dir: &DataDir) -> Outcome<files::Setup> {
        let place = if self.files_bucket.0.is_empty() {
            Place::Folder(self.files_folder.0.clone().unwrap_or_else(|| dir.files()))
        } else {
            Place::Bucket(self.bucket()?)
        };
        Ok(files::Setup { place, secret_is_enough: self.files_open_by_secret })
    }

    fn bucket(&self) -> Outcome<Bucket> {
        let key = match (&*self.files_access_key_id.0, &self.files_secret_access_key_file.0) {
            ("", None) => None,
            (id, Some(file)) if !id.is_empty() => {
                Some((id.to_owned(), secret_in("files.secret_access_key_file", file)?))
            }
            _ => {
                let keys = "files.access_key_id and files.secret_access_key_file";
                return Err(Failure::usage(format!("the configuration is wrong: set both {keys}, or neither")));
            }
        };
        Ok(Bucket {
            name: self.files_bucket.0.clone(),
            endpoint: self.files_endpoint.0.clone(),
            region: self.files_region.0.clone(),
            prefix: self.files_prefix.0.clone(),
            key,
            in_host: self.files_bucket_in_host,
        })
    }

    /// What a new password hash costs.
    pub fn hash_cost(&self) -> HashCost {
        HashCost {
            memory_kib: self.password_memory_kib.to_u32(),
            passes: self.password_passes.to_u32(),
            lanes: self.password_lanes.to_u32(),
        }
    }
}

/// What stands in the file that a key names.
fn secret_in(key: &str, file: &Path) -> Outcome<Zeroizing<String>> {
    let text = fs::read_to_string(file)
        .map(Zeroizing::new)
        .map_err(|fault| Failure::failed(format!("cannot read {} ({key}): {fault}", file.display())))?;
    Ok(Zeroizing::new(text.trim().to_owned()))
}

#[cfg(test)]
mod tests;
