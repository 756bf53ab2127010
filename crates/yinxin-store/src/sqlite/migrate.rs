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
}
