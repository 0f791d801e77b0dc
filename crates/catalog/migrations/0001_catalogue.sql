-- Tables of the catalogue, one text for SQLite and PostgreSQL.
-- $TEXT is replaced by the migrator with a text type that sorts by bytes.
-- Booleans are BIGINT 0 or 1, instants BIGINT microseconds since 1970, documents JSON text.

CREATE TABLE setting (
    name  $TEXT NOT NULL PRIMARY KEY,
    value $TEXT NOT NULL
);

CREATE TABLE domain (
    id          $TEXT NOT NULL PRIMARY KEY,
    name        $TEXT NOT NULL UNIQUE,
    description $TEXT NOT NULL,
    is_enabled  BIGINT NOT NULL
);

CREATE TABLE project (
    id          $TEXT NOT NULL PRIMARY KEY,
    domain_id   $TEXT NOT NULL REFERENCES domain (id),
    name        $TEXT NOT NULL,
    description $TEXT NOT NULL,
    is_enabled  BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    UNIQUE (domain_id, name)
);

-- "user" is a reserved word of PostgreSQL.
CREATE TABLE person (
    id                 $TEXT NOT NULL PRIMARY KEY,
    domain_id          $TEXT NOT NULL REFERENCES domain (id),
    name               $TEXT NOT NULL,
    password_hash      $TEXT NOT NULL,
    default_project_id $TEXT,
    is_enabled         BIGINT NOT NULL,
    created_at         BIGINT NOT NULL,
    tokens_valid_from  BIGINT NOT NULL,
    UNIQUE (domain_id, name)
);

-- scope_kind is 'project' or 'domain', scope_id the id of one.
CREATE TABLE assignment (
    user_id    $TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    scope_kind $TEXT NOT NULL,
    scope_id   $TEXT NOT NULL,
    role       $TEXT NOT NULL,
    PRIMARY KEY (user_id, scope_kind, scope_id, role)
);
CREATE INDEX assignment_scope ON assignment (scope_kind, scope_id);

CREATE TABLE revoked_token (
    token_id   $TEXT NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX revoked_token_expiry ON revoked_token (expires_at);

CREATE TABLE vault (
    id         $TEXT NOT NULL PRIMARY KEY,
    project_id $TEXT NOT NULL,
    name       $TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (project_id, name)
);

-- name_folded is the name in lower case, for searches that ignore case.
CREATE TABLE volume (
    id                $TEXT NOT NULL PRIMARY KEY,
    project_id        $TEXT NOT NULL,
    user_id           $TEXT NOT NULL,
    name              $TEXT,
    name_folded       $TEXT NOT NULL,
    description       $TEXT,
    size              BIGINT NOT NULL,
    status            $TEXT NOT NULL,
    previous_status   $TEXT,
    is_bootable       BIGINT NOT NULL,
    availability_zone $TEXT NOT NULL,
    metadata          $TEXT NOT NULL,
    snapshot_id       $TEXT,
    source_volume_id  $TEXT,
    backup_id         $TEXT,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT
);
CREATE INDEX volume_order ON volume (project_id, created_at, id);
CREATE INDEX volume_order_all ON volume (created_at, id);
CREATE INDEX volume_status ON volume (project_id, status, created_at, id);

CREATE TABLE snapshot (
    id          $TEXT NOT NULL PRIMARY KEY,
    project_id  $TEXT NOT NULL,
    user_id     $TEXT NOT NULL,
    volume_id   $TEXT NOT NULL,
    name        $TEXT,
    name_folded $TEXT NOT NULL,
    description $TEXT,
    size        BIGINT NOT NULL,
    status      $TEXT NOT NULL,
    metadata    $TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT
);
CREATE INDEX snapshot_order ON snapshot (project_id, created_at, id);
CREATE INDEX snapshot_order_all ON snapshot (created_at, id);
CREATE INDEX snapshot_volume ON snapshot (project_id, volume_id, created_at, id);

-- object_count repeats a figure of measured, to sort by.
CREATE TABLE backup (
    id                $TEXT NOT NULL PRIMARY KEY,
    project_id        $TEXT NOT NULL,
    user_id           $TEXT NOT NULL,
    vault_id          $TEXT NOT NULL REFERENCES vault (id),
    data_id           $TEXT NOT NULL,
    volume_id         $TEXT NOT NULL,
    snapshot_id       $TEXT,
    name              $TEXT,
    name_folded       $TEXT NOT NULL,
    description       $TEXT,
    status            $TEXT NOT NULL,
    fail_reason       $TEXT,
    size              BIGINT NOT NULL,
    container         $TEXT,
    availability_zone $TEXT,
    is_incremental    BIGINT NOT NULL,
    is_bootable       BIGINT NOT NULL,
    metadata          $TEXT NOT NULL,
    volume_metadata   $TEXT NOT NULL,
    progress          BIGINT NOT NULL,
    measured          $TEXT,
    object_count      BIGINT,
    restore_volume_id $TEXT,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT,
    data_timestamp    BIGINT NOT NULL
);
-- Both tie-breakers take the direction of the first key, so one ascending index serves both
-- directions: it is read backwards for the default order, newest first.
CREATE INDEX backup_order ON backup (project_id, created_at, id);
CREATE INDEX backup_order_all ON backup (created_at, id);
CREATE INDEX backup_status ON backup (project_id, status, created_at, id);
CREATE INDEX backup_volume ON backup (project_id, volume_id, created_at, id);
CREATE INDEX backup_data ON backup (data_id);
CREATE INDEX backup_vault ON backup (vault_id);

-- state is 'queued', 'running', 'done' or 'failed'; session names what the last attempt opened in
-- the store, so that the next attempt can settle it.
CREATE TABLE job (
    id          $TEXT NOT NULL PRIMARY KEY,
    kind        $TEXT NOT NULL,
    attempt     BIGINT NOT NULL,
    state       $TEXT NOT NULL,
    not_before  BIGINT NOT NULL,
    lease_until BIGINT,
    worker      $TEXT,
    request_id  $TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    session     $TEXT,
    finished_at BIGINT,
    error       $TEXT,
    failures    BIGINT NOT NULL
);
CREATE INDEX job_due ON job (not_before, created_at, id) WHERE finished_at IS NULL;
CREATE INDEX job_finished ON job (finished_at);

-- scope_kind is 'project' or 'class', scope_id the id of a project or the name of a class.
CREATE TABLE quota_limit (
    scope_kind  $TEXT NOT NULL,
    scope_id    $TEXT NOT NULL,
    resource    $TEXT NOT NULL,
    limit_value BIGINT NOT NULL,
    PRIMARY KEY (scope_kind, scope_id, resource)
);
