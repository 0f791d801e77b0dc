-- Vaults with what they protect, checkpoints, backups of servers, operations, replicas.

-- What was the vault's unique name tells which vault is the default one: 'default', else its id.
ALTER TABLE vault RENAME COLUMN name TO slot;
ALTER TABLE vault ADD COLUMN name $TEXT NOT NULL DEFAULT 'default';
ALTER TABLE vault ADD COLUMN user_id $TEXT;
ALTER TABLE vault ADD COLUMN description $TEXT;
ALTER TABLE vault ADD COLUMN size BIGINT NOT NULL DEFAULT 10485760;
ALTER TABLE vault ADD COLUMN status $TEXT NOT NULL DEFAULT 'available';
ALTER TABLE vault ADD COLUMN is_locked BIGINT NOT NULL DEFAULT 0;
ALTER TABLE vault ADD COLUMN object_type $TEXT NOT NULL DEFAULT 'disk';
ALTER TABLE vault ADD COLUMN protect_type $TEXT NOT NULL DEFAULT 'backup';
-- terms: a document. Null for a default vault of before.
ALTER TABLE vault ADD COLUMN terms $TEXT;
CREATE INDEX vault_order ON vault (project_id, created_at, id);

-- A resource is in one vault at most. extra: a document.
CREATE TABLE vault_resource (
    resource_id  $TEXT NOT NULL PRIMARY KEY,
    vault_id     $TEXT NOT NULL REFERENCES vault (id) ON DELETE CASCADE,
    kind         $TEXT NOT NULL,
    name         $TEXT NOT NULL,
    size         BIGINT NOT NULL,
    extra        $TEXT NOT NULL,
    auto_protect BIGINT NOT NULL,
    is_removing  BIGINT NOT NULL,
    created_at   BIGINT NOT NULL
);
CREATE INDEX vault_resource_vault ON vault_resource (vault_id, created_at, resource_id);

-- operation is 'backup' or 'replication'; kind the contract's policy type; terms what the caller
-- said in its own words, a document.
ALTER TABLE policy ADD COLUMN operation $TEXT NOT NULL DEFAULT 'backup';
ALTER TABLE policy ADD COLUMN kind $TEXT NOT NULL DEFAULT 'custom_policy';
ALTER TABLE policy ADD COLUMN terms $TEXT;

-- A vault has one policy of each operation at most.
CREATE TABLE vault_policy (
    vault_id             $TEXT NOT NULL REFERENCES vault (id) ON DELETE CASCADE,
    operation            $TEXT NOT NULL,
    policy_id            $TEXT NOT NULL REFERENCES policy (id) ON DELETE CASCADE,
    destination_vault_id $TEXT,
    created_at           BIGINT NOT NULL,
    PRIMARY KEY (vault_id, operation)
);
CREATE INDEX vault_policy_policy ON vault_policy (policy_id, created_at, vault_id);

-- skipped: a document.
CREATE TABLE checkpoint (
    id             $TEXT NOT NULL PRIMARY KEY,
    project_id     $TEXT NOT NULL,
    user_id        $TEXT NOT NULL,
    vault_id       $TEXT NOT NULL REFERENCES vault (id) ON DELETE CASCADE,
    policy_id      $TEXT,
    name           $TEXT NOT NULL,
    description    $TEXT NOT NULL,
    is_automatic   BIGINT NOT NULL,
    retention_days BIGINT,
    skipped        $TEXT NOT NULL,
    created_at     BIGINT NOT NULL
);
CREATE INDEX checkpoint_vault ON checkpoint (vault_id, created_at, id);

-- A volume's name is kept with its backup, since both may change or go.
ALTER TABLE backup ADD COLUMN checkpoint_id $TEXT;
ALTER TABLE backup ADD COLUMN server_backup_id $TEXT;
ALTER TABLE backup ADD COLUMN is_automatic BIGINT NOT NULL DEFAULT 0;
ALTER TABLE backup ADD COLUMN is_replica BIGINT NOT NULL DEFAULT 0;
ALTER TABLE backup ADD COLUMN volume_name $TEXT;
UPDATE backup SET is_automatic = 1 WHERE policy_id IS NOT NULL;
CREATE INDEX backup_checkpoint ON backup (checkpoint_id) WHERE checkpoint_id IS NOT NULL;
CREATE INDEX backup_of_server ON backup (server_backup_id) WHERE server_backup_id IS NOT NULL;
CREATE INDEX backup_alone ON backup (project_id, created_at, id) WHERE server_backup_id IS NULL;
CREATE INDEX backup_of_vault ON backup (vault_id, volume_id, created_at, id);
DROP INDEX backup_vault;

-- The bytes are those of the backups that name it. documents: JSON.
CREATE TABLE server_backup (
    id                $TEXT NOT NULL PRIMARY KEY,
    project_id        $TEXT NOT NULL,
    user_id           $TEXT NOT NULL,
    vault_id          $TEXT NOT NULL REFERENCES vault (id),
    checkpoint_id     $TEXT NOT NULL,
    server_id         $TEXT NOT NULL,
    server_name       $TEXT NOT NULL,
    name              $TEXT NOT NULL,
    description       $TEXT,
    status            $TEXT NOT NULL,
    fail_reason       $TEXT,
    size              BIGINT NOT NULL,
    availability_zone $TEXT,
    architecture      $TEXT,
    has_system_disk   BIGINT NOT NULL,
    is_incremental    BIGINT NOT NULL,
    is_automatic      BIGINT NOT NULL,
    is_replica        BIGINT NOT NULL,
    wants_full        BIGINT NOT NULL,
    policy_id         $TEXT,
    expires_at        BIGINT,
    documents         $TEXT,
    restore_server_id $TEXT,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT,
    protected_at      BIGINT
);
CREATE INDEX server_backup_order ON server_backup (project_id, created_at, id);
CREATE INDEX server_backup_server ON server_backup (server_id, vault_id, created_at, id);
CREATE INDEX server_backup_vault ON server_backup (vault_id, created_at, id);
CREATE INDEX server_backup_checkpoint ON server_backup (checkpoint_id);
CREATE INDEX server_backup_expiry ON server_backup (expires_at) WHERE expires_at IS NOT NULL;

