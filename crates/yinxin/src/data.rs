//! The data folder: its lock, its keys, its database's and files' places, and the address of the server that uses it.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use yinxin_admin::AdminKey;
use yinxin_core::keys::MasterKey;
use yinxin_core::rng::Rng;

use crate::exit::{Exit, Failure, Outcome};

/// Where the data is unless told otherwise.
pub(crate) const DEFAULT: &str = "./yinxin-data";
/// For whom a file of secrets may be readable: its owner.
const PRIVATE: u32 = 0o600;

/// A data folder, which need not exist.
#[derive(Clone, Debug)]
pub(crate) struct DataDir {
    root: PathBuf,
    /// Where the keys are if they are not in the folder.
    keys: KeyFiles,
}

/// Files with keys that are given to the server, and are not for it to make.
#[derive(Clone, Default, Debug)]
pub(crate) struct KeyFiles {
    pub master: Option<PathBuf>,
    pub admin: Option<PathBuf>,
}

impl DataDir {
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), keys: KeyFiles::default() }
    }

    /// The same folder with keys from elsewhere.
    pub fn with_keys(self, keys: KeyFiles) -> Self {
        Self { keys, ..self }
    }

    /// The folder a client command is for: the one named, or that of the environment, or the default.
    pub fn named(given: Option<&Path>) -> Self {
        let from_env = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let root = given.map(Path::to_owned).or_else(|| from_env("YINXIN_DATA")).unwrap_or_else(|| DEFAULT.into());
        // Another folder than the environment's has keys of its own.
        let admin = if given.is_none() { from_env("YINXIN_KEYS__ADMIN_FILE") } else { None };
        Self::at(root).with_keys(KeyFiles { admin, master: None })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn database(&self) -> PathBuf {
        self.root.join("yinxin.db")
    }

    /// Where the bytes of uploaded files are, unless elsewhere.
    pub fn files(&self) -> PathBuf {
        self.root.join("files")
    }

    pub fn master_key_file(&self) -> PathBuf {
        self.keys.master.clone().unwrap_or_else(|| self.root.join("master.key"))
    }

    pub fn admin_key_file(&self) -> PathBuf {
        self.keys.admin.clone().unwrap_or_else(|| self.root.join("admin.key"))
    }

    pub fn address_file(&self) -> PathBuf {
        self.root.join("address")
    }

    /// There from before the database is made until the first start is finished.
    fn first_start_file(&self) -> PathBuf {
        self.root.join("first-start")
    }

    fn lock_file(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// The URL of the server that last said it uses this folder.
    pub fn address(&self) -> Option<String> {
        let text = fs::read_to_string(self.address_file()).ok()?;
        let address = text.trim();
        (!address.is_empty()).then(|| address.to_owned())
    }

    /// Makes the folder if need be and takes it for this process.
    pub fn lock(&self) -> Outcome<LockedDir> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.root)
            .map_err(|fault| self.fault("cannot make the data folder", &self.root, &fault))?;
        let path = self.lock_file();
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(PRIVATE)
            .open(&path)
            .map_err(|fault| self.fault("cannot write in the data folder", &path, &fault))?;
        match lock.try_lock() {
            Ok(()) => Ok(LockedDir { dir: self.clone(), elsewhere: None, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(self.taken()),
            Err(TryLockError::Error(fault)) => Err(self.fault("cannot lock the data folder", &path, &fault)),
        }
    }

    fn taken(&self) -> Failure {
        let at = self.address().map(|url| format!(" at {url}")).unwrap_or_default();
        let dir = self.root.display();
        let advice = "stop it first, or choose another folder with --data";
        Failure::new(Exit::Conflict, format!("another server{at} is using the data folder {dir}: {advice}"))
    }

    /// Refuses a folder that is in use, as [`Self::lock`] does, and makes nothing.
    pub fn check_free(&self) -> Outcome {
        if self.is_locked() { Err(self.taken()) } else { Ok(()) }
    }

    /// Whether a server is using the folder, as far as can be told without making anything in it.
    pub fn is_locked(&self) -> bool {
        // Shared: two that ask at once must not take each other for a server.
        File::open(self.lock_file()).is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// The mode of the folder or of a file in it.
    pub fn mode(path: &Path) -> io::Result<u32> {
        Ok(fs::metadata(path)?.permissions().mode() & 0o777)
    }

    #[expect(clippy::unused_self, reason = "every fault of the folder is told the same way")]
    fn fault(&self, what: &str, path: &Path, fault: &io::Error) -> Failure {
        Failure::failed(format!("{what}: {}: {fault}", path.display()))
    }
}

/// A data folder that belongs to this process until it ends.
pub(crate) struct LockedDir {
    dir: DataDir,
    /// Its database is a server's: whether somebody has used that before.
    elsewhere: Option<bool>,
    _lock: File,
}

impl LockedDir {
    pub fn dir(&self) -> &DataDir {
        &self.dir
    }

    /// The folder of a node whose database is a server's, which has been used before or not.
    pub fn with_database_elsewhere(self, in_use: bool) -> Self {
        Self { elsewhere: Some(in_use), ..self }
    }

    fn has_database(&self) -> bool {
        self.elsewhere.unwrap_or_else(|| self.dir.database().exists())
    }

    /// Whether no start on this folder was ever finished. To be asked before the database is made: the mark it leaves
    /// outlives a start that dies after that.
    pub fn begin_first_start(&self) -> Outcome<bool> {
        let mark = self.dir.first_start_file();
        if !self.has_database() {
            self.put(&mark, "the first start is not finished")?;
        }
        Ok(mark.exists())
    }

    /// The next start is not the first any more.
    pub fn finish_first_start(&self) -> Outcome {
        let mark = self.dir.first_start_file();
        let removed = || -> io::Result<()> {
            fs::remove_file(&mark)?;
            File::open(&self.dir.root)?.sync_all()
        };
        removed().map_err(|fault| self.dir.fault("cannot remove", &mark, &fault))
    }

    /// The master key; made in a new folder. A database without its key is refused: a new key could open nothing.
    pub fn master_key(&self, rng: &dyn Rng) -> Outcome<MasterKey> {
        let path = self.dir.master_key_file();
        match self.read(&path)? {
            Some(text) => MasterKey::from_hex(&text).ok_or_else(|| {
                let path = path.display();
                Failure::failed(format!("{path} is damaged: it must hold 64 hexadecimal digits; restore it"))
            }),
            None if self.dir.keys.master.is_some() => Err(given_key_missing(
                "keys.master_file",
                &path,
                "`openssl rand -hex 32` makes a key; all nodes of a cluster have the same",
            )),
            None if self.has_database() => Err(Failure::failed(format!(
                "{} is missing, and the secrets in the database cannot be read without it; restore it from a backup{}",
                path.display(),
                if self.elsewhere.is_some() {
                    ", or name the key of the other nodes with keys.master_file"
                } else {
                    ""
                }
            ))),
            None => {
                let key = MasterKey::generate(rng);
                self.put(&path, &key.to_hex())?;
                Ok(key)
            }
        }
    }

    /// The admin key; made when there is none.
    pub fn admin_key(&self, rng: &dyn Rng) -> Outcome<AdminKey> {
        let path = self.dir.admin_key_file();
        let Some(text) = self.read(&path)? else {
            if self.dir.keys.admin.is_some() {
                return Err(given_key_missing("keys.admin_file", &path, "`openssl rand -hex 32` makes a key"));
            }
            let key = AdminKey::generate(rng);
            self.put(&path, key.reveal())?;
            return Ok(key);
        };
        AdminKey::parse(&text).ok_or_else(|| {
            let path = path.display();
            Failure::failed(format!("{path} must hold at least 32 visible characters; delete it to get a new key"))
        })
    }

    /// Says where the server is. A server that listens everywhere is reached here.
    pub fn announce(&self, listening: SocketAddr) -> Outcome<String> {
        let url = local_url(listening);
        self.put(&self.dir.address_file(), &url)?;
        Ok(url)
    }

    /// Takes the address back.
    pub fn withdraw(&self) {
        if let Err(fault) = fs::remove_file(self.dir.address_file()) {
            tracing::warn!(%fault, "the address file could not be removed");
        }
    }

    fn read(&self, path: &Path) -> Outcome<Option<String>> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(Some(text)),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(fault) => Err(self.dir.fault("cannot read", path, &fault)),
        }
    }

    /// Writes a private file so that it is there whole or not at all, whenever the power goes.
    fn put(&self, path: &Path, line: &str) -> Outcome {
        let written = || -> io::Result<()> {
            let draft = path.with_extension("draft");
            let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(PRIVATE).open(&draft)?;
            file.set_permissions(fs::Permissions::from_mode(PRIVATE))?;
            writeln!(file, "{line}")?;
            file.sync_all()?;
            fs::rename(&draft, path)?;
            File::open(&self.dir.root)?.sync_all()
        };
        written().map_err(|fault| self.dir.fault("cannot write", path, &fault))
    }
}

