//! Microversions: which one a request asks for, and what each of them changes.

use axum::http::{HeaderMap, StatusCode};

use crate::fault::Fault;

/// The largest microversion that is announced. openstacksdk asks for 3.64 without negotiating.
pub(super) const MAX_MINOR: u32 = 71;

/// A major version of the dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Generation {
    /// Version 1, which has jobs only; they are as in version 2.
    V1,
    /// Version 2: no microversions, vendor fields.
    V2,
    /// Version 3.
    V3,
}

impl Generation {
    /// The segment of a path that names it.
    pub(super) const fn segment(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
            Self::V3 => "v3",
        }
    }
}

/// The version by whose rules a request is read and answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// Version 2.
    V2,
    /// Version 3 with this minor number.
    V3(u32),
}

/// Something that a microversion brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Feature {
    /// `PUT /backups/ID`.
    BackupUpdate,
    /// `group_id` of a volume.
    VolumeGroup,
    /// `group_snapshot_id` of a snapshot.
    SnapshotGroup,
    /// Unknown filters are refused, filters `KEY~` exist.
    StrictFilters,
    /// `GET /resource_filters`.
    ResourceFilters,
    /// Backups sort by `name`.
    SortByName,
    /// `GET /limits?project_id=` for admins.
    LimitsOfProject,
    /// `user_id` of a snapshot.
    SnapshotUser,
    /// `metadata` of a backup.
    BackupMetadata,
    /// `with_count` and `count` of a list.
    Count,
    /// `backup_id` of a new volume.
    VolumeFromBackup,
    /// `shared_targets` and `service_uuid` of a volume.
    SharedTargets,
    /// `availability_zone` of a new backup.
    BackupZone,
    /// `user_id` of a backup.
    BackupUser,
    /// `volume_type_id` of a volume.
    VolumeTypeId,
    /// `encryption_key_id` of a backup and a volume.
    EncryptionKey,
    /// `consumes_quota` of a volume and a snapshot.
    ConsumesQuota,
    /// A volume in use is frozen without force.
    SnapshotInUse,
}

/// Every effect: the feature, the microversion that brought it, whether version 2 has it.
const EFFECTS: [(Feature, u32, bool); 18] = [
    (Feature::BackupUpdate, 9, false),
    (Feature::VolumeGroup, 13, false),
    (Feature::SnapshotGroup, 14, false),
    (Feature::StrictFilters, 31, false),
    (Feature::ResourceFilters, 33, false),
    (Feature::SortByName, 37, true),
    (Feature::LimitsOfProject, 39, false),
    (Feature::SnapshotUser, 41, false),
    (Feature::BackupMetadata, 43, false),
    (Feature::Count, 45, false),
    (Feature::VolumeFromBackup, 47, true),
    (Feature::SharedTargets, 48, false),
    (Feature::BackupZone, 51, false),
    (Feature::BackupUser, 56, false),
    (Feature::VolumeTypeId, 63, false),
    (Feature::EncryptionKey, 64, false),
    (Feature::ConsumesQuota, 65, false),
    (Feature::SnapshotInUse, 66, false),
];

impl Version {
    /// Whether requests of this version have a feature.
    pub(super) fn has(self, feature: Feature) -> bool {
        EFFECTS.iter().find(|(known, ..)| *known == feature).is_some_and(|(_, since, in_v2)| {
            match self {
                Self::V2 => *in_v2,
                Self::V3(minor) => minor >= *since,
            }
        })
    }

    /// Whether bodies are checked against a schema; version 2 ignores what it does not know.
    pub(super) const fn is_strict(self) -> bool {
        matches!(self, Self::V3(_))
    }

    /// The value of the `OpenStack-API-Version` header of the answer.
    pub(super) fn header(self) -> Option<String> {
        match self {
            Self::V2 => None,
            Self::V3(minor) => Some(format!("volume 3.{minor}")),
        }
    }
}

/// Finds the version that a request asks for.
pub(super) fn negotiate(generation: Generation, headers: &HeaderMap) -> Result<Version, Fault> {
    match (generation, requested(headers)) {
        (Generation::V1 | Generation::V2, _) => Ok(Version::V2),
        (Generation::V3, None) => Ok(Version::V3(0)),
        (Generation::V3, Some(wanted)) => parse(&wanted).map(Version::V3),
    }
}

