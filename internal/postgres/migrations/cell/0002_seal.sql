-- Electronic seals (电子印章) of a cell's offices: the registry, its history, and the one-shot drafts of sealings.

CREATE TABLE seal (
    id          text        NOT NULL,
    office      text        NOT NULL,
    name        text        NOT NULL,
    state       text        NOT NULL,
    since       timestamptz NOT NULL,
    key_ref     text        NOT NULL,
    der         bytea,
    signer_cert bytea,
    maker_cert  bytea,
    matters     text[]      NOT NULL,
    per_day     bigint      NOT NULL,
    created_at  timestamptz NOT NULL,
    CONSTRAINT seal_pk PRIMARY KEY (id),
    CONSTRAINT seal_id_size CHECK (octet_length(id) BETWEEN 1 AND 64),
    CONSTRAINT seal_state_known CHECK (state IN ('requested', 'approved', 'made', 'filed', 'active', 'suspended', 'cancelled', 'expired')),
    CONSTRAINT seal_made_whole CHECK ((state IN ('requested', 'approved', 'cancelled'))
        OR (der IS NOT NULL AND signer_cert IS NOT NULL AND maker_cert IS NOT NULL AND key_ref <> '')),
    CONSTRAINT seal_per_day_positive CHECK (per_day >= 0)
);
COMMENT ON TABLE seal IS 'key: id';

CREATE INDEX seal_office ON seal (office, id);

-- What state a seal was in at a past instant.
CREATE TABLE seal_history (
    seal_id text        NOT NULL,
    since   timestamptz NOT NULL,
    state   text        NOT NULL,
    CONSTRAINT seal_history_pk PRIMARY KEY (seal_id, since)
);
COMMENT ON TABLE seal_history IS 'key: seal_id';

-- A sealing that was decided: the exact bytes to be signed, for one use. The bytes go once the draft is settled.
CREATE TABLE seal_draft (
    id           bytea       NOT NULL,
    seal_id      text        NOT NULL,
    tbs          bytea       NOT NULL,
    digest       bytea       NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    redeemed_at  timestamptz,
    settled_at   timestamptz,
    state        text        NOT NULL,
    actor        text        NOT NULL,
    on_behalf_of text        NOT NULL,
    office       text        NOT NULL,
    matter       text        NOT NULL,
    case_no      text        NOT NULL,
    reason       text        NOT NULL,
    legal_basis  text        NOT NULL,
    CONSTRAINT seal_draft_pk PRIMARY KEY (id),
    CONSTRAINT seal_draft_id_size CHECK (octet_length(id) = 18),
    CONSTRAINT seal_draft_digest_size CHECK (octet_length(digest) = 32),
    CONSTRAINT seal_draft_state_known CHECK (state IN ('prepared', 'redeemed', 'applied', 'failed')),
    CONSTRAINT seal_draft_bytes_while_open CHECK ((state IN ('applied', 'failed')) = (octet_length(tbs) = 0)),
    CONSTRAINT seal_draft_redeemed_once CHECK ((state = 'prepared') = (redeemed_at IS NULL)),
    CONSTRAINT seal_draft_life CHECK (expires_at > created_at)
);
COMMENT ON TABLE seal_draft IS 'key: id';

CREATE INDEX seal_draft_seal ON seal_draft (seal_id, created_at);