fn given_key_missing(setting: &str, path: &Path, advice: &str) -> Failure {
    Failure::failed(format!("{} ({setting}) is missing: {advice}", path.display()))
}

/// Whether neither the group nor others may do anything.
pub(crate) fn is_private(mode: u32) -> bool {
    let (group, others) = (mode & 0o070, mode & 0o007);
    group == 0 && others == 0
}

/// The URL under which this machine reaches a server that listens there.
pub(crate) fn local_url(listening: SocketAddr) -> String {
    let ip = match listening.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, listening.port()))
}

#[cfg(test)]
mod tests {
    use yinxin_core::rng::SystemRng;

    use super::*;

    #[test]
    fn keys_are_made_once_and_private() {
        let root = tempfile::tempdir().unwrap();
        let dir = DataDir::at(root.path().join("new"));
        let first = dir.lock().unwrap();
        assert_eq!(DataDir::mode(dir.root()).unwrap(), 0o700);
        let master = first.master_key(&SystemRng).unwrap().to_hex();
        let admin = first.admin_key(&SystemRng).unwrap();
        assert_eq!(DataDir::mode(&dir.master_key_file()).unwrap(), 0o600);
        assert_eq!(DataDir::mode(&dir.admin_key_file()).unwrap(), 0o600);
        drop(first);
        let second = dir.lock().unwrap();
        assert_eq!(second.master_key(&SystemRng).unwrap().to_hex(), master);
        assert_eq!(second.admin_key(&SystemRng).unwrap().reveal(), admin.reveal());
    }

