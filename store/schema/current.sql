-- The schema that the migrations make. Written by `make schema`; do not edit.

-- Domains
DOMAIN intensity AS smallint CHECK (((VALUE >= 0) AND (VALUE <= 10)))
DOMAIN mode AS text CHECK ((VALUE = ANY (ARRAY['live'::text, 'drill'::text, 'test'::text])))
DOMAIN prefecture AS smallint CHECK (((VALUE >= 1) AND (VALUE <= 47)))

-- Tables
TABLE address
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY
  person_id bigint NOT NULL
  sealed bytea NOT NULL
  domain text NOT NULL
  fingerprint bytea NOT NULL
  state text NOT NULL DEFAULT 'unverified'::text
  address_person_id_fingerprint_key UNIQUE (person_id, fingerprint)
  address_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(id) ON DELETE CASCADE
  address_pkey PRIMARY KEY (id)
  address_state_check CHECK ((state = ANY (ARRAY['unverified'::text, 'verified'::text, 'bad'::text])))
TABLE advice
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY
  event_id bigint NOT NULL
  telegram_id bigint NOT NULL
  at timestamp with time zone NOT NULL
  grade smallint NOT NULL
  content jsonb NOT NULL
  advice_event_id_fkey FOREIGN KEY (event_id) REFERENCES event(id)
  advice_grade_check CHECK (((grade >= 1) AND (grade <= 3)))
  advice_pkey PRIMARY KEY (id)
  advice_telegram_id_fkey FOREIGN KEY (telegram_id) REFERENCES telegram(id)
TABLE approval
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY
  dispatch_id bigint NOT NULL
  operator_id bigint NOT NULL
  head_count integer NOT NULL
  method text NOT NULL
  advice_id bigint NOT NULL
  at timestamp with time zone NOT NULL
  not_before timestamp with time zone NOT NULL
  not_after timestamp with time zone NOT NULL
  approval_advice_id_fkey FOREIGN KEY (advice_id) REFERENCES advice(id)
  approval_check CHECK ((not_after > not_before))
  approval_dispatch_id_fkey FOREIGN KEY (dispatch_id) REFERENCES dispatch(id)
  approval_dispatch_id_key UNIQUE (dispatch_id)
  approval_id_dispatch_id_key UNIQUE (id, dispatch_id)
  approval_method_check CHECK ((method = ANY (ARRAY['one_key'::text, 'two_people'::text])))
  approval_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
  approval_pkey PRIMARY KEY (id)
TABLE attempt
  mail_id bigint NOT NULL
  number smallint NOT NULL
  epoch bigint NOT NULL
  dispatch_id bigint NOT NULL
  lane text NOT NULL
  at timestamp with time zone NOT NULL
  outcome smallint NOT NULL
  stage text NOT NULL
  code smallint NOT NULL
  text text NOT NULL
  route text NOT NULL
  recorded_at timestamp with time zone NOT NULL
  attempt_outcome_check CHECK (((outcome >= 1) AND (outcome <= 3)))
  attempt_pkey PRIMARY KEY (mail_id, number, epoch)
TABLE audit
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY
  at timestamp with time zone NOT NULL
  actor text NOT NULL
  act text NOT NULL
  subject text NOT NULL
  detail jsonb NOT NULL DEFAULT '{}'::jsonb
  chain text NOT NULL DEFAULT ''::text
  hash bytea
  audit_pkey PRIMARY KEY (id)
TABLE carrier
  lane text NOT NULL
  name text NOT NULL
  host text NOT NULL
  port integer NOT NULL
  sessions integer NOT NULL
  depth integer NOT NULL
  tls boolean NOT NULL DEFAULT false
  carrier_depth_check CHECK (((depth >= 1) AND (depth <= 16)))
  carrier_pkey PRIMARY KEY (lane)
  carrier_port_check CHECK (((port >= 1) AND (port <= 65535)))
  carrier_sessions_check CHECK (((sessions >= 1) AND (sessions <= 200)))
