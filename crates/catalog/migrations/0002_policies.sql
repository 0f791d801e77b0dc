-- Policies and their runs, shares, tags, and what jobs are about.

-- policy_id is kept when the policy is gone; wants_full: nothing earlier is to be built on.
ALTER TABLE backup ADD COLUMN policy_id $TEXT;
ALTER TABLE backup ADD COLUMN expires_at BIGINT;
ALTER TABLE backup ADD COLUMN wants_full BIGINT NOT NULL DEFAULT 0;
CREATE INDEX backup_expiry ON backup (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX backup_undeleted ON backup (policy_id) WHERE status = 'error_deleting';
CREATE INDEX backup_policy ON backup (policy_id, volume_id, created_at, id) WHERE policy_id IS NOT NULL;

-- What is asked for every disk of a run, or every backup that is removed.
CREATE INDEX backup_being_made ON backup (volume_id) WHERE status = 'creating';
CREATE INDEX backup_size ON backup (project_id, size);
CREATE INDEX volume_backup ON volume (backup_id) WHERE backup_id IS NOT NULL;
-- With its second column it looks better to SQLite's planner than job_finished.
CREATE INDEX job_unfinished ON job (kind, finished_at) WHERE finished_at IS NULL;

-- subject: a document of ids, for whoever asks after the rows are gone.
ALTER TABLE job ADD COLUMN subject $TEXT;

-- schedule and retention are documents. next_run_at is null while the policy is disabled.
CREATE TABLE policy (
    id          $TEXT NOT NULL PRIMARY KEY,
    project_id  $TEXT NOT NULL,
    user_id     $TEXT NOT NULL,
    name        $TEXT NOT NULL,
    is_enabled  BIGINT NOT NULL,
    schedule    $TEXT NOT NULL,
    retention   $TEXT NOT NULL,
    next_run_at BIGINT,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT
);
CREATE INDEX policy_project ON policy (project_id, created_at, id);
CREATE INDEX policy_due ON policy (next_run_at) WHERE next_run_at IS NOT NULL;

-- A disk belongs to one policy at most. The row outlives the disk; gone_at: since when a run knows
-- that the disk is gone.
CREATE TABLE policy_volume (
    volume_id  $TEXT NOT NULL PRIMARY KEY,
    policy_id  $TEXT NOT NULL REFERENCES policy (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    gone_at    BIGINT
);
CREATE INDEX policy_volume_policy ON policy_volume (policy_id, created_at, volume_id);

-- One disk's part in one run of a policy; it outlives the policy.
CREATE TABLE task (
    id          $TEXT NOT NULL PRIMARY KEY,
    run_id      $TEXT NOT NULL,
    policy_id   $TEXT NOT NULL,
    volume_id   $TEXT NOT NULL,
    due_at      BIGINT NOT NULL,
    status      $TEXT NOT NULL,
    backup_name $TEXT NOT NULL,
    backup_id   $TEXT,
    job_id      $TEXT,
    fault       $TEXT,
    message     $TEXT,
    created_at  BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX task_policy ON task (policy_id, created_at, id);
CREATE INDEX task_backup ON task (backup_id) WHERE backup_id IS NOT NULL;
CREATE INDEX task_running ON task (policy_id) WHERE status = 'running';
CREATE INDEX task_finished ON task (finished_at);

CREATE TABLE share (
    id              $TEXT NOT NULL PRIMARY KEY,
    backup_id       $TEXT NOT NULL REFERENCES backup (id) ON DELETE CASCADE,
    from_project_id $TEXT NOT NULL,
    to_project_id   $TEXT NOT NULL,
    status          $TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT,
    UNIQUE (backup_id, to_project_id)
);
CREATE INDEX share_from ON share (from_project_id, created_at, id);
CREATE INDEX share_to ON share (to_project_id, created_at, id);

-- owner_kind is 'backup' or 'policy'.
CREATE TABLE tag (
    owner_kind $TEXT NOT NULL,
    owner_id   $TEXT NOT NULL,
    project_id $TEXT NOT NULL,
    name       $TEXT NOT NULL,
    value      $TEXT NOT NULL,
    PRIMARY KEY (owner_kind, owner_id, name)
);
CREATE INDEX tag_project ON tag (project_id, owner_kind, name, value);
