//! Where a test keeps its data: in an embedded database in the test's own folder, or, when `YINXIN_TEST_ENGINE=postgres`,
//! in a database of its own on the server at `YINXIN_TEST_POSTGRES`, so that every suite runs on both engines.

use std::collections::HashMap;
use std::env;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

use sha1::{Digest as _, Sha1};
use yinxin_core::{Database, Db, PostgresOptions, SqliteOptions};

use crate::ground;

/// The migrated database that those of tests are copies of.
const TEMPLATE: &str = "yinxin_template";
/// The number of the lock under which it is made.
const TEMPLATE_LOCK: u32 = 1;

/// Whether the suites run on PostgreSQL.
pub fn on_postgres() -> bool {
    match env::var("YINXIN_TEST_ENGINE").as_deref() {
        Err(_) | Ok("" | "sqlite") => false,
        Ok("postgres") => true,
        Ok(other) => panic!("YINXIN_TEST_ENGINE is sqlite or postgres, not {other}"),
    }
}

/// Writes after which one has surely taken along what is over, where the embedded engine needs so many: on PostgreSQL few
/// do, one of 32 by chance.
pub fn writes_until_swept(embedded: usize) -> usize {
    if on_postgres() { 1000 } else { embedded }
}

/// The URL of the tests' server, without a database; `None` when there is none.
pub fn server() -> Option<String> {
    let url = env::var("YINXIN_TEST_POSTGRES").ok().filter(|url| !url.is_empty());
    assert!(url.is_some() || !on_postgres(), "YINXIN_TEST_POSTGRES is not set: see tools/postgres");
    url
}

/// The database of a test that would keep it in that file. The same file is the same database, also for another process.
pub fn at(file: &Path) -> Database {
    match url_at(file) {
        Some(url) => Database::Postgres(few_connections(url)),
        None => Database::Sqlite(SqliteOptions::at(file.to_owned())),
    }
}

/// The URL of the database of a test that would keep it in that file; `None` where it is the file.
pub fn url_at(file: &Path) -> Option<String> {
    on_postgres().then(|| database_for(file))
}

/// A database of its own on the tests' server, migrated, for whoever owns that file or folder; it goes some time after
/// the folder around it is gone.
pub fn database_for(file: &Path) -> String {
    let server = server().expect("YINXIN_TEST_POSTGRES");
    let name = name_for(file);
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if !made.contains_key(&name) {
        let mut console = CONSOLE.lock().unwrap_or_else(PoisonError::into_inner);
        make_template(&mut console, &server);
        made.retain(|name, folder| folder.exists() || !console.drop_unused(name));
        if console.run(&format!("SELECT 1 FROM pg_database WHERE datname = '{name}'")).is_empty() {
            console.run(&format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}"));
        }
        // A folder that a server will make stands in one of the test's.
        let folder = file.ancestors().skip(1).find(|folder| folder.exists()).expect("a folder");
        made.insert(name.clone(), folder.to_owned());
    }
    format!("{server}/{name}")
}

/// A query for the names of all tables.
pub fn tables() -> &'static str {
    if on_postgres() {
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
    } else {
        "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
    }
}

/// A query for the names of all tables with a column of that name.
pub fn tables_with(column: &str) -> String {
    if on_postgres() {
        format!(
            "SELECT table_name FROM information_schema.columns WHERE column_name = '{column}' AND table_schema = 'public'"
        )
    } else {
        format!(
            "SELECT m.name FROM sqlite_schema m WHERE m.type = 'table' AND EXISTS \
             (SELECT 1 FROM pragma_table_info(m.name) WHERE name = '{column}')"
        )
    }
}

/// A query for an expression that spells a whole row of that table, bytes in hexadecimal.
pub fn spelled_columns(table: &str) -> String {
    if on_postgres() {
        format!(
            "SELECT string_agg(CASE WHEN atttypid = 'bytea'::regtype THEN 'COALESCE(upper(encode(' || attname || \
             ',''hex'')),''NULL'')' ELSE 'quote_nullable(' || attname || ')' END, '||'',''||' ORDER BY attnum) \
             FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped"
        )
    } else {
        format!("SELECT group_concat('quote(' || name || ')', '||'',''||') FROM pragma_table_info('{table}')")
    }
}

/// Bytes as a literal of a statement.
pub fn bytes_literal(hex: &str) -> String {
    if on_postgres() { format!("'\\x{hex}'") } else { format!("x'{hex}'") }
}

