//! Whether the database file of a killed server holds together: looked at in a copy, so that the server itself is the
//! first to open its own.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tokio::runtime::Runtime;
use yinxin_core::{Db, Error, SqliteOptions};

/// What must find nothing, and what it would mean.
const MISFITS: [(&str, &str); 6] = [
    ("a damaged file", "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'"),
    (
        "a name without its user",
        "SELECT h.handle FROM handles h LEFT JOIN users u ON u.app_id = h.app_id AND u.user_id = h.user_id \
         WHERE u.username IS NULL OR u.username <> h.handle",
    ),
    (
        "a user without its name",
        "SELECT u.username FROM users u LEFT JOIN handles h ON h.app_id = u.app_id AND h.user_id = u.user_id \
         WHERE h.handle IS NULL",
    ),
    (
        "a friendship of one side",
        "SELECT 'x' FROM contacts c LEFT JOIN contacts d ON d.app_id = c.app_id AND d.user_id = c.contact_id \
         AND d.contact_id = c.user_id WHERE d.since_seq IS NULL OR d.since_seq <> c.since_seq",
    ),
    (
        "a row without its user",
        "SELECT 'x' FROM (SELECT app_id, user_id FROM contacts UNION SELECT app_id, contact_id FROM contacts \
         UNION SELECT app_id, user_id FROM blocks UNION SELECT app_id, blocked_id FROM blocks \
         UNION SELECT app_id, user_id FROM attributes UNION SELECT app_id, user_id FROM push_devices) o \
         LEFT JOIN users u ON u.app_id = o.app_id AND u.user_id = o.user_id WHERE u.user_id IS NULL",
    ),
    (
        "an app without its secret",
        "SELECT a.name FROM apps a LEFT JOIN app_secrets s ON s.app_id = a.app_id WHERE s.sealed IS NULL",
    ),
];

/// Fails if anything in the data folder's database does not fit.
pub fn check(data: &Path) {
    let copy = Copy::of(data);
    for (misfit, sql) in MISFITS {
        let found = copy.texts(sql);
        assert!(found.is_empty(), "{misfit}: {found:?}");
    }
}

/// Rows of all tables that carry the app of that id.
pub fn rows_of_app(data: &Path, id_hex: &str) -> usize {
    let copy = Copy::of(data);
    let tables = "SELECT m.name FROM sqlite_schema m WHERE m.type = 'table' AND EXISTS \
                  (SELECT 1 FROM pragma_table_info(m.name) WHERE name = 'app_id')";
    let rows = |table: &String| copy.texts(format!("SELECT 'x' FROM {table} WHERE app_id = x'{id_hex}'").leak()).len();
    copy.texts(tables).iter().map(rows).sum()
}

/// A copy of the database, which nobody else has opened.
struct Copy {
    db: Db,
    runtime: Runtime,
    _folder: TempDir,
}

impl Copy {
    fn of(data: &Path) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        for file in ["yinxin.db", "yinxin.db-wal"] {
            if data.join(file).exists() {
                fs::copy(data.join(file), folder.path().join(file)).expect("the file can be copied");
            }
        }
        let options = SqliteOptions { readers: 1, ..SqliteOptions::at(folder.path().join("yinxin.db")) };
        let db = Db::open_sqlite(&options, |_| {}).expect("the database opens");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        Self { db, runtime, _folder: folder }
    }

    fn texts(&self, sql: &'static str) -> Vec<String> {
        let found = self.db.read(sql, |tx, sql| {
            Box::pin(async move {
                let rows = tx.rows(sql, &[]).await?;
                rows.into_iter().map(|mut row| Ok::<String, Error>(row.take(0)?)).collect()
            })
        });
        self.runtime.block_on(found).unwrap_or_else(|fault| panic!("{sql}: {fault}"))
    }
}
