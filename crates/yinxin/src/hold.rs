//! This process's place on a database server: beside the other nodes of its cluster, or alone. A data folder has a lock of
//! its own.

use std::time::Duration;

use yinxin_core::{Hold, PostgresOptions, Refused, Tenancy};

use crate::exit::{Exit, Failure, Outcome};

/// A place, where one is needed.
pub(crate) struct Held {
    hold: Option<Hold>,
    /// What to do when it is taken.
    advice: &'static str,
}

impl Held {
    /// Of the embedded database.
    pub const fn nothing() -> Self {
        Self { hold: None, advice: "" }
    }

    /// Takes a place on that server for `who`, who waits so long for it.
    pub async fn take(
        server: &PostgresOptions,
        tenancy: Tenancy,
        who: String,
        patience: Duration,
        advice: &'static str,
    ) -> Outcome<Self> {
        let hold = Hold::take(server, tenancy, who, patience).await.map_err(|refused| failure(&refused, advice))?;
        Ok(Self { hold: Some(hold), advice })
    }

    /// Waits until somebody else has the database.
    pub async fn lost(&mut self) -> Failure {
        match &mut self.hold {
            Some(hold) => failure(&hold.lost().await, self.advice),
            None => std::future::pending().await,
        }
    }
}

fn failure(refused: &Refused, advice: &str) -> Failure {
    match refused {
        Refused::Taken(_) => Failure::new(Exit::Conflict, format!("{refused}: {advice}")),
        Refused::Database(fault) => Failure::failed(format!("the database cannot be held: {fault}")),
    }
}
