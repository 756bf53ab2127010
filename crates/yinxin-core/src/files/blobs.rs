//! The bytes of files: objects in a folder or in a bucket. The only module that names object_store. Must not know what a
//! file or an app is.

use std::fs::{DirBuilder, File};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    ClientOptions, GetOptions, GetResultPayload, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload, RetryConfig,
};
use yinxin_store::ObjectId;
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};

/// Bytes written to a folder at a time.
const FOLDER_CHUNK_BYTES: usize = 256 * 1024;
/// Bytes sent to a bucket at a time; services take no less. As many are held for each upload.
const BUCKET_CHUNK_BYTES: usize = 5 * 1024 * 1024;
/// Bytes read from a folder at a time.
const READ_CHUNK_BYTES: usize = 128 * 1024;
/// A service that is silent for so long does not answer.
const SILENCE: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Bounds of trying a call of the service again.
const RETRIES: usize = 3;
const RETRY_TIME: Duration = Duration::from_secs(20);

/// Where the bytes of files are kept.
#[derive(Clone)]
pub enum Place {
    /// A folder on a local disk; made if need be.
    Folder(PathBuf),
    /// A bucket of an S3-compatible service.
    Bucket(Bucket),
}

/// A bucket, and how it is reached.
#[derive(Clone)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// The service's URL; `None`: Amazon's in that region.
    pub endpoint: Option<String>,
    /// The region that calls are signed for.
    pub region: String,
    /// Before the names of all objects; may be empty.
    pub prefix: String,
    /// Key id and secret; `None`: those of the machine's role.
    pub key: Option<(String, Zeroizing<String>)>,
    /// The bucket is part of the host's name, not of the path.
    pub in_host: bool,
}

/// An open place.
#[derive(Clone)]
pub(crate) struct Blobs {
    store: Arc<dyn ObjectStore>,
    /// The same store, if it is a folder.
    folder: Option<LocalFileSystem>,
    prefix: Path,
    chunk_bytes: usize,
}

impl Blobs {
    /// Opens the place. A bucket is not asked for anything yet.
    pub fn open(place: &Place) -> Result<Self> {
        match place {
            Place::Folder(folder) => {
                make_folders(folder).map_err(failed)?;
                let store = LocalFileSystem::new_with_prefix(folder).map_err(failed)?.with_fsync(true);
                let (prefix, chunk_bytes) = (Path::default(), FOLDER_CHUNK_BYTES);
                Ok(Self { store: Arc::new(store.clone()), folder: Some(store), prefix, chunk_bytes })
            }
            Place::Bucket(bucket) => {
                let prefix = Path::parse(&bucket.prefix).map_err(failed)?;
                let store = Arc::new(client_of(bucket)?);
                Ok(Self { store, folder: None, prefix, chunk_bytes: BUCKET_CHUNK_BYTES })
            }
        }
    }

    /// Begins to write an object. Nothing of it can be read before it is whole.
    pub fn write(&self, object: ObjectId) -> Writer {
        Writer { blobs: self.clone(), path: self.path(object), held: BytesMut::new(), upload: None }
    }

    /// Those bytes of an object as they are read.
    pub async fn read(&self, object: ObjectId, range: Range<u64>) -> Result<BoxStream<'static, Result<Bytes>>> {
        if range.is_empty() {
            return Ok(stream::empty().boxed());
        }
        let options = GetOptions { range: Some(range.clone().into()), ..GetOptions::default() };
        let got = self.store.get_opts(&self.path(object), options).await.map_err(unread)?;
        if got.range != range {
            return Err(failed(format!("{object:?} has {} bytes, {range:?} were asked for", got.meta.size)));
        }
        Ok(match got.payload {
            GetResultPayload::File(file, _) => from_file(file, range),
            GetResultPayload::Stream(stream) => stream.map_err(unread).boxed(),
        })
    }

    /// Deletes objects, also what was written of them when somebody died; one that is not there is no error.
    pub async fn delete(&self, objects: &[ObjectId]) -> Result<()> {
        let paths: Vec<Path> = objects.iter().map(|object| self.path(*object)).collect();
        if let Some(folder) = self.folder.clone() {
            let removed = tokio::task::spawn_blocking(move || remove_files(&folder, &paths)).await;
            return removed.map_err(failed)?;
        }
        let asked = stream::iter(paths.into_iter().map(Ok)).boxed();
        let mut deleted = self.store.delete_stream(asked);
        while let Some(outcome) = deleted.next().await {
            match outcome {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(fault) => return Err(failed(fault)),
            }
        }
        Ok(())
    }

    /// Fails unless objects can be looked for. A list is asked for: an object that is not there does not tell whether its
    /// bucket is.
    pub async fn check(&self) -> Result<()> {
        self.store.list(Some(&self.prefix)).next().await.transpose().map(|_| ()).map_err(failed)
    }

    /// Spread over folders by their first two digits, for the sake of tools that go through folders.
    fn path(&self, object: ObjectId) -> Path {
        let name = hex::encode(object.0);
        self.prefix.clone().join(&name[..2]).join(name)
    }
}

