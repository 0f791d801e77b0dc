//! One suite for every kind of store, and a backup over a real S3 protocol.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use common::{key, restored};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use object_store::memory::InMemory;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use strongroom_engine::*;
use strongroom_model::chance::SystemChance;
use strongroom_model::id::{BackupId, VaultId};
use strongroom_testkit::store::FaultyStore;
use strongroom_testkit::volume::noise;

/// What every store must do.
fn conforms(store: &Store) {
    let (name, bytes) = ("a/b/c", Bytes::from_static(b"0123456789"));
    assert!(store.get(name).unwrap_err().is_missing());
    assert!(store.list("a").unwrap().is_empty());
    assert_eq!(store.create(name, bytes.clone()).unwrap(), Created::New);
    assert_eq!(store.create(name, Bytes::from_static(b"other")).unwrap(), Created::Exists);
    assert_eq!(store.get(name).unwrap(), bytes);
    assert_eq!(store.size(name).unwrap(), 10);
    assert_eq!(store.get_range(name, 2..5).unwrap().as_ref(), b"234");
    assert_eq!(store.get_range(name, 8..50).unwrap().as_ref(), b"89");
    assert!(store.get_range(name, 3..3).unwrap().is_empty());
    assert_eq!(store.get_tail(name, 3).unwrap(), (Bytes::from_static(b"789"), 10));
    assert_eq!(store.get_tail(name, 99).unwrap(), (bytes.clone(), 10));
    assert_eq!(store.create("a/b/d", Bytes::new()).unwrap(), Created::New);
    assert_eq!(store.create("ab/c", bytes).unwrap(), Created::New);
    let listed: Vec<_> =
        store.list("a").unwrap().into_iter().map(|o| (o.name, o.size_bytes)).collect();
    assert_eq!(listed, [("a/b/c".to_owned(), 10), ("a/b/d".to_owned(), 0)]);
    let mut roots = store.roots().unwrap();
    roots.sort();
    assert_eq!(roots, ["a", "ab"]);
    for name in ["a/b/c", "a/b/d", "ab/c", "never/was"] {
        store.delete(name).unwrap();
    }
    assert!(store.list("a").unwrap().is_empty());
    assert!(store.get("a/b/c").unwrap_err().to_string().contains("a/b/c"));
    store.probe(&SystemChance).unwrap();
}

/// Of many threads that want one name, one gets it.
fn has_one_winner(store: &Store) {
    let wins: usize = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|n| scope.spawn(move || store.create("race/x", Bytes::from(vec![n; 1000]))))
            .collect();
        let results = tries.into_iter().map(|t| t.join().unwrap());
        results.filter(|r| matches!(r, Ok(Created::New))).count()
    });
    assert_eq!(wins, 1);
    let kept = store.get("race/x").unwrap();
    assert!(kept.len() == 1000 && kept.iter().all(|byte| *byte == kept[0]));
    store.delete("race/x").unwrap();
}

#[test]
fn a_folder_conforms() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path().to_str().unwrap(), &S3Options::default()).unwrap();
    conforms(&store);
    has_one_winner(&store);
    for name in ["", "/etc/x", "a/../../x", "a//b", "."] {
        assert!(store.create(name, Bytes::new()).is_err(), "{name}");
    }
}

#[test]
fn an_object_store_conforms() {
    let store = Store::objects(Arc::new(InMemory::new())).unwrap();
    conforms(&store);
    has_one_winner(&store);
}

#[test]
fn leftovers_go_and_files_being_filled_stay() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::folder(dir.path()).unwrap();
    store.create("a/b", Bytes::new()).unwrap();
    std::fs::write(dir.path().join(".tmp/7-7"), "half").unwrap();
    let busy = std::fs::File::create(dir.path().join(".tmp/8-8")).unwrap();
    rustix::fs::flock(&busy, rustix::fs::FlockOperation::LockExclusive).unwrap();
    assert_eq!(store.list("a").unwrap().len(), 1);
    assert_eq!(store.roots().unwrap(), ["a"]);
    assert_eq!(store.remove_leftovers().unwrap(), 1);
    assert!(dir.path().join(".tmp/8-8").exists());
}

