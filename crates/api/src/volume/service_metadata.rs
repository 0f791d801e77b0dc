//! `service_metadata`: what the engine measured of a backup, as a text that holds JSON.
//!
//! Every figure is one that was measured. A key whose figure is not known is left out, but for
//! `BackupSize`, which is documented as 0 until the backup is stored. One MB is 1,048,576 bytes.

use serde::Serialize;
use strongroom_model::backup::{Backup, Measured};

const BYTES_PER_MB: u64 = 1 << 20;

/// Deduplicated and compressed.
const DEDUPLICATED_AND_COMPRESSED: u8 = 3;

/// A backup of a disk, not of a server.
const DISK_BACKUP: u8 = 0;

#[derive(Debug, Serialize)]
struct Document {
    bootable: bool,
    /// The id under which the store knows the backup.
    backupurl: String,
    #[serde(rename = "BackupSize")]
    stored_mb: u64,
    progress: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    snap_id: Option<String>,
    #[serde(rename = "ST")]
    service: u8,
    #[serde(flatten)]
    measured: Option<MeasuredPart>,
}

#[derive(Debug, Serialize)]
struct MeasuredPart {
    /// 0 for a full one, 1 for an increment.
    #[serde(rename = "Type")]
    kind: u8,
    #[serde(rename = "DL")]
    reduction: u8,
    #[serde(rename = "CS")]
    chain_mb: u64,
    #[serde(rename = "AT", skip_serializing_if = "Option::is_none")]
    mb_per_second: Option<f64>,
    #[serde(rename = "SS", skip_serializing_if = "Option::is_none")]
    saving_percent: Option<u64>,
    #[serde(rename = "CMKID", skip_serializing_if = "String::is_empty")]
    master_key_id: String,
}

/// The text for a backup.
pub(super) fn text(backup: &Backup) -> String {
    let measured = backup.measured.as_ref();
    let document = Document {
        bootable: backup.is_bootable,
        backupurl: backup.data_id.to_string(),
        stored_mb: measured.map_or(0, |m| megabytes(m.stored_bytes)),
        progress: backup.progress.min(100).to_string(),
        snap_id: backup.snapshot_id.map(|id| id.0.simple().to_string()),
        service: DISK_BACKUP,
        measured: measured.map(measured_part),
    };
    serde_json::to_string(&document).unwrap_or_default()
}

fn measured_part(measured: &Measured) -> MeasuredPart {
    MeasuredPart {
        kind: u8::from(measured.is_incremental),
        reduction: DEDUPLICATED_AND_COMPRESSED,
        chain_mb: megabytes(measured.chain_stored_bytes),
        mb_per_second: throughput(measured),
        saving_percent: saving(measured),
        master_key_id: measured.master_key_id.clone(),
    }
}

/// Begun megabytes, so that 0 means nothing at all.
const fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(BYTES_PER_MB)
}

/// Megabytes read per second, to one decimal; unknown if no time passed.
fn throughput(measured: &Measured) -> Option<f64> {
    let micros = u128::from(measured.duration_micros);
    let tenths = (u128::from(measured.read_bytes) * 10_000_000 * 2 / u128::from(BYTES_PER_MB))
        .checked_div(micros)?
        .div_ceil(2);
    u32::try_from(tenths).ok().map(|tenths| f64::from(tenths) / 10.0)
}

/// The percentage of the source that did not have to be stored; unknown of an empty source.
fn saving(measured: &Measured) -> Option<u64> {
    let size = u128::from(measured.size_bytes);
    let stored = u128::from(measured.stored_bytes).min(size);
    let percent = ((size - stored) * 200).checked_div(size)?.div_ceil(2);
    u64::try_from(percent).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::backup_view::fixture;
    use serde_json::Value;

    fn measured() -> Measured {
        Measured {
            size_bytes: 1 << 30,
            read_bytes: 512 << 20,
            stored_bytes: (100 << 20) + 1,
            chain_stored_bytes: 300 << 20,
            duration_micros: 3_000_000,
            object_count: 12,
            is_incremental: true,
            master_key_id: "5a7a5d3e-3c5f-4b43-9d0a-2f6ad6f0a001".to_owned(),
        }
    }

    #[test]
    fn a_stored_backup_shows_what_was_measured() {
        let backup = Backup { measured: Some(measured()), progress: 100, ..fixture() };
        insta::assert_snapshot!(text(&backup), @r#"{"bootable":false,"backupurl":"58d94782-6509-45ad-9442-970d2a005050","BackupSize":101,"progress":"100","snap_id":"665e411f5d87431ca98c199fbd4a64fd","ST":0,"Type":1,"DL":3,"CS":300,"AT":170.7,"SS":90,"CMKID":"5a7a5d3e-3c5f-4b43-9d0a-2f6ad6f0a001"}"#);
    }

    #[test]
    fn an_unfinished_backup_claims_nothing() {
        let json: Value = serde_json::from_str(&text(&fixture())).unwrap();
        let keys: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["bootable", "backupurl", "BackupSize", "progress", "snap_id", "ST"]);
        assert_eq!(json["BackupSize"], 0);
        assert_eq!(json["progress"], "0");
    }

    #[test]
    fn figures_round_and_keep_their_bounds() {
        let table =
            [(1000, 0, 100), (1000, 1000, 0), (1000, 2000, 0), (1000, 994, 1), (1000, 996, 0)];
        for (size_bytes, stored_bytes, percent) in table {
            let measured = Measured { size_bytes, stored_bytes, ..measured() };
            assert_eq!(saving(&measured), Some(percent), "{stored_bytes}");
        }
        let empty = Measured::default();
        assert_eq!((saving(&empty), throughput(&empty)), (None, None));
        let huge = Measured { read_bytes: u64::MAX, duration_micros: 1, ..measured() };
        assert_eq!(throughput(&huge), None);
    }
}