    #[test]
    fn a_folder_is_taken_once() {
        let root = tempfile::tempdir().unwrap();
        let dir = DataDir::at(root.path());
        assert!(!dir.is_locked());
        let taken = dir.lock().unwrap();
        assert!(dir.is_locked());
        assert_eq!(dir.lock().err().map(|failure| failure.exit), Some(Exit::Conflict));
        drop(taken);
        assert!(!dir.is_locked());
    }

    #[test]
    fn a_database_without_its_key_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let dir = DataDir::at(root.path());
        fs::write(dir.database(), "").unwrap();
        let taken = dir.lock().unwrap();
        assert!(taken.master_key(&SystemRng).err().unwrap().message.contains("restore it"));
        assert!(!taken.begin_first_start().unwrap());
        fs::write(dir.master_key_file(), "zz").unwrap();
        assert!(taken.master_key(&SystemRng).err().unwrap().message.contains("damaged"));
    }

    #[test]
    fn a_database_elsewhere_may_be_new_or_not() {
        let root = tempfile::tempdir().unwrap();
        let taken = DataDir::at(root.path()).lock().unwrap().with_database_elsewhere(true);
        assert!(!taken.begin_first_start().unwrap());
        assert!(taken.master_key(&SystemRng).err().unwrap().message.contains("keys.master_file"));
        let taken = taken.with_database_elsewhere(false);
        assert!(taken.begin_first_start().unwrap());
        let key = taken.master_key(&SystemRng).unwrap().to_hex();
        let taken = taken.with_database_elsewhere(true);
        assert!(taken.begin_first_start().unwrap(), "the first start is not finished");
        taken.finish_first_start().unwrap();
        assert!(!taken.begin_first_start().unwrap());
        assert_eq!(taken.master_key(&SystemRng).unwrap().to_hex(), key);
    }

    #[test]
    fn keys_that_are_given_are_read_and_never_made() {
        let root = tempfile::tempdir().unwrap();
        let given =
            KeyFiles { master: Some(root.path().join("given.master")), admin: Some(root.path().join("given.admin")) };
        let dir = DataDir::at(root.path().join("data")).with_keys(given);
        let taken = dir.lock().unwrap();
        for missing in [taken.master_key(&SystemRng).err(), taken.admin_key(&SystemRng).err()] {
            assert!(missing.unwrap().message.contains("is missing: `openssl rand -hex 32`"));
        }
        assert!(!dir.master_key_file().exists() && !dir.admin_key_file().exists());
        fs::write(dir.master_key_file(), "ab".repeat(32)).unwrap();
        fs::write(dir.admin_key_file(), "c".repeat(40)).unwrap();
        assert_eq!(taken.master_key(&SystemRng).unwrap().to_hex(), "ab".repeat(32));
        assert_eq!(taken.admin_key(&SystemRng).unwrap().reveal(), "c".repeat(40));
    }

    #[test]
    fn a_server_that_listens_everywhere_is_reached_here() {
        for (listening, url) in
            [("0.0.0.0:1", "http://127.0.0.1:1"), ("[::]:1", "http://[::1]:1"), ("192.0.2.1:80", "http://192.0.2.1:80")]
        {
            assert_eq!(local_url(listening.parse().unwrap()), url);
        }
    }
}
