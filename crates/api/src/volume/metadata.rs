//! The key-value pairs of a backup, a volume or a snapshot as things of their own (B12 to B17).
//!
//! A change reads all pairs and writes all pairs back: of two changes at once one may be lost.

use axum::http::StatusCode;
use serde_json::{Value, json};
use strongroom_model::volume::Metadata;
use strongroom_service::backup::BackupChange;
use strongroom_service::snapshot::SnapshotChange;
use strongroom_service::volume::VolumeChange;

use super::call::{Answer, Call};
use super::validate::{self, Fields};
use crate::fault::Fault;
use crate::reply::Reply;

/// Whose pairs they are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Owner<'a> {
    /// A backup's.
    Backup(&'a str),
    /// A volume's.
    Volume(&'a str),
    /// A snapshot's.
    Snapshot(&'a str),
}

impl Owner<'_> {
    async fn read(self, call: &Call) -> Result<Metadata, Fault> {
        let (service, caller) = (&call.service, &call.caller);
        Ok(match self {
            Self::Backup(id) => service.own_backup(caller, id).await?.metadata,
            Self::Volume(id) => service.volume(caller, id).await?.metadata,
            Self::Snapshot(id) => service.snapshot(caller, id).await?.metadata,
        })
    }

    async fn write(self, call: &Call, pairs: Metadata) -> Result<Metadata, Fault> {
        let (service, caller) = (&call.service, &call.caller);
        let metadata = Some(pairs);
        Ok(match self {
            Self::Backup(id) => {
                let change = BackupChange { metadata, ..Default::default() };
                service.update_backup(caller, id, change).await?.metadata
            }
            Self::Volume(id) => {
                let change = VolumeChange { metadata, ..Default::default() };
                service.update_volume(caller, id, change).await?.metadata
            }
            Self::Snapshot(id) => {
                let change = SnapshotChange { metadata, ..Default::default() };
                service.update_snapshot(caller, id, change).await?.metadata
            }
        })
    }
}

/// `GET …/metadata`.
pub(super) async fn list(call: &Call, owner: Owner<'_>) -> Answer {
    Ok(all(owner.read(call).await?))
}

/// `POST …/metadata`: adds and overwrites.
pub(super) async fn merge(call: &Call, owner: Owner<'_>) -> Answer {
    let added = read_pairs(&call.json()?)?;
    let mut pairs = owner.read(call).await?;
    pairs.extend(added);
    Ok(all(owner.write(call, pairs).await?))
}

/// `PUT …/metadata`: replaces all.
pub(super) async fn replace(call: &Call, owner: Owner<'_>) -> Answer {
    let pairs = read_pairs(&call.json()?)?;
    Ok(all(owner.write(call, pairs).await?))
}

/// `GET …/metadata/KEY`.
pub(super) async fn show(call: &Call, owner: Owner<'_>, key: &str) -> Answer {
    let pairs = owner.read(call).await?;
    let value = pairs.get(key).ok_or_else(|| no_key(key))?;
    Ok(one(key, value))
}

/// `PUT …/metadata/KEY`.
pub(super) async fn set(call: &Call, owner: Owner<'_>, key: &str) -> Answer {
    let body = call.json()?;
    let value = read_pair(&body, key)?;
    let mut pairs = owner.read(call).await?;
    pairs.insert(key.to_owned(), value.clone());
    owner.write(call, pairs).await?;
    Ok(one(key, &value))
}

/// `DELETE …/metadata/KEY`.
pub(super) async fn remove(call: &Call, owner: Owner<'_>, key: &str) -> Answer {
    let mut pairs = owner.read(call).await?;
    pairs.remove(key).ok_or_else(|| no_key(key))?;
    owner.write(call, pairs).await?;
    Ok(Reply::empty(StatusCode::OK))
}

fn read_pairs(body: &Value) -> Result<Metadata, Fault> {
    Fields::of(body, "metadata")?;
    validate::metadata("metadata", &body["metadata"])
}

fn read_pair(body: &Value, key: &str) -> Result<String, Fault> {
    Fields::of(body, "meta")?;
    let mut pairs = validate::metadata("meta", &body["meta"])?;
    match (pairs.remove(key), pairs.is_empty()) {
        (Some(value), true) => Ok(value),
        (Some(_), false) => Err(Fault::bad_request("Request body contains too many items")),
        (None, _) => Err(Fault::bad_request("Request body and URI mismatch")),
    }
}

fn no_key(key: &str) -> Fault {
    Fault::new(StatusCode::NOT_FOUND, format!("Metadata item with key {key} was not found."))
}

fn all(pairs: Metadata) -> Reply {
    Reply::ok(json!({"metadata": pairs}))
}

fn one(key: &str, value: &str) -> Reply {
    Reply::ok(json!({"meta": {key: value}}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_pair_must_be_the_one_of_the_path() {
        assert_eq!(read_pair(&json!({"meta": {"k": "v"}}), "k").unwrap(), "v");
        for bad in [
            json!({"meta": {"x": "v"}}),
            json!({"meta": {"k": "v", "x": "v"}}),
            json!({"meta": {}}),
            json!({"metadata": {"k": "v"}}),
            json!({"meta": {"k": 1}}),
        ] {
            assert!(read_pair(&bad, "k").is_err(), "{bad}");
        }
    }
}
