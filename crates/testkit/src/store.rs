//! An object store that breaks when told, for tests of what survives.

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// How the store breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// One call fails and does nothing.
    FailBefore,
    /// One call does its work, and its answer is lost.
    FailAfter,
    /// That call and all later ones fail and do nothing, as if the process had died before it.
    StopBefore,
    /// That call does its work, and its answer and all later calls fail.
    StopAfter,
    /// That put and all later ones find no room.
    Full,
}

/// Which call is the one to break, or to do something at.
#[derive(Default)]
struct Plan {
    calls: u64,
    fault: Option<(u64, Fault)>,
    interruption: Option<(u64, Interruption)>,
    ignores_conditions: bool,
}

/// Something that happens between two calls.
type Interruption = Box<dyn FnOnce() + Send>;

/// An object store around another one, with a counter of calls and a plan of faults.
pub struct FaultyStore {
    inner: Arc<dyn ObjectStore>,
    plan: Mutex<Plan>,
}

impl FaultyStore {
    /// Wraps `inner`; nothing breaks until a fault is planned.
    pub fn new(inner: Arc<dyn ObjectStore>) -> Arc<Self> {
        Arc::new(Self { inner, plan: Mutex::default() })
    }

    /// A store in memory; nothing breaks until a fault is planned.
    pub fn in_memory() -> Arc<Self> {
        Self::new(Arc::new(object_store::memory::InMemory::new()))
    }

    /// Breaks the `call`-th call from here on, counted from 1.
    pub fn break_at(&self, call: u64, fault: Fault) {
        let mut plan = self.plan();
        plan.calls = 0;
        plan.fault = Some((call, fault));
    }

    /// Does something just before the `call`-th call from here on, on a thread of its own.
    pub fn interrupt_at(&self, call: u64, work: impl FnOnce() + Send + 'static) {
        let mut plan = self.plan();
        plan.calls = 0;
        plan.interruption = Some((call, Box::new(work)));
    }

    /// Forgets all plans.
    ///
    /// Returns whether the planned call was reached.
    pub fn heal(&self) -> bool {
        let mut plan = self.plan();
        let calls = plan.calls;
        let fault = plan.fault.take().is_some_and(|(call, _)| calls >= call);
        // An interruption that happened is no longer in the plan.
        let interruption = plan.interruption.take();
        fault || interruption.is_some_and(|(call, _)| calls >= call)
    }

    /// Whether a planned interruption is still to come.
    pub fn is_waiting(&self) -> bool {
        self.plan().interruption.is_some()
    }

    /// Makes conditional puts overwrite, as stores do that do not know the condition.
    pub fn ignore_conditions(&self) {
        self.plan().ignores_conditions = true;
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call; says what is to go wrong with it before and after its work.
    fn count(&self, is_put: bool) -> (Result<()>, Result<()>) {
        let (call, fault, interruption) = {
            let mut plan = self.plan();
            plan.calls += 1;
            let call = plan.calls;
            let is_due = plan.interruption.as_ref().is_some_and(|(at, _)| *at == call);
            (call, plan.fault, is_due.then(|| plan.interruption.take()).flatten())
        };
        if let Some((_, work)) = interruption {
            // The work may wait for stores of its own, which this thread, being async, must not.
            let done = std::thread::spawn(work).join();
            assert!(done.is_ok(), "the interruption panicked");
        }
        let Some((at, fault)) = fault else {
            return (Ok(()), Ok(()));
        };
        match fault {
            Fault::FailBefore if call == at => (broken(), Ok(())),
            Fault::FailAfter if call == at => (Ok(()), broken()),
            Fault::StopBefore if call >= at => (broken(), Ok(())),
            Fault::StopAfter if call == at => (Ok(()), broken()),
            Fault::StopAfter if call > at => (broken(), Ok(())),
            Fault::Full if call >= at && is_put => (full(), Ok(())),
            _ => (Ok(()), Ok(())),
        }
    }
}

fn broken() -> Result<()> {
    Err(Error::Generic { store: "faulty", source: "broken as planned".into() })
}

fn full() -> Result<()> {
    let source = Box::new(io::Error::from(io::ErrorKind::StorageFull));
    Err(Error::Generic { store: "faulty", source })
}

impl fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultyStore({:?})", self.inner)
    }
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultyStore({})", self.inner)
    }
}

#[async_trait::async_trait]
impl ObjectStore for FaultyStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        mut options: PutOptions,
    ) -> Result<PutResult> {
        let (before, after) = self.count(true);
        before?;
        if self.plan().ignores_conditions {
            options.mode = PutMode::Overwrite;
        }
        let put = self.inner.put_opts(location, payload, options).await;
        after?;
        put
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let (before, after) = self.count(false);
        before?;
        let got = self.inner.get_opts(location, options).await;
        after?;
        got
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let (before, after) = self.count(false);
        before?;
        let got = self.inner.get_ranges(location, ranges).await;
        after?;
        got
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let (before, after) = self.count(false);
        if let Err(e) = before {
            return futures::stream::once(async { Err(e) }).boxed();
        }
        let deleted = self.inner.delete_stream(locations);
        match after {
            Ok(()) => deleted,
            Err(e) => {
                // The work is done only as the stream is read, so the loss comes at its end.
                let mut loss = Some(e);
                deleted.map(move |path| loss.take().map_or(path, Err)).boxed()
            }
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (before, after) = self.count(false);
        match before.and(after) {
            Ok(()) => self.inner.list(prefix),
            Err(e) => futures::stream::once(async { Err(e) }).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let (before, after) = self.count(false);
        before.and(after)?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
