//! `yinxin migrate-store`: everything from the embedded database to a PostgreSQL, or back.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use yinxin_core::transfer::{self, Broken, Carried, Step};
use yinxin_core::{Database, Db, PostgresOptions, SqliteOptions, Tenancy};
use zeroize::Zeroizing;

use crate::args::MigrateStoreArgs;
use crate::data::{DataDir, LockedDir};
use crate::exit::{Exit, Failure, Outcome};
use crate::hold::Held;
use crate::print;

/// Longer than a database takes to notice that a server was stopped a moment ago.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a statement may run: whole tables are counted, and nobody but who called this waits.
const STATEMENT: Duration = Duration::from_hours(1);

/// Where a database is.
#[derive(Clone)]
pub(crate) enum Place {
    /// `sqlite:FOLDER`, a data folder, whose server must be stopped.
    Folder(PathBuf),
    /// `postgres://…`.
    Url(Zeroizing<String>),
    /// `postgres:@FILE`, a file that holds such a URL: what stands on a command line can be seen by others.
    UrlIn(PathBuf),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
            let path = Path::new(path);
            let is_file = path.file_name().is_some_and(|name| name == "yinxin.db");
            let folder = path.parent().filter(|_| is_file).unwrap_or(path);
            return Ok(Self::Folder(if folder.as_os_str().is_empty() { ".".into() } else { folder.into() }));
        }
        if let Some(file) = text.strip_prefix("postgres:@").filter(|file| !file.is_empty()) {
            return Ok(Self::UrlIn(file.into()));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Url(Zeroizing::new(text.to_owned())));
        }
        Err("expected sqlite:FOLDER, postgres://USER:PASSWORD@HOST/DATABASE or postgres:@FILE".to_owned())
    }
}

impl fmt::Debug for Place {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Folder(_) => "sqlite",
            Self::Url(_) | Self::UrlIn(_) => "postgres",
        })
    }
}

pub(crate) fn run(args: &MigrateStoreArgs) -> Outcome {
    if matches!((&args.from, &args.to), (Place::Folder(_), Place::Folder(_))) {
        return Err(Failure::usage(
            "one of --from and --to must be a PostgreSQL: a data folder is copied with its server stopped",
        ));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|fault| Failure::failed(format!("no threads to work with: {fault}")))?;
    runtime.block_on(migrate(args))
}

/// A database that is open, and the folder it is in, or the place on its server, taken for as long.
struct Opened {
    db: Db,
    folder: Option<LockedDir>,
    held: Held,
}

async fn migrate(args: &MigrateStoreArgs) -> Outcome {
    let mut from = open(&args.from, true).await?;
    let mut to = open(&args.to, false).await?;
    let bar = ProgressBar::new(0).with_style(style());
    let mut told = |step: Step<'_>| show(&bar, step);
    let carried = tokio::select! {
        carried = transfer::transfer(&from.db, &to.db, &mut told) => carried.map_err(|broken| explained(&broken)),
        taken = from.held.lost() => Err(taken),
        taken = to.held.lost() => Err(taken),
    };
    bar.finish_and_clear();
    from.db.close().await;
    to.db.close().await;
    report(&carried?, args.json);
    if let Some(folder) = to.folder.or(from.folder).filter(|_| !args.json) {
        let key = folder.dir().master_key_file();
        print::out(&format!(
            "The secrets in both are sealed under {}: whoever serves them needs it (keys.master_file).\n\
             Uploaded files are not in the database and stay where they are (files.*).",
            key.display()
        ));
    }
    Ok(())
}

async fn open(place: &Place, must_exist: bool) -> Outcome<Opened> {
    let (options, folder) = match place {
        Place::Folder(root) => {
            let dir = DataDir::at(root);
            if must_exist && !dir.database().exists() {
                return Err(Failure::new(Exit::NotFound, format!("there is no {}", dir.database().display())));
            }
            let folder = dir.lock()?;
            (Database::Sqlite(SqliteOptions::at(dir.database())), Some(folder))
        }
        Place::Url(url) => (Database::Postgres(unhurried(url)), None),
        Place::UrlIn(file) => {
            let text = fs::read_to_string(file)
                .map(Zeroizing::new)
                .map_err(|fault| Failure::failed(format!("cannot read {}: {fault}", file.display())))?;
            (Database::Postgres(unhurried(text.trim())), None)
        }
    };
    let held = match &options {
        Database::Sqlite(_) => Held::nothing(),
        Database::Postgres(server) => {
            let who = "yinxin migrate-store".to_owned();
            Held::take(server, Tenancy::Alone, who, PATIENCE, "stop them first").await?
        }
    };
    let db =
        Db::open(&options, |_| {}).await.map_err(|fault| Failure::failed(format!("cannot open {place:?}: {fault}")))?;
    Ok(Opened { db, folder, held })
}

fn unhurried(url: &str) -> PostgresOptions {
    PostgresOptions { statement: STATEMENT, ..PostgresOptions::at(url.to_owned()) }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{msg:28} {wide_bar} {pos}/{len} {per_sec} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Every row counts three times: when it is carried, and when each side is read to be compared.
fn show(bar: &ProgressBar, step: Step<'_>) {
    match step {
        Step::Total(rows) => bar.set_length(rows.saturating_mul(3)),
        Step::Carried(table, rows) | Step::Compared(table, rows) => {
            let doing = if matches!(step, Step::Carried(..)) { "carrying" } else { "comparing" };
            bar.set_message(format!("{doing} {table}"));
            bar.inc(rows);
        }
    }
}

fn report(carried: &[Carried], as_json: bool) {
    if as_json {
        let table = |table: &Carried| json!({ "table": table.table, "rows": table.rows, "sha256": table.checksum });
        return print::json(&json!({ "equal": true, "tables": carried.iter().map(table).collect::<Vec<_>>() }));
    }
    print::table(
        &["table", "rows", "sha256 of both"],
        carried.iter().map(|table| vec![table.table.clone(), table.rows.to_string(), table.checksum.clone()]),
    );
    let rows: u64 = carried.iter().map(|table| table.rows).sum();
    print::out(&format!("{rows} rows, the same on both sides."));
}

fn explained(broken: &Broken) -> Failure {
    match broken {
        Broken::Foreign => Failure::new(Exit::Conflict, broken.to_string()),
        Broken::Database(_) => {
            Failure::failed(format!("{broken}; what has been carried stays: the same command goes on from there"))
        }
        Broken::Differs { .. } => Failure::failed(format!("{broken}; was a server running on one of them?")),
        Broken::NoEmbedded => Failure::usage(broken.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_may_take_longer_to_count_than_a_call_may_wait() {
        let (here, served) = (unhurried("postgres://ann@one/im"), PostgresOptions::at(String::new()));
        assert!(here.statement > 100 * served.statement);
        assert_eq!(here.connect, served.connect, "whether it is there is known soon");
    }
}
