//! The command line. Its forms are fixed: scripts rely on them.

mod hook;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::exit;
use crate::transfer::Place;

pub(crate) use hook::{HookCommand, HookSettings, OneHook};

/// A self-hosted identity, token and presence server for instant messaging.
#[derive(Parser, Debug)]
#[command(name = "yinxin", version, after_help = exit::HELP, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Run the server
    Serve(ServeArgs),
    /// Manage apps on a running server
    App {
        #[command(subcommand)]
        command: AppCommand,
        #[command(flatten)]
        target: Target,
    },
    /// Manage the users of an app on a running server
    User {
        #[command(subcommand)]
        command: UserCommand,
        #[command(flatten)]
        target: Target,
    },
    /// Manage where an app's backend is told of events, or asked before messages are sent
    Hook {
        #[command(subcommand)]
        command: HookCommand,
        #[command(flatten)]
        target: Target,
    },
    /// Print, check and explain the configuration
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Look for what is wrong with a data folder and its server
    Doctor(DoctorArgs),
    /// Carry everything from an embedded database to a PostgreSQL, or back
    #[command(long_about = MIGRATE_STORE)]
    MigrateStore(MigrateStoreArgs),
}

const MIGRATE_STORE: &str = "\
Carry everything from an embedded database to a PostgreSQL, or back

No server may be running on either. The database to fill must be empty, or be one that an interrupted run of this command \
has begun to fill: then it goes on from there. At the end both are read and compared.";

#[derive(clap::Args, Debug)]
pub(crate) struct MigrateStoreArgs {
    /// What to read: sqlite:FOLDER, postgres://USER:PASSWORD@HOST/DATABASE, or postgres:@FILE with such a URL in a file
    #[arg(long, value_name = "PLACE")]
    pub from: Place,
    /// What to fill: the same forms
    #[arg(long, value_name = "PLACE")]
    pub to: Place,
    /// Print JSON, on one line
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args, Debug)]
pub(crate) struct ServeArgs {
    /// The data folder; made when it does not exist [default: ./yinxin-data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Where to listen; port 0 takes a free one [default: 127.0.0.1:8090]
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Option<SocketAddr>,
    /// A configuration file, see `yinxin config default`
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Make no demo app in an empty data folder
    #[arg(long)]
    pub no_demo: bool,
}

/// Which server a command is for, and how its answer is printed.
#[derive(clap::Args, Debug)]
pub(crate) struct Target {
    /// The data folder of a server on this machine [default: $YINXIN_DATA or ./yinxin-data]
    #[arg(long, value_name = "DIR", global = true)]
    pub data: Option<PathBuf>,
    /// The URL of the server, instead of the address in the data folder
    #[arg(long, value_name = "URL", global = true)]
    pub server: Option<String>,
    /// The file with the server's admin key, instead of admin.key in the data folder
    #[arg(long, value_name = "FILE", global = true)]
    pub admin_key_file: Option<PathBuf>,
    /// Print JSON, on one line
    #[arg(long, global = true)]
    pub json: bool,
    /// Do not ask: the command may destroy what it is for
    #[arg(long, global = true)]
    pub yes: bool,
}

#[derive(Subcommand, Debug)]
pub(crate) enum AppCommand {
    /// Make an app and print its credentials
    Create {
        #[arg(value_name = "ORG/APP")]
        app: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// List all apps
    List {
        /// With their client secrets
        #[arg(long)]
        secrets: bool,
    },
    /// Show an app
    Show {
        #[arg(value_name = "ORG/APP")]
        app: String,
        /// With its client secret
        #[arg(long)]
        secrets: bool,
    },
    /// Change settings of an app
    Set {
        #[arg(value_name = "ORG/APP")]
        app: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// Delete an app with all its users (needs --yes)
    Delete {
        #[arg(value_name = "ORG/APP")]
        app: String,
    },
    /// List what users complained of, the last first
    Reports {
        #[arg(value_name = "ORG/APP")]
        app: String,
        /// Complaints per page, up to 100
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100))]
        limit: u32,
        /// The cursor that the page before ended with
        #[arg(long)]
        cursor: Option<i64>,
    },
    /// Replace the secrets of one dialect; what was signed with the old ones stops working (needs --yes)
    RotateSecret {
        #[arg(value_name = "ORG/APP")]
        app: String,
        /// Easemob's client secret, or NetEase's app secret and permission secret
        #[arg(long, default_value = "easemob")]
        dialect: Dialect,
    },
    /// Give an app the NetEase AppKey and AppSecret it had elsewhere; the present ones stop working (needs --yes)
    AdoptKeys {
        #[arg(value_name = "ORG/APP")]
        app: String,
        #[command(flatten)]
        keys: Keys,
    },
    /// Give an app the Lanying app_id it had elsewhere, and its admin token; the present app_id stops working (needs --yes)
    AdoptLanyingKeys {
        #[arg(value_name = "ORG/APP")]
        app: String,
        /// The app_id
        #[arg(long, value_name = "ID")]
        app_id: String,
        /// Read the admin token from the first line of standard input
        #[arg(long)]
        admin_token_stdin: bool,
    },
    /// Tokens that are good until they are revoked, for an app's backend
    #[command(subcommand)]
    AdminToken(AdminTokenCommand),
}

#[derive(Subcommand, Debug)]
pub(crate) enum AdminTokenCommand {
    /// Make a token and print it, this once
    Create {
        #[arg(value_name = "ORG/APP")]
        app: String,
        /// What to call it
        #[arg(long, default_value = "")]
        label: String,
    },
    /// List the tokens of an app
    List {
        #[arg(value_name = "ORG/APP")]
        app: String,
    },
    /// End a token at once (needs --yes)
    Revoke {
        #[arg(value_name = "ORG/APP")]
        app: String,
        #[arg(value_name = "ID")]
        id: String,
    },
}

