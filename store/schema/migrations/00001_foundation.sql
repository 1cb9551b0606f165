-- +goose Up
-- The whole ground floor. Times are timestamptz from the database clock unless a column says "received" or "occurred",
-- which are telegram or page times. Enumerations are text with a CHECK: readable in psql, refused when unknown.
-- Intensities are stored in desk.Intensity order (0 unknown, 1 "0", 2 "1" … 10 "7"), so that < means weaker.

-- +goose StatementBegin
DO $$
BEGIN
  -- Roles belong to the whole cluster; two databases may be migrated at once. // law 13
  PERFORM pg_advisory_lock(7241001);
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'yagura_engine') THEN CREATE ROLE yagura_engine LOGIN; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'yagura_console') THEN CREATE ROLE yagura_console LOGIN; END IF;
  PERFORM pg_advisory_unlock(7241001);
END $$;
-- +goose StatementEnd

CREATE DOMAIN mode AS text CHECK (VALUE IN ('live', 'drill', 'test'));
CREATE DOMAIN prefecture AS smallint CHECK (VALUE BETWEEN 1 AND 47);
CREATE DOMAIN intensity AS smallint CHECK (VALUE BETWEEN 0 AND 10);

-- People -------------------------------------------------------------------------------------------------------------

CREATE TABLE person (
  id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code  text NOT NULL UNIQUE,           -- F3-1-i
  name  text NOT NULL,
  kana  text NOT NULL DEFAULT ''
);

CREATE TABLE person_region (            -- F3-1-f
  person_id  bigint NOT NULL REFERENCES person ON DELETE CASCADE,
  prefecture prefecture NOT NULL,
  PRIMARY KEY (person_id, prefecture)
);
CREATE INDEX person_region_prefecture ON person_region (prefecture, person_id);

CREATE TABLE groups (                   -- F3-1-e; the tree of units
  id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  parent_id bigint REFERENCES groups,
  name      text NOT NULL,
  level     smallint NOT NULL CHECK (level >= 1),
  top_id    bigint NOT NULL             -- the level-1 ancestor (itself at level 1), for tallies by unit
);

CREATE TABLE person_group (             -- F3-1-h
  person_id bigint NOT NULL REFERENCES person ON DELETE CASCADE,
  group_id  bigint NOT NULL REFERENCES groups,
  main      boolean NOT NULL DEFAULT false, -- the unit the person is counted under
  PRIMARY KEY (person_id, group_id)
);
CREATE UNIQUE INDEX person_group_main ON person_group (person_id) WHERE main;

CREATE TABLE address (                  -- F3-1-g; the mailbox is sealed with a key the database does not hold (law 11)
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  person_id   bigint NOT NULL REFERENCES person ON DELETE CASCADE,
  sealed      bytea NOT NULL,
  domain      text NOT NULL,
  fingerprint bytea NOT NULL,
  state       text NOT NULL DEFAULT 'unverified' CHECK (state IN ('unverified', 'verified', 'bad')),
  UNIQUE (person_id, fingerprint)
);
CREATE INDEX address_person ON address (person_id);

CREATE TABLE operator (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name        text NOT NULL UNIQUE,
  display     text NOT NULL,
  fingerprint text NOT NULL UNIQUE,     -- SHA256:… of the SSH public key
  public_key  text NOT NULL,            -- authorized_keys form
  disabled_at timestamptz,
  created_at  timestamptz NOT NULL
);

CREATE TABLE desk_session (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  operator_id bigint NOT NULL REFERENCES operator,
  remote      text NOT NULL,
  opened_at   timestamptz NOT NULL,
  seen_at     timestamptz NOT NULL,
  closed_at   timestamptz
);

-- Rules as data ------------------------------------------------------------------------------------------------------

CREATE TABLE policy (                   -- append-only; the highest version counts
  version         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at              timestamptz NOT NULL,
  actor           text NOT NULL,
  prefecture_from intensity NOT NULL,
  nationwide_from intensity NOT NULL,
  count_down_ms   integer NOT NULL CHECK (count_down_ms BETWEEN 0 AND 60000),
  not_after_s     integer NOT NULL CHECK (not_after_s BETWEEN 30 AND 86400),
  merge_window_s  integer NOT NULL,
  merge_km        double precision NOT NULL,
  one_person_may  boolean NOT NULL
);

