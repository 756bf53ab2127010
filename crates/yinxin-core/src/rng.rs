//! Randomness as a parameter: use cases take it from `ctx.rng`.

/// Where random bytes come from.
pub trait Rng: Send + Sync {
    /// Fills `bytes` with random bytes fit for keys.
    fn fill(&self, bytes: &mut [u8]);
}

/// `N` random bytes.
pub fn bytes<const N: usize>(rng: &dyn Rng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill(&mut bytes);
    bytes
}

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRng;

impl Rng for SystemRng {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine for randomness")]
    fn fill(&self, bytes: &mut [u8]) {
        // Linux refuses only before its pool is ready at boot; a server without randomness must not go on.
        if let Err(source) = getrandom::fill(bytes) {
            panic!("the operating system gives no random bytes: {source}");
        }
    }
}
