-- +goose Up
-- What waits to be read stands in a queue of its own, so that the reader can take turns between the feeds: a flood from one
-- source must not hold up another's telegram, and nothing unread is ever out of reach, however far the reading runs ahead.

-- An engine of the former version may be reading: a reading that neither the INSERT below nor the trigger sees would leave its
-- telegram in the queue for ever.
LOCK TABLE reading IN SHARE ROW EXCLUSIVE MODE;

CREATE TABLE unread (
  telegram_id bigint PRIMARY KEY REFERENCES telegram,
  feed        text NOT NULL
);
CREATE INDEX unread_turn ON unread (feed, telegram_id);
INSERT INTO unread (telegram_id, feed)
SELECT t.id, t.feed FROM telegram t WHERE NOT EXISTS (SELECT FROM reading r WHERE r.telegram_id = t.id);

-- The schema keeps the queue, whoever writes a telegram or a reading: no statement of a program can forget it.
-- +goose StatementBegin
CREATE FUNCTION telegram_waits() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO unread (telegram_id, feed) VALUES (NEW.id, NEW.feed);
  RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION reading_is_done() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  DELETE FROM unread WHERE telegram_id = NEW.telegram_id;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER telegram_waits AFTER INSERT ON telegram FOR EACH ROW EXECUTE FUNCTION telegram_waits();
CREATE TRIGGER reading_is_done AFTER INSERT ON reading FOR EACH ROW EXECUTE FUNCTION reading_is_done();
REVOKE EXECUTE ON FUNCTION telegram_waits(), reading_is_done() FROM PUBLIC;

GRANT SELECT ON unread TO yagura_engine, yagura_console;

-- A second source is looked for by type and time.
CREATE INDEX reading_kind ON reading (type, press_time);