CREATE TABLE template (                 -- versions are immutable // F3-2-c
  id      text NOT NULL,
  version integer NOT NULL,
  subject text NOT NULL,
  body    text NOT NULL,
  at      timestamptz NOT NULL,
  PRIMARY KEY (id, version)
);

CREATE TABLE carrier (
  lane     text PRIMARY KEY,
  name     text NOT NULL,
  host     text NOT NULL,
  port     integer NOT NULL CHECK (port BETWEEN 1 AND 65535),
  sessions integer NOT NULL CHECK (sessions BETWEEN 1 AND 200),
  depth    integer NOT NULL CHECK (depth BETWEEN 1 AND 16),
  tls      boolean NOT NULL DEFAULT false
);

CREATE TABLE carrier_domain (
  domain text PRIMARY KEY,
  lane   text NOT NULL REFERENCES carrier ON DELETE CASCADE
);

-- Telegrams and judgement --------------------------------------------------------------------------------------------

CREATE TABLE telegram (                 -- verbatim, before anybody tries to understand it; never altered (law 1)
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  digest      bytea NOT NULL UNIQUE CHECK (length(digest) = 32),
  feed        text NOT NULL,
  name        text NOT NULL,
  raw         bytea NOT NULL,
  received_at timestamptz NOT NULL,
  stored_at   timestamptz NOT NULL
);
CREATE INDEX telegram_stored ON telegram (stored_at);

CREATE TABLE reading (                  -- what was understood of a telegram, or why not
  telegram_id bigint PRIMARY KEY REFERENCES telegram,
  type        text NOT NULL,
  mode        text NOT NULL,
  phase       text NOT NULL,
  event_keys  text[] NOT NULL,
  serial      text NOT NULL,
  press_time  timestamptz,
  parsed      jsonb NOT NULL,           -- desk.Telegram without Raw
  error       text NOT NULL DEFAULT '', -- why it could not be read; shown at the desk
  at          timestamptz NOT NULL
);

CREATE INDEX reading_eew ON reading (press_time) WHERE type IN ('VXSE42', 'VXSE43', 'VXSE44', 'VXSE45');
CREATE INDEX reading_error ON reading (telegram_id) WHERE error <> '';

CREATE TABLE event (                    -- the present understanding of one happening; its history is its telegrams
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  hazard        text NOT NULL,
  mode          mode NOT NULL,
  event_keys    text[] NOT NULL,
  occurred_at   timestamptz NOT NULL,
  first_seen_at timestamptz NOT NULL,
  updated_at    timestamptz NOT NULL,
  stored_at     timestamptz NOT NULL,
  status        text NOT NULL CHECK (status IN ('open', 'retracted')),
  max_intensity intensity NOT NULL,
  grade         smallint NOT NULL CHECK (grade BETWEEN 1 AND 3),
  state         jsonb NOT NULL,         -- desk.Event
  version       bigint NOT NULL DEFAULT 1
);
CREATE INDEX event_keys ON event USING gin (event_keys);
CREATE INDEX event_recent ON event (updated_at DESC);

CREATE TABLE event_telegram (
  telegram_id bigint NOT NULL REFERENCES telegram,
  event_id    bigint NOT NULL REFERENCES event,
  PRIMARY KEY (telegram_id, event_id)
);
CREATE INDEX event_telegram_event ON event_telegram (event_id);

CREATE TABLE advice (                   -- append-only
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_id    bigint NOT NULL REFERENCES event,
  telegram_id bigint NOT NULL REFERENCES telegram,
  at          timestamptz NOT NULL,
  grade       smallint NOT NULL CHECK (grade BETWEEN 1 AND 3),
  content     jsonb NOT NULL            -- desk.Advice
);
CREATE INDEX advice_event ON advice (event_id, id DESC);

