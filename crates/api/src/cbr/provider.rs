//! Constants that clients know: one provider for each kind of object, and what a vault is sold as.

use strongroom_model::resource::ResourceKind;
use strongroom_model::vault::{CloudType, ConsistentLevel, ObjectType, ProtectType, VaultTerms};

/// The provider of each kind of object. Those of databases and files are published nowhere.
const PROVIDERS: [(ObjectType, &str); 7] = [
    (ObjectType::Server, "0daac4c5-6707-4851-97ba-169e36266b66"),
    (ObjectType::Disk, "d1603440-187d-4516-af25-121250c7cc97"),
    (ObjectType::Turbo, "3f3c3220-245c-4805-b811-758870015881"),
    (ObjectType::Vmware, "a13639de-00be-4e94-af30-26912d75e4a2"),
    (ObjectType::Workspace, "86a80900-71bf-4961-956a-d52df944f84a"),
    (ObjectType::Rds, "5b7c1d90-3a0e-4f6c-9d2b-6e0f8a4c1b37"),
    (ObjectType::File, "c2f4a6e8-1b3d-4c5f-8a7b-9e0d2f4c6a81"),
];

/// The provider of a kind of object.
pub(super) fn provider_id(object_type: ObjectType) -> &'static str {
    let found = PROVIDERS.iter().find(|(kind, _)| *kind == object_type);
    found.map_or(PROVIDERS[0].1, |(_, id)| id)
}

/// The kind of object that a provider is for.
pub(super) fn object_type(provider_id: &str) -> Option<ObjectType> {
    let found = PROVIDERS.iter().find(|(_, id)| id.eq_ignore_ascii_case(provider_id));
    found.map(|(kind, _)| *kind)
}

/// The kind of object that a resource is.
pub(super) const fn object_type_of(kind: ResourceKind) -> ObjectType {
    match kind {
        ResourceKind::Server | ResourceKind::BareMetal => ObjectType::Server,
        ResourceKind::Volume => ObjectType::Disk,
        ResourceKind::NativeServer => ObjectType::Vmware,
        ResourceKind::FileSystem => ObjectType::Turbo,
        ResourceKind::Workspace => ObjectType::Workspace,
    }
}

/// What a vault is sold as, which follows from its terms.
pub(super) fn spec_code(terms: &VaultTerms) -> String {
    if terms.protect_type == ProtectType::Replication {
        return "vault.replication.server.normal".to_owned();
    }
    if terms.cloud_type == CloudType::Hybrid {
        return "vault.hybrid.server.normal".to_owned();
    }
    let goods = match (terms.object_type, terms.consistent_level) {
        (ObjectType::Server, ConsistentLevel::Application) => "database",
        (ObjectType::Disk, _) => "volume",
        (other, _) => other.as_str(),
    };
    format!("vault.backup.{goods}.normal")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_has_a_provider_of_its_own() {
        let ids: BTreeSet<_> = ObjectType::ALL.iter().map(|kind| provider_id(*kind)).collect();
        assert_eq!(ids.len(), ObjectType::ALL.len());
        for kind in ObjectType::ALL {
            assert_eq!(object_type(provider_id(*kind)), Some(*kind));
        }
        assert_eq!(object_type("x"), None);
    }

    #[test]
    fn what_a_vault_is_sold_as_follows_from_its_terms() {
        let code = |object_type, protect_type, change: fn(&mut VaultTerms)| {
            let mut terms = VaultTerms::of(object_type, protect_type);
            change(&mut terms);
            spec_code(&terms)
        };
        use {ObjectType as Object, ProtectType as Protect};
        let application = |terms: &mut VaultTerms| {
            terms.consistent_level = ConsistentLevel::Application;
        };
        let codes = [
            code(Object::Server, Protect::Backup, |_| {}),
            code(Object::Server, Protect::Backup, application),
            code(Object::Disk, Protect::Backup, |_| {}),
            code(Object::Turbo, Protect::Backup, |_| {}),
            code(Object::Server, Protect::Hybrid, |terms| terms.cloud_type = CloudType::Hybrid),
            code(Object::Disk, Protect::Replication, |_| {}),
            code(Object::File, Protect::Backup, |_| {}),
        ];
        assert_eq!(
            codes,
            [
                "vault.backup.server.normal",
                "vault.backup.database.normal",
                "vault.backup.volume.normal",
                "vault.backup.turbo.normal",
                "vault.hybrid.server.normal",
                "vault.replication.server.normal",
                "vault.backup.file.normal",
            ]
        );
    }
}
