-- +goose Up
-- What the programs promise, the schema refuses to break: the mode of an event never changes (law 4), a dispatch begins as a draft
-- in the mode of its event and incident, takes only legal steps, and is approved only where an approval row names an operator (law 2).

-- +goose StatementBegin
CREATE FUNCTION dispatch_begins_as_draft() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.state <> 'proposed' OR NEW.expanded_through <> 0 THEN
    RAISE EXCEPTION 'a dispatch begins as proposed' USING ERRCODE = 'check_violation';
  END IF;
  IF NOT EXISTS (SELECT FROM event e JOIN incident i ON i.id = NEW.incident_id
                 WHERE e.id = NEW.event_id AND e.mode = NEW.mode AND i.mode = NEW.mode) THEN
    RAISE EXCEPTION 'a dispatch is of the mode of its event and incident' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION dispatch_takes_legal_steps() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  -- The table of desk.DispatchState.May; a test compares the two.
  IF NOT ((OLD.state, NEW.state) IN (
      ('proposed', 'approved'), ('proposed', 'withdrawn'),
      ('approved', 'expanded'), ('approved', 'stopped'), ('approved', 'expired'), ('approved', 'withdrawn'),
      ('expanded', 'sending'), ('expanded', 'sent'), ('expanded', 'stopped'),
      ('sending', 'sent'), ('sending', 'stopped'))) THEN
    RAISE EXCEPTION 'a dispatch does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.state = 'approved' AND NOT EXISTS (SELECT FROM approval a WHERE a.dispatch_id = NEW.id) THEN
    RAISE EXCEPTION 'an approved dispatch has an approval' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd

-- The owner of the schema is left alone: he restores backups.
CREATE TRIGGER dispatch_draft BEFORE INSERT ON dispatch FOR EACH ROW
  WHEN (current_user IN ('yagura_engine', 'yagura_console')) EXECUTE FUNCTION dispatch_begins_as_draft();
CREATE TRIGGER dispatch_steps BEFORE UPDATE OF state ON dispatch FOR EACH ROW
  WHEN (OLD.state IS DISTINCT FROM NEW.state AND current_user IN ('yagura_engine', 'yagura_console')) EXECUTE FUNCTION dispatch_takes_legal_steps();

REVOKE UPDATE ON event FROM yagura_engine;
GRANT UPDATE (event_keys, occurred_at, first_seen_at, updated_at, stored_at, status, max_intensity, grade, state, version) ON event TO yagura_engine;

-- Nobody calls a function that a later migration adds without being named there.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
