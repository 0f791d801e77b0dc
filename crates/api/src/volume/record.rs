//! The record of a backup: base64 of a JSON object, exported here and imported anywhere over the
//! same store. Inside it instants are RFC 3339 with a `Z`, because Go clients read them so.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use strongroom_model::backup::Backup;
use strongroom_model::id::{BackupId, VolumeId};
use strongroom_model::size::GiB;
use strongroom_service::record::ImportedRecord;

use super::validate;
use crate::fault::Fault;

/// The driver that is named as the keeper of every backup.
pub(super) const BACKUP_SERVICE: &str = "cinder.backup.drivers.vbs";

/// The host that is named in records; there is only one.
const HOST: &str = "strongroom";

/// The record of a backup.
pub(super) fn encode(backup: &Backup) -> String {
    STANDARD.encode(document(backup).to_string())
}

fn document(backup: &Backup) -> Value {
    json!({
        "id": backup.id.to_string(),
        "user_id": backup.user_id.as_str(),
        "project_id": backup.project_id.as_str(),
        "volume_id": backup.volume_id.to_string(),
        "host": HOST,
        "availability_zone": backup.availability_zone,
        "container": backup.container,
        "parent_id": null,
        "status": backup.status.as_str(),
        "fail_reason": backup.fail_reason,
        "size": backup.size.0,
        "display_name": backup.name,
        "display_description": backup.description,
        "service_metadata": super::service_metadata::text(backup),
        "service": BACKUP_SERVICE,
        "object_count": backup.measured.as_ref().map_or(0, |m| m.object_count),
        "temp_volume_id": null,
        "temp_snapshot_id": null,
        "num_dependent_backups": 0,
        "snapshot_id": backup.snapshot_id.map(|id| id.to_string()),
        "data_timestamp": backup.data_timestamp.format_rfc3339(),
        "restore_volume_id": null,
        "metadata": backup.metadata,
        "encryption_key_id": null,
        "created_at": backup.created_at.format_rfc3339(),
        "updated_at": backup.updated_at.map(|at| at.format_rfc3339()),
        "deleted_at": null,
        "deleted": false,
        "driver_info": {"data_id": backup.data_id.to_string()},
    })
}

/// Reads a record back. Without a data id in `driver_info` the bytes are those of the record's id.
pub(super) fn decode(text: &str) -> Result<ImportedRecord, Fault> {
    let packed: String = text.split_ascii_whitespace().collect();
    let bytes =
        STANDARD.decode(packed).map_err(|_| Fault::invalid_input("Can't decode backup record."))?;
    let record: Map<String, Value> = serde_json::from_slice(&bytes)
        .map_err(|_| Fault::invalid_input("Can't parse backup record."))?;
    let id = read_id(&record)?;
    let size = read_size(&record)?;
    let data_id = record.get("driver_info").and_then(|info| info.get("data_id"));
    let volume_id = record.get("volume_id").and_then(Value::as_str);
    Ok(ImportedRecord {
        id,
        data_id: data_id
            .and_then(Value::as_str)
            .map_or(Ok(id), BackupId::parse)
            .map_err(|_| Fault::invalid_input("Can't parse backup record."))?,
        volume_id: volume_id
            .and_then(|text| VolumeId::parse(text).ok())
            .unwrap_or(VolumeId(Default::default())),
        size,
        name: text_of(&record, "display_name")?,
        description: text_of(&record, "display_description")?,
        container: text_of(&record, "container")?,
        availability_zone: text_of(&record, "availability_zone")?,
        metadata: match record.get("metadata") {
            None | Some(Value::Null) => Default::default(),
            Some(value) => validate::metadata("metadata", value)?,
        },
    })
}

fn read_id(record: &Map<String, Value>) -> Result<BackupId, Fault> {
    let text = record
        .get("id")
        .filter(|id| !id.is_null())
        .ok_or_else(|| Fault::invalid_input("Provided backup record is missing an id"))?;
    text.as_str()
        .and_then(|text| BackupId::parse(text).ok())
        .ok_or_else(|| Fault::invalid_input("Provided backup record has an id that is no UUID"))
}

fn read_size(record: &Map<String, Value>) -> Result<GiB, Fault> {
    let size = record
        .get("size")
        .filter(|size| !size.is_null())
        .ok_or_else(|| Fault::invalid_input("Provided backup record is missing size attribute"))?;
    size.as_u64()
        .and_then(|gib| u32::try_from(gib).ok())
        .filter(|gib| *gib <= super::volumes::MAX_GIB)
        .map(GiB)
        .ok_or_else(|| Fault::invalid_input("Provided backup record has an invalid size"))
}

fn text_of(record: &Map<String, Value>, key: &str) -> Result<Option<String>, Fault> {
    record
        .get(key)
        .filter(|value| !value.is_null())
        .map(|value| validate::text(key, value))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::backup_view::fixture;

    fn packed(value: &Value) -> String {
        STANDARD.encode(value.to_string())
    }

    fn refusal(text: &str) -> String {
        decode(text).unwrap_err().message
    }

    #[test]
    fn a_record_reads_back() {
        let backup = Backup { name: Some("nightly".to_owned()), ..fixture() };
        let record = decode(&encode(&backup)).unwrap();
        assert_eq!((record.id, record.data_id), (backup.id, backup.data_id));
        assert_eq!(record.volume_id, backup.volume_id);
        assert_eq!((record.size, record.name), (backup.size, backup.name));
        assert_eq!(document(&fixture())["created_at"], "2013-06-27T08:48:03Z");
    }

    #[test]
    fn a_record_of_another_service_holds_its_own_bytes() {
        let id = "1d1139d8-8989-49d3-8aa1-83eb691e6db2";
        let record = decode(&packed(&json!({"id": id, "size": 1, "driver_info": {}}))).unwrap();
        assert_eq!(record.data_id, record.id);
        assert!(record.volume_id.0.is_nil());
    }

    #[test]
    fn what_is_no_record_is_refused_in_cinders_words() {
        assert_eq!(refusal("!"), "Invalid input received: Can't decode backup record.");
        for no_object in ["not json", "[]", "1"] {
            let text = STANDARD.encode(no_object);
            assert_eq!(refusal(&text), "Invalid input received: Can't parse backup record.");
        }
        let table = [
            (json!({"size": 1}), "is missing an id"),
            (json!({"id": "x", "size": 1}), "has an id that is no UUID"),
            (json!({"id": "1d1139d8-8989-49d3-8aa1-83eb691e6db2"}), "is missing size attribute"),
            (
                json!({"id": "1d1139d8-8989-49d3-8aa1-83eb691e6db2", "size": -1}),
                "has an invalid size",
            ),
        ];
        for (record, end) in table {
            assert_eq!(
                refusal(&packed(&record)),
                format!("Invalid input received: Provided backup record {end}")
            );
        }
    }
}