#[test]
fn a_store_that_overwrites_is_refused() {
    let faulty = FaultyStore::new(Arc::new(InMemory::new()));
    faulty.ignore_conditions();
    let store = Store::objects(faulty).unwrap();
    let vault = VaultId::random(&SystemChance);
    let error = Repository::create(store, vault, &key(), RepositoryOptions::default()).unwrap_err();
    assert!(error.to_string().contains("If-None-Match"), "{error}");
}

/// An S3 service in this process, on a port of its own, until the runtime is dropped.
fn serve_s3(runtime: &tokio::runtime::Runtime, root: &std::path::Path) -> SocketAddr {
    std::fs::create_dir_all(root.join("bucket")).unwrap();
    let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root).unwrap());
    builder.set_auth(SimpleAuth::from_single("test-id", "test-word"));
    let service = builder.build();
    let listen = tokio::net::TcpListener::bind("127.0.0.1:0");
    let listener = runtime.block_on(listen).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                let server = Builder::new(TokioExecutor::new());
                let _closed = server.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    address
}

/// A service that is down for ever: it counts requests and answers each with 503.
fn serve_unavailable() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, count) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&count);
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut reader = BufReader::new(socket.unwrap());
            let mut line = String::new();
            while reader.read_line(&mut line).unwrap() > 2 {
                line.clear();
            }
            counter.fetch_add(1, Ordering::SeqCst);
            let answer = "HTTP/1.1 503 Away\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
        }
    });
    (address, count)
}

#[test]
fn a_request_is_sent_as_often_as_allowed() {
    let (address, count) = serve_unavailable();
    let mut s3 = S3Options {
        endpoint: Some(format!("http://{address}")),
        access_key_id: Some("test-id".to_owned()),
        secret_access_key: Some("test-word".to_owned()),
        allow_http: true,
        ..Default::default()
    };
    for attempts in [1, 3] {
        s3.attempts_max = Some(attempts);
        let store = Store::open("s3://bucket", &s3).unwrap();
        count.store(0, Ordering::SeqCst);
        assert!(store.size("a").unwrap_err().is_transient());
        assert_eq!(count.load(Ordering::SeqCst), attempts);
    }
}

#[test]
fn s3_conforms_and_holds_a_backup() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let address = serve_s3(&runtime, dir.path());
    let s3 = S3Options {
        endpoint: Some(format!("http://{address}")),
        access_key_id: Some("test-id".to_owned()),
        secret_access_key: Some("test-word".to_owned()),
        allow_http: true,
        ..Default::default()
    };
    let store = Store::open("s3://bucket/some/prefix", &s3).unwrap();
    conforms(&store);
    let vault = VaultId::random(&SystemChance);
    let repository =
        Repository::create(store.clone(), vault, &key(), RepositoryOptions::default()).unwrap();
    let id = BackupId::random(&SystemChance);
    let options = BackupOptions::new(id, SessionId::random(&SystemChance));
    backup(&repository, &MemorySource::new(noise(1, 3_000_000)), &options).unwrap();
    assert!(restored(&repository, id) == noise(1, 3_000_000));
    assert_eq!(list_vaults(&store).unwrap(), [vault]);
    let open = runtime.block_on(async {
        // A service calls from `spawn_blocking`, and may drop its last handle in a task.
        let (store, options) = (store.clone(), RepositoryOptions::default());
        let work = move || Repository::open(store, vault, &key(), options);
        tokio::task::spawn_blocking(work).await.unwrap().unwrap()
    });
    delete(&open, id).unwrap();
    assert_eq!(gc(&open, &GcOptions::default()).unwrap().deleted_packs, 1);
    assert!(Store::open("s3://", &s3).is_err());
}
