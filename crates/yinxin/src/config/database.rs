//! Where the database is: the embedded one in the data folder, or a server's.

use std::time::Duration;

use yinxin_core::{Database, PostgresOptions, SqliteOptions, describe_url};

use super::fault::Fault;
use super::keys::Config;
use super::media::Section;
use crate::data::DataDir;

impl Config {
    /// What the server opens, or what is wrong with it.
    pub fn database(&self, dir: &DataDir) -> Result<Database, Vec<Fault>> {
        match self.postgres()? {
            Some(options) => Ok(Database::Postgres(options)),
            None => Ok(Database::Sqlite(SqliteOptions::at(dir.database()))),
        }
    }

    /// The server's, if one is named.
    pub fn postgres(&self) -> Result<Option<PostgresOptions>, Vec<Fault>> {
        let section = Section {
            name: "database",
            others: &[],
            key: "url",
            inline: &self.database_url,
            file: &self.database_url_file,
        };
        let Some(url) = section.secret()? else { return Ok(None) };
        let options = PostgresOptions {
            writers: self.database_write_connections.to_usize(),
            readers: self.database_read_connections.to_usize(),
            queue: self.database_queue.to_usize(),
            wait: Duration::from_millis(self.database_wait_timeout_ms.0),
            statement: Duration::from_millis(self.database_statement_timeout_ms.0),
            connect: Duration::from_millis(self.database_connect_timeout_ms.0),
            ..PostgresOptions::at(url.reveal().to_owned())
        };
        describe_url(&options.url).map_err(|fault| vec![Fault::unreadable("database.url", &fault)])?;
        Ok(Some(options))
    }
}
