-- Licenses (证照) of one cell. What is personal is sealed under the cell's data key or stands as a blind index.

CREATE TABLE license (
    id              bytea       NOT NULL,
    identifier      text        NOT NULL,
    kind            text        NOT NULL,
    kind_version    bigint      NOT NULL,
    office          text        NOT NULL,
    version         bigint      NOT NULL,
    state           text        NOT NULL,
    revision        bigint      NOT NULL,
    accepted_at     timestamptz NOT NULL,
    issue_date      date        NOT NULL,
    issued_at       timestamptz,
    ended_at        timestamptz,
    end_reason      text        NOT NULL,
    valid_from      date        NOT NULL,
    valid_to        date,
    status_list     bigint      NOT NULL,
    status_index    bigint      NOT NULL,
    grade           text        NOT NULL,
    sealed          bytea       NOT NULL,
    photo_blob      bytea,
    photo_key       bytea,
    file_blob       bytea,
    file_key        bytea,
    document_digest bytea,
    face_digest     bytea,
    static_sealed   bytea,
    ref             bytea,
    salt            bytea,
    issue_leaf      bytea,
    end_leaf        bytea,
    ledger_outbox   bigint,
    CONSTRAINT license_pk PRIMARY KEY (id),
    CONSTRAINT license_id_size CHECK (octet_length(id) = 18),
    CONSTRAINT license_state_known CHECK (state IN ('draft', 'accepted', 'issued', 'suspended', 'revoked', 'expired', 'superseded', 'cancelled', 'archived')),
    CONSTRAINT license_revision_counts CHECK (revision >= 1),
    CONSTRAINT license_version_range CHECK (version BETWEEN 1 AND 999),
    CONSTRAINT license_issued_whole CHECK (state IN ('draft', 'accepted', 'cancelled')
        OR (issued_at IS NOT NULL AND file_blob IS NOT NULL AND file_key IS NOT NULL AND document_digest IS NOT NULL
            AND face_digest IS NOT NULL AND static_sealed IS NOT NULL AND issue_leaf IS NOT NULL)),
    CONSTRAINT license_ended_whole CHECK ((state IN ('revoked', 'expired', 'superseded', 'cancelled', 'archived')) = (ended_at IS NOT NULL)),
    CONSTRAINT license_dates CHECK (valid_to IS NULL OR valid_to >= valid_from),
    CONSTRAINT license_status_place CHECK (status_index BETWEEN 0 AND 1048575)
);
COMMENT ON TABLE license IS 'key: id';

CREATE INDEX license_office ON license (office, accepted_at DESC);

-- The numbers that are taken (office, kind, number, version): the idempotency key of a request, with the digest of its content.
CREATE TABLE license_number (
    number_index bytea  NOT NULL,
    office       text   NOT NULL,
    kind         text   NOT NULL,
    version      bigint NOT NULL,
    license_id   bytea  NOT NULL,
    content      bytea  NOT NULL,
    CONSTRAINT license_number_pk PRIMARY KEY (number_index, office, kind, version)
);
COMMENT ON TABLE license_number IS 'key: number_index';

-- Holders (持证主体) and guardians, in printed order.
CREATE TABLE license_holder (
    license_id   bytea  NOT NULL,
    n            bigint NOT NULL,
    role         text   NOT NULL,
    holder_index bytea  NOT NULL,
    sealed       bytea  NOT NULL,
    CONSTRAINT license_holder_pk PRIMARY KEY (license_id, n),
    CONSTRAINT license_holder_once UNIQUE (license_id, holder_index),
    CONSTRAINT license_holder_license FOREIGN KEY (license_id) REFERENCES license (id),
    CONSTRAINT license_holder_role_known CHECK (role IN ('holder', 'guardian'))
);
COMMENT ON TABLE license_holder IS 'key: license_id';

-- Status lists (状态列表) beyond the cell's first, which is always open: the greatest is the one that new licenses go into.
CREATE TABLE status_list (
    list      bigint      NOT NULL,
    opened_at timestamptz NOT NULL,
    CONSTRAINT status_list_pk PRIMARY KEY (list)
);
COMMENT ON TABLE status_list IS 'key: list';

CREATE TABLE status_slot (
    list       bigint NOT NULL,
    slot       bigint NOT NULL,
    license_id bytea  NOT NULL,
    CONSTRAINT status_slot_pk PRIMARY KEY (list, slot),
    CONSTRAINT status_slot_range CHECK (slot BETWEEN 0 AND 1048575)
);
COMMENT ON TABLE status_slot IS 'key: list';

-- Licenses that wait for their seal.
CREATE TABLE seal_work (
    license_id bytea       NOT NULL,
    next_at    timestamptz NOT NULL,
    attempts   bigint      NOT NULL,
    last_code  text        NOT NULL,
    CONSTRAINT seal_work_pk PRIMARY KEY (license_id)
);
COMMENT ON TABLE seal_work IS 'key: license_id';

CREATE INDEX seal_work_next ON seal_work (next_at);

-- Device keys of test wallets, one for each license and holder.
CREATE TABLE wallet_device (
    license_id   bytea       NOT NULL,
    holder_index bytea       NOT NULL,
    sealed       bytea       NOT NULL,
    created_at   timestamptz NOT NULL,
    CONSTRAINT wallet_device_pk PRIMARY KEY (license_id, holder_index)
);
COMMENT ON TABLE wallet_device IS 'key: license_id';

-- Handles of dynamic codes (亮证码). The day stands in the key and in the handle, so that the table can be cut by days.
CREATE TABLE code_handle (
    day          bigint      NOT NULL,
    handle       bytea       NOT NULL,
    license_id   bytea       NOT NULL,
    holder_index bytea       NOT NULL,
    minted_at    timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    used_at      timestamptz,
    used_by      text        NOT NULL,
    receipt      bytea,
    CONSTRAINT code_handle_pk PRIMARY KEY (day, handle),
    CONSTRAINT code_handle_size CHECK (octet_length(handle) = 20),
    CONSTRAINT code_handle_used_whole CHECK ((used_at IS NULL) = (receipt IS NULL))
);
COMMENT ON TABLE code_handle IS 'key: handle';
