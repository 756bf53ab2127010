//! The reference of everything that hashes a password: how many Argon2id hashes the bare machine makes.

use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;

use crate::load::Outcome;
use crate::problem::{Explain as _, Problem, Result};
use crate::stats::float;

/// The server's parameters: 19 MiB, two passes, one lane.
fn parameters() -> std::result::Result<Params, argon2::Error> {
    Params::new(19_456, 2, 1, Some(32))
}

/// Hashes on every core for `measured`, one reused memory block per core.
pub async fn rate(measured: Duration) -> Result<Outcome> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads: Vec<_> = (0..cores).map(|_| tokio::task::spawn_blocking(move || hash_for(measured))).collect();
    let mut per_second = 0.0;
    for thread in threads {
        per_second += thread.await.explain("a hashing thread failed")??;
    }
    Ok(Outcome::of_rate(per_second))
}

/// A stored form of that password at the server's parameters.
pub fn phc(password: &str) -> Result<String> {
    let wrong = |error: argon2::Error| Problem::new(format!("cannot hash: {error}"));
    let salt = b"sixteen bytes ok";
    let mut hash = [0_u8; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters().map_err(wrong)?)
        .hash_password_into(password.as_bytes(), salt, &mut hash)
        .map_err(wrong)?;
    let base64 = base64::engine::general_purpose::STANDARD_NO_PAD;
    Ok(format!("$argon2id$v=19$m=19456,t=2,p=1${}${}", base64.encode(salt), base64.encode(hash)))
}

/// Hashes per second of one core.
fn hash_for(measured: Duration) -> Result<f64> {
    let wrong = |error: argon2::Error| Problem::new(format!("cannot hash: {error}"));
    let parameters = parameters().map_err(wrong)?;
    let mut memory = vec![Block::default(); parameters.block_count()];
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
    let mut out = [0_u8; 32];
    let started = Instant::now();
    let mut hashes = 0;
    while started.elapsed() < measured {
        argon
            .hash_password_into_with_memory(b"a password", b"sixteen bytes ok", &mut out, &mut memory)
            .map_err(wrong)?;
        hashes += 1;
    }
    Ok(float(hashes) / started.elapsed().as_secs_f64())
}
