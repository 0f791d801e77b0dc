//! A store and its master key, as named on a command line.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, bail};
use strongroom_engine::{MasterKey, S3Options, Store, list_vaults};
use strongroom_model::chance::SystemChance;

use crate::report::Hint;

/// Opens the store and reads the key. If there is neither, makes both.
pub(crate) fn open_or_make(store: &str, key: &Path) -> anyhow::Result<(Store, MasterKey)> {
    let (store_at, store) = (store, connect(store)?);
    if !key.exists() {
        if !list_vaults(&store)?.is_empty() {
            return Err(missing_key(store_at, key));
        }
        make_key(key)?;
    }
    Ok((store, MasterKey::read(key)?))
}

/// Opens a store that must be there, and reads its key.
pub(crate) fn open(store: &str, key: &Path) -> anyhow::Result<(Store, MasterKey)> {
    if !store.starts_with("s3://") && !Path::new(store).is_dir() {
        bail!("there is no store at {store}");
    }
    let store_at = store;
    let store = connect(store)?;
    if !key.exists() {
        return Err(missing_key(store_at, key));
    }
    Ok((store, MasterKey::read(key)?))
}

fn connect(location: &str) -> anyhow::Result<Store> {
    Store::open(location, &s3_options())
        .with_context(|| format!("cannot open the store {location}"))
}

fn missing_key(store: &str, key: &Path) -> anyhow::Error {
    anyhow::anyhow!("{} does not exist", key.display()).context(Hint(format!(
        "{store} holds backups that only its own master key opens; name that file with --key"
    )))
}

fn make_key(path: &Path) -> anyhow::Result<()> {
    let key = MasterKey::random(&SystemChance);
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(key.to_text().as_bytes())?;
        file.sync_all()
    };
    write().with_context(|| format!("cannot write the master key to {}", path.display()))?;
    eprintln!(
        "made master key {}: keep a copy elsewhere, no backup opens without it",
        path.display()
    );
    Ok(())
}

/// How to reach an S3 store, from the usual variables.
#[expect(clippy::disallowed_methods, reason = "the binary reads the environment")]
fn s3_options() -> S3Options {
    let get = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let endpoint = get("AWS_ENDPOINT_URL_S3").or_else(|| get("AWS_ENDPOINT_URL"));
    S3Options {
        allow_http: endpoint.as_deref().is_some_and(|url| url.starts_with("http://")),
        endpoint,
        region: get("AWS_REGION").or_else(|| get("AWS_DEFAULT_REGION")),
        access_key_id: get("AWS_ACCESS_KEY_ID"),
        secret_access_key: get("AWS_SECRET_ACCESS_KEY"),
        attempts_max: get("AWS_MAX_ATTEMPTS").and_then(|count| count.parse().ok()),
    }
}