/// The keys an app had elsewhere. A secret on the command line can be seen by other users of the machine; standard input
/// cannot.
#[derive(clap::Args, Debug)]
pub(crate) struct Keys {
    /// The AppKey
    #[arg(long, value_name = "KEY")]
    pub app_key: String,
    /// The AppSecret
    #[arg(long, value_name = "SECRET", required_unless_present = "secrets_stdin")]
    pub app_secret: Option<String>,
    /// The secret of permission keys; without it the app keeps the one it has
    #[arg(long, value_name = "SECRET")]
    pub perm_secret: Option<String>,
    /// Read the AppSecret from the first line of standard input, and the secret of permission keys from the second, if
    /// there is one
    #[arg(long, conflicts_with_all = ["app_secret", "perm_secret"])]
    pub secrets_stdin: bool,
}

/// A vendor whose calls an app's backend makes.
#[derive(ValueEnum, Clone, Copy, Debug)]
pub(crate) enum Dialect {
    Easemob,
    Netease,
}

/// Settings of an app; those that are left out stay as they are.
#[derive(clap::Args, Debug)]
pub(crate) struct Settings {
    /// Whether anybody may register
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub open_registration: Option<bool>,
    /// Answer as the vendors' documents print, or as their servers of today do
    #[arg(long, value_parser = ["seed", "current"])]
    pub profile: Option<String>,
    /// Life of a user token where the caller does not say, in seconds; 0 is for ever
    #[arg(long, value_name = "S")]
    pub user_token_ttl: Option<u32>,
    /// Life of an app token where the caller does not say, in seconds; 0 is for ever
    #[arg(long, value_name = "S")]
    pub app_token_ttl: Option<u32>,
    /// Contacts a user may have
    #[arg(long, value_name = "N")]
    pub contacts_max: Option<u32>,
    /// Whether users may write to contacts only; the backend may write to everybody
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub contacts_only_messaging: Option<bool>,
    /// NetEase: whether a room needs a token; otherwise nobody joins with one
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub safe_mode: Option<bool>,
    /// NetEase: whether room tokens are good that the app's backend computes by itself
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub local_room_tokens: Option<bool>,
    /// Lanying: the code of a token that is not good; SDKs log in again on 402 only
    #[arg(long, value_parser = ["402", "10008"])]
    pub token_error_code: Option<String>,
    /// Lanying: the code of a login of nobody: that of a wrong password, or one that says so
    #[arg(long, value_parser = ["402", "10000"])]
    pub unknown_login_code: Option<String>,
    /// Lanying: the unit of the time at which a token ends
    #[arg(long, value_parser = ["ms", "s"])]
    pub expire_unit: Option<String>,
    /// Lanying: whether /token/user takes a mobile in place of a name
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub token_user_mobile: Option<bool>,
}

/// The user a command is for.
#[derive(clap::Args, Debug)]
pub(crate) struct OneUser {
    #[arg(value_name = "ORG/APP")]
    pub app: String,
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// A password on the command line can be seen by other users of the machine; standard input cannot.
#[derive(clap::Args, Debug)]
#[group(multiple = false)]
pub(crate) struct Password {
    /// The password
    #[arg(long)]
    pub password: Option<String>,
    /// Read the password from the first line of standard input
    #[arg(long)]
    pub password_stdin: bool,
}

#[derive(Subcommand, Debug)]
pub(crate) enum UserCommand {
    /// Make a user; without a password only the app's backend can get tokens for it
    Create {
        #[command(flatten)]
        user: OneUser,
        #[command(flatten)]
        password: Password,
        /// The name shown in pushes
        #[arg(long)]
        nickname: Option<String>,
    },
    /// Show a user
    Show(OneUser),
    /// List the users of an app, oldest first
    List {
        #[arg(value_name = "ORG/APP")]
        app: String,
        /// Users per page, up to 100
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100))]
        limit: u32,
        /// The cursor that the page before ended with
        #[arg(long)]
        cursor: Option<String>,
        /// Only banned users
        #[arg(long)]
        banned: bool,
    },
    /// Delete a user with everything that is theirs (needs --yes)
    Delete(OneUser),
    /// Ban a user: tokens and connections end at once
    Ban(OneUser),
    /// Lift a ban; the user must log in again
    Unban(OneUser),
    /// Close a user's connections
    Kick {
        #[command(flatten)]
        user: OneUser,
        /// Only those of this device
        #[arg(long)]
        resource: Option<String>,
    },
    /// Set a password; tokens and connections end at once
    SetPassword {
        #[command(flatten)]
        user: OneUser,
        #[command(flatten)]
        password: Password,
    },
}

#[derive(Subcommand, Debug)]
pub(crate) enum ConfigCommand {
    /// Print a configuration file with every key, its default and what it does
    Default {
        /// Print the keys as JSON, on one line
        #[arg(long)]
        json: bool,
    },
    /// Check a configuration file, if one is named, and the environment
    Check {
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
        /// Print JSON, on one line
        #[arg(long)]
        json: bool,
    },
    /// Explain one key
    Explain {
        #[arg(value_name = "KEY")]
        key: String,
        /// Print JSON, on one line
        #[arg(long)]
        json: bool,
    },
}

#[derive(clap::Args, Debug)]
pub(crate) struct DoctorArgs {
    /// The data folder [default: $YINXIN_DATA or ./yinxin-data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The configuration file to check too
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print JSON, on one line
    #[arg(long)]
    pub json: bool,
}
