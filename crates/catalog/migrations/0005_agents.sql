-- Agents in servers, and policies of whole domains.

-- An id is the agent's own choice, and says nothing outside its project. paths: a document.
CREATE TABLE agent (
    id             $TEXT NOT NULL,
    project_id     $TEXT NOT NULL,
    kind           $TEXT NOT NULL,
    version        $TEXT,
    host_ip        $TEXT NOT NULL,
    host_name      $TEXT NOT NULL,
    host_nickname  $TEXT,
    host_os        $TEXT NOT NULL,
    status         $TEXT NOT NULL,
    paths          $TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT,
    last_active_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id)
);

-- definition, patterns: documents in the caller's own words.
CREATE TABLE organization_policy (
    id                $TEXT NOT NULL PRIMARY KEY,
    domain_id         $TEXT NOT NULL,
    name              $TEXT NOT NULL,
    description       $TEXT NOT NULL,
    effective_scope   $TEXT NOT NULL,
    operation         $TEXT NOT NULL,
    policy_name       $TEXT NOT NULL,
    is_policy_enabled BIGINT NOT NULL,
    definition        $TEXT NOT NULL,
    patterns          $TEXT NOT NULL,
    start_window      BIGINT,
    created_at        BIGINT NOT NULL
);
CREATE INDEX organization_policy_order ON organization_policy (domain_id, created_at, id);

CREATE TABLE organization_deployment (
    policy_id              $TEXT NOT NULL PRIMARY KEY,
    organization_policy_id $TEXT NOT NULL REFERENCES organization_policy (id) ON DELETE CASCADE,
    project_id             $TEXT NOT NULL,
    UNIQUE (organization_policy_id, project_id)
);
