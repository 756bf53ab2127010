//! Everything from one database into another, engine to engine, page by page in the order of each table's key.
//!
//! Knows no table: what there is to carry is read from the schema of the embedded side, which the other side's equals.
//! Nobody else may write on either side meanwhile. A page is a transaction and pages come in the order of the key, so the
//! last key on the receiving side says how far an interrupted transfer came: it is gone on with from there.

use std::fmt::Write;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::db::Db;
use crate::error::{Error, Result};
use crate::value::{Arg, Row, Value};

/// Rows of a page, and of a transaction.
const PAGE: usize = 500;
/// Rows of one statement; with the widest table still far below the engines' bounds of parameters.
const TOGETHER: usize = 25;
/// The table that says whose data a database holds.
const WHOSE: &str = "server_keys";
/// What is true only of running servers stays behind.
const OF_THE_RUNNING: [&str; 7] =
    ["leases", "made_calls", "nodes", "password_failures", "room_endings", "session_endings", "sessions"];

/// How far a transfer is.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// So many rows are to be carried in all.
    Total(u64),
    /// So many more rows of that table are on the other side.
    Carried(&'a str, u64),
    /// So many more rows, of either side, were compared.
    Compared(&'a str, u64),
}

/// What a finished transfer found on both sides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Carried {
    /// The table.
    pub table: String,
    /// Its rows.
    pub rows: u64,
    /// SHA-256 of all of them in the order of the key.
    pub checksum: String,
}

/// Why a transfer ended before its time. What is on the receiving side stays, to be gone on with.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// A database failed.
    #[error(transparent)]
    Database(#[from] Error),
    /// The receiving side holds what did not come from here.
    #[error("the database to fill holds the data of another server: give an empty one")]
    Foreign,
    /// The receiving side is not what was sent.
    #[error(
        "table {table} differs after the transfer: {sent} rows were sent, {found} are there, or their contents differ"
    )]
    Differs {
        /// The table.
        table: String,
        /// Rows on the giving side.
        sent: u64,
        /// Rows on the receiving side.
        found: u64,
    },
    /// Neither side is an embedded database, whose schema is read.
    #[error("one of the two databases must be an embedded one")]
    NoEmbedded,
}

