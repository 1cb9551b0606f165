-- +goose Up
-- The missile path (F3-1-o): an operator types a notice in at the desk, and a prefecture can be concerned because a missile fell there.

-- An operator's entry is a telegram like any other: kept verbatim first, read by the engine after (law 1). The desk writes none but its own.
GRANT INSERT ON telegram TO yagura_console;

-- +goose StatementBegin
CREATE FUNCTION desk_writes_its_own_telegrams() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.feed <> 'manual' THEN
    RAISE EXCEPTION 'the desk writes telegrams of the feed manual alone' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd

CREATE TRIGGER telegram_of_the_desk BEFORE INSERT ON telegram FOR EACH ROW
  WHEN (current_user = 'yagura_console') EXECUTE FUNCTION desk_writes_its_own_telegrams();

ALTER TABLE dispatch_prefecture DROP CONSTRAINT dispatch_prefecture_reason_check;
ALTER TABLE dispatch_prefecture ADD CONSTRAINT dispatch_prefecture_reason_check
  CHECK (reason IN ('intensity', 'nationwide', 'raised', 'missile'));
