-- +goose Up
-- Automatic information (F3-1-l, F3-1-m, F3-1-n): mails to designated people without an operator, live only. A bulletin takes its id
-- from the sequence of dispatches, so that mail, attempt and stop name either by one number and the lanes carry both alike.

CREATE TABLE bulletin_rule (            -- thresholds as data with history: the highest version of a kind counts
  version        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at             timestamptz NOT NULL,
  actor          text NOT NULL,
  kind           text NOT NULL CHECK (kind IN ('quick', 'confirmed', 'tsunami', 'weather', 'typhoon', 'volcano', 'giant', 'other')),
  enabled        boolean NOT NULL,
  from_intensity intensity NOT NULL,    -- for quick and confirmed
  from_level     smallint NOT NULL CHECK (from_level BETWEEN 0 AND 5), -- desk.Level, for the others
  repeat_after_s integer NOT NULL CHECK (repeat_after_s BETWEEN 0 AND 604800), -- an unchanged state is told again after so long; 0 = never
  stale_after_s  integer NOT NULL CHECK (stale_after_s BETWEEN 60 AND 604800), -- older news are passed over
  digest_every_s integer NOT NULL CHECK (digest_every_s BETWEEN 60 AND 86400)
);
CREATE INDEX bulletin_rule_kind ON bulletin_rule (kind, version DESC);

CREATE TABLE subscription (             -- who is designated for what; a change ends the row and writes a new one
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  person_id      bigint NOT NULL REFERENCES person ON DELETE CASCADE,
  kind           text NOT NULL CHECK (kind IN ('quick', 'confirmed', 'tsunami', 'weather', 'typhoon', 'volcano', 'giant', 'other')),
  prefectures    smallint[] NOT NULL,   -- '{}' = the whole country
  from_intensity intensity NOT NULL,
  from_level     smallint NOT NULL CHECK (from_level BETWEEN 0 AND 5),
  cadence        text NOT NULL CHECK (cadence IN ('every', 'changes', 'digest')),
  actor          text NOT NULL,
  at             timestamptz NOT NULL,
  ended_by       text NOT NULL DEFAULT '',
  ended_at       timestamptz,
  CHECK (kind <> 'quick' OR cadence <> 'digest') -- 地震速報 is due within three minutes // P5-2
);
CREATE UNIQUE INDEX subscription_present ON subscription (kind, person_id) WHERE ended_at IS NULL;
CREATE INDEX subscription_person ON subscription (person_id);

CREATE TABLE bulletin (
  id            bigint PRIMARY KEY DEFAULT nextval('dispatch_id_seq'),
  kind          text NOT NULL CHECK (kind IN ('quick', 'confirmed', 'tsunami', 'weather', 'typhoon', 'volcano', 'giant', 'other', 'digest')),
  thread        text NOT NULL,          -- what is told of: an EventID, a prefecture, a typhoon, a volcano
  number        integer NOT NULL CHECK (number >= 1), -- within the thread
  mode          mode NOT NULL CHECK (mode = 'live'), -- law 4
  telegram_id   bigint NOT NULL REFERENCES telegram,
  event_id      bigint REFERENCES event,
  step          text NOT NULL CHECK (step IN ('new', 'changed', 'corrected', 'withdrawn', 'lifted', 'digest')),
  level         smallint NOT NULL CHECK (level BETWEEN 0 AND 5),
  max_intensity intensity NOT NULL,
  prefectures   smallint[] NOT NULL,
  subject       text NOT NULL,
  body          text NOT NULL,
  facts         jsonb NOT NULL,         -- desk.BulletinFacts: what the mail told, for the differences of the next one
  occurred_at   timestamptz NOT NULL,
  issued_at     timestamptz NOT NULL,   -- by the telegram
  received_at   timestamptz NOT NULL,   -- by the feed
  read_at       timestamptz NOT NULL,   -- database clock: understood
  at            timestamptz NOT NULL,   -- database clock: decided and queued
  state         text NOT NULL CHECK (state IN ('expanded', 'sending', 'sent', 'stopped')),
  recipients    integer NOT NULL DEFAULT 0,
  mails         integer NOT NULL DEFAULT 0,
  supersedes    bigint REFERENCES bulletin, -- the one before it in the thread
  ended_at      timestamptz,
  UNIQUE (telegram_id, kind, thread),
  UNIQUE (kind, thread, number)
);
CREATE INDEX bulletin_active ON bulletin (id) WHERE state IN ('expanded', 'sending');
CREATE INDEX bulletin_at ON bulletin (at);
CREATE INDEX bulletin_ended ON bulletin (ended_at); -- the watch asks each second for what ended a moment ago

CREATE TABLE bulletin_recipient (
  bulletin_id bigint NOT NULL REFERENCES bulletin,
  person_id   bigint NOT NULL,
  due_at      timestamptz,              -- for the next digest of the person; null = mailed at once
  carried_by  bigint REFERENCES bulletin, -- the digest that carried it
  dropped     boolean NOT NULL DEFAULT false, -- withdrawn before its digest: the person never heard of it
  PRIMARY KEY (bulletin_id, person_id)
);
CREATE INDEX bulletin_recipient_due ON bulletin_recipient (due_at, person_id) WHERE due_at IS NOT NULL AND carried_by IS NULL AND NOT dropped;

CREATE TABLE bulletin_considered (      -- every reading is considered once, by whichever engine
  telegram_id bigint PRIMARY KEY REFERENCES telegram,
  bulletins   integer NOT NULL,
  why         text NOT NULL,            -- why none was sent; plain Japanese, shown at the desk
  at          timestamptz NOT NULL
);

