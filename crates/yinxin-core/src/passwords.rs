//! Password hashing: Argon2id on a few threads of low priority with one memory block each and a bounded queue, so that
//! a storm of logins costs neither memory nor the latency of anything else. Full means "busy", never a longer queue, and
//! the network that fills it hears that before any other.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use phc::PasswordHash;
use subtle::ConstantTimeEq;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::rates::Network;
use crate::rng::{self, Rng};

use queue::{FairQueue, Pushed};

mod queue;
#[cfg(test)]
mod tests;

const SALT_BYTES: usize = 16;
pub(crate) const HASH_BYTES: usize = 32;
/// Memory a stored hash may ask for, in KiB: an imported string must not be able to take the machine down.
pub(crate) const FOREIGN_MEMORY_MAX_KIB: u32 = 256 * 1024;

/// What a new hash costs: the parameters of Argon2id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HashCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for HashCost {
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2, lanes: 1 }
    }
}

/// What checking a password found.
#[derive(Debug)]
pub struct Verdict {
    /// The password is the right one.
    pub matches: bool,
    /// A hash at today's cost, when the stored one was cheaper or dearer and the password is right.
    pub upgrade: Option<String>,
}

/// The pool.
pub struct Passwords {
    queue: Arc<Queue>,
    threads: usize,
    filled_kib: Arc<AtomicU64>,
}

/// By the network that asks; what nobody asks for from outside stands together.
type Queue = FairQueue<Option<Network>, Task>;

struct Task {
    password: Zeroizing<String>,
    work: Work,
}

enum Work {
    Hash(oneshot::Sender<Result<String>>),
    Verify(Option<String>, oneshot::Sender<Result<Verdict>>),
}

impl Work {
    fn refuse(self) {
        metrics::counter!("yinxin_password_busy_total").increment(1);
        // A caller that went away needs no answer.
        match self {
            Self::Hash(reply) => drop(reply.send(Err(Code::Busy.into()))),
            Self::Verify(_, reply) => drop(reply.send(Err(Code::Busy.into()))),
        }
    }
}

impl Drop for Passwords {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Passwords {
    /// Starts the threads.
    pub(crate) fn start(cost: HashCost, limits: &Limits, rng: &Arc<dyn Rng>) -> Result<Self> {
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(HASH_BYTES)).map_err(|source| {
            Error::about(Code::Internal, format!("{cost:?}"))
                .caused_by(format!("the hash cost is not possible: {source}"))
        })?;
        let queue = Arc::new(Queue::new(limits.password_queue));
        let threads = limits.password_threads.max(1);
        let filled_kib = Arc::<AtomicU64>::default();
        for number in 0..threads {
            let worker = Worker::new(params.clone(), Arc::clone(rng), Arc::clone(&filled_kib));
            let tasks = Arc::clone(&queue);
            std::thread::Builder::new()
                .name(format!("yinxin-hash-{number}"))
                .spawn(move || worker.run(&tasks))
                .map_err(|source| Error::from(Code::Internal).caused_by(source))?;
        }
        Ok(Self { queue, threads, filled_kib })
    }

    /// How many passwords are hashed at a time.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// KiB of memory filled since the start, each pass counted: the work that was done.
    pub fn filled_kib(&self) -> u64 {
        self.filled_kib.load(Ordering::Relaxed)
    }

    /// Hashes a new password into a PHC string. `from`: who asks for it, if it is somebody outside.
    pub async fn hash(&self, password: Zeroizing<String>, from: Option<IpAddr>) -> Result<String> {
        let (reply, answer) = oneshot::channel();
        self.enqueue(from, Task { password, work: Work::Hash(reply) });
        answer.await.unwrap_or_else(|_| Err(Code::Internal.into()))
    }

    /// Checks a password against a stored hash. Without one the same work is done and the answer is no, so that the
    /// time does not tell whether there is a user.
    pub async fn verify(
        &self,
        password: Zeroizing<String>,
        stored: Option<String>,
        from: Option<IpAddr>,
    ) -> Result<Verdict> {
        let (reply, answer) = oneshot::channel();
        self.enqueue(from, Task { password, work: Work::Verify(stored, reply) });
        answer.await.unwrap_or_else(|_| Err(Code::Internal.into()))
    }