TABLE carrier_domain
  domain text NOT NULL
  lane text NOT NULL
  carrier_domain_lane_fkey FOREIGN KEY (lane) REFERENCES carrier(lane) ON DELETE CASCADE
  carrier_domain_pkey PRIMARY KEY (domain)
TABLE desk_session
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY
  operator_id bigint NOT NULL
  remote text NOT NULL
  opened_at timestamp with time zone NOT NULL
  seen_at timestamp with time zone NOT NULL
  closed_at timestamp with time zone
  desk_session_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
  desk_session_pkey PRIMARY KEY (id)
TABLE dispatch
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY
  incident_id bigint NOT NULL
  event_id bigint NOT NULL
  mode mode NOT NULL
  state text NOT NULL
  subject text NOT NULL
  body text NOT NULL
  template_id text NOT NULL
  template_version integer NOT NULL
  head_count integer NOT NULL
  addresses integer NOT NULL
  unreached integer NOT NULL
  proposed_by bigint NOT NULL
  proposed_at timestamp with time zone NOT NULL
  expanded_through bigint NOT NULL DEFAULT 0
  expanded_at timestamp with time zone
  ended_at timestamp with time zone
  dispatch_event_id_fkey FOREIGN KEY (event_id) REFERENCES event(id)
  dispatch_incident_id_fkey FOREIGN KEY (incident_id) REFERENCES incident(id)
  dispatch_pkey PRIMARY KEY (id)
  dispatch_proposed_by_fkey FOREIGN KEY (proposed_by) REFERENCES operator(id)
  dispatch_state_check CHECK ((state = ANY (ARRAY['proposed'::text, 'approved'::text, 'expanded'::text, 'sending'::text, 'sent'::text, 'stopped'::text, 'expired'::text, 'withdrawn'::text])))
  dispatch_template_id_template_version_fkey FOREIGN KEY (template_id, template_version) REFERENCES template(id, version)
TABLE dispatch_prefecture
  dispatch_id bigint NOT NULL
  prefecture prefecture NOT NULL
  intensity intensity NOT NULL
  reason text NOT NULL
  dispatch_prefecture_dispatch_id_fkey FOREIGN KEY (dispatch_id) REFERENCES dispatch(id)
  dispatch_prefecture_pkey PRIMARY KEY (dispatch_id, prefecture)
  dispatch_prefecture_reason_check CHECK ((reason = ANY (ARRAY['intensity'::text, 'nationwide'::text, 'raised'::text])))
TABLE event
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY
  hazard text NOT NULL
  mode mode NOT NULL
  event_keys text[] NOT NULL
  occurred_at timestamp with time zone NOT NULL
  first_seen_at timestamp with time zone NOT NULL
  updated_at timestamp with time zone NOT NULL
  stored_at timestamp with time zone NOT NULL
  status text NOT NULL
  max_intensity intensity NOT NULL
  grade smallint NOT NULL
  state jsonb NOT NULL
  version bigint NOT NULL DEFAULT 1
  event_grade_check CHECK (((grade >= 1) AND (grade <= 3)))
  event_pkey PRIMARY KEY (id)
  event_status_check CHECK ((status = ANY (ARRAY['open'::text, 'retracted'::text])))
TABLE event_telegram
  telegram_id bigint NOT NULL
  event_id bigint NOT NULL
  event_telegram_event_id_fkey FOREIGN KEY (event_id) REFERENCES event(id)
  event_telegram_pkey PRIMARY KEY (telegram_id, event_id)
  event_telegram_telegram_id_fkey FOREIGN KEY (telegram_id) REFERENCES telegram(id)
TABLE groups
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY
  parent_id bigint
  name text NOT NULL
  level smallint NOT NULL
  top_id bigint NOT NULL
  groups_level_check CHECK ((level >= 1))
  groups_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES groups(id)
  groups_pkey PRIMARY KEY (id)
TABLE heartbeat
  process text NOT NULL
  at timestamp with time zone NOT NULL
  lanes text[] NOT NULL DEFAULT '{}'::text[]
  note text NOT NULL DEFAULT ''::text
  heartbeat_pkey PRIMARY KEY (process)
