//! The handlers, a module per noun. Source of all of them: docs/dialects/lanying.md.

pub(crate) mod accounts;
pub(crate) mod app;
pub(crate) mod devices;
pub(crate) mod files;
pub(crate) mod groups;
pub(crate) mod profiles;
pub(crate) mod push;
pub(crate) mod register;
pub(crate) mod roster;
pub(crate) mod settings;
pub(crate) mod token;
pub(crate) mod uploads;
