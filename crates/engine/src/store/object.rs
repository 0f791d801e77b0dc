//! Objects in an object store, driven from blocking threads.
//!
//! This is the only place of the engine where anything is async.

use std::fmt;
use std::future::Future;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt as _;
use object_store::aws::{AmazonS3Builder, S3ConditionalPut};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, RetryConfig};
use tokio::runtime::Runtime;

use super::{Created, ObjectMeta, StoreError};

/// How to reach an S3 service; the caller fills it from wherever its settings lie.
#[derive(Clone, Default)]
pub struct S3Options {
    /// Address of the service; the public one of the region if absent.
    pub endpoint: Option<String>,
    /// Region name; `us-east-1` if absent.
    pub region: Option<String>,
    /// Access key id.
    pub access_key_id: Option<String>,
    /// Secret access key.
    pub secret_access_key: Option<String>,
    /// Whether plain HTTP is allowed.
    pub allow_http: bool,
    /// How often one request is sent at most when the service fails; eleven times if absent.
    pub attempts_max: Option<usize>,
}

impl fmt::Debug for S3Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Options")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("access_key_id", &self.access_key_id)
            .field("allow_http", &self.allow_http)
            .field("attempts_max", &self.attempts_max)
            .finish_non_exhaustive()
    }
}

/// An object store, a prefix in it, and the threads that drive it.
#[derive(Debug)]
pub(super) struct Objects {
    inner: Arc<dyn ObjectStore>,
    prefix: Path,
    /// Taken only by `drop`.
    runtime: Option<Runtime>,
}

impl Drop for Objects {
    fn drop(&mut self) {
        // A plain drop would block, which a caller inside an async task must not.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Objects {
    /// Wraps `inner`; `location` is for the error that the threads could not be started.
    pub(super) fn new(inner: Arc<dyn ObjectStore>, location: &str) -> Result<Self, StoreError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("store")
            .enable_all()
            .build()
            .map_err(|e| StoreError::from_io("open", location, e))?;
        Ok(Self { inner, prefix: Path::default(), runtime: Some(runtime) })
    }

    /// Opens `bucket/prefix`, the part of `location` behind `s3://`.
    pub(super) fn s3(location: &str, rest: &str, s3: &S3Options) -> Result<Self, StoreError> {
        let refuse =
            |detail: String| StoreError::Location { location: location.to_owned(), detail };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(refuse("the bucket is missing".to_owned()));
        }
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(s3.region.as_deref().unwrap_or("us-east-1"))
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_allow_http(s3.allow_http);
        if let Some(endpoint) = &s3.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if let (Some(id), Some(secret)) = (&s3.access_key_id, &s3.secret_access_key) {
            builder = builder.with_access_key_id(id).with_secret_access_key(secret);
        }
        if let Some(attempts_max) = s3.attempts_max {
            let max_retries = attempts_max.saturating_sub(1);
            builder = builder.with_retry(RetryConfig { max_retries, ..Default::default() });
        }
        let inner = builder.build().map_err(|e| refuse(e.to_string()))?;
        let prefix = Path::parse(prefix).map_err(|e| refuse(e.to_string()))?;
        let mut objects = Self::new(Arc::new(inner), location)?;
        objects.prefix = prefix;
        Ok(objects)
    }

    pub(super) fn create(&self, name: &str, bytes: Bytes) -> Result<Created, StoreError> {
        let path = self.path("create", name)?;
        let options = PutOptions { mode: PutMode::Create, ..Default::default() };
        match self.wait(self.inner.put_opts(&path, bytes.into(), options)) {
            Ok(_) => Ok(Created::New),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(Created::Exists),
            Err(e) => Err(StoreError::from_object("create", name, e)),
        }
    }

    pub(super) fn get(&self, name: &str) -> Result<Bytes, StoreError> {
        let path = self.path("read", name)?;
        self.wait(async { self.inner.get(&path).await?.bytes().await })
            .map_err(|e| StoreError::from_object("read", name, e))
    }

    pub(super) fn get_range(&self, name: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let path = self.path("read", name)?;
        self.wait(self.inner.get_range(&path, range))
            .map_err(|e| StoreError::from_object("read", name, e))
    }

    pub(super) fn get_tail(&self, name: &str, count: u64) -> Result<(Bytes, u64), StoreError> {
        // Some services answer a suffix longer than the object with an error, so ask first.
        let len = self.size(name)?;
        Ok((self.get_range(name, len.saturating_sub(count)..len)?, len))
    }

    pub(super) fn size(&self, name: &str) -> Result<u64, StoreError> {
        let path = self.path("read", name)?;
        self.wait(self.inner.head(&path))
            .map(|meta| meta.size)
            .map_err(|e| StoreError::from_object("read", name, e))
    }

    pub(super) fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>, StoreError> {
        let path = self.path("list", prefix)?;
        let listing = self
            .inner
            .list(Some(&path))
            .map_ok(|meta| ObjectMeta { name: self.name(&meta.location), size_bytes: meta.size });
        self.wait(listing.try_collect()).map_err(|e| StoreError::from_object("list", prefix, e))
    }

    pub(super) fn delete(&self, name: &str) -> Result<(), StoreError> {
        let path = self.path("delete", name)?;
        match self.wait(self.inner.delete(&path)) {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(e) => Err(StoreError::from_object("delete", name, e)),
        }
    }

    pub(super) fn roots(&self) -> Result<Vec<String>, StoreError> {
        let listing = self
            .wait(self.inner.list_with_delimiter(Some(&self.prefix)))
            .map_err(|e| StoreError::from_object("list", "", e))?;
        Ok(listing.common_prefixes.iter().map(|path| self.name(path)).collect())
    }

    fn path(&self, verb: &'static str, name: &str) -> Result<Path, StoreError> {
        let full = format!("{}/{name}", self.prefix);
        Path::parse(full.trim_start_matches('/'))
            .map_err(|e| StoreError::from_object(verb, name, e.into()))
    }

    fn name(&self, path: &Path) -> String {
        let full = path.as_ref();
        let own = full.strip_prefix(self.prefix.as_ref()).unwrap_or(full);
        own.trim_start_matches('/').to_owned()
    }

    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        let runtime = self.runtime.as_ref();
        runtime.expect("only drop takes the runtime, and drop is the last call").block_on(work)
    }
}