TABLE incident
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY
  hazard text NOT NULL
  mode mode NOT NULL
  title text NOT NULL
  opened_by bigint NOT NULL
  opened_at timestamp with time zone NOT NULL
  closed_at timestamp with time zone
  incident_opened_by_fkey FOREIGN KEY (opened_by) REFERENCES operator(id)
  incident_pkey PRIMARY KEY (id)
TABLE incident_event
  event_id bigint NOT NULL
  incident_id bigint NOT NULL
  joined boolean NOT NULL
  operator_id bigint NOT NULL
  reason text NOT NULL
  note text NOT NULL DEFAULT ''::text
  at timestamp with time zone NOT NULL
  incident_event_event_id_fkey FOREIGN KEY (event_id) REFERENCES event(id)
  incident_event_incident_id_fkey FOREIGN KEY (incident_id) REFERENCES incident(id)
  incident_event_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
  incident_event_pkey PRIMARY KEY (event_id)
TABLE lease
  name text NOT NULL
  holder text NOT NULL
  epoch bigint NOT NULL
  expires_at timestamp with time zone NOT NULL
  lease_pkey PRIMARY KEY (name)
TABLE mail
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY
  dispatch_id bigint NOT NULL
  approval_id bigint NOT NULL
  person_id bigint NOT NULL
  address_id bigint NOT NULL
  lane text NOT NULL
  sealed bytea NOT NULL
  domain text NOT NULL
  created_at timestamp with time zone NOT NULL
  mail_pkey PRIMARY KEY (dispatch_id, lane, id)
TABLE operator
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY
  name text NOT NULL
  display text NOT NULL
  fingerprint text NOT NULL
  public_key text NOT NULL
  disabled_at timestamp with time zone
  created_at timestamp with time zone NOT NULL
  operator_fingerprint_key UNIQUE (fingerprint)
  operator_name_key UNIQUE (name)
  operator_pkey PRIMARY KEY (id)
TABLE person
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY
  code text NOT NULL
  name text NOT NULL
  kana text NOT NULL DEFAULT ''::text
  person_code_key UNIQUE (code)
  person_pkey PRIMARY KEY (id)
TABLE person_group
  person_id bigint NOT NULL
  group_id bigint NOT NULL
  main boolean NOT NULL DEFAULT false
  person_group_group_id_fkey FOREIGN KEY (group_id) REFERENCES groups(id)
  person_group_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(id) ON DELETE CASCADE
  person_group_pkey PRIMARY KEY (person_id, group_id)
TABLE person_region
  person_id bigint NOT NULL
  prefecture prefecture NOT NULL
  person_region_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(id) ON DELETE CASCADE
  person_region_pkey PRIMARY KEY (person_id, prefecture)
TABLE policy
  version integer NOT NULL GENERATED ALWAYS AS IDENTITY
  at timestamp with time zone NOT NULL
  actor text NOT NULL
  prefecture_from intensity NOT NULL
  nationwide_from intensity NOT NULL
  count_down_ms integer NOT NULL
  not_after_s integer NOT NULL
  merge_window_s integer NOT NULL
  merge_km double precision NOT NULL
  one_person_may boolean NOT NULL
  policy_count_down_ms_check CHECK (((count_down_ms >= 0) AND (count_down_ms <= 60000)))
  policy_not_after_s_check CHECK (((not_after_s >= 30) AND (not_after_s <= 86400)))
  policy_pkey PRIMARY KEY (version)
TABLE reading
  telegram_id bigint NOT NULL
  type text NOT NULL
  mode text NOT NULL
  phase text NOT NULL
  event_keys text[] NOT NULL
  serial text NOT NULL
  press_time timestamp with time zone
  parsed jsonb NOT NULL
  error text NOT NULL DEFAULT ''::text
  at timestamp with time zone NOT NULL
  reading_pkey PRIMARY KEY (telegram_id)
  reading_telegram_id_fkey FOREIGN KEY (telegram_id) REFERENCES telegram(id)
