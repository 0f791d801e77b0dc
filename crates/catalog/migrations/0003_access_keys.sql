-- Keys that requests are signed with.

-- secret is sealed. Only a temporary key has expires_at; its scope_kind is 'project' or 'domain',
-- its parent the key and its token_id the token by which it was asked for.
CREATE TABLE access_key (
    access      $TEXT NOT NULL PRIMARY KEY,
    user_id     $TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    secret      $TEXT NOT NULL,
    description $TEXT NOT NULL,
    is_enabled  BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT,
    scope_kind  $TEXT,
    scope_id    $TEXT,
    parent      $TEXT REFERENCES access_key (access) ON DELETE CASCADE,
    token_id    $TEXT
);
CREATE INDEX access_key_user ON access_key (user_id, created_at, access);
CREATE INDEX access_key_parent ON access_key (parent);
CREATE INDEX access_key_expiry ON access_key (expires_at);
