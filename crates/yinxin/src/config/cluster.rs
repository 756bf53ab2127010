//! What makes a server one of many.

use std::time::Duration;

use toml::Value;
use yinxin_bus::Access;

use super::media::{Item, List};
use super::setting::Setting;
use super::{Config, secret_in};
use crate::exit::{Failure, Outcome};

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
}

impl Config {
    /// The cluster that this server belongs to, if it does.
    pub fn cluster(&self) -> Outcome<Option<ClusterConfig>> {
        let Some(name) = self.cluster_name.0.clone() else {
            return if self.cluster_nats.0.is_empty() {
                Ok(None)
            } else {
                Err(Failure::usage("the configuration is wrong: cluster.nats is set and cluster.name is not"))
            };
        };
        let List(nats) = &self.cluster_nats;
        if nats.is_empty() {
            return Err(Failure::usage("the configuration is wrong: set cluster.nats, since cluster.name is set"));
        }
        let nats = nats.iter().map(|url| url.0.clone()).collect();
        Ok(Some(ClusterConfig { name, nats, access: self.nats_access()? }))
    }

    fn nats_access(&self) -> Outcome<Access> {
        let user = &self.cluster_user.0;
        match (&self.cluster_credentials_file.0, user.is_empty(), &self.cluster_password_file.0) {
            (None, true, None) => Ok(Access::Anybody),
            (Some(file), true, None) => Ok(Access::Credentials(secret_in("cluster.credentials_file", file)?)),
            (None, false, Some(file)) => {
                Ok(Access::Password { user: user.clone(), password: secret_in("cluster.password_file", file)? })
            }
            _ => Err(Failure::usage(
                "the configuration is wrong: set cluster.credentials_file, or both cluster.user and \
                 cluster.password_file, or none of them",
            )),
        }
    }

    /// Over how long the clients of a node that stops are sent to others.
    pub fn cluster_drain(&self) -> Duration {
        Duration::from_millis(self.cluster_drain_ms.0)
    }
}
