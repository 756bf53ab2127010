//! Bringing a database file up to date, with a copy of it made first. Knows refinery, not what the migrations do.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use refinery::{Migration, Runner};
use rusqlite::Connection;

use crate::error::{Error, Result};
use crate::migrations;

/// Applies what the file lacks of `list`. A file that already holds data is copied aside first. All of it is one
/// transaction with the history that says so: whenever the process ends, the file can be opened again.
pub(super) fn to_newest(db: &mut Connection, path: &Path, list: &[Migration]) -> Result<()> {
    let runner = Runner::new(list).set_abort_divergent(true).set_abort_missing(true).set_grouped(true);
    let engine = |source: refinery::Error| Error::Engine(Box::new(source));
    // A file without a history is a new one; the run below finds out if it is something worse.
    let applied = runner.get_last_applied_migration(db).ok().flatten().map(|migration| migration.version());
    migrations::refuse_newer("file", applied, list)?;
    let newest = list.iter().map(Migration::version).max();
    if applied.is_some() && applied < newest {
        copy_aside(db, path, &format!("before-v{}.db", newest.unwrap_or_default()))?;
    }
    runner.run(db).map_err(engine)?;
    Ok(())
}

/// Copies the database beside itself under another extension. A copy with that name is whole: it gets the name last.
fn copy_aside(db: &Connection, path: &Path, extension: &str) -> Result<()> {
    let copy = path.with_extension(extension);
    let unfinished = path.with_extension(format!("{extension}.unfinished"));
    let engine = |source: io::Error| Error::Engine(Box::new(source));
    match fs::remove_file(&unfinished) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(engine(source)),
        _ => db.execute("VACUUM INTO ?1", [unfinished.to_string_lossy()])?,
    };
    File::open(&unfinished).and_then(|file| file.sync_all()).map_err(engine)?;
    fs::rename(&unfinished, &copy).map_err(engine)?;
    tracing::info!(copy = %copy.display(), "copied the database before migrating it");
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use tempfile::TempDir;

    use super::*;

    const FIRST: (&str, &str) = ("V1__first", "CREATE TABLE people (name TEXT); INSERT INTO people VALUES ('ann')");
    const SECOND: (&str, &str) = ("V2__second", "CREATE TABLE animals (name TEXT)");
    const BROKEN: (&str, &str) = ("V2__second", "CREATE TABLE animals (name TEXT); NONSENSE");

    struct Place {
        _dir: TempDir,
        path: PathBuf,
    }

    impl Place {
        fn new() -> Self {
            let dir = TempDir::new().unwrap();
            Self { path: dir.path().join("yinxin.db"), _dir: dir }
        }

        fn migrate(&self, list: &[(&str, &str)]) -> Result<()> {
            let list: Vec<_> = list.iter().map(|(name, sql)| Migration::unapplied(name, sql).unwrap()).collect();
            to_newest(&mut Connection::open(&self.path).unwrap(), &self.path, &list)
        }

        fn copy(&self) -> PathBuf {
            self.path.with_extension("before-v2.db")
        }
    }

    fn tables(path: &Path) -> Vec<String> {
        let db = Connection::open(path).unwrap();
        let mut names = db
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name IN ('people', 'animals')")
            .unwrap();
        names.query_map([], |row| row.get(0)).unwrap().map(rusqlite::Result::unwrap).collect()
    }

    #[test]
    fn a_new_file_is_not_copied() {
        let place = Place::new();
        place.migrate(&[FIRST, SECOND]).unwrap();
        assert_eq!(tables(&place.path), ["people", "animals"]);
        assert!(!place.copy().exists());
    }

    #[test]
    fn an_older_file_is_copied_and_brought_up_to_date() {
        let place = Place::new();
        place.migrate(&[FIRST]).unwrap();
        place.migrate(&[FIRST]).unwrap();
        assert!(!place.copy().exists());
        place.migrate(&[FIRST, SECOND]).unwrap();
        assert_eq!(tables(&place.path), ["people", "animals"]);
        assert_eq!(tables(&place.copy()), ["people"]);
        let kept: i64 = Connection::open(place.copy())
            .unwrap()
            .query_row("SELECT COUNT(*) FROM people WHERE name = 'ann'", [], |row| row.get(0))
            .unwrap();
        assert_eq!(kept, 1);
    }

    #[test]
    fn a_migration_that_failed_can_be_tried_again() {
        let place = Place::new();
        place.migrate(&[FIRST]).unwrap();
        place.migrate(&[FIRST, BROKEN]).unwrap_err();
        assert_eq!(tables(&place.path), ["people"], "the half of the migration that was done is undone");
        fs::write(place.path.with_extension("before-v2.db.unfinished"), "a copy that was cut short").unwrap();
        place.migrate(&[FIRST, SECOND]).unwrap();
        assert_eq!((tables(&place.path).len(), tables(&place.copy()).len()), (2, 1));
    }

    #[test]
    fn a_migration_and_the_note_that_it_was_done_are_one() {
        let place = Place::new();
        place.migrate(&[FIRST]).unwrap();
        let cut_short = "CREATE TRIGGER cut_short BEFORE INSERT ON refinery_schema_history WHEN NEW.version = 3 \
                         BEGIN SELECT RAISE(ABORT, 'cut short'); END";
        Connection::open(&place.path).unwrap().execute_batch(cut_short).unwrap();
        let third = ("V3__third", "INSERT INTO people VALUES ('ben')");
        place.migrate(&[FIRST, SECOND, third]).unwrap_err();
        assert_eq!(tables(&place.path), ["people"], "what the note is missing for is undone");
        let counts =
            |sql: &str| -> i64 { Connection::open(&place.path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap() };
        assert_eq!(counts("SELECT COUNT(*) FROM people"), 1);
        assert_eq!(counts("SELECT COUNT(*) FROM refinery_schema_history"), 1);
        Connection::open(&place.path).unwrap().execute_batch("DROP TRIGGER cut_short").unwrap();
        place.migrate(&[FIRST, SECOND, third]).unwrap();
        assert_eq!(counts("SELECT COUNT(*) FROM people"), 2);
    }

    #[test]
    fn an_edited_migration_and_a_newer_file_are_refused() {
        let place = Place::new();
        place.migrate(&[FIRST, SECOND]).unwrap();
        let newer = place.migrate(&[FIRST]).unwrap_err().to_string();
        assert!(newer.contains("schema version 2") && newer.contains("use a newer one"), "{newer}");
        place.migrate(&[FIRST, ("V2__second", "CREATE TABLE trees (name TEXT)")]).unwrap_err();
        assert!(!place.copy().exists());
    }

    /// Two users of two apps each: one who took a second name, and one who has every other kind of handle.
    const SECOND_NAMES: &str = "
        INSERT INTO apps (app_id, org, name, created_ms, modified_ms, token_epoch, open_registration, profile,
          user_token_ttl_s, app_token_ttl_s, contacts_max)
          VALUES (zeroblob(16), 'acme', 'chat', 1, 2, 3, TRUE, 'seed', 4, 5, 6);
        WITH keys (app, id, name) AS (VALUES (1, 1, 'ann'), (1, 2, 'ben'), (2, 1, 'ann'), (2, 2, 'cid'))
        INSERT INTO users (app_id, user_id, username, password_hash, created_ms, modified_ms, active, token_epoch,
          tokens_not_before_s, numeric_id)
          SELECT unhex(format('%032x', app)), unhex(format('%032x', id)), name, 'h', 7, 8, TRUE, 9, 10, 16 * id FROM keys;
        WITH keys (app, id, kind, handle) AS (VALUES
          (1, 1, 'username', 'ann'), (1, 1, 'username', 'anna'), (1, 1, 'mobile', '13800000000'),
          (1, 2, 'username', 'ben'), (1, 2, 'numeric_id', '32'), (1, 2, 'email', 'a@b.c'),
          (2, 1, 'username', 'ann'), (2, 2, 'username', 'cid'), (2, 2, 'username', 'aaa'))
        INSERT INTO handles (app_id, kind, handle, user_id)
          SELECT unhex(format('%032x', app)), kind, handle, unhex(format('%032x', id)) FROM keys;
        INSERT INTO push_devices (app_id, user_id, device_id, notifier_name, device_token, since_seq)
          VALUES (unhex(format('%032x', 1)), unhex(format('%032x', 1)), '5', 'n', 't', 11);
    ";

    /// Every row of every table, by the columns that the tables had when `columns` was asked for.
    fn rows(db: &Connection, columns: &[(String, String)]) -> Vec<String> {
        let texts = |sql: String| -> Vec<String> {
            db.prepare(&sql).unwrap().query_map([], |row| row.get(0)).unwrap().map(rusqlite::Result::unwrap).collect()
        };
        let of = |(table, columns): &(String, String)| {
            texts(format!("SELECT '{table} ' || {columns} FROM {table} ORDER BY 1"))
        };
        columns.iter().flat_map(of).collect()
    }

    fn columns(db: &Connection) -> Vec<(String, String)> {
        let sql = "SELECT t.name, group_concat('quote(' || c.name || ')', '||'',''||') FROM sqlite_schema t, \
                   pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name <> 'refinery_schema_history' \
                   GROUP BY t.name ORDER BY t.name";
        let mut found = db.prepare(sql).unwrap();
        found.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(rusqlite::Result::unwrap).collect()
    }

    #[test]
    fn a_second_name_from_before_renames_became_what_its_user_is_called_and_all_else_is_kept() {
        let place = Place::new();
        let mut db = Connection::open(&place.path).unwrap();
        let list = migrations::for_sqlite().unwrap();
        to_newest(&mut db, &place.path, &list[..8]).unwrap();
        db.execute_batch(SECOND_NAMES).unwrap();
        let columns = columns(&db);
        let before = rows(&db, &columns);
        assert_eq!(before.len(), 1 + 4 + 9 + 1, "{before:#?}");
        to_newest(&mut db, &place.path, &list).unwrap();
        assert_eq!(rows(&db, &columns), before);
        let called = [("users".to_owned(), "username || ' ' || coalesce(called, '-')".to_owned())];
        assert_eq!(rows(&db, &called), ["users ann -", "users ann anna", "users ben -", "users cid aaa"]);
    }
}
