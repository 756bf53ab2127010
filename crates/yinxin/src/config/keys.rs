//! The one table of keys: name, type, default and what it does.

use std::net::SocketAddr;
use std::path::PathBuf;

use yinxin_core::names::AppName;
use yinxin_core::rates::Preset;

use super::cluster::{ClusterName, NatsUrl};
use super::fault::Fault;
use super::media::{ClientUrl, Inline, List, Plugin, TurnUrl};
use super::setting::{LogFormat, LogLevel, Name, Networks, PerhapsPath, PublicUrl, Raw, Setting, Whole};

/// A key, for everything that goes through all of them.
pub(crate) struct Key {
    /// `section.name`.
    pub name: &'static str,
    /// The default as TOML.
    pub default: &'static str,
    /// What it does, one line of text per element.
    pub help: &'static [&'static str],
    /// What a value looks like.
    pub expected: fn() -> String,
    /// Whether a value may be shown.
    pub shown: bool,
    /// Puts a value into the configuration; `None` when it does not fit.
    pub set: fn(&mut Config, &Raw) -> Option<()>,
}

impl Key {
    /// The key's name in the environment: `YINXIN_LIMITS__CACHED_USERS`.
    pub fn env(&self) -> String {
        format!("YINXIN_{}", self.name.replace('.', "__").to_uppercase())
    }

    /// The section and the name within it.
    pub fn parts(&self) -> (Option<&'static str>, &'static str) {
        match self.name.rsplit_once('.') {
            Some((section, name)) => (Some(section), name),
            None => (None, self.name),
        }
    }
}

