//! The schema as the engine itself describes it, in words that are the same for both.

use yinxin_store::{Db, Value};
use yinxin_testkit::storage;

use crate::kit::{query, text, texts};

/// The product's tables.
pub async fn tables(db: &Db) -> Vec<String> {
    tables_on(db, storage::on_postgres()).await
}

/// The same of the engine that is named.
pub async fn tables_on(db: &Db, postgres: bool) -> Vec<String> {
    let sql = if postgres {
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
    } else {
        "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
    };
    let mut names = texts(db, sql).await;
    names.retain(|name| name != "play");
    names
}

/// Its columns in order.
pub async fn columns(db: &Db, table: &str) -> Vec<Column> {
    columns_on(db, storage::on_postgres(), table).await
}

/// A column, its type in capitals.
#[derive(Debug, PartialEq)]
pub struct Column {
    pub name: String,
    pub kind: String,
    nullable: bool,
    default: Option<String>,
    /// Its place in the primary key, from 1; 0: it is not in it.
    key: i64,
}

async fn columns_on(db: &Db, postgres: bool, table: &str) -> Vec<Column> {
    let sql = if postgres {
        format!(
            "SELECT a.attname, upper(format_type(a.atttypid, a.atttypmod)), NOT a.attnotnull, \
             pg_get_expr(d.adbin, d.adrelid), COALESCE(array_position(i.indkey::int2[], a.attnum), -1)::bigint + 1 \
             FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
             LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary \
             WHERE a.attrelid = '{table}'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
        )
    } else {
        format!("SELECT name, type, NOT \"notnull\", dflt_value, pk FROM pragma_table_info('{table}') ORDER BY cid")
    };
    let read = |row: Vec<Value>| {
        let [Value::Text(name), Value::Text(kind), nullable, default, Value::Int(key)] = &row[..] else {
            panic!("{row:?}")
        };
        Column {
            name: name.clone(),
            kind: kind.clone(),
            nullable: matches!(nullable, Value::Bool(true) | Value::Int(1)),
            default: match default {
                // PostgreSQL says of which type a constant is.
                Value::Text(text) => Some(text.split("::").next().unwrap_or_default().to_lowercase()),
                _ => None,
            },
            key: *key,
        }
    };
    query(db, text(sql), Vec::new(), 5).await.into_iter().map(read).collect()
}

/// The indexes of a table beside its primary key, each as a line.
async fn indexes(db: &Db, postgres: bool, table: &str) -> Vec<String> {
    let sql = if postgres {
        format!(
            "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = '{table}' AND indexname NOT IN \
             (SELECT conname FROM pg_constraint) ORDER BY indexname"
        )
    } else {
        format!(
            "SELECT sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = '{table}' AND sql IS NOT NULL ORDER BY name"
        )
    };
    let spoken = |line: String| line.replace("public.", "").replace(" USING btree", "").replace(['(', ')'], " ");
    let words = |line: String| line.split_whitespace().collect::<Vec<_>>().join(" ");
    texts(db, text(sql)).await.into_iter().map(spoken).map(words).collect()
}

/// What is compared: every table with its columns and its indexes.
pub async fn whole(db: &Db, postgres: bool) -> Vec<(String, Vec<Column>, Vec<String>)> {
    let mut found = Vec::new();
    for table in tables_on(db, postgres).await {
        // The history of migrations is written by the library that runs them, its types are its own.
        if table != "refinery_schema_history" {
            let (columns, indexes) = (columns_on(db, postgres, &table).await, indexes(db, postgres, &table).await);
            found.push((table, columns, indexes));
        }
    }
    found
}
