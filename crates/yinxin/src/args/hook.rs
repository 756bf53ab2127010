//! `yinxin hook …`.

use clap::{Subcommand, ValueEnum};

#[derive(Subcommand, Debug)]
pub(crate) enum HookCommand {
    /// Make a hook and print its secret
    Add {
        #[arg(value_name = "ORG/APP")]
        app: String,
        /// Where it is called: http or https
        #[arg(value_name = "URL")]
        url: String,
        /// It is asked before a user's message is sent, and may veto; otherwise it is told of events
        #[arg(long)]
        pre_send: bool,
        #[command(flatten)]
        settings: HookSettings,
    },
    /// List the hooks of an app
    List {
        #[arg(value_name = "ORG/APP")]
        app: String,
        /// With their secrets
        #[arg(long)]
        secrets: bool,
    },
    /// Show a hook and how it does
    Show {
        #[command(flatten)]
        hook: OneHook,
        /// With its secret
        #[arg(long)]
        secrets: bool,
    },
    /// Change a hook
    Change {
        #[command(flatten)]
        hook: OneHook,
        /// Where it is called
        #[arg(long)]
        url: Option<String>,
        #[command(flatten)]
        settings: HookSettings,
    },
    /// Remove a hook with all that waits for it (needs --yes)
    Remove(OneHook),
    /// Replace a hook's secret; for 24 hours calls are signed with both
    RotateSecret(OneHook),
    /// Show what came of the last attempts, the last first
    Log {
        #[command(flatten)]
        hook: OneHook,
        /// Attempts per page, up to 100
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
        limit: u32,
        /// The cursor that the page before ended with
        #[arg(long)]
        cursor: Option<String>,
    },
    /// Tell an event again, or all that have failed
    Redeliver {
        #[command(flatten)]
        hook: OneHook,
        /// The event's id, as the log has it; without it, all that have failed
        #[arg(value_name = "EVENT")]
        event: Option<String>,
    },
    /// Call a hook once and show what it answers
    Test(OneHook),
}

/// The hook a command is for.
#[derive(clap::Args, Debug)]
pub(crate) struct OneHook {
    #[arg(value_name = "ORG/APP")]
    pub app: String,
    /// The hook's id
    #[arg(value_name = "HOOK")]
    pub hook: String,
}

/// Settings of a hook; those that are left out stay as they are.
#[derive(clap::Args, Debug)]
pub(crate) struct HookSettings {
    /// What it is told of, with commas: message.sent, message.edited, message.recalled, message.delivered,
    /// message.read, session.started, session.ended, push.requested; all but delivered, read and push.requested when nobody says
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub events: Option<Vec<String>>,
    /// Milliseconds one call may take
    #[arg(long, value_name = "MS")]
    pub timeout_ms: Option<u32>,
    /// What holds when a hook that is asked gives no answer: open sends the message, closed refuses it
    #[arg(long)]
    pub on_failure: Option<OnFailure>,
    /// Whether it is called at all
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub enabled: Option<bool>,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
pub(crate) enum OnFailure {
    Open,
    Closed,
}

impl OnFailure {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}
