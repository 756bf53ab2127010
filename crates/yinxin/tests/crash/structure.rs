//! Whether the database of a killed server holds together: a file is looked at in a copy, so that the server itself is
//! the first to open its own.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tokio::runtime::Runtime;
use yinxin_core::{Database, Db, Error, SqliteOptions};
use yinxin_testkit::{ground, storage};

/// What must find nothing, and what it would mean.
const MISFITS: [(&str, &str); 9] = [
    (
        "a handle without its user",
        "SELECT h.handle FROM handles h LEFT JOIN users u ON u.app_id = h.app_id AND u.user_id = h.user_id \
         WHERE u.username IS NULL",
    ),
    (
        "a name that is not its user's",
        "SELECT h.handle FROM handles h JOIN users u ON u.app_id = h.app_id AND u.user_id = h.user_id \
         WHERE h.kind = 'username' AND h.handle <> u.username AND h.handle <> COALESCE(u.called, u.username)",
    ),
    (
        "a user without its name, or the one that it is called by",
        "SELECT o.name FROM (SELECT app_id, user_id, username AS name FROM users \
         UNION SELECT app_id, user_id, called FROM users WHERE called IS NOT NULL) o \
         LEFT JOIN handles h ON h.app_id = o.app_id AND h.user_id = o.user_id AND h.kind = 'username' \
         AND h.handle = o.name WHERE h.handle IS NULL",
    ),
    (
        "a number that is not its user's",
        "SELECT h.handle FROM handles h JOIN users u ON u.app_id = h.app_id AND u.user_id = h.user_id \
         WHERE h.kind = 'number' AND h.handle <> COALESCE(CAST(u.numeric_id AS TEXT), '')",
    ),
    (
        "a number without its handle",
        "SELECT u.username FROM users u LEFT JOIN handles h ON h.app_id = u.app_id AND h.user_id = u.user_id \
         AND h.kind = 'number' AND h.handle = CAST(u.numeric_id AS TEXT) \
         WHERE u.numeric_id IS NOT NULL AND h.handle IS NULL",
    ),
    (
        "two mobiles, or mail addresses, of one user",
        "SELECT 'x' FROM handles WHERE kind IN ('mobile', 'email') GROUP BY app_id, user_id, kind HAVING COUNT(*) > 1",
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
         UNION SELECT app_id, user_id FROM invitations UNION SELECT app_id, inviter_id FROM invitations \
         UNION SELECT app_id, user_id FROM user_settings UNION SELECT app_id, user_id FROM attributes \
         UNION SELECT app_id, user_id FROM push_devices) o \
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
    if !storage::on_postgres() {
        let damage = copy.texts("SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'");
        assert!(damage.is_empty(), "a damaged file: {damage:?}");
    }
    for (misfit, sql) in MISFITS {
        let found = copy.texts(sql);
        assert!(found.is_empty(), "{misfit}: {found:?}");
    }
}

/// Rows of all tables that carry the app of that id.
pub fn rows_of_app(data: &Path, id_hex: &str) -> usize {
    let copy = Copy::of(data);
    let id = storage::bytes_literal(id_hex);
    let rows = |table: &String| copy.texts(format!("SELECT 'x' FROM {table} WHERE app_id = {id}").leak()).len();
    copy.texts(storage::tables_with("app_id").leak()).iter().map(rows).sum()
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
        let options = match storage::url_at(&data.join("yinxin.db")) {
            Some(url) => Database::Postgres(storage::few_connections(url)),
            None => Database::Sqlite(SqliteOptions::at(folder.path().join("yinxin.db"))),
        };
        let runtime = ground::runtime();
        let db = runtime.block_on(Db::open(&options, |_| {})).expect("the database opens");
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
