//! The one forward-only list of migrations. A migration that has shipped is never edited; add the next.
//!
//! The text is portable but for one mark: `/* clustered */` after a table's columns asks for storage in primary key
//! order, which SQLite spells `WITHOUT ROWID` and PostgreSQL does not have.

use refinery::Migration;

use crate::error::{Error, Result};

const LIST: &[(&str, &str)] = &[
    ("V1__foundation", include_str!("v1_foundation.sql")),
    ("V2__files", include_str!("v2_files.sql")),
    ("V3__hooks", include_str!("v3_hooks.sql")),
    ("V4__messaging", include_str!("v4_messaging.sql")),
    ("V5__netease", include_str!("v5_netease.sql")),
    ("V6__rooms", include_str!("v6_rooms.sql")),
    ("V7__lanying", include_str!("v7_lanying.sql")),
    ("V8__lanying_push", include_str!("v8_lanying_push.sql")),
];

/// The list as SQLite wants it.
pub fn for_sqlite() -> Result<Vec<Migration>> {
    LIST.iter()
        .map(|(name, sql)| Migration::unapplied(name, &sql.replace("/* clustered */", "WITHOUT ROWID")))
        .collect::<Result<_, _>>()
        .map_err(|source| Error::Engine(Box::new(source)))
}