-- What is shared is a backup of a volume or of a server, so no table can be referred to.
DROP INDEX share_from;
DROP INDEX share_to;
ALTER TABLE share RENAME TO share_before;
CREATE TABLE share (
    id              $TEXT NOT NULL PRIMARY KEY,
    backup_id       $TEXT NOT NULL,
    from_project_id $TEXT NOT NULL,
    to_project_id   $TEXT NOT NULL,
    status          $TEXT NOT NULL,
    vault_id        $TEXT,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT,
    UNIQUE (backup_id, to_project_id)
);
INSERT INTO share (id, backup_id, from_project_id, to_project_id, status, created_at, updated_at)
    SELECT id, backup_id, from_project_id, to_project_id, status, created_at, updated_at
    FROM share_before;
DROP TABLE share_before;
CREATE INDEX share_from ON share (from_project_id, created_at, id);
CREATE INDEX share_to ON share (to_project_id, created_at, id);

-- detail: a document. job_id: the job with which it ends.
CREATE TABLE operation (
    id            $TEXT NOT NULL PRIMARY KEY,
    kind          $TEXT NOT NULL,
    status        $TEXT NOT NULL,
    project_id    $TEXT NOT NULL,
    vault_id      $TEXT,
    vault_name    $TEXT,
    object_type   $TEXT,
    checkpoint_id $TEXT,
    policy_id     $TEXT,
    resource_id   $TEXT,
    resource_kind $TEXT,
    resource_name $TEXT,
    backup_id     $TEXT,
    backup_name   $TEXT,
    job_id        $TEXT,
    detail        $TEXT NOT NULL,
    fault         $TEXT,
    message       $TEXT,
    progress      BIGINT NOT NULL,
    request_id    $TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    ended_at      BIGINT
);
CREATE INDEX operation_order ON operation (project_id, created_at, id);
CREATE INDEX operation_job ON operation (job_id) WHERE job_id IS NOT NULL;
CREATE INDEX operation_backup ON operation (backup_id) WHERE ended_at IS NULL;
CREATE INDEX operation_vault ON operation (vault_id) WHERE ended_at IS NULL;
CREATE INDEX operation_ended ON operation (ended_at);

-- One copy of one backup in another region, as one side has it: 'source' or 'destination'. detail: a
-- document.
CREATE TABLE replication (
    id                        $TEXT NOT NULL PRIMARY KEY,
    side                      $TEXT NOT NULL,
    project_id                $TEXT NOT NULL,
    vault_id                  $TEXT NOT NULL,
    backup_id                 $TEXT NOT NULL,
    status                    $TEXT NOT NULL,
    source_region             $TEXT NOT NULL,
    source_project_id         $TEXT NOT NULL,
    source_vault_id           $TEXT NOT NULL,
    source_backup_id          $TEXT NOT NULL,
    source_checkpoint_id      $TEXT NOT NULL,
    destination_region        $TEXT NOT NULL,
    destination_project_id    $TEXT NOT NULL,
    destination_vault_id      $TEXT NOT NULL,
    destination_backup_id     $TEXT,
    destination_checkpoint_id $TEXT,
    is_automatic              BIGINT NOT NULL,
    progress                  BIGINT NOT NULL,
    message                   $TEXT,
    detail                    $TEXT NOT NULL,
    created_at                BIGINT NOT NULL,
    updated_at                BIGINT
);
CREATE INDEX replication_backup ON replication (backup_id, created_at, id);
CREATE UNIQUE INDEX replication_once ON replication (side, source_backup_id, destination_region)
    WHERE status <> 'fail';
CREATE INDEX replication_checkpoint ON replication (vault_id, source_checkpoint_id);
CREATE INDEX replication_unfinished ON replication (status) WHERE status IN ('waiting_replicate', 'replicating');

-- stored_bytes repeats a figure of measured, to be added up.
ALTER TABLE backup ADD COLUMN stored_bytes BIGINT;
UPDATE backup SET stored_bytes = $STORED_BYTES WHERE measured IS NOT NULL;
CREATE INDEX backup_usage ON backup
    (vault_id, server_backup_id, volume_id, status, created_at, stored_bytes);

-- Vaults that were removed, whose garbage is still to be collected in the store.
CREATE TABLE former_vault (
    id         $TEXT NOT NULL PRIMARY KEY,
    removed_at BIGINT NOT NULL
);

-- Vaults that are filled beyond their threshold, since when, and how far they were then.
CREATE TABLE vault_warning (
    vault_id  $TEXT NOT NULL PRIMARY KEY REFERENCES vault (id) ON DELETE CASCADE,
    percent   BIGINT NOT NULL,
    warned_at BIGINT NOT NULL
);