TABLE recipient
  dispatch_id bigint NOT NULL
  person_id bigint NOT NULL
  prefecture prefecture NOT NULL
  reason text NOT NULL
  top_group bigint
  mails smallint NOT NULL
  recipient_pkey PRIMARY KEY (dispatch_id, person_id)
TABLE response
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY
  nonce bytea NOT NULL
  dispatch_id bigint NOT NULL
  person_id bigint NOT NULL
  received_at timestamp with time zone NOT NULL
  stored_at timestamp with time zone NOT NULL
  safety text NOT NULL
  attendance text NOT NULL
  comment text NOT NULL DEFAULT ''::text
  channel text NOT NULL
  response_attendance_check CHECK ((attendance = ANY (ARRAY['now'::text, 'later'::text, 'cannot'::text])))
  response_comment_check CHECK ((length(comment) <= 200))
  response_nonce_check CHECK ((length(nonce) = 16))
  response_pkey PRIMARY KEY (nonce)
  response_safety_check CHECK ((safety = ANY (ARRAY['well'::text, 'injured'::text, 'serious'::text])))
TABLE standing
  dispatch_id bigint NOT NULL
  person_id bigint NOT NULL
  response_id bigint NOT NULL
  received_at timestamp with time zone NOT NULL
  safety text NOT NULL
  attendance text NOT NULL
  answers integer NOT NULL
  prefecture smallint
  top_group bigint
  standing_pkey PRIMARY KEY (dispatch_id, person_id)
TABLE stop
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY
  dispatch_id bigint NOT NULL
  operator_id bigint NOT NULL
  reason text NOT NULL
  at timestamp with time zone NOT NULL
  stop_dispatch_id_fkey FOREIGN KEY (dispatch_id) REFERENCES dispatch(id)
  stop_dispatch_id_key UNIQUE (dispatch_id)
  stop_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
  stop_pkey PRIMARY KEY (id)
TABLE tally
  dispatch_id bigint NOT NULL
  at timestamp with time zone NOT NULL
  content jsonb NOT NULL
  tally_dispatch_id_fkey FOREIGN KEY (dispatch_id) REFERENCES dispatch(id)
  tally_pkey PRIMARY KEY (dispatch_id)
TABLE telegram
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY
  digest bytea NOT NULL
  feed text NOT NULL
  name text NOT NULL
  raw bytea NOT NULL
  received_at timestamp with time zone NOT NULL
  stored_at timestamp with time zone NOT NULL
  telegram_digest_check CHECK ((length(digest) = 32))
  telegram_digest_key UNIQUE (digest)
  telegram_pkey PRIMARY KEY (id)
TABLE template
  id text NOT NULL
  version integer NOT NULL
  subject text NOT NULL
  body text NOT NULL
  at timestamp with time zone NOT NULL
  template_pkey PRIMARY KEY (id, version)
TABLE verification
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY
  event_id bigint NOT NULL
  operator_id bigint NOT NULL
  advice_id bigint NOT NULL
  finding text NOT NULL
  reason text NOT NULL
  at timestamp with time zone NOT NULL
  verification_advice_id_fkey FOREIGN KEY (advice_id) REFERENCES advice(id)
  verification_event_id_fkey FOREIGN KEY (event_id) REFERENCES event(id)
  verification_finding_check CHECK ((finding = ANY (ARRAY['genuine'::text, 'false'::text, 'held'::text])))
  verification_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
  verification_pkey PRIMARY KEY (id)

