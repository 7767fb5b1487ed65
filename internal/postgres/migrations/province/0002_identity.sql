-- Accounts, sessions and grants (账户、会话、授权). What is personal is sealed or a blind index; tables whose rows end are
-- ready to be cut by the day of their end, which stands in their primary key and in the tokens that find them.

CREATE TABLE identity_account (
    id          text        NOT NULL,
    roles       text[]      NOT NULL,
    office      text        NOT NULL,
    office_name text        NOT NULL,
    level       bigint      NOT NULL,
    profile     bytea       NOT NULL,
    created_at  timestamptz NOT NULL,
    CONSTRAINT identity_account_pk PRIMARY KEY (id),
    CONSTRAINT identity_account_level_known CHECK (level BETWEEN 2 AND 5),
    CONSTRAINT identity_account_roles_known CHECK (roles <@ ARRAY['citizen', 'clerk', 'officer', 'operator'])
);
COMMENT ON TABLE identity_account IS 'key: id';

-- A login is a unique fact on another key than the account's, so it has a table of its own.
CREATE TABLE identity_login (
    login_index bytea NOT NULL,
    account     text  NOT NULL,
    CONSTRAINT identity_login_pk PRIMARY KEY (login_index)
);
COMMENT ON TABLE identity_login IS 'key: login_index';

CREATE TABLE identity_factor (
    account    text        NOT NULL,
    id         bytea       NOT NULL,
    kind       text        NOT NULL,
    params     text        NOT NULL,
    secret     bytea       NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT identity_factor_pk PRIMARY KEY (account, id),
    CONSTRAINT identity_factor_kind_known CHECK (kind IN ('password', 'passkey'))
);
COMMENT ON TABLE identity_factor IS 'key: account';

CREATE TABLE identity_subject (
    subject_index bytea NOT NULL,
    account       text  NOT NULL,
    relation      text  NOT NULL,
    CONSTRAINT identity_subject_pk PRIMARY KEY (subject_index, account),
    CONSTRAINT identity_subject_relation_known CHECK (relation IN ('self', 'representative', 'guardian'))
);
COMMENT ON TABLE identity_subject IS 'key: subject_index';

CREATE TABLE identity_session (
    expires_day date        NOT NULL,
    hash        bytea       NOT NULL,
    sid         text        NOT NULL,
    account     text        NOT NULL,
    auth_time   timestamptz NOT NULL,
    amr         text[]      NOT NULL,
    acr         text        NOT NULL,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    CONSTRAINT identity_session_pk PRIMARY KEY (expires_day, hash),
    CONSTRAINT identity_session_hash_size CHECK (octet_length(hash) = 32)
);
COMMENT ON TABLE identity_session IS 'key: hash';

CREATE INDEX identity_session_sid ON identity_session (sid) WHERE ended_at IS NULL;
CREATE INDEX identity_session_account ON identity_session (account) WHERE ended_at IS NULL;

CREATE TABLE oauth_client (
    id         text        NOT NULL,
    secrets    bytea[]     NOT NULL,
    metadata   bytea       NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT oauth_client_pk PRIMARY KEY (id)
);
COMMENT ON TABLE oauth_client IS 'key: id';

CREATE TABLE oauth_interaction (
    expires_day date        NOT NULL,
    hash        bytea       NOT NULL,
    client      text        NOT NULL,
    detail      bytea       NOT NULL,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    done_at     timestamptz,
    CONSTRAINT oauth_interaction_pk PRIMARY KEY (expires_day, hash),
    CONSTRAINT oauth_interaction_detail_size CHECK (octet_length(detail) <= 32768)
);
COMMENT ON TABLE oauth_interaction IS 'key: hash';

CREATE TABLE oauth_consent (
    account  text        NOT NULL,
    client   text        NOT NULL,
    scopes   text[]      NOT NULL,
    given_at timestamptz NOT NULL,
    CONSTRAINT oauth_consent_pk PRIMARY KEY (account, client)
);
COMMENT ON TABLE oauth_consent IS 'key: account';

-- One row is one grant: the code that starts it, the session and request behind it, the generation of its refresh token.
-- Of the code and the refresh tokens only the digest of their common seed is stored.
CREATE TABLE oauth_grant (
    expires_day date        NOT NULL,
    hash        bytea       NOT NULL,
    client      text        NOT NULL,
    account     text        NOT NULL,
    sid         text        NOT NULL,
    offline     boolean     NOT NULL,
    scopes      text[]      NOT NULL,
    detail      bytea       NOT NULL,
    generation  bigint      NOT NULL,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    code_until  timestamptz NOT NULL,
    used_at     timestamptz,
    rotated_at  timestamptz,
    ended_at    timestamptz,
    CONSTRAINT oauth_grant_pk PRIMARY KEY (expires_day, hash),
    CONSTRAINT oauth_grant_generation_rises CHECK (generation >= 0),
    CONSTRAINT oauth_grant_rotated_after_use CHECK (generation = 0 OR (used_at IS NOT NULL AND rotated_at IS NOT NULL))
);
COMMENT ON TABLE oauth_grant IS 'key: hash';

CREATE INDEX oauth_grant_sid ON oauth_grant (sid) WHERE ended_at IS NULL;
CREATE INDEX oauth_grant_account ON oauth_grant (account, client) WHERE ended_at IS NULL;

CREATE TABLE oauth_access (
    expires_day date        NOT NULL,
    hash        bytea       NOT NULL,
    grant_day   date,
    grant_hash  bytea,
    client      text        NOT NULL,
    account     text        NOT NULL,
    scopes      text[]      NOT NULL,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    CONSTRAINT oauth_access_pk PRIMARY KEY (expires_day, hash),
    CONSTRAINT oauth_access_grant_whole CHECK ((grant_day IS NULL) = (grant_hash IS NULL))
);
COMMENT ON TABLE oauth_access IS 'key: hash';