/// Whether those bytes stand anywhere in the database of that file, which nobody has open.
pub fn holds(file: &Path, bytes: &[u8]) -> bool {
    assert!(!bytes.is_empty());
    let found = |whole: &[u8]| whole.windows(bytes.len()).any(|window| window == bytes);
    let Some(dumped) = dumped(file) else { return found(&std::fs::read(file).expect("a database file")) };
    let spelled = hex::encode(bytes).into_bytes();
    found(&dumped) || dumped.windows(spelled.len()).any(|window| window == spelled)
}

/// Everything in the database of that file, columns of bytes in hexadecimal; `None` where it is the file.
pub fn dumped(file: &Path) -> Option<Vec<u8>> {
    let url = url_at(file)?;
    let dumped = Command::new("pg_dump").args(["--inserts", "--dbname", &url]).output().expect("pg_dump starts");
    assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
    Some(dumped.stdout)
}

/// Tests are many, and each needs little.
pub fn few_connections(url: String) -> PostgresOptions {
    PostgresOptions { writers: 8, readers: 4, ..PostgresOptions::at(url) }
}

fn name_for(file: &Path) -> String {
    let digest = Sha1::digest(file.as_os_str().as_encoded_bytes());
    digest.iter().take(12).fold("test_".to_owned(), |mut name, byte| {
        let _infallible = write!(name, "{byte:02x}");
        name
    })
}

/// Databases that this process has made, and the folders whose they are.
static MADE: LazyLock<Mutex<HashMap<String, PathBuf>>> = LazyLock::new(Mutex::default);
static CONSOLE: LazyLock<Mutex<Console>> = LazyLock::new(|| Mutex::new(Console::open()));

fn make_template(console: &mut Console, server: &str) {
    let is_there = format!("SELECT 1 FROM pg_database WHERE datname = '{TEMPLATE}'");
    if !console.run(&is_there).is_empty() {
        return;
    }
    console.run(&format!("SELECT pg_advisory_lock({TEMPLATE_LOCK})"));
    if console.run(&is_there).is_empty() {
        console.run("DROP DATABASE IF EXISTS yinxin_unfinished WITH (FORCE)");
        console.run("CREATE DATABASE yinxin_unfinished");
        let url = format!("{server}/yinxin_unfinished");
        // A runtime of its own: that of a test may be the one that waits here.
        let migrate = move || {
            let runtime = ground::runtime();
            let options = Database::Postgres(few_connections(url));
            runtime.block_on(async { Db::open(&options, |_| {}).await.map(|_| ()) })
        };
        std::thread::spawn(migrate).join().expect("no panic").expect("the migrations run");
        // Its connections end by themselves, a moment after the runtime.
        console
            .run("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = 'yinxin_unfinished'");
        console.run(&format!("ALTER DATABASE yinxin_unfinished RENAME TO {TEMPLATE}"));
    }
    console.run(&format!("SELECT pg_advisory_unlock({TEMPLATE_LOCK})"));
}

/// A psql that runs as long as this process does: starting one for each statement would take longer than most of them.
struct Console {
    _process: Child,
    statements: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Console {
    const END: &str = "-- end of answer";

    fn open() -> Self {
        let url = format!("{}/postgres", server().expect("YINXIN_TEST_POSTGRES"));
        let mut process = Command::new("psql")
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--dbname", &url])
            .env("PGOPTIONS", "-c client_min_messages=warning")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("psql starts");
        let (statements, answers) = (process.stdin.take().expect("a pipe"), process.stdout.take().expect("a pipe"));
        Self { _process: process, statements, answers: BufReader::new(answers) }
    }

    /// Drops a database unless somebody is connected to it: a test may outlive its folder. `true`: it is gone.
    fn drop_unused(&mut self, name: &str) -> bool {
        let unused = self.run(&format!("SELECT 1 FROM pg_stat_activity WHERE datname = '{name}'")).is_empty();
        if unused {
            self.run(&format!("DROP DATABASE IF EXISTS {name}"));
        }
        unused
    }

    /// Runs a statement; gives the lines that it answers.
    fn run(&mut self, statement: &str) -> Vec<String> {
        writeln!(self.statements, "{statement};\n\\echo {}", Self::END).expect("psql reads");
        self.statements.flush().expect("psql reads");
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            assert_ne!(self.answers.read_line(&mut line).expect("psql answers"), 0, "psql has ended");
            match line.trim_end() {
                Self::END => return lines,
                line => lines.push(line.to_owned()),
            }
        }
    }
}