CREATE TABLE verification (             -- a person's finding // F3-1-k.3
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_id    bigint NOT NULL REFERENCES event,
  operator_id bigint NOT NULL REFERENCES operator,
  advice_id   bigint NOT NULL REFERENCES advice,
  finding     text NOT NULL CHECK (finding IN ('genuine', 'false', 'held')),
  reason      text NOT NULL,
  at          timestamptz NOT NULL
);
CREATE INDEX verification_event ON verification (event_id, id DESC);

CREATE TABLE incident (                 -- F3-1-k.2
  id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  hazard    text NOT NULL,
  mode      mode NOT NULL,
  title     text NOT NULL,
  opened_by bigint NOT NULL REFERENCES operator,
  opened_at timestamptz NOT NULL,
  closed_at timestamptz
);

CREATE TABLE incident_event (           -- the merge decision with its reason // F3-1-k.4
  event_id    bigint PRIMARY KEY REFERENCES event,
  incident_id bigint NOT NULL REFERENCES incident,
  joined      boolean NOT NULL,         -- false: the event that opened it
  operator_id bigint NOT NULL REFERENCES operator,
  reason      text NOT NULL,
  note        text NOT NULL DEFAULT '',
  at          timestamptz NOT NULL
);
CREATE INDEX incident_event_incident ON incident_event (incident_id);

-- Dispatch -----------------------------------------------------------------------------------------------------------

CREATE TABLE dispatch (
  id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  incident_id      bigint NOT NULL REFERENCES incident,
  event_id         bigint NOT NULL REFERENCES event,
  mode             mode NOT NULL,
  state            text NOT NULL CHECK (state IN ('proposed', 'approved', 'expanded', 'sending', 'sent', 'stopped', 'expired', 'withdrawn')),
  subject          text NOT NULL,
  body             text NOT NULL,
  template_id      text NOT NULL,
  template_version integer NOT NULL,
  head_count       integer NOT NULL,
  addresses        integer NOT NULL,
  unreached        integer NOT NULL,
  proposed_by      bigint NOT NULL REFERENCES operator,
  proposed_at      timestamptz NOT NULL,
  expanded_through bigint NOT NULL DEFAULT 0, -- the last person the fan-out wrote; moves in the chunk's own transaction
  expanded_at      timestamptz,
  ended_at         timestamptz,
  FOREIGN KEY (template_id, template_version) REFERENCES template (id, version)
);
CREATE INDEX dispatch_incident ON dispatch (incident_id);
CREATE INDEX dispatch_active ON dispatch (id) WHERE state IN ('proposed', 'approved', 'expanded', 'sending');

CREATE TABLE dispatch_prefecture (      -- the audience, and why
  dispatch_id bigint NOT NULL REFERENCES dispatch,
  prefecture  prefecture NOT NULL,
  intensity   intensity NOT NULL,
  reason      text NOT NULL CHECK (reason IN ('intensity', 'nationwide', 'raised')),
  PRIMARY KEY (dispatch_id, prefecture)
);

CREATE TABLE approval (                 -- an approval that names no operator is refused (law 2) // F3-1-k.3
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  dispatch_id bigint NOT NULL UNIQUE REFERENCES dispatch,
  operator_id bigint NOT NULL REFERENCES operator,
  head_count  integer NOT NULL,
  method      text NOT NULL CHECK (method IN ('one_key', 'two_people')),
  advice_id   bigint NOT NULL REFERENCES advice,
  at          timestamptz NOT NULL,
  not_before  timestamptz NOT NULL,
  not_after   timestamptz NOT NULL CHECK (not_after > not_before),
  UNIQUE (id, dispatch_id)
);

CREATE TABLE stop (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  dispatch_id bigint NOT NULL UNIQUE REFERENCES dispatch,
  operator_id bigint NOT NULL REFERENCES operator,
  reason      text NOT NULL,
  at          timestamptz NOT NULL
);

