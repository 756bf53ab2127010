//! The checks of a node of a cluster: whether NATS carries its hints, what nodes must have in common, and what they must not.

use std::sync::Arc;

use yinxin_bus::Survey;
use yinxin_core::NodeId;
use yinxin_core::files::Place;
use yinxin_core::rng::{self, Rng, SystemRng};

use super::Finding;
use crate::config::{ClusterConfig, Config};
use crate::data::DataDir;

/// The oldest that is tested with.
const VERSION_MIN: (u32, u32) = (2, 9);

pub(super) fn cluster(config: &Config, dir: &DataDir, cluster: ClusterConfig) -> Vec<Finding> {
    let rng: Arc<dyn Rng> = Arc::new(SystemRng);
    let servers = cluster.nats.clone();
    let options = cluster.link(NodeId(rng::bytes(rng.as_ref())), "doctor".to_owned());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let look = |server: &String| match &runtime {
        Ok(runtime) => runtime.block_on(yinxin_bus::survey(&options, server, Arc::clone(&rng))),
        Err(fault) => Err(fault.to_string()),
    };
    let mut findings: Vec<_> = servers.iter().map(|server| judge(server, look(server))).collect();
    findings.extend([files(config, dir), keys(config), address(config)]);
    findings
}

fn judge(server: &str, seen: Result<Survey, String>) -> Finding {
    const CHECK: &str = "NATS";
    let advice = "check cluster.nats and who this node is there; without NATS nodes find out by the database, later";
    match seen {
        Err(why) => Finding::fail(CHECK, format!("{server}: {why}"), advice),
        Ok(Survey { version, round_trip }) => {
            let found = format!("{server}: {version}, a hint takes {} ms", round_trip.as_millis());
            match numbers(&version) {
                Some(numbers) if numbers >= VERSION_MIN => Finding::ok(CHECK, found),
                Some(_) => Finding::fail(CHECK, found, "NATS 2.9 or newer is needed"),
                None => Finding::warn(CHECK, found, "its version cannot be read: NATS 2.9 or newer is needed"),
            }
        }
    }
}

/// The first two of a version.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn files(config: &Config, dir: &DataDir) -> Finding {
    const CHECK: &str = "files of all nodes";
    match config.file_setup(dir) {
        Ok(setup) => match setup.place {
            Place::Bucket(bucket) => Finding::ok(CHECK, format!("in the bucket {}", bucket.name)),
            Place::Folder(folder) => Finding::warn(
                CHECK,
                format!("in {}", folder.display()),
                "every node must reach the same files: use files.bucket, or a folder that all nodes share",
            ),
        },
        // Another check tells.
        Err(_) => Finding::ok(CHECK, "not known"),
    }
}

fn keys(config: &Config) -> Finding {
    const CHECK: &str = "keys of all nodes";
    let given = [("keys.master_file", &config.keys_master_file), ("keys.admin_file", &config.keys_admin_file)];
    let missing: Vec<_> = given.iter().filter(|(_, file)| file.0.is_none()).map(|(name, _)| *name).collect();
    if missing.is_empty() {
        return Finding::ok(CHECK, "given");
    }
    Finding::warn(
        CHECK,
        format!("{} not set: this node has keys of its own", missing.join(" and ")),
        "give all nodes the same: one with another master key does not start, one with another admin key obeys nobody",
    )
}

fn address(config: &Config) -> Finding {
    const CHECK: &str = "address of this node";
    match &config.cluster_node_url.0 {
        Some(url) => Finding::ok(CHECK, url.clone()),
        None if config.listen.ip().is_unspecified() => Finding::warn(
            CHECK,
            format!("http://{}, which is nowhere", config.listen),
            "set cluster.node_url: clients that enter a room are sent there",
        ),
        None => Finding::ok(CHECK, format!("http://{}", config.listen)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::State;
    use super::*;

    #[test]
    fn an_old_server_is_refused() {
        let state = |version: &str| {
            judge("nats://one", Ok(Survey { version: version.to_owned(), round_trip: Duration::ZERO })).state
        };
        assert_eq!(["2.9.10", "2.10.0-beta", "3.0.0"].map(state), [State::Ok; 3]);
        assert_eq!(["2.8.4", "1.4.1"].map(state), [State::Fail; 2]);
        assert_eq!(["", "two"].map(state), [State::Warn; 2]);
        assert_eq!(judge("nats://one", Err("away".to_owned())).state, State::Fail);
    }
}
