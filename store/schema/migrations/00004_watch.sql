-- +goose Up
-- The watch: what each source of telegrams last said of itself, the limits of the contract as data, and the reports that a
-- breach of them asks for (P5-2 to P5-6). The stage times themselves are never kept twice: they are read from the facts.

CREATE TABLE source_health (            -- one row for each source at each engine, overwritten; no history
  engine        text NOT NULL,
  name          text NOT NULL,
  last_received timestamptz,
  last_contact  timestamptz,
  lag_ms        bigint NOT NULL,
  reconnects    integer NOT NULL,
  trouble       text NOT NULL,
  detail        text NOT NULL,
  rhythm_ms     bigint NOT NULL CHECK (rhythm_ms >= 0),
  first_at      timestamptz NOT NULL,
  at            timestamptz NOT NULL,
  PRIMARY KEY (engine, name)
) WITH (fillfactor = 50);               -- room for the next version of the row beside it

CREATE TABLE source_silence (           -- a source that fell silent beyond its own rhythm, at every engine
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name       text NOT NULL,
  since      timestamptz NOT NULL,      -- the last sign of life before it
  noticed_at timestamptz NOT NULL,
  trouble    text NOT NULL,
  ended_at   timestamptz CHECK (ended_at >= noticed_at)
);
CREATE UNIQUE INDEX source_silence_open ON source_silence (name) WHERE ended_at IS NULL;

CREATE TABLE clock_rule (               -- append-only; the highest version of a clause and target counts
  version    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at         timestamptz NOT NULL,
  actor      text NOT NULL,
  clause     text NOT NULL CHECK (clause IN ('P5-2', 'P5-3', 'P5-4', 'P5-5')),
  until      text NOT NULL CHECK (until IN ('first_accepted', 'last_accepted')),
  since      text NOT NULL CHECK (since IN ('occurred', 'issued', 'received', 'read', 'judged')),
  limit_ms   bigint NOT NULL CHECK (limit_ms BETWEEN 1000 AND 86400000),
  warn       double precision NOT NULL CHECK (warn > 0 AND warn <= 100),
  breach     double precision NOT NULL CHECK (breach = 0 OR (breach >= warn AND breach <= 100)) -- 0: a target, never a breach
);
CREATE INDEX clock_rule_latest ON clock_rule (clause, until, version DESC);

CREATE TABLE breach (                   -- P5-6; one for each mailing
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  subject_kind text NOT NULL CHECK (subject_kind IN ('bulletin', 'dispatch')),
  subject_id   bigint NOT NULL,
  clause       text NOT NULL,
  ratio        double precision NOT NULL CHECK (ratio > 0), -- of the limit, when the record was opened
  limit_ms     bigint NOT NULL,
  since        text NOT NULL,           -- the stages between which the limit counted, as in clock_rule
  until        text NOT NULL,
  stages       jsonb NOT NULL,          -- desk.StageClock as last drafted
  opened_at    timestamptz NOT NULL,
  cause        text NOT NULL DEFAULT '',
  measures     text NOT NULL DEFAULT '',
  drafted_at   timestamptz,
  report       text NOT NULL DEFAULT '',
  odt          bytea,
  sent_at      timestamptz,
  sent_by      text,
  UNIQUE (subject_kind, subject_id),
  CHECK ((sent_at IS NULL) = (sent_by IS NULL))
);
CREATE INDEX breach_unsent ON breach (id) WHERE sent_at IS NULL;

GRANT SELECT ON source_health, source_silence, clock_rule, breach TO yagura_engine, yagura_console;
GRANT INSERT ON source_health, source_silence, breach TO yagura_engine;
GRANT UPDATE ON source_health TO yagura_engine;
GRANT UPDATE (ended_at) ON source_silence TO yagura_engine;
GRANT UPDATE (stages, drafted_at, report, odt) ON breach TO yagura_engine;

-- The limits of P5-2 to P5-5; warn at 1.0, breach at 1.5 of the limit (P5-6 leaves "greatly" open).
INSERT INTO clock_rule (at, actor, clause, until, since, limit_ms, warn, breach) VALUES
  (now(), 'migration', 'P5-2', 'last_accepted', 'occurred', 180000, 1.0, 1.5),
  (now(), 'migration', 'P5-3', 'last_accepted', 'issued', 600000, 1.0, 1.5),
  (now(), 'migration', 'P5-4', 'last_accepted', 'issued', 600000, 1.0, 1.5),
  (now(), 'migration', 'P5-5', 'first_accepted', 'read', 45000, 1.0, 0),
  (now(), 'migration', 'P5-5', 'last_accepted', 'read', 180000, 1.0, 1.5);