/// Makes the folder and those for the first two digits, so that no write has to.
fn make_folders(root: &std::path::Path) -> io::Result<()> {
    let make = |folder: &std::path::Path| DirBuilder::new().recursive(true).mode(0o700).create(folder);
    make(root)?;
    for digits in u8::MIN..=u8::MAX {
        make(&root.join(hex::encode([digits])))?;
    }
    File::open(root)?.sync_all()
}

fn client_of(bucket: &Bucket) -> Result<object_store::aws::AmazonS3> {
    let client = ClientOptions::new()
        .with_timeout_disabled()
        .with_read_timeout(SILENCE)
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_allow_http(bucket.endpoint.as_deref().is_some_and(|url| url.starts_with("http://")));
    let retry = RetryConfig { max_retries: RETRIES, retry_timeout: RETRY_TIME, ..RetryConfig::default() };
    let mut builder = AmazonS3Builder::new()
        .with_client_options(client)
        .with_retry(retry)
        .with_bucket_name(&bucket.name)
        .with_region(&bucket.region)
        .with_virtual_hosted_style_request(bucket.in_host)
        // Not all services take a list of what to delete.
        .with_disable_bulk_delete(bucket.endpoint.is_some());
    if let Some(endpoint) = &bucket.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    if let Some((id, secret)) = &bucket.key {
        builder = builder.with_access_key_id(id).with_secret_access_key(secret.as_str());
    }
    builder.build().map_err(failed)
}

fn remove_files(folder: &LocalFileSystem, paths: &[Path]) -> Result<()> {
    for path in paths {
        let file = folder.path_to_filesystem(path).map_err(failed)?;
        let mut unfinished = file.clone().into_os_string();
        // What object_store calls a file until it is whole.
        unfinished.push("#1");
        for file in [file, unfinished.into()] {
            match std::fs::remove_file(file) {
                Err(fault) if fault.kind() != io::ErrorKind::NotFound => return Err(failed(fault)),
                _ => {}
            }
        }
    }
    Ok(())
}

/// Reads a file on the threads that may block.
fn from_file(file: File, range: Range<u64>) -> BoxStream<'static, Result<Bytes>> {
    let file = Arc::new(file);
    stream::try_unfold(range, move |left| {
        let file = Arc::clone(&file);
        async move {
            if left.is_empty() {
                return Ok(None);
            }
            let length = usize::try_from(left.end - left.start).unwrap_or(usize::MAX).min(READ_CHUNK_BYTES);
            let read = move || {
                let mut chunk = vec![0; length];
                file.read_exact_at(&mut chunk, left.start).map(|()| chunk)
            };
            let chunk = tokio::task::spawn_blocking(read).await.map_err(failed)?.map_err(failed)?;
            Ok(Some((Bytes::from(chunk), left.start + length as u64..left.end)))
        }
    })
    .boxed()
}

/// An object that is being written.
pub(crate) struct Writer {
    blobs: Blobs,
    path: Path,
    held: BytesMut,
    upload: Option<Box<dyn MultipartUpload>>,
}

impl Writer {
    /// Writes some bytes. They are copied and sent in chunks of one size, since a caller may bring them one by one.
    pub async fn write(&mut self, data: &[u8]) -> Result<()> {
        self.held.extend_from_slice(data);
        while self.held.len() > self.blobs.chunk_bytes {
            let chunk = self.held.split_to(self.blobs.chunk_bytes).freeze();
            self.send(chunk).await?;
        }
        Ok(())
    }

    /// Writes the rest. When this returns `Ok`, the object is on disk, or the service has it.
    pub async fn finish(&mut self) -> Result<()> {
        let rest = self.held.split().freeze();
        if self.upload.is_none() {
            return self.blobs.store.put(&self.path, PutPayload::from(rest)).await.map(|_| ()).map_err(failed);
        }
        self.send(rest).await?;
        match &mut self.upload {
            Some(upload) => upload.complete().await.map(|_| ()).map_err(failed),
            None => Ok(()),
        }
    }

    /// Takes back what was sent. What cannot be is left to the service's own rules.
    pub async fn abort(&mut self) {
        if let Some(mut upload) = self.upload.take()
            && let Err(fault) = upload.abort().await
        {
            tracing::warn!(%fault, "an upload to the file store could not be taken back");
        }
    }

    async fn send(&mut self, chunk: Bytes) -> Result<()> {
        let upload = match &mut self.upload {
            Some(upload) => upload,
            none => none.insert(self.blobs.store.put_multipart(&self.path).await.map_err(failed)?),
        };
        upload.put_part(PutPayload::from(chunk)).await.map_err(failed)
    }
}

fn failed(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::from(Code::FileStore).caused_by(source)
}

fn unread(fault: object_store::Error) -> Error {
    match fault {
        object_store::Error::NotFound { .. } => Error::from(Code::FileNotFound).caused_by(fault),
        fault => failed(fault),
    }
}