-- Indexes
CREATE INDEX address_person ON public.address USING btree (person_id)
CREATE INDEX advice_event ON public.advice USING btree (event_id, id DESC)
CREATE INDEX attempt_refused ON public.attempt USING btree (dispatch_id, mail_id) WHERE (outcome = 3)
CREATE INDEX audit_chain ON public.audit USING btree (chain, id) WHERE (chain <> ''::text)
CREATE INDEX dispatch_active ON public.dispatch USING btree (id) WHERE (state = ANY (ARRAY['proposed'::text, 'approved'::text, 'expanded'::text, 'sending'::text]))
CREATE INDEX dispatch_incident ON public.dispatch USING btree (incident_id)
CREATE INDEX event_keys ON public.event USING gin (event_keys)
CREATE INDEX event_recent ON public.event USING btree (updated_at DESC)
CREATE INDEX event_telegram_event ON public.event_telegram USING btree (event_id)
CREATE INDEX incident_event_incident ON public.incident_event USING btree (incident_id)
CREATE UNIQUE INDEX person_group_main ON public.person_group USING btree (person_id) WHERE main
CREATE INDEX person_region_prefecture ON public.person_region USING btree (prefecture, person_id)
CREATE INDEX reading_eew ON public.reading USING btree (press_time) WHERE (type = ANY (ARRAY['VXSE42'::text, 'VXSE43'::text, 'VXSE44'::text, 'VXSE45'::text]))
CREATE INDEX reading_error ON public.reading USING btree (telegram_id) WHERE (error <> ''::text)
CREATE INDEX recipient_unreached ON public.recipient USING btree (dispatch_id, person_id) WHERE (mails = 0)
CREATE INDEX response_dispatch ON public.response USING btree (dispatch_id, stored_at)
CREATE INDEX telegram_stored ON public.telegram USING btree (stored_at)
CREATE INDEX verification_event ON public.verification USING btree (event_id, id DESC)

-- Functions
CREATE OR REPLACE FUNCTION public.dispatch_begins_as_draft()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
  IF NEW.state <> 'proposed' OR NEW.expanded_through <> 0 THEN
    RAISE EXCEPTION 'a dispatch begins as proposed' USING ERRCODE = 'check_violation';
  END IF;
  IF NOT EXISTS (SELECT FROM event e JOIN incident i ON i.id = NEW.incident_id
                 WHERE e.id = NEW.event_id AND e.mode = NEW.mode AND i.mode = NEW.mode) THEN
    RAISE EXCEPTION 'a dispatch is of the mode of its event and incident' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $function$

CREATE OR REPLACE FUNCTION public.dispatch_takes_legal_steps()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
END $function$

CREATE OR REPLACE FUNCTION public.mail_names_its_approval()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  -- Once a statement, not once a row: a foreign key would cost more than the mail itself. (law 2)
  IF EXISTS (SELECT FROM (SELECT DISTINCT approval_id, dispatch_id FROM written) w
             WHERE NOT EXISTS (SELECT FROM approval a WHERE a.id = w.approval_id AND a.dispatch_id = w.dispatch_id)) THEN
    RAISE EXCEPTION 'a mail of a safety confirmation names no approval of its dispatch' USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NULL;
END $function$


-- Triggers
CREATE TRIGGER dispatch_draft BEFORE INSERT ON public.dispatch FOR EACH ROW WHEN ((CURRENT_USER = ANY (ARRAY['yagura_engine'::name, 'yagura_console'::name]))) EXECUTE FUNCTION dispatch_begins_as_draft()
CREATE TRIGGER dispatch_steps BEFORE UPDATE OF state ON public.dispatch FOR EACH ROW WHEN (((old.state IS DISTINCT FROM new.state) AND (CURRENT_USER = ANY (ARRAY['yagura_engine'::name, 'yagura_console'::name])))) EXECUTE FUNCTION dispatch_takes_legal_steps()
CREATE TRIGGER mail_approved AFTER INSERT ON public.mail REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION mail_names_its_approval()