-- The telegrams that were there before this room was built are nobody's news any more.
INSERT INTO bulletin_considered (telegram_id, bulletins, why, at) SELECT telegram_id, 0, '自動配信を始める前の電文です。', now() FROM reading;

CREATE TABLE unconsidered (             -- readings that wait for the automatic path; the feeds take turns, so no number marks the end
  telegram_id bigint PRIMARY KEY
);
-- +goose StatementBegin
CREATE FUNCTION reading_waits() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO unconsidered (telegram_id) VALUES (NEW.telegram_id) ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER reading_unconsidered AFTER INSERT ON reading FOR EACH ROW EXECUTE FUNCTION reading_waits();

CREATE INDEX reading_cancelled ON reading (type, press_time) WHERE phase = 'cancelled';

-- Mails of a bulletin name no approval; those of a safety confirmation still do (law 2).
ALTER TABLE mail ALTER COLUMN approval_id DROP NOT NULL;

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION mail_names_its_approval() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  -- Once a statement, not once a row: a foreign key would cost more than the mail itself. (law 2)
  IF EXISTS (SELECT FROM (SELECT DISTINCT approval_id, dispatch_id FROM written) w
             WHERE NOT EXISTS (SELECT FROM approval a WHERE a.id = w.approval_id AND a.dispatch_id = w.dispatch_id)
               AND NOT (w.approval_id IS NULL AND EXISTS (SELECT FROM bulletin b WHERE b.id = w.dispatch_id))) THEN
    RAISE EXCEPTION 'a mail of a safety confirmation names no approval of its dispatch' USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NULL;
END $$;
-- +goose StatementEnd

-- A bulletin is of a live telegram, whatever the program believes (law 4), and takes no number of a dispatch.
-- +goose StatementBegin
CREATE FUNCTION bulletin_is_live() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM reading r WHERE r.telegram_id = NEW.telegram_id AND r.mode = 'live') THEN
    RAISE EXCEPTION 'a bulletin is of a live telegram' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT FROM dispatch d WHERE d.id = NEW.id) THEN
    RAISE EXCEPTION 'this number is a dispatch' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER bulletin_live BEFORE INSERT ON bulletin FOR EACH ROW EXECUTE FUNCTION bulletin_is_live();

-- +goose StatementBegin
CREATE FUNCTION bulletin_takes_legal_steps() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT ((OLD.state, NEW.state) IN (
      ('expanded', 'sending'), ('expanded', 'sent'), ('expanded', 'stopped'), ('sending', 'sent'), ('sending', 'stopped'))) THEN
    RAISE EXCEPTION 'a bulletin does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER bulletin_steps BEFORE UPDATE OF state ON bulletin FOR EACH ROW
  WHEN (OLD.state IS DISTINCT FROM NEW.state AND current_user IN ('yagura_engine', 'yagura_console')) EXECUTE FUNCTION bulletin_takes_legal_steps();

-- A stop names a dispatch or a bulletin: a wrong bulletin is stopped by the same row.
ALTER TABLE stop DROP CONSTRAINT stop_dispatch_id_fkey;
-- +goose StatementBegin
CREATE FUNCTION stop_names_a_mailing() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM dispatch d WHERE d.id = NEW.dispatch_id) AND NOT EXISTS (SELECT FROM bulletin b WHERE b.id = NEW.dispatch_id) THEN
    RAISE EXCEPTION 'a stop names a dispatch or a bulletin' USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER stop_mailing BEFORE INSERT ON stop FOR EACH ROW EXECUTE FUNCTION stop_names_a_mailing();

GRANT SELECT, INSERT, DELETE ON unconsidered TO yagura_engine;
GRANT SELECT ON bulletin_rule, subscription, bulletin, bulletin_recipient, bulletin_considered TO yagura_engine, yagura_console;
GRANT INSERT ON bulletin, bulletin_recipient, bulletin_considered TO yagura_engine;
GRANT UPDATE (state, recipients, mails, ended_at) ON bulletin TO yagura_engine;
GRANT UPDATE (carried_by, dropped) ON bulletin_recipient TO yagura_engine;
GRANT USAGE ON SEQUENCE dispatch_id_seq TO yagura_engine;
GRANT UPDATE (ended_at) ON bulletin TO yagura_console; -- FOR UPDATE: a stop waits for the settling of the row
GRANT UPDATE (dropped) ON bulletin_recipient TO yagura_console; -- a stop holds for those who wait for a digest too

INSERT INTO bulletin_rule (at, actor, kind, enabled, from_intensity, from_level, repeat_after_s, stale_after_s, digest_every_s) VALUES
  (now(), 'migration', 'quick',     true, 5, 0, 0,     1800, 600),  -- 震度4以上
  (now(), 'migration', 'confirmed', true, 5, 0, 0,     1800, 600),  -- 震度4以上
  (now(), 'migration', 'tsunami',   true, 0, 2, 0,     1800, 600),  -- 津波注意報以上
  (now(), 'migration', 'weather',   true, 0, 4, 21600, 1800, 1800), -- 危険警報以上
  (now(), 'migration', 'typhoon',   true, 0, 1, 0,     7200, 3600),
  (now(), 'migration', 'volcano',   true, 0, 3, 0,     1800, 1800), -- 噴火警戒レベル3以上と噴火速報
  (now(), 'migration', 'giant',     true, 0, 1, 0,     1800, 600),
  (now(), 'migration', 'other',     false, 0, 4, 0,    1800, 1800);