    fn enqueue(&self, from: Option<IpAddr>, task: Task) {
        match self.queue.push(from.map(Network::of), task) {
            Pushed::Waits => {}
            Pushed::InPlaceOf(task) | Pushed::Refused(task) => task.work.refuse(),
        }
    }
}

struct Worker {
    params: Params,
    rng: Arc<dyn Rng>,
    memory: Vec<Block>,
    filled_kib: Arc<AtomicU64>,
}

impl Worker {
    fn new(params: Params, rng: Arc<dyn Rng>, filled_kib: Arc<AtomicU64>) -> Self {
        Self { params, rng, memory: Vec::new(), filled_kib }
    }

    fn run(mut self, tasks: &Queue) {
        // Priority is per thread on Linux; a refusal costs fairness, not correctness.
        if let Err(source) = rustix::process::setpriority_process(None, 10) {
            tracing::debug!(%source, "the password threads keep the normal priority");
        }
        while let Some(Task { password, work }) = tasks.pop() {
            // A caller that went away needs no answer: its hash is skipped and sending to it is no error.
            match work {
                Work::Hash(reply) if !reply.is_closed() => drop(reply.send(self.hash(password.as_bytes()))),
                Work::Verify(stored, reply) if !reply.is_closed() => {
                    drop(reply.send(self.verify(password.as_bytes(), stored.as_deref())));
                }
                Work::Hash(_) | Work::Verify(..) => {}
            }
        }
    }

    fn hash(&mut self, password: &[u8]) -> Result<String> {
        let salt: [u8; SALT_BYTES] = rng::bytes(self.rng.as_ref());
        let params = self.params.clone();
        let hash = self.argon2id(&params, password, &salt)?;
        let text = || -> Result<String, phc::Error> {
            Ok(PasswordHash {
                algorithm: argon2::ARGON2ID_IDENT,
                version: Some(Version::V0x13.into()),
                params: phc::ParamsString::try_from(&params).map_err(|_| phc::Error::ParamValueInvalid)?,
                salt: Some(phc::Salt::new(&salt)?),
                hash: Some(phc::Output::new(&hash)?),
            }
            .to_string())
        };
        text().map_err(|source| Error::from(Code::Internal).caused_by(source.to_string()))
    }

    fn verify(&mut self, password: &[u8], stored: Option<&str>) -> Result<Verdict> {
        let Some(stored) = stored else {
            let params = self.params.clone();
            self.argon2id(&params, password, &[0; SALT_BYTES])?;
            return Ok(Verdict { matches: false, upgrade: None });
        };
        let unreadable = || Error::from(Code::Internal).caused_by("a stored password hash cannot be read");
        let parsed = PasswordHash::new(stored).map_err(|_| unreadable())?;
        let params = Params::try_from(&parsed).map_err(|_| unreadable())?;
        let (Some(salt), Some(expected)) = (parsed.salt, parsed.hash) else { return Err(unreadable()) };
        if parsed.algorithm != argon2::ARGON2ID_IDENT || params.m_cost() > FOREIGN_MEMORY_MAX_KIB {
            return Err(unreadable());
        }
        let found = self.argon2id(&params, password, &salt)?;
        let matches = bool::from(found.ct_eq(expected.as_bytes()));
        let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        let upgrade = if matches && cost(&params) != cost(&self.params) { Some(self.hash(password)?) } else { None };
        Ok(Verdict { matches, upgrade })
    }

    fn argon2id(&mut self, params: &Params, password: &[u8], salt: &[u8]) -> Result<[u8; HASH_BYTES]> {
        let mut hash = [0; HASH_BYTES];
        if self.memory.len() < params.block_count() {
            self.memory.resize(params.block_count(), Block::new());
        }
        self.filled_kib.fetch_add(u64::from(params.m_cost()) * u64::from(params.t_cost()), Ordering::Relaxed);
        let done = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
            .hash_password_into_with_memory(password, salt, &mut hash, &mut self.memory[..params.block_count()])
            .map_err(|source| Error::from(Code::Internal).caused_by(source.to_string()));
        // A dearer hash than ours comes from an import and is replaced at its first login; its memory is not kept.
        let ours = self.params.block_count();
        if self.memory.len() > ours {
            self.memory.truncate(ours);
            self.memory.shrink_to_fit();
        }
        done.map(|()| hash)
    }
}
