//! Where objects lie: a folder, or an object store.
//!
//! An object is created once, whole and only if its name is free; it is never overwritten. That one
//! promise (put-if-absent) is what every decision of the engine rests on, so a store that does not
//! keep it is refused by [`Store::probe`]. The store knows nothing of vaults or formats.

mod error;
mod folder;
mod object;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use object_store::ObjectStore;
use strongroom_model::chance::Chance;

pub use error::StoreError;
use folder::Folder;
use object::Objects;
pub use object::S3Options;

/// What became of an attempt to create an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// The object is ours and durable.
    New,
    /// The name was taken; what lies there was left as it is.
    Exists,
}

/// Name and length of a stored object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMeta {
    /// Full name, parts separated by `/`.
    pub name: String,
    /// Length in bytes.
    pub size_bytes: u64,
}

/// A handle on a place for objects; clones share it.
///
/// All calls block. They may be made from plain threads and from `spawn_blocking`, never from the
/// async tasks of a runtime.
#[derive(Debug, Clone)]
pub struct Store(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Folder(Arc<Folder>),
    Objects(Arc<Objects>),
}

impl Store {
    /// Opens a store: a path of a folder, or `s3://bucket/prefix`.
    ///
    /// A folder is made if it is not there. Nothing is written to a bucket; see [`Store::probe`].
    pub fn open(location: &str, s3: &S3Options) -> Result<Self, StoreError> {
        match location.strip_prefix("s3://") {
            Some(rest) => Ok(Self(Kind::Objects(Arc::new(Objects::s3(location, rest, s3)?)))),
            None => Self::folder(Path::new(location)),
        }
    }

    /// Opens a folder, making it if it is not there.
    pub fn folder(root: &Path) -> Result<Self, StoreError> {
        Ok(Self(Kind::Folder(Arc::new(Folder::open(root)?))))
    }

    /// Wraps any object store; the engine brings the threads to drive it.
    pub fn objects(inner: Arc<dyn ObjectStore>) -> Result<Self, StoreError> {
        Ok(Self(Kind::Objects(Arc::new(Objects::new(inner, "objects")?))))
    }

    /// Creates an object only if its name is free.
    ///
    /// On success it is durable and visible whole. After an error it may or may not exist, except
    /// when the store is full: then it does not.
    pub fn create(&self, name: &str, bytes: Bytes) -> Result<Created, StoreError> {
        match &self.0 {
            Kind::Folder(folder) => folder.create(name, &bytes),
            Kind::Objects(objects) => objects.create(name, bytes),
        }
    }

    /// Reads a whole object.
    pub fn get(&self, name: &str) -> Result<Bytes, StoreError> {
        match &self.0 {
            Kind::Folder(folder) => folder.get(name),
            Kind::Objects(objects) => objects.get(name),
        }
    }

    /// Reads the bytes `range` of an object; fewer if the object ends before.
    pub fn get_range(&self, name: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        match &self.0 {
            Kind::Folder(folder) => folder.get_range(name, range),
            Kind::Objects(objects) => objects.get_range(name, range),
        }
    }

    /// Reads the last `count` bytes of an object, or all of a shorter one, and its whole length.
    pub fn get_tail(&self, name: &str, count: u64) -> Result<(Bytes, u64), StoreError> {
        match &self.0 {
            Kind::Folder(folder) => folder.get_tail(name, count),
            Kind::Objects(objects) => objects.get_tail(name, count),
        }
    }

    /// Length of an object in bytes.
    pub fn size(&self, name: &str) -> Result<u64, StoreError> {
        match &self.0 {
            Kind::Folder(folder) => folder.size(name),
            Kind::Objects(objects) => objects.size(name),
        }
    }

    /// Lists the objects below `prefix` (whole name parts, no trailing `/`), sorted by name.
    ///
    /// An object that exists during the whole call is in the list.
    pub fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>, StoreError> {
        let mut found = match &self.0 {
            Kind::Folder(folder) => folder.list(prefix)?,
            Kind::Objects(objects) => objects.list(prefix)?,
        };
        found.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// Removes an object; one that is not there is fine.
    pub fn delete(&self, name: &str) -> Result<(), StoreError> {
        match &self.0 {
            Kind::Folder(folder) => folder.delete(name),
            Kind::Objects(objects) => objects.delete(name),
        }
    }

    /// Names of the first parts of all objects' names.
    pub fn roots(&self) -> Result<Vec<String>, StoreError> {
        match &self.0 {
            Kind::Folder(folder) => folder.roots(),
            Kind::Objects(objects) => objects.roots(),
        }
    }

    /// Proves with two puts of one fresh name that the store never overwrites.
    ///
    /// A folder is ours and needs no proof.
    pub fn probe(&self, chance: &dyn Chance) -> Result<(), StoreError> {
        if matches!(self.0, Kind::Folder(_)) {
            return Ok(());
        }
        let name = format!("probe/{}", chance.uuid());
        self.create(&name, Bytes::from_static(b"first"))?;
        let second = self.create(&name, Bytes::from_static(b"second"));
        let kept = self.get(&name);
        self.delete(&name)?;
        if second? == Created::Exists && kept?.as_ref() == b"first" {
            return Ok(());
        }
        Err(StoreError::Overwrites { object: name })
    }

    /// Removes what writers that died left behind; returns how many files.
    ///
    /// Files that a living writer is filling are locked by it and stay.
    pub fn remove_leftovers(&self) -> Result<u64, StoreError> {
        match &self.0 {
            Kind::Folder(folder) => folder.remove_leftovers(),
            Kind::Objects(_) => Ok(0),
        }
    }
}