/// What follows the name of this service in the header; `volume` counts before `block-storage`.
fn requested(headers: &HeaderMap) -> Option<String> {
    // Bytes that are no text are read as well, so that a pair of this service is never overheard.
    let values: Vec<_> = headers
        .get_all("openstack-api-version")
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    let pairs: Vec<&str> =
        values.iter().flat_map(|value| value.split(',')).map(str::trim).collect();
    ["volume", "block-storage"].iter().find_map(|service| {
        pairs.iter().find_map(|pair| {
            let (name, version) = pair.split_once(char::is_whitespace).unwrap_or((pair, ""));
            name.eq_ignore_ascii_case(service).then(|| version.trim().to_owned())
        })
    })
}

fn parse(text: &str) -> Result<u32, Fault> {
    if text.eq_ignore_ascii_case("latest") {
        return Ok(MAX_MINOR);
    }
    let Some((major, minor)) = text
        .split_once('.')
        .filter(|(major, minor)| is_number(major) && *major != "0" && is_number(minor))
    else {
        return Err(Fault::bad_request(format!(
            "API Version String {text} is of invalid format. \
             Must be of format MajorNum.MinorNum."
        )));
    };
    match (major, minor.parse()) {
        ("3", Ok(minor)) if minor <= MAX_MINOR => Ok(minor),
        _ => Err(Fault::new(
            StatusCode::NOT_ACCEPTABLE,
            format!(
                "Version {text} is not supported by the API. \
                 Minimum is 3.0 and maximum is 3.{MAX_MINOR}."
            ),
        )),
    }
}

/// Digits without a leading zero.
fn is_number(text: &str) -> bool {
    text == "0"
        || (!text.is_empty() && !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(value: &str) -> Result<Version, (u16, String)> {
        let mut headers = HeaderMap::new();
        headers.insert("openstack-api-version", value.parse().unwrap());
        negotiate(Generation::V3, &headers).map_err(|f| (f.status.as_u16(), f.message))
    }

    #[test]
    fn reads_the_pair_of_this_service() {
        let table = [
            ("volume 3.45", 45),
            ("Volume 3.0", 0),
            ("compute 2.1, volume 3.9", 9),
            ("block-storage 3.7", 7),
            ("block-storage 3.7,volume 3.8", 8),
            ("compute 2.1", 0),
            ("volume latest", MAX_MINOR),
            ("volume 3.71", 71),
        ];
        for (value, minor) in table {
            assert_eq!(ask(value), Ok(Version::V3(minor)), "{value}");
        }
    }

    #[test]
    fn refuses_malformed_and_unsupported_versions() {
        for value in
            ["volume", "volume 3", "volume 3.x", "volume 03.1", "volume 3.01", "volume 0.1"]
        {
            let (status, message) = ask(value).unwrap_err();
            assert_eq!(status, 400, "{value}");
            assert!(
                message.ends_with("is of invalid format. Must be of format MajorNum.MinorNum.")
            );
        }
        for version in ["3.72", "3.99", "2.0", "4.0", "3.99999999999999999999"] {
            let (status, message) = ask(&format!("volume {version}")).unwrap_err();
            assert_eq!(status, 406, "{version}");
            assert_eq!(
                message,
                format!(
                    "Version {version} is not supported by the API. Minimum is 3.0 and maximum is 3.71."
                )
            );
        }
    }

    #[test]
    fn version_two_takes_no_notice_of_the_header() {
        let mut headers = HeaderMap::new();
        headers.insert("openstack-api-version", "volume 9.99".parse().unwrap());
        assert_eq!(negotiate(Generation::V2, &headers).unwrap(), Version::V2);
    }

    #[test]
    fn each_effect_begins_at_its_microversion() {
        for (feature, since, in_v2) in EFFECTS {
            assert!(Version::V3(since).has(feature), "{feature:?}");
            assert!(!Version::V3(since - 1).has(feature), "{feature:?}");
            assert_eq!(Version::V2.has(feature), in_v2, "{feature:?}");
        }
    }
}