-- Grants
GRANT USAGE ON schema public TO PUBLIC
GRANT SELECT (domain) (id) (person_id) (state) ON address TO yagura_console
GRANT SELECT ON advice TO yagura_console
GRANT INSERT, SELECT ON approval TO yagura_console
GRANT SELECT ON attempt TO yagura_console
GRANT INSERT, SELECT ON audit TO yagura_console
GRANT SELECT ON carrier TO yagura_console
GRANT SELECT ON carrier_domain TO yagura_console
GRANT INSERT, SELECT, UPDATE (closed_at) (seen_at) ON desk_session TO yagura_console
GRANT INSERT, SELECT, UPDATE (ended_at) (state) ON dispatch TO yagura_console
GRANT INSERT, SELECT ON dispatch_prefecture TO yagura_console
GRANT SELECT ON event TO yagura_console
GRANT SELECT ON event_telegram TO yagura_console
GRANT SELECT ON goose_db_version TO yagura_console
GRANT SELECT ON groups TO yagura_console
GRANT SELECT ON heartbeat TO yagura_console
GRANT INSERT, SELECT, UPDATE (closed_at) ON incident TO yagura_console
GRANT INSERT, SELECT ON incident_event TO yagura_console
GRANT SELECT (address_id) (approval_id) (created_at) (dispatch_id) (domain) (id) (lane) (person_id) ON mail TO yagura_console
GRANT SELECT ON operator TO yagura_console
GRANT SELECT ON person TO yagura_console
GRANT SELECT ON person_group TO yagura_console
GRANT SELECT ON person_region TO yagura_console
GRANT SELECT ON policy TO yagura_console
GRANT SELECT ON reading TO yagura_console
GRANT SELECT ON recipient TO yagura_console
GRANT USAGE ON schema public TO yagura_console
GRANT SELECT ON standing TO yagura_console
GRANT INSERT, SELECT ON stop TO yagura_console
GRANT SELECT ON tally TO yagura_console
GRANT SELECT ON telegram TO yagura_console
GRANT SELECT ON template TO yagura_console
GRANT INSERT, SELECT ON verification TO yagura_console
GRANT SELECT ON address TO yagura_engine
GRANT INSERT, SELECT ON advice TO yagura_engine
GRANT SELECT ON approval TO yagura_engine
GRANT INSERT, SELECT ON attempt TO yagura_engine
GRANT INSERT, SELECT ON audit TO yagura_engine
GRANT SELECT ON carrier TO yagura_engine
GRANT SELECT ON carrier_domain TO yagura_engine
GRANT SELECT, UPDATE (addresses) (ended_at) (expanded_at) (expanded_through) (head_count) (state) (unreached) ON dispatch TO yagura_engine
GRANT SELECT ON dispatch_prefecture TO yagura_engine
GRANT INSERT, SELECT, UPDATE (event_keys) (first_seen_at) (grade) (max_intensity) (occurred_at) (state) (status) (stored_at) (updated_at) (version) ON event TO yagura_engine
GRANT INSERT, SELECT ON event_telegram TO yagura_engine
GRANT SELECT ON goose_db_version TO yagura_engine
GRANT SELECT ON groups TO yagura_engine
GRANT INSERT, SELECT, UPDATE ON heartbeat TO yagura_engine
GRANT SELECT ON incident TO yagura_engine
GRANT SELECT ON incident_event TO yagura_engine
GRANT INSERT, SELECT, UPDATE ON lease TO yagura_engine
GRANT INSERT, SELECT ON mail TO yagura_engine
GRANT SELECT ON operator TO yagura_engine
GRANT SELECT ON person TO yagura_engine
GRANT SELECT ON person_group TO yagura_engine
GRANT SELECT ON person_region TO yagura_engine
GRANT SELECT ON policy TO yagura_engine
GRANT INSERT, SELECT ON reading TO yagura_engine
GRANT INSERT, SELECT ON recipient TO yagura_engine
GRANT INSERT, SELECT ON response TO yagura_engine
GRANT USAGE ON schema public TO yagura_engine
GRANT INSERT, SELECT, UPDATE ON standing TO yagura_engine
GRANT SELECT ON stop TO yagura_engine
GRANT INSERT, SELECT, UPDATE ON tally TO yagura_engine
GRANT INSERT, SELECT ON telegram TO yagura_engine
GRANT SELECT ON template TO yagura_engine
GRANT SELECT ON verification TO yagura_engine
