//! The dialect's codes, `BackupService.6105` and the like: clients match on them, never on words.
//!
//! The table is whole; a code that nothing here raises is one that a client may know all the same.
//! Where the published tables differ, the status is the one that clients can live with.

use axum::http::StatusCode;

/// Writes the table: `Name "number" status;`
macro_rules! codes {
    ($($name:ident $number:literal $status:literal;)*) => {
        /// Why a request is refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum Code { $($name),* }

        impl Code {
            /// Every code.
            pub(super) const ALL: &[Self] = &[$(Self::$name),*];

            /// The four digits.
            const fn number(self) -> &'static str {
                match self { $(Self::$name => $number),* }
            }

            /// The status that goes with it.
            const fn status_number(self) -> u16 {
                match self { $(Self::$name => $status),* }
            }
        }
    };
}

impl Code {
    /// As it is written in an answer.
    pub(super) fn text(self) -> String {
        format!("BackupService.{}", self.number())
    }

    /// The status that goes with it.
    pub(super) fn status(self) -> StatusCode {
        StatusCode::from_u16(self.status_number()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

codes! {
    NothingToBackUp "0001" 400;
    ResourcesBeingBackedUp "0002" 500;
    VaultBackingUp "1001" 400;
    BackupTypeNotReplicable "1002" 400;
    NotAServerBackup "1003" 400;
    RegionWithoutReplication "1005" 400;
    ImportFailed "1006" 500;
    AlreadyReplicated "1009" 400;
    ProjectWithoutReplication "1011" 400;
    TooManyReplicas "1012" 400;
    DiskSmallerThanBackup "2001" 400;
    ResourceBeingBackedUp "2002" 400;
    OtherTargetNotAllowed "2003" 400;
    BackupNotRestorable "2005" 400;
    ServerBackupToBareMetal "2006" 400;
    ServerDeleted "2007" 400;
    ServerStatusForbidsRestore "2008" 400;
    DiskTypeForbidsRestore "2009" 400;
    ResourceBeingRestored "2010" 400;
    DiskStatusForbidsRestore "2011" 400;
    SomeDisksNotRestorable "2012" 400;
    DataDiskToSystemDisk "2013" 400;
    BareMetalBackupToServer "2014" 400;
    ArchitecturesDiffer "2015" 400;
    MigrationNotFound "4001" 404;
    CleanupFailed "4004" 500;
    DestinationCheckFailed "4005" 500;
    BackupInPassing "4006" 500;
    ProgressUnavailable "4007" 500;
    PolicyNotFound "6000" 404;
    TooManyPolicies "6001" 400;
    PolicyNotApplied "6002" 404;
    DestinationFixed "6003" 400;
    TooManyVaultResources "6100" 400;
    InvalidVaultSize "6101" 400;
    ResourceTypeNotSupported "6102" 400;
    ResourceInOtherVault "6103" 400;
    DuplicateResources "6104" 400;
    VaultNotFound "6105" 404;
    VaultExists "6106" 400;
    ExpansionFailed "6107" 400;
    VaultTakesNoResources "6108" 400;
    BillNotFound "6109" 400;
    VaultNotUpdatable "6110" 400;
    VaultNotDeletable "6111" 400;
    InvalidVaultStatus "6112" 400;
    VaultStatusForbidsBackup "6113" 400;
    VaultFull "6114" 400;
    ResourceBackupsNotDeleted "6115" 400;
    InvalidResourceType "6116" 400;
    UnknownOperationType "6117" 400;
    DestinationVaultCheckFailed "6118" 400;
    DestinationWithoutReplication "6119" 400;
    DestinationVaultNotFound "6120" 400;
    VaultDeletionFailed "6121" 400;
    ResourceTypeNotReplicable "6122" 400;
    ExpansionRefused "6123" 400;
    VaultTypeForbidsBackup "6124" 400;
    BackupRunning "6125" 400;
    DatabaseBackupNotAllowed "6126" 400;
    PolicyNotApplicable "6127" 400;
    VaultTypeForbidsReplication "6128" 400;
    DestinationVaultFull "6129" 400;
    VaultBeingReplicated "6130" 400;
    TrafficRecordNotFound "6131" 400;
    VaultCreationFailed "6132" 500;
    TooManyVaults "6133" 400;
    ResourcesBeingRemoved "6134" 400;
    ResourceNotInVault "6135" 400;
    PolicyOnHybridVault "6136" 400;
    DiskInSeveralVaults "6137" 500;
    LanguageUnavailable "6138" 500;
    DomainTypeUnavailable "6139" 500;
    EncryptedSystemDisk "6140" 400;
    ScsiSystemDisk "6141" 400;
    AllVaultsFull "6142" 400;
    BackupNotFound "6200" 404;
    BackupNotDeletable "6201" 400;
    VaultStatusForbidsRestore "6202" 400;
    BackupsRunning "6203" 400;
    BackupUsedByImage "6204" 400;
    ResourceInLegacyService "6205" 400;
    BackupStatusForbidsMetadata "6206" 400;
    BackupTypeMakesNoImage "6207" 500;
    StatusForbidsImage "6208" 500;
    NoSystemDisk "6209" 500;
    ImageExists "6210" 500;
    ImageAlreadyMade "6211" 500;
    ImageFailed "6212" 500;
    BackupAndImageDiffer "6213" 500;
    ImageNotRemoved "6214" 500;
    ResourceStatusForbidsBackup "6215" 400;
    BackupInUse "6216" 400;
    CheckpointNotFound "6217" 404;
    BackupLocked "6220" 400;
    TypeAndProviderDiffer "6300" 400;
    InvalidProvider "6301" 400;
    ResourceNotFound "6302" 404;
    BucketNotMade "6400" 400;
    BucketQuotaNotSet "6401" 400;
    BucketNotEmpty "6402" 404;
    BucketUsageUnknown "6403" 400;
    BucketNotDeleted "6404" 400;
    ObjectNotDeleted "6405" 400;
    ObjectsNotListed "6406" 400;
    BucketAccessNotSet "6407" 400;
    BucketPolicyNotSet "6408" 400;
    OperationLogNotFound "6500" 404;
    TaskNotFound "6501" 404;
    TooManyTags "6600" 400;
    TagNotFound "6601" 404;
    OnlyServerBackupsShared "6700" 400;
    TooManyShares "6701" 400;
    BackupNotShareable "6702" 400;
    AlreadyShared "6703" 400;
    InvalidMember "6704" 400;
    MemberNotFound "6705" 404;
    InvalidMemberChange "6706" 400;
    SharingNotAllowed "6707" 400;
    MemberNotChanged "6708" 400;
    EncryptedDiskNotShareable "6709" 400;
    SharedBackupUsedByImage "6710" 400;
    SharedBackupNotDeleted "6711" 400;
    VaultStatusForbidsSharing "6712" 400;
    VaultTypeForbidsShare "6713" 400;
    ReceivedNotShareable "6714" 400;
    DiskNotFound "7000" 404;
    SpecialDiskNotSupported "7001" 400;
    ScsiDiskNotSupported "7002" 400;
    DiskStatusForbidsBackup "7003" 400;
    DiskForbidsBackup "7004" 400;
    DiskAlreadyInVault "7006" 400;
    DiskTooOld "7007" 400;
    RecoverySiteDisk "7008" 400;
    DiskStillLoading "7009" 500;
    ServerNotFound "7100" 404;
    ServerStatusForbidsBackup "7101" 400;
    ServerStopped "7102" 400;
    ServerForbidsBackup "7103" 400;
    ServerWithScsiDisks "7104" 400;
    DiskBackEndsDiffer "7105" 400;
    SharedDisks "7106" 400;
    TooManySharedDisks "7107" 400;
    ServerWithoutDisks "7108" 400;
    BareMetal "7109" 400;
    ServerTypeAndProviderDiffer "7110" 400;
    ServerWithSpecialDisks "7111" 400;
    BareMetalLocalDisks "7113" 400;
    OtherSystemNow "7114" 400;
    ServerTypesDiffer "7115" 400;
    ServerAlreadyInVault "7116" 400;
    RecoverySiteServer "7117" 400;
    DatabasesBeingBackedUp "7200" 400;
    DiskNotAttached "7201" 400;
    SnapshotNotFound "7202" 404;
    InvalidSnapshotStatus "7203" 400;
    SnapshotOfOtherDisk "7204" 400;
    VaultWithoutSync "7300" 400;
    VaultNotEmpty "7301" 400;
    SyncRunning "7302" 400;
    SyncVaultQuota "7303" 400;
    InvalidAgent "7403" 400;
    TooManyAgentPaths "7407" 400;
    AgentNotFound "7410" 404;
    TooManySnapshots "8300" 400;
    ProductUnavailable "8400" 500;
    NoRealName "8600" 403;
    InvalidParameter "9900" 400;
    Unknown "9910" 500;
    NotAllowed "9998" 403;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_has_a_number_of_its_own_and_a_status_of_a_refusal() {
        let numbers: BTreeSet<&str> = Code::ALL.iter().map(|code| code.number()).collect();
        assert_eq!(numbers.len(), Code::ALL.len());
        for code in Code::ALL {
            assert!(code.number().len() == 4, "{code:?}");
            assert!([400, 403, 404, 500].contains(&code.status().as_u16()), "{code:?}");
        }
    }
}
