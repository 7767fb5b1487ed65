-- The directory (证照目录): who holds what in the whole province, by blind index, filled from the cells' outboxes.

CREATE TABLE directory (
    holder_index bytea       NOT NULL,
    license_id   bytea       NOT NULL,
    kind         text        NOT NULL,
    office       text        NOT NULL,
    state        text        NOT NULL,
    role         text        NOT NULL,
    valid_from   date        NOT NULL,
    valid_to     date,
    grade        text        NOT NULL,
    revision     bigint      NOT NULL,
    updated_at   timestamptz NOT NULL,
    CONSTRAINT directory_pk PRIMARY KEY (holder_index, license_id),
    CONSTRAINT directory_state_known CHECK (state IN ('draft', 'accepted', 'issued', 'suspended', 'revoked', 'expired', 'superseded', 'cancelled', 'archived')),
    CONSTRAINT directory_role_known CHECK (role IN ('holder', 'guardian'))
);
COMMENT ON TABLE directory IS 'key: holder_index';