CREATE TABLE recipient (                -- a person within one dispatch, once, with the reason // F3-1-f
  dispatch_id bigint NOT NULL,
  person_id   bigint NOT NULL,
  prefecture  prefecture NOT NULL,      -- the strongest of his triggered regions: the line he is tallied under
  reason      text NOT NULL,
  top_group   bigint,                   -- the level-1 unit he is tallied under
  mails       smallint NOT NULL,        -- addresses mailed; 0 = nobody can reach him by mail
  PRIMARY KEY (dispatch_id, person_id)
);
CREATE INDEX recipient_unreached ON recipient (dispatch_id, person_id) WHERE mails = 0;

CREATE TABLE mail (                     -- written once by the fan-out, never updated (law 9)
  id          bigint GENERATED ALWAYS AS IDENTITY, -- ascending = priority order within a dispatch
  dispatch_id bigint NOT NULL,
  approval_id bigint NOT NULL,
  person_id   bigint NOT NULL,
  address_id  bigint NOT NULL,
  lane        text NOT NULL,
  sealed      bytea NOT NULL,           -- the address as it was when the order was expanded
  domain      text NOT NULL,
  created_at  timestamptz NOT NULL,
  -- The only index, in the order in which lanes read: who knows a mail's id knows its dispatch and lane too. Once for an address
  -- without an index that says so, which would cost a quarter of the insert: mails are written in the same statement as the
  -- rows of recipient, whose key refuses a person twice, under the lock on the dispatch row.
  PRIMARY KEY (dispatch_id, lane, id)
);

-- +goose StatementBegin
CREATE FUNCTION mail_names_its_approval() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- Once a statement, not once a row: a foreign key would cost more than the mail itself. (law 2)
  IF EXISTS (SELECT FROM (SELECT DISTINCT approval_id, dispatch_id FROM written) w
             WHERE NOT EXISTS (SELECT FROM approval a WHERE a.id = w.approval_id AND a.dispatch_id = w.dispatch_id)) THEN
    RAISE EXCEPTION 'a mail of a safety confirmation names no approval of its dispatch' USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER mail_approved AFTER INSERT ON mail REFERENCING NEW TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION mail_names_its_approval();

CREATE TABLE attempt (                  -- append-only; pending = no final result
  mail_id     bigint NOT NULL,
  number      smallint NOT NULL,
  epoch       bigint NOT NULL,          -- lease epoch of the lane's owner: two owners' results never overwrite each other
  dispatch_id bigint NOT NULL,
  lane        text NOT NULL,
  at          timestamptz NOT NULL,
  outcome     smallint NOT NULL CHECK (outcome BETWEEN 1 AND 3), -- desk.Outcome: accepted, deferred, refused
  stage       text NOT NULL,
  code        smallint NOT NULL,
  text        text NOT NULL,
  route       text NOT NULL,
  recorded_at timestamptz NOT NULL,
  PRIMARY KEY (mail_id, number, epoch)
);

CREATE INDEX attempt_refused ON attempt (dispatch_id, mail_id) WHERE outcome = 3;

CREATE TABLE lease (
  name       text PRIMARY KEY,
  holder     text NOT NULL,
  epoch      bigint NOT NULL,
  expires_at timestamptz NOT NULL
);

CREATE TABLE heartbeat (
  process text PRIMARY KEY,
  at      timestamptz NOT NULL,
  lanes   text[] NOT NULL DEFAULT '{}',
  note    text NOT NULL DEFAULT ''
);

-- Answers ------------------------------------------------------------------------------------------------------------

CREATE TABLE response (                 -- every answer is kept // F3-1-a.1
  id          bigint GENERATED ALWAYS AS IDENTITY,             -- the order in which answers were written
  nonce       bytea PRIMARY KEY CHECK (length(nonce) = 16),    -- draining a journal twice changes nothing
  dispatch_id bigint NOT NULL,
  person_id   bigint NOT NULL,
  received_at timestamptz NOT NULL,
  stored_at   timestamptz NOT NULL,
  safety      text NOT NULL CHECK (safety IN ('well', 'injured', 'serious')),
  attendance  text NOT NULL CHECK (attendance IN ('now', 'later', 'cannot')),
  comment     text NOT NULL DEFAULT '' CHECK (length(comment) <= 200),
  channel     text NOT NULL
);

CREATE INDEX response_dispatch ON response (dispatch_id, stored_at);

