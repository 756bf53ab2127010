//! What the modules share: a database with a table to play with, on the engine that the suite runs on or on one that a
//! test names, and a write that holds the embedded writer until it is told to go on, so that tests decide what is queued
//! behind it.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;
use yinxin_store::{Arg, Db, Error, Input, Options, PostgresOptions, Sql, SqliteOptions, Touched, Value, Work};
use yinxin_testkit::storage;

pub type Told = Arc<Mutex<Vec<Touched>>>;

/// What a closure of a test fails with.
#[derive(Debug)]
pub enum Fault {
    Store(Error),
    Own,
}

impl From<Error> for Fault {
    fn from(source: Error) -> Self {
        Self::Store(source)
    }
}

/// A database in a folder of its own.
pub struct Place {
    pub options: SqliteOptions,
    /// Where it is instead, when the embedded engine is not what is looked at.
    pub postgres: Option<PostgresOptions>,
    _folder: TempDir,
}

impl Place {
    /// On the engine that the suite runs on.
    pub fn new() -> Self {
        if storage::on_postgres() { Self::postgres() } else { Self::embedded() }
    }

    /// On the embedded engine, whatever the suite runs on.
    pub fn embedded() -> Self {
        let folder = TempDir::new().unwrap();
        let options = SqliteOptions { readers: 2, ..SqliteOptions::at(folder.path().join("yinxin.db")) };
        Self { options, postgres: None, _folder: folder }
    }

    /// On PostgreSQL, whatever the suite runs on.
    pub fn postgres() -> Self {
        let place = Self::embedded();
        let url = storage::database_for(&place.options.path);
        Self { postgres: Some(storage::few_connections(url)), ..place }
    }

    /// Opens it and makes the table `play (k, v)` if there is none.
    pub async fn open(&self) -> Db {
        self.open_telling(|_| {}).await
    }

    /// Opens it; hints go to the list.
    pub async fn open_noting(&self) -> (Db, Told) {
        let told = Told::default();
        let list = Arc::clone(&told);
        let db = self.open_telling(move |touched| list.lock().unwrap().extend_from_slice(touched)).await;
        (db, told)
    }

    pub async fn open_telling(&self, on_commit: impl Fn(&[Touched]) + Send + Sync + 'static) -> Db {
        let options = match &self.postgres {
            Some(postgres) => Options::Postgres(postgres.clone()),
            None => Options::Sqlite(self.options.clone()),
        };
        let db = Db::open(&options, on_commit).await.unwrap();
        run(&db, "CREATE TABLE IF NOT EXISTS play (k BIGINT NOT NULL PRIMARY KEY, v TEXT)").await;
        db
    }

    pub fn path(&self) -> &PathBuf {
        &self.options.path
    }
}

/// Runs one statement without arguments.
pub async fn run(db: &Db, sql: &'static str) {
    db.write(sql, |tx, sql| Box::pin(async move { tx.exec(sql, &[]).await })).await.unwrap();
}

/// A text as one of the product's statements: tests make theirs from the schema. Lives as long as the process.
pub fn text(sql: String) -> &'static str {
    Box::leak(sql.into_boxed_str())
}

/// All rows of a query; each must have `columns` columns.
pub async fn query(db: &Db, sql: &'static str, args: Vec<Value>, columns: usize) -> Vec<Vec<Value>> {
    let rows = db
        .read((sql, args), |tx, (sql, args)| {
            Box::pin(async move {
                let args: Vec<Arg<'_>> = args.iter().map(Arg::from).collect();
                tx.rows(sql, &args).await
            })
        })
        .await
        .unwrap();
    rows.into_iter().map(|mut row| (0..columns).map(|column| row.take(column).unwrap()).collect()).collect()
}

/// The first column of a query as numbers.
pub async fn numbers(db: &Db, sql: &'static str) -> Vec<i64> {
    let number = |row: Vec<Value>| match row[..] {
        [Value::Int(number)] => number,
        _ => panic!("not a number: {row:?}"),
    };
    query(db, sql, Vec::new(), 1).await.into_iter().map(number).collect()
}

/// The first column of a query as texts.
pub async fn texts(db: &Db, sql: &'static str) -> Vec<String> {
    let text = |row: Vec<Value>| match row.into_iter().next() {
        Some(Value::Text(text)) => text,
        other => panic!("not a text: {other:?}"),
    };
    query(db, sql, Vec::new(), 1).await.into_iter().map(text).collect()
}

/// The keys in the table to play with.
pub async fn keys(db: &Db) -> Vec<i64> {
    numbers(db, "SELECT k FROM play ORDER BY k").await
}

/// Adds a row to the table to play with.
pub async fn put(tx: &mut dyn Sql, key: i64) -> Result<(), Error> {
    tx.exec("INSERT INTO play (k, v) VALUES ($1, 'x')", &[key.into()]).await?;
    Ok(())
}

/// Adds a row in a write of its own.
pub async fn put_alone(db: &Db, key: i64) -> Result<(), Error> {
    db.write(key, |tx, key| Box::pin(put(tx, *key))).await
}

/// The writer, inside a write that waits.
pub struct Held {
    go_on: Sender<()>,
    /// The write that waits; it has added the row with its key.
    pub write: JoinHandle<Result<(), Error>>,
}

impl Held {
    /// Lets the write end.
    pub fn go_on(&self) {
        self.go_on.send(()).unwrap();
    }
}

struct Gate {
    key: i64,
    entered: UnboundedSender<()>,
    go_on: Mutex<Receiver<()>>,
}

/// Holds the writer in a write that adds the row `key`, and returns once it is there.
pub async fn hold(db: &Db, key: i64) -> Held {
    let (entered, mut has_entered) = tokio::sync::mpsc::unbounded_channel();
    let (go_on, wait) = channel();
    let gate = Gate { key, entered, go_on: Mutex::new(wait) };
    let write = queue(db, gate, |tx, gate| {
        Box::pin(async move {
            put(tx, gate.key).await?;
            gate.entered.send(()).unwrap();
            // An error says that the test has ended early.
            let _ended = gate.go_on.lock().unwrap().recv();
            Ok(())
        })
    });
    has_entered.recv().await.unwrap();
    Held { go_on, write }
}

/// Starts a write as a task of its own.
pub fn queue<C: Input, T: Send + 'static, E: From<Error> + Send + 'static>(
    db: &Db,
    input: C,
    work: Work<C, T, E>,
) -> JoinHandle<Result<T, E>> {
    let db = db.clone();
    tokio::spawn(async move { db.write(input, work).await })
}

/// Returns once `count` writes are waiting for the writer.
pub async fn until_queued(db: &Db, count: usize) {
    while db.writer_gauge().queued != count {
        tokio::task::yield_now().await;
    }
}
