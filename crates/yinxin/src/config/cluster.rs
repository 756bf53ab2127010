//! What makes a server one of many.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Value;
use yinxin_bus::{Access, Options};
use yinxin_core::NodeId;
use zeroize::Zeroizing;

use super::Config;
use super::fault::Fault;
use super::media::Item;
use super::setting::Setting;

/// The address of a NATS server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct NatsUrl(pub String);

impl Item for NatsUrl {
    const EXPECTED: &'static str = "addresses of NATS servers without a path, as in \"nats://10.0.0.1:4222\" or tls://";

    fn parse(text: &str) -> Option<Self> {
        let host = text.strip_prefix("nats://").or_else(|| text.strip_prefix("tls://"))?;
        // Who this node is to NATS stands in a file: what is configured here is printed.
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]_".contains(&byte);
        (!host.is_empty() && host.bytes().all(legal)).then(|| Self(text.to_owned()))
    }
}

/// The name of a cluster, a part of subjects; or none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ClusterName(pub Option<String>);

impl Setting for ClusterName {
    fn expected() -> String {
        "up to 64 letters, digits, \"-\" and \"_\", or \"\"".to_owned()
    }

    fn from_toml(value: &Value) -> Option<Self> {
        Self::from_text(value.as_str()?)
    }

    fn from_text(text: &str) -> Option<Self> {
        let legal = text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        legal.then(|| Self((!text.is_empty()).then(|| text.to_owned())))
    }
}

/// A server's place among others.
pub(crate) struct ClusterConfig {
    pub name: String,
    pub nats: Vec<String>,
    pub access: Access,
    pub ca_file: Option<PathBuf>,
}

impl ClusterConfig {
    /// How that node reaches NATS.
    pub fn link(self, node: NodeId, node_name: String) -> Options {
        let Self { name, nats, access, ca_file } = self;
        Options { cluster: name, node, node_name, servers: nats, access, ca_file }
    }
}

impl Config {
    /// The cluster that this server belongs to, if it does.
    pub fn cluster(&self) -> Result<Option<ClusterConfig>, Vec<Fault>> {
        let Some(name) = self.cluster_name.0.clone() else {
            let is_told = !self.cluster_nats.0.is_empty();
            return if is_told { Err(missing("cluster.name", "cluster.nats is set")) } else { Ok(None) };
        };
        if self.cluster_nats.0.is_empty() {
            return Err(missing("cluster.nats", "cluster.name is set"));
        }
        if self.postgres()?.is_none() {
            return Err(missing("database.url", "cluster.name is set, and nodes have one database in common"));
        }
        let nats = self.cluster_nats.0.iter().map(|url| url.0.clone()).collect();
        Ok(Some(ClusterConfig { name, nats, access: self.nats_access()?, ca_file: self.cluster_ca_file.0.clone() }))
    }

    fn nats_access(&self) -> Result<Access, Vec<Fault>> {
        let user = &self.cluster_user.0;
        match (&self.cluster_credentials_file.0, user.is_empty(), &self.cluster_password_file.0) {
            (None, true, None) => Ok(Access::Anybody),
            (Some(file), true, None) => Ok(Access::Credentials(secret_in(file)?)),
            (None, false, Some(file)) => Ok(Access::Password { user: user.clone(), password: secret_in(file)? }),
            (Some(_), ..) => Err(vec![Fault::twice("cluster.credentials_file", "cluster.user")]),
            (None, true, Some(_)) => Err(missing("cluster.user", "cluster.password_file is set")),
            (None, false, None) => Err(missing("cluster.password_file", "cluster.user is set")),
        }
    }

    /// Over how long the clients of a node that stops are sent to others.
    pub fn cluster_drain(&self) -> Duration {
        Duration::from_millis(self.cluster_drain_ms.0)
    }
}

fn missing(key: &str, why: &str) -> Vec<Fault> {
    vec![Fault::missing(key, why)]
}

fn secret_in(file: &Path) -> Result<Zeroizing<String>, Vec<Fault>> {
    let text = fs::read_to_string(file).map(Zeroizing::new);
    let text = text.map_err(|fault| vec![Fault::unreadable(&file.display().to_string(), &fault)])?;
    Ok(Zeroizing::new(text.trim().to_owned()))
}