CREATE TABLE standing (                 -- the latest answer of a person in a dispatch, by received-at
  dispatch_id bigint NOT NULL,
  person_id   bigint NOT NULL,
  response_id bigint NOT NULL,
  received_at timestamptz NOT NULL,
  safety      text NOT NULL,
  attendance  text NOT NULL,
  answers     integer NOT NULL,
  prefecture  smallint,                 -- the lines the person is tallied under, copied from recipient, which never changes;
  top_group   bigint,                   -- prefecture is null when there was no such row
  PRIMARY KEY (dispatch_id, person_id)
) WITH (fillfactor = 80);               -- room for a second answer beside the first

CREATE TABLE tally (
  dispatch_id bigint PRIMARY KEY REFERENCES dispatch,
  at          timestamptz NOT NULL,
  content     jsonb NOT NULL            -- desk.Tally
);

-- Audit --------------------------------------------------------------------------------------------------------------

CREATE TABLE audit (                    -- append-only, same transaction as the fact; operators' acts are hash-chained
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at      timestamptz NOT NULL,
  actor   text NOT NULL,
  act     text NOT NULL,
  subject text NOT NULL,
  detail  jsonb NOT NULL DEFAULT '{}',
  chain   text NOT NULL DEFAULT '',     -- '' = not chained
  hash    bytea
);
CREATE INDEX audit_chain ON audit (chain, id) WHERE chain <> '';

-- Least rights (law 13) ----------------------------------------------------------------------------------------------

-- +goose StatementBegin
DO $$
BEGIN
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO yagura_engine, yagura_console', current_database());
END $$;
-- +goose StatementEnd
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO yagura_engine, yagura_console;

GRANT SELECT ON person, person_region, groups, person_group, operator, policy, template, carrier, carrier_domain,
  telegram, reading, event, event_telegram, advice, verification, incident, incident_event, dispatch, dispatch_prefecture,
  approval, stop, recipient, attempt, lease, heartbeat, response, standing, tally, audit TO yagura_engine;
GRANT SELECT ON address, mail TO yagura_engine;
GRANT INSERT ON telegram, reading, event, event_telegram, advice, recipient, mail, attempt, lease, heartbeat, response,
  standing, tally, audit TO yagura_engine;
GRANT UPDATE ON event, lease, heartbeat, standing, tally TO yagura_engine;
GRANT UPDATE (state, head_count, addresses, unreached, expanded_through, expanded_at, ended_at) ON dispatch TO yagura_engine;

GRANT SELECT ON person, person_region, groups, person_group, operator, desk_session, policy, template, carrier, carrier_domain,
  telegram, reading, event, event_telegram, advice, verification, incident, incident_event, dispatch, dispatch_prefecture,
  approval, stop, recipient, attempt, heartbeat, standing, tally, audit TO yagura_console;
GRANT SELECT (id, person_id, domain, state) ON address TO yagura_console;
GRANT SELECT (id, dispatch_id, approval_id, person_id, address_id, lane, domain, created_at) ON mail TO yagura_console;
GRANT INSERT ON desk_session, verification, incident, incident_event, dispatch, dispatch_prefecture, approval, stop, audit TO yagura_console;
GRANT UPDATE (seen_at, closed_at) ON desk_session TO yagura_console;
GRANT UPDATE (closed_at) ON incident TO yagura_console;
GRANT UPDATE (state, ended_at) ON dispatch TO yagura_console;

GRANT SELECT ON goose_db_version TO yagura_engine, yagura_console;

-- First rows ---------------------------------------------------------------------------------------------------------

INSERT INTO policy (at, actor, prefecture_from, nationwide_from, count_down_ms, not_after_s, merge_window_s, merge_km, one_person_may)
VALUES (now(), 'migration', 6, 9, 5000, 900, 21600, 100, true); -- 5弱 by prefecture, 6強 nationwide

INSERT INTO template (id, version, subject, body, at) VALUES ('safety', 1,
  '【安否確認】{title}',
  E'{title}\n\n安否を確認しています。下のリンクを開いて、安否と登庁できるかを答えてください（ログインは不要です）。\n', now());
