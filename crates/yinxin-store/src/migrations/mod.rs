//! The one forward-only list of migrations. A migration that has shipped is never edited; add the next.
//!
//! The text is portable but for two things. `/* clustered */` after a table's columns asks for storage in primary key
//! order, which SQLite spells `WITHOUT ROWID` and PostgreSQL does not have. And texts are compared byte by byte, as SQLite
//! does and paging relies on, which PostgreSQL must be told with every column, whatever the order of its database is.

use refinery::{Migration, SchemaVersion};

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
    ("V9__names_and_pushes", include_str!("v9_names_and_pushes.sql")),
    ("V10__cluster", include_str!("v10_cluster.sql")),
];

/// The list as SQLite wants it.
pub fn for_sqlite() -> Result<Vec<Migration>> {
    list(|sql| sql.replace("/* clustered */", "WITHOUT ROWID"))
}

/// The list as PostgreSQL wants it. What this makes of a text that has shipped is never changed either: the history keeps
/// a checksum of it.
pub fn for_postgres() -> Result<Vec<Migration>> {
    list(|sql| sql.replace("/* clustered */", "").replace(" TEXT", " TEXT COLLATE \"C\""))
}

fn list(spell: impl Fn(&str) -> String) -> Result<Vec<Migration>> {
    LIST.iter()
        .map(|(name, sql)| Migration::unapplied(name, &spell(sql)))
        .collect::<Result<_, _>>()
        .map_err(|source| Error::Engine(Box::new(source)))
}

/// Refuses what a newer program has made: `holder` is where it is.
pub fn refuse_newer(holder: &str, applied: Option<SchemaVersion>, list: &[Migration]) -> Result<()> {
    let newest = list.iter().map(Migration::version).max();
    if applied > newest {
        let (applied, newest) = (applied.unwrap_or_default(), newest.unwrap_or_default());
        let text =
            format!("the {holder} has schema version {applied}, this program knows up to {newest}: use a newer one");
        return Err(Error::Engine(text.into()));
    }
    Ok(())
}
