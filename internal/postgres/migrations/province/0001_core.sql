-- What every schema has: the outbox (发件箱) that carries facts to other places, and the audit (审计) of every act.

CREATE SEQUENCE outbox_seq AS bigint;

CREATE TABLE outbox (
    id         bigint      NOT NULL,
    topic      text        NOT NULL,
    key        bytea       NOT NULL,
    payload    bytea       NOT NULL,
    created_at timestamptz NOT NULL,
    done_at    timestamptz,
    receipt    bytea,
    CONSTRAINT outbox_pk PRIMARY KEY (id),
    CONSTRAINT outbox_topic_known CHECK (topic IN ('ledger', 'directory', 'event')),
    CONSTRAINT outbox_key_size CHECK (octet_length(key) BETWEEN 1 AND 128),
    CONSTRAINT outbox_payload_size CHECK (octet_length(payload) <= 1048576),
    CONSTRAINT outbox_receipt_after_done CHECK (receipt IS NULL OR done_at IS NOT NULL)
);
COMMENT ON TABLE outbox IS 'key: id';

CREATE INDEX outbox_waiting ON outbox (topic, id) WHERE done_at IS NULL;

CREATE SEQUENCE audit_seq AS bigint;

-- The time stands in the primary key, so that the table can become the first partition of a greater one.
CREATE TABLE audit (
    id           bigint      NOT NULL,
    at           timestamptz NOT NULL,
    act          text        NOT NULL,
    subject      bytea       NOT NULL,
    actor        text        NOT NULL,
    on_behalf_of text        NOT NULL,
    office       text        NOT NULL,
    matter       text        NOT NULL,
    case_no      text        NOT NULL,
    reason       text        NOT NULL,
    legal_basis  text        NOT NULL,
    detail       bytea,
    CONSTRAINT audit_pk PRIMARY KEY (at, id),
    CONSTRAINT audit_who_and_what CHECK (act <> '' AND actor <> '')
);
COMMENT ON TABLE audit IS 'key: id';

CREATE INDEX audit_subject ON audit (subject, at);