/// Carries everything over and compares both sides.
pub async fn transfer(from: &Db, to: &Db, told: &mut (dyn FnMut(Step<'_>) + Send)) -> Result<Vec<Carried>, Broken> {
    let embedded = [from, to].into_iter().find(|db| db.is_embedded()).ok_or(Broken::NoEmbedded)?;
    let tables = tables(embedded).await?;
    refuse_foreign(from, to, &tables).await?;
    let mut total = 0;
    for table in &tables {
        total += count(from, table).await?;
    }
    told(Step::Total(total));
    for table in &tables {
        carry(from, to, table, told).await?;
    }
    let mut carried = Vec::with_capacity(tables.len());
    for table in &tables {
        carried.push(compare(from, to, table, told).await?);
    }
    Ok(carried)
}

/// A table as it is carried.
struct Table {
    name: String,
    columns: Vec<Column>,
    texts: Texts,
}

struct Column {
    name: String,
    /// The embedded engine keeps these as 0 and 1.
    is_boolean: bool,
    /// Its place in the key, from 1; 0 is none.
    key: i64,
}

/// The table's statements. They live as long as the program, as all statements do: some hundred bytes a table.
#[derive(Clone, Copy)]
struct Texts {
    count: &'static str,
    first: &'static str,
    after: &'static str,
    last: &'static str,
    put_one: &'static str,
    put_many: &'static str,
}

impl Texts {
    fn of(table: &str, columns: &[Column]) -> Self {
        let key = key_of(columns);
        let names = |columns: &[&Column]| columns.iter().map(|column| &*column.name).collect::<Vec<_>>().join(", ");
        let every = names(&columns.iter().collect::<Vec<_>>());
        let order = names(&key);
        let back = key.iter().map(|column| format!("{} DESC", column.name)).collect::<Vec<_>>().join(", ");
        let put = |rows| format!("INSERT INTO {table} ({every}) VALUES {}", places(rows, columns.len()));
        let leak = |text: String| -> &'static str { text.leak() };
        Self {
            count: leak(format!("SELECT COUNT(*) FROM {table}")),
            first: leak(format!("SELECT {every} FROM {table} ORDER BY {order} LIMIT {PAGE}")),
            after: leak(format!(
                "SELECT {every} FROM {table} WHERE ({order}) > {} ORDER BY {order} LIMIT {PAGE}",
                places(1, key.len())
            )),
            last: leak(format!("SELECT {order} FROM {table} ORDER BY {back} LIMIT 1")),
            put_one: leak(put(1)),
            put_many: leak(put(TOGETHER)),
        }
    }
}

/// `($1, $2), ($3, $4)`.
fn places(rows: usize, columns: usize) -> String {
    let mut text = String::new();
    for row in 0..rows {
        let open = if row == 0 { "(" } else { "), (" };
        for column in 0..columns {
            let before = if column == 0 { open } else { ", " };
            let _infallible = write!(text, "{before}${}", row * columns + column + 1);
        }
    }
    text + ")"
}

fn key_of(columns: &[Column]) -> Vec<&Column> {
    let mut key: Vec<_> = columns.iter().filter(|column| column.key > 0).collect();
    key.sort_by_key(|column| column.key);
    key
}

/// What there is to carry, in an order that does not change.
async fn tables(embedded: &Db) -> Result<Vec<Arc<Table>>> {
    const SQL: &str = "SELECT t.name, c.name, c.type, c.pk FROM sqlite_schema t JOIN pragma_table_info(t.name) c \
                       WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE 'refinery%' \
                       ORDER BY t.name, c.cid";
    let mut rows = embedded.read((), |sql, ()| Box::pin(async move { sql.rows(SQL, &[]).await })).await?;
    let mut found: Vec<(String, Vec<Column>)> = Vec::new();
    for row in &mut rows {
        let (table, kind): (String, String) = (row.take(0)?, row.take(2)?);
        let column = Column { name: row.take(1)?, is_boolean: kind == "BOOLEAN", key: row.take(3)? };
        match found.last_mut().filter(|(name, _)| *name == table) {
            Some((_, columns)) => columns.push(column),
            None => found.push((table, vec![column])),
        }
    }
    found.retain(|(name, _)| !OF_THE_RUNNING.contains(&&**name));
    // First what says whose data it is, so that an interrupted transfer is known for what it is.
    found.sort_by_key(|(name, _)| name != WHOSE);
    let table = |(name, columns): (String, Vec<Column>)| {
        let texts = Texts::of(&name, &columns);
        Arc::new(Table { name, columns, texts })
    };
    Ok(found.into_iter().map(table).collect())
}

async fn count(db: &Db, table: &Arc<Table>) -> Result<u64> {
    db.read(Arc::clone(table), |sql, table| {
        Box::pin(async move {
            let mut rows = sql.rows(table.texts.count, &[]).await?;
            let count: i64 = rows.first_mut().map_or(Ok(0), |row| row.take(0))?;
            Ok(count.unsigned_abs())
        })
    })
    .await
}

/// A database that is not empty is gone on with only if it has the same keys.
async fn refuse_foreign(from: &Db, to: &Db, tables: &[Arc<Table>]) -> Result<(), Broken> {
    let Some((whose, others)) = tables.split_first() else { return Ok(()) };
    let theirs = page(to, whose, Vec::new()).await?;
    if !theirs.is_empty() {
        return if theirs == page(from, whose, Vec::new()).await? { Ok(()) } else { Err(Broken::Foreign) };
    }
    for table in others {
        if count(to, table).await? > 0 {
            return Err(Broken::Foreign);
        }
    }
    Ok(())
}

async fn carry(from: &Db, to: &Db, table: &Arc<Table>, told: &mut (dyn FnMut(Step<'_>) + Send)) -> Result<()> {
    let mut after = last_key(to, table).await?;
    if !after.is_empty() {
        told(Step::Carried(&table.name, count(to, table).await?));
    }
    loop {
        let rows = page(from, table, after).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = table.key_in(last);
        let carried = rows.len() as u64;
        put(to, table, rows).await?;
        told(Step::Carried(&table.name, carried));
    }
}

/// The key of the table's last row; empty when there is none.
async fn last_key(db: &Db, table: &Arc<Table>) -> Result<Vec<Value>> {
    db.read(Arc::clone(table), |sql, table| {
        Box::pin(async move {
            let rows = sql.rows(table.texts.last, &[]).await?;
            let key = key_of(&table.columns);
            rows.into_iter().next().map_or(Ok(Vec::new()), |row| values(row, &key))
        })
    })
    .await
}

/// The next rows after that key; from the beginning when it is empty.
async fn page(db: &Db, table: &Arc<Table>, after: Vec<Value>) -> Result<Vec<Vec<Value>>> {
    db.read((Arc::clone(table), after), |sql, (table, after)| {
        Box::pin(async move {
            let text = if after.is_empty() { table.texts.first } else { table.texts.after };
            let args: Vec<_> = after.iter().map(Arg::from).collect();
            let columns: Vec<_> = table.columns.iter().collect();
            sql.rows(text, &args).await?.into_iter().map(|row| values(row, &columns)).collect()
        })
    })
    .await
}

async fn put(db: &Db, table: &Arc<Table>, rows: Vec<Vec<Value>>) -> Result<()> {
    db.write((Arc::clone(table), rows), |sql, (table, rows)| {
        Box::pin(async move {
            let whole = rows.len() - rows.len() % TOGETHER;
            for (rows, together, text) in
                [(&rows[..whole], TOGETHER, table.texts.put_many), (&rows[whole..], 1, table.texts.put_one)]
            {
                for rows in rows.chunks(together) {
                    let args: Vec<_> = rows.iter().flatten().map(Arg::from).collect();
                    sql.exec(text, &args).await?;
                }
            }
            Ok(())
        })
    })
    .await
}

async fn compare(
    from: &Db,
    to: &Db,
    table: &Arc<Table>,
    told: &mut (dyn FnMut(Step<'_>) + Send),
) -> Result<Carried, Broken> {
    let sent = sum(from, table, told).await?;
    let found = sum(to, table, told).await?;
    if sent != found {
        return Err(Broken::Differs { table: table.name.clone(), sent: sent.rows, found: found.rows });
    }
    Ok(found)
}

async fn sum(db: &Db, table: &Arc<Table>, told: &mut (dyn FnMut(Step<'_>) + Send)) -> Result<Carried> {
    let (mut digest, mut count, mut after) = (Sha256::new(), 0, Vec::new());
    loop {
        let rows = page(db, table, after).await?;
        let Some(last) = rows.last() else { break };
        after = table.key_in(last);
        rows.iter().flatten().for_each(|value| add(&mut digest, value));
        count += rows.len() as u64;
        told(Step::Compared(&table.name, rows.len() as u64));
    }
    let checksum = digest.finalize().iter().fold(String::new(), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    });
    Ok(Carried { table: table.name.clone(), rows: count, checksum })
}

/// Each value with its type and its length, so that no two rows read the same.
fn add(digest: &mut Sha256, value: &Value) {
    let mut put = |kind: u8, bytes: &[u8]| {
        digest.update([kind]);
        digest.update((bytes.len() as u64).to_be_bytes());
        digest.update(bytes);
    };
    match value {
        Value::Null => put(0, &[]),
        Value::Int(number) => put(1, &number.to_be_bytes()),
        Value::Bool(truth) => put(2, &[u8::from(*truth)]),
        Value::Text(text) => put(3, text.as_bytes()),
        Value::Bytes(bytes) => put(4, bytes),
    }
}

impl Table {
    fn key_in(&self, row: &[Value]) -> Vec<Value> {
        let place = |key: &Column| self.columns.iter().position(|column| column.name == key.name);
        key_of(&self.columns).into_iter().filter_map(place).map(|place| row[place].clone()).collect()
    }
}

/// A row's values, whichever engine they come from.
fn values(mut row: Row, columns: &[&Column]) -> Result<Vec<Value>> {
    let value = |(place, column): (usize, &&Column)| {
        Ok(match row.take(place)? {
            Value::Int(number @ (0 | 1)) if column.is_boolean => Value::Bool(number == 1),
            value => value,
        })
    };
    columns.iter().enumerate().map(value).collect()
}