macro_rules! keys {
    ($($(#[doc = $help:literal])+ $name:literal: $field:ident: $kind:ty = $default:literal;)*) => {
        /// The configuration of a server.
        #[derive(Clone, PartialEq, Debug)]
        pub(crate) struct Config { $($(#[doc = $help])+ pub $field: $kind,)* }

        /// Every key.
        pub(crate) const KEYS: &[Key] = &[$(Key {
            name: $name,
            default: $default,
            help: &[$($help),+],
            expected: <$kind as Setting>::expected,
            shown: <$kind as Setting>::SHOWN,
            set: |config, raw| {
                config.$field = Setting::read(raw)?;
                Some(())
            },
        },)*];

        impl Config {
            /// What holds when nothing is said.
            pub fn defaults() -> Result<Self, Fault> {
                Ok(Self { $($field: default_of($name, $default)?,)* })
            }
        }
    };
}

/// A default is read like anybody's value; that each can be is tested.
fn default_of<T: Setting>(name: &str, default: &str) -> Result<T, Fault> {
    let raw = Raw::literal(default);
    raw.as_ref().and_then(T::read).ok_or_else(|| Fault::wrong(name, default, "the table of keys", &T::expected()))
}

keys! {
    /// Where the server listens. Port 0 takes a free port. It speaks plain HTTP: put a proxy that ends TLS before it
    /// where it can be reached from outside.
    "listen": listen: SocketAddr = r#""127.0.0.1:8090""#;

    /// The URL under which backends and apps reach the server, if it is not the address they send requests to. It is
    /// printed in replies that hold URLs. Empty: as requested.
    "public_url": public_url: PublicUrl = r#""""#;

    /// The data folder: keys, database, the address of the running server. On a local disk, never on NFS.
    "data": data: PathBuf = r#""./yinxin-data""#;

    /// The file of the master key, which seals all secrets in the database; empty: "master.key" in the data folder, made
    /// when there is none. One that is named here is never made.
    "keys.master_file": keys_master_file: PerhapsPath = r#""""#;

    /// The file of the admin key; empty: "admin.key" in the data folder, made when there is none. One that is named here
    /// is never made.
    "keys.admin_file": keys_admin_file: PerhapsPath = r#""""#;

    /// What the nodes of a cluster have in common: the same database, the same name, the same keys. Letters, digits, "-" and
    /// "_"; empty: this server is the only one on its database.
    "cluster.name": cluster_name: ClusterName = r#""""#;

    /// The NATS servers (2.9 or newer) over which nodes tell each other what happens. Nothing is kept there. While they are
    /// away everything still holds, but takes up to five seconds to be known everywhere.
    "cluster.nats": cluster_nats: List<NatsUrl> = "[]";

    /// How this node is called in logs and in the table of nodes; empty: the address it listens on.
    "cluster.node_name": cluster_node_name: Name = r#""""#;

    /// The URL under which clients reach this node and no other: whoever enters a room must come to the node that it is on.
    /// Empty: the address it listens on.
    "cluster.node_url": cluster_node_url: PublicUrl = r#""""#;

    /// A file with the credentials of this node at NATS, as its own tools write them.
    "cluster.credentials_file": cluster_credentials_file: PerhapsPath = r#""""#;

    /// The user that this node is at NATS, instead.
    "cluster.user": cluster_user: Name = r#""""#;

    /// A file that holds the user's password, and nothing else.
    "cluster.password_file": cluster_password_file: PerhapsPath = r#""""#;

    /// A file of authorities, as PEM, that are believed about NATS besides the system's.
    "cluster.ca_file": cluster_ca_file: PerhapsPath = r#""""#;

    /// Milliseconds over which the clients of a node that is told to stop are sent to others, so that they do not all come
    /// back at once.
    "cluster.drain_ms": cluster_drain_ms: Whole<0, 3_600_000> = "5000";

    /// The PostgreSQL database (15 or newer) that holds everything, as
    /// "postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full"; empty: a file in the data folder. Several
    /// HOST:PORT with commas between them are tried in order, and the first that takes writes is used. sslmode is
    /// disable, prefer, require (encrypts, believes anybody) or verify-full; sslrootcert=FILE names whom to believe
    /// instead of the system's authorities.
    "database.url": database_url: Inline = r#""""#;

    /// A file with that URL, instead.
    "database.url_file": database_url_file: PerhapsPath = r#""""#;

    /// Connections of this node for writes. Each runs one write at a time.
    "database.write_connections": database_write_connections: Whole<1, 10_000> = "16";

    /// Connections of this node for reads.
    "database.read_connections": database_read_connections: Whole<1, 10_000> = "8";

    /// Writes, and reads, that may wait for a connection; more are answered "busy".
    "database.queue": database_queue: Whole<0, 1_000_000> = "4096";

    /// Milliseconds that one of them may wait; then it is answered "busy".
    "database.wait_timeout_ms": database_wait_timeout_ms: Whole<1, 3_600_000> = "5000";

    /// Milliseconds that one statement may run; then it is answered "busy".
    "database.statement_timeout_ms": database_statement_timeout_ms: Whole<1, 3_600_000> = "10000";

    /// Milliseconds for connecting to one host.
    "database.connect_timeout_ms": database_connect_timeout_ms: Whole<1, 3_600_000> = "5000";

    /// The form of the log on standard error.
    "log.format": log_format: LogFormat = r#""text""#;

    /// What is logged: error, warn, info, debug or trace, for all or by module, as in "info,yinxin_http=debug". At
    /// debug every request is a line.
    "log.level": log_level: LogLevel = r#""info""#;

    /// Call rates per app. "self-hosted": none but those against abuse. "vendor": the numbers the clouds document, for
    /// tests of how a backend behaves at the limit.
    "limits.rate_preset": rate_preset: Preset = r#""self-hosted""#;

    /// Users kept in memory, about 600 bytes each.
    "limits.cached_users": cached_users: Whole<100, 100_000_000> = "100000";

    /// Wrong passwords of one user from one address before it has to wait.
    "limits.password_failures": password_failures: Whole<1, 1_000_000> = "20";

    /// Seconds after which one wrong password is forgiven.
    "limits.password_forgive_seconds": password_forgive_seconds: Whole<1, 86_400> = "15";

    /// Token calls of one client address in a second.
    "limits.token_calls_per_second": token_calls_per_second: Whole<1, 100_000_000> = "100000";

    /// Connections open at once; one more is answered 503. Each needs an open file.
    "limits.connections": connections: Whole<1, 10_000_000> = "10000";

    /// Connections open at once from one address; 0 is no limit. Trusted proxies are exempt.
    "limits.connections_per_client": connections_per_client: Whole<0, 10_000_000> = "0";

    /// Frames of one chat connection in a second, pings among them; ten times as many may come at once. One that sends
    /// more is closed.
    "limits.frames_per_second": frames_per_second: Whole<1, 10_000_000> = "1000";

    /// Milliseconds from the first byte of a request to the end of its headers.
    "limits.header_timeout_ms": header_timeout_ms: Whole<1, 3_600_000> = "10000";

    /// Milliseconds a connection may be silent before its first request, between two, or while it does not take an
    /// answer.
    "limits.idle_timeout_ms": idle_timeout_ms: Whole<1, 86_400_000> = "75000";

    /// Milliseconds for a whole request body to arrive. A file may take longer, but 16 KiB of it must come in each such
    /// time of waiting.
    "limits.body_timeout_ms": body_timeout_ms: Whole<1, 3_600_000> = "20000";

    /// Bytes of a request body where a call has no limit of its own.
    "limits.body_bytes": body_bytes: Whole<1024, 67_108_864> = "524288";

    /// Bytes of a request's line and headers.
    "limits.header_bytes": header_bytes: Whole<1024, 131_072> = "16384";

    /// Milliseconds that requests in flight may take to end when the server is told to stop.
    "limits.drain_timeout_ms": drain_timeout_ms: Whole<0, 3_600_000> = "10000";

    /// Argon2id memory of a new password hash, in KiB. Older hashes are replaced at the user's next login.
    "passwords.memory_kib": password_memory_kib: Whole<8, 262_144> = "19456";

    /// Argon2id passes of a new password hash.
    "passwords.passes": password_passes: Whole<1, 64> = "2";

    /// Argon2id lanes of a new password hash.
    "passwords.lanes": password_lanes: Whole<1, 16> = "1";

    /// Threads that hash passwords, at low priority; 0 is one per core. Each holds memory_kib.
    "passwords.threads": password_threads: Whole<0, 1024> = "0";

    /// Passwords that may wait for a thread; more are answered "busy".
    "passwords.queue": password_queue: Whole<1, 1_000_000> = "256";

    /// The folder in which the bytes of uploaded files are kept; empty: "files" in the data folder. On a local disk,
    /// never on NFS.
    "files.folder": files_folder: PerhapsPath = r#""""#;

    /// The bucket in which they are kept instead, at Amazon S3 or a service that speaks its protocol; empty: the folder.
    /// What is in one place is not looked for in the other.
    "files.bucket": files_bucket: Name = r#""""#;

    /// The URL of the bucket's service; empty: Amazon's in the region.
    "files.endpoint": files_endpoint: PublicUrl = r#""""#;

    /// The bucket's region.
    "files.region": files_region: Name = r#""us-east-1""#;

    /// Put before the names of all objects in the bucket, as in "yinxin/files".
    "files.prefix": files_prefix: Name = r#""""#;

    /// The id of the access key for the bucket; empty: the role of the machine. It must be allowed to get, put, list and
    /// delete objects, and to abort multipart uploads. Let the bucket's own rules end those that are never finished.
    "files.access_key_id": files_access_key_id: Name = r#""""#;

    /// A file that holds the secret of the access key, and nothing else.
    "files.secret_access_key_file": files_secret_access_key_file: PerhapsPath = r#""""#;

    /// Whether the bucket's name is part of the host's name (https://BUCKET.HOST/) instead of the path.
    "files.bucket_in_host": files_bucket_in_host: bool = "false";

    /// Bytes of one file.
    "files.file_bytes": files_file_bytes: Whole<1, 5_368_709_120> = "10485760";

    /// Bytes of all files of an app together; 0 is no limit.
    "files.app_bytes": files_app_bytes: Whole<0, 1_125_899_906_842_624> = "0";

    /// Uploads at a time; one more is answered "busy", as is a ninth of one user. With a bucket each holds 5 MiB.
    "files.uploads": files_uploads: Whole<1, 100_000> = "32";

    /// Days after which files are deleted; 0 is never.
    "files.days": files_days: Whole<0, 36_500> = "0";

    /// Whether a file's secret, which stands in the URL that a message carries, opens it without a token. Pages that show
    /// pictures and films by that URL need it. Then whoever else gets the URL can open the file, too.
    "files.open_by_secret": files_open_by_secret: bool = "true";
    /// Events that wait, or have failed, for one hook; more are dropped and counted, messages go on. They are on disk.
    "hooks.outbox_events": hook_outbox_events: Whole<1, 10_000_000> = "100000";

    /// Attempts in the log of one hook, and events it has taken that can be told again.
    "hooks.log_entries": hook_log_entries: Whole<1, 100_000> = "1000";

    /// Calls to hooks under way at a time.
    "hooks.calls": hook_calls: Whole<1, 10_000> = "64";

    /// Calls to one hook under way at a time. With 1 every event waits for the one before it.
    "hooks.calls_per_hook": hook_calls_per_hook: Whole<1, 1000> = "8";

    /// Questions to one pre-send hook that may be open at a time; one more counts as unanswered.
    "hooks.questions": hook_questions: Whole<1, 100_000> = "256";

    /// Whether hooks may be on this machine and in private networks. Addresses are set by whoever has the admin key;
    /// say false if that is not you.
    "hooks.private_addresses": hook_private_addresses: bool = "true";

    /// A file of certificates (PEM) of authorities that hooks are trusted by, beside the system's.
    "hooks.ca_file": hook_ca_file: PerhapsPath = r#""""#;

    /// Addresses and networks whose X-Forwarded-For and X-Forwarded-Proto are believed.
    "http.trusted_proxies": trusted_proxies: Networks = r#"["127.0.0.0/8", "::1"]"#;

    /// Whether anybody may read /metrics. Otherwise it is for clients on this machine and for whoever shows the admin
    /// key as a bearer token.
    "metrics.public": metrics_public: bool = "false";

    /// The apps whose users get credentials for the media servers below, as "ORG/APP". Media servers know no apps: a
    /// room of one app is the room of that name of every other in the list.
    "media.apps": media_apps: List<AppName> = "[]";

    /// Longest life of such a credential. It also ends with the room token and the permission key it was given for.
    "media.ttl_seconds": media_ttl_seconds: Whole<10, 86_400> = "3600";

    /// The LiveKit server that clients connect to. With its key and secret: clients get access tokens for it.
    "media.livekit.url": livekit_url: ClientUrl = r#""""#;

    /// A key of the LiveKit server.
    "media.livekit.api_key": livekit_api_key: Name = r#""""#;

    /// The secret of that key.
    "media.livekit.api_secret": livekit_api_secret: Inline = r#""""#;

    /// A file with that secret, instead.
    "media.livekit.api_secret_file": livekit_api_secret_file: PerhapsPath = r#""""#;

    /// The Janus server that clients connect to. With its secret: clients get signed tokens for it and its video rooms.
    "media.janus.url": janus_url: ClientUrl = r#""""#;

    /// The Janus server's token_auth_secret.
    "media.janus.secret": janus_secret: Inline = r#""""#;

    /// A file with that secret, instead.
    "media.janus.secret_file": janus_secret_file: PerhapsPath = r#""""#;

    /// The plug-ins of Janus that clients may use.
    "media.janus.plugins": janus_plugins: List<Plugin> = r#"["janus.plugin.videoroom"]"#;

    /// The TURN server that clients relay through, as browsers take it. With its secret: clients get passwords for it.
    "media.turn.urls": turn_urls: List<TurnUrl> = "[]";

    /// The TURN server's shared secret; coturn's static-auth-secret.
    "media.turn.secret": turn_secret: Inline = r#""""#;

    /// A file with that secret, instead.
    "media.turn.secret_file": turn_secret_file: PerhapsPath = r#""""#;
}
