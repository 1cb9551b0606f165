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
TABLE breach
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY
  subject_kind text NOT NULL
  subject_id bigint NOT NULL
  clause text NOT NULL
  ratio double precision NOT NULL
  limit_ms bigint NOT NULL
  since text NOT NULL
  until text NOT NULL
  stages jsonb NOT NULL
  opened_at timestamp with time zone NOT NULL
  cause text NOT NULL DEFAULT ''::text
  measures text NOT NULL DEFAULT ''::text
  drafted_at timestamp with time zone
  report text NOT NULL DEFAULT ''::text
  odt bytea
  sent_at timestamp with time zone
  sent_by text
  breach_check CHECK (((sent_at IS NULL) = (sent_by IS NULL)))
  breach_pkey PRIMARY KEY (id)
  breach_ratio_check CHECK ((ratio > (0)::double precision))
  breach_subject_kind_check CHECK ((subject_kind = ANY (ARRAY['bulletin'::text, 'dispatch'::text])))
  breach_subject_kind_subject_id_key UNIQUE (subject_kind, subject_id)
TABLE bulletin
  id bigint NOT NULL DEFAULT nextval('dispatch_id_seq'::regclass)
  kind text NOT NULL
  thread text NOT NULL
  number integer NOT NULL
  mode mode NOT NULL
  telegram_id bigint NOT NULL
  event_id bigint
  step text NOT NULL
  level smallint NOT NULL
  max_intensity intensity NOT NULL
  prefectures smallint[] NOT NULL
  subject text NOT NULL
  body text NOT NULL
  facts jsonb NOT NULL
  occurred_at timestamp with time zone NOT NULL
  issued_at timestamp with time zone NOT NULL
  received_at timestamp with time zone NOT NULL
  read_at timestamp with time zone NOT NULL
  at timestamp with time zone NOT NULL
  state text NOT NULL
  recipients integer NOT NULL DEFAULT 0
  mails integer NOT NULL DEFAULT 0
  supersedes bigint
  ended_at timestamp with time zone
  bulletin_event_id_fkey FOREIGN KEY (event_id) REFERENCES event(id)
  bulletin_kind_check CHECK ((kind = ANY (ARRAY['quick'::text, 'confirmed'::text, 'tsunami'::text, 'weather'::text, 'typhoon'::text, 'volcano'::text, 'giant'::text, 'other'::text, 'digest'::text])))
  bulletin_kind_thread_number_key UNIQUE (kind, thread, number)
  bulletin_level_check CHECK (((level >= 0) AND (level <= 5)))
  bulletin_mode_check CHECK (((mode)::text = 'live'::text))
  bulletin_number_check CHECK ((number >= 1))
  bulletin_pkey PRIMARY KEY (id)
  bulletin_state_check CHECK ((state = ANY (ARRAY['expanded'::text, 'sending'::text, 'sent'::text, 'stopped'::text])))
  bulletin_step_check CHECK ((step = ANY (ARRAY['new'::text, 'changed'::text, 'corrected'::text, 'withdrawn'::text, 'lifted'::text, 'digest'::text])))
  bulletin_supersedes_fkey FOREIGN KEY (supersedes) REFERENCES bulletin(id)
  bulletin_telegram_id_fkey FOREIGN KEY (telegram_id) REFERENCES telegram(id)
  bulletin_telegram_id_kind_thread_key UNIQUE (telegram_id, kind, thread)
TABLE bulletin_considered
  telegram_id bigint NOT NULL
  bulletins integer NOT NULL
  why text NOT NULL
  at timestamp with time zone NOT NULL
  bulletin_considered_pkey PRIMARY KEY (telegram_id)
  bulletin_considered_telegram_id_fkey FOREIGN KEY (telegram_id) REFERENCES telegram(id)
TABLE bulletin_recipient
  bulletin_id bigint NOT NULL
  person_id bigint NOT NULL
  due_at timestamp with time zone
  carried_by bigint
  dropped boolean NOT NULL DEFAULT false
  bulletin_recipient_bulletin_id_fkey FOREIGN KEY (bulletin_id) REFERENCES bulletin(id)
  bulletin_recipient_carried_by_fkey FOREIGN KEY (carried_by) REFERENCES bulletin(id)
  bulletin_recipient_pkey PRIMARY KEY (bulletin_id, person_id)
TABLE bulletin_rule
  version integer NOT NULL GENERATED ALWAYS AS IDENTITY
  at timestamp with time zone NOT NULL
  actor text NOT NULL
  kind text NOT NULL
  enabled boolean NOT NULL
  from_intensity intensity NOT NULL
  from_level smallint NOT NULL
  repeat_after_s integer NOT NULL
  stale_after_s integer NOT NULL
  digest_every_s integer NOT NULL
  bulletin_rule_digest_every_s_check CHECK (((digest_every_s >= 60) AND (digest_every_s <= 86400)))
  bulletin_rule_from_level_check CHECK (((from_level >= 0) AND (from_level <= 5)))
  bulletin_rule_kind_check CHECK ((kind = ANY (ARRAY['quick'::text, 'confirmed'::text, 'tsunami'::text, 'weather'::text, 'typhoon'::text, 'volcano'::text, 'giant'::text, 'other'::text])))
  bulletin_rule_pkey PRIMARY KEY (version)
  bulletin_rule_repeat_after_s_check CHECK (((repeat_after_s >= 0) AND (repeat_after_s <= 604800)))
  bulletin_rule_stale_after_s_check CHECK (((stale_after_s >= 60) AND (stale_after_s <= 604800)))
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
TABLE clock_rule
  version integer NOT NULL GENERATED ALWAYS AS IDENTITY
  at timestamp with time zone NOT NULL
  actor text NOT NULL
  clause text NOT NULL
  until text NOT NULL
  since text NOT NULL
  limit_ms bigint NOT NULL
  warn double precision NOT NULL
  breach double precision NOT NULL
  clock_rule_check CHECK (((breach = (0)::double precision) OR ((breach >= warn) AND (breach <= (100)::double precision))))
  clock_rule_clause_check CHECK ((clause = ANY (ARRAY['P5-2'::text, 'P5-3'::text, 'P5-4'::text, 'P5-5'::text])))
  clock_rule_limit_ms_check CHECK (((limit_ms >= 1000) AND (limit_ms <= 86400000)))
  clock_rule_pkey PRIMARY KEY (version)
  clock_rule_since_check CHECK ((since = ANY (ARRAY['occurred'::text, 'issued'::text, 'received'::text, 'read'::text, 'judged'::text])))
  clock_rule_until_check CHECK ((until = ANY (ARRAY['first_accepted'::text, 'last_accepted'::text])))
  clock_rule_warn_check CHECK (((warn > (0)::double precision) AND (warn <= (100)::double precision)))
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
  dispatch_prefecture_reason_check CHECK ((reason = ANY (ARRAY['intensity'::text, 'nationwide'::text, 'raised'::text, 'missile'::text])))
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
  approval_id bigint
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
TABLE source_health
  engine text NOT NULL
  name text NOT NULL
  last_received timestamp with time zone
  last_contact timestamp with time zone
  lag_ms bigint NOT NULL
  reconnects integer NOT NULL
  trouble text NOT NULL
  detail text NOT NULL
  rhythm_ms bigint NOT NULL
  first_at timestamp with time zone NOT NULL
  at timestamp with time zone NOT NULL
  source_health_pkey PRIMARY KEY (engine, name)
  source_health_rhythm_ms_check CHECK ((rhythm_ms >= 0))
TABLE source_silence
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY
  name text NOT NULL
  since timestamp with time zone NOT NULL
  noticed_at timestamp with time zone NOT NULL
  trouble text NOT NULL
  ended_at timestamp with time zone
  source_silence_check CHECK ((ended_at >= noticed_at))
  source_silence_pkey PRIMARY KEY (id)
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
  stop_dispatch_id_key UNIQUE (dispatch_id)
  stop_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
  stop_pkey PRIMARY KEY (id)
TABLE subscription
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY
  person_id bigint NOT NULL
  kind text NOT NULL
  prefectures smallint[] NOT NULL
  from_intensity intensity NOT NULL
  from_level smallint NOT NULL
  cadence text NOT NULL
  actor text NOT NULL
  at timestamp with time zone NOT NULL
  ended_by text NOT NULL DEFAULT ''::text
  ended_at timestamp with time zone
  subscription_cadence_check CHECK ((cadence = ANY (ARRAY['every'::text, 'changes'::text, 'digest'::text])))
  subscription_check CHECK (((kind <> 'quick'::text) OR (cadence <> 'digest'::text)))
  subscription_from_level_check CHECK (((from_level >= 0) AND (from_level <= 5)))
  subscription_kind_check CHECK ((kind = ANY (ARRAY['quick'::text, 'confirmed'::text, 'tsunami'::text, 'weather'::text, 'typhoon'::text, 'volcano'::text, 'giant'::text, 'other'::text])))
  subscription_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(id) ON DELETE CASCADE
  subscription_pkey PRIMARY KEY (id)
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
TABLE unconsidered
  telegram_id bigint NOT NULL
  unconsidered_pkey PRIMARY KEY (telegram_id)
TABLE unread
  telegram_id bigint NOT NULL
  feed text NOT NULL
  unread_pkey PRIMARY KEY (telegram_id)
  unread_telegram_id_fkey FOREIGN KEY (telegram_id) REFERENCES telegram(id)
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
CREATE INDEX breach_unsent ON public.breach USING btree (id) WHERE (sent_at IS NULL)
CREATE INDEX bulletin_active ON public.bulletin USING btree (id) WHERE (state = ANY (ARRAY['expanded'::text, 'sending'::text]))
CREATE INDEX bulletin_at ON public.bulletin USING btree (at)
CREATE INDEX bulletin_ended ON public.bulletin USING btree (ended_at)
CREATE INDEX bulletin_recipient_due ON public.bulletin_recipient USING btree (due_at, person_id) WHERE ((due_at IS NOT NULL) AND (carried_by IS NULL) AND (NOT dropped))
CREATE INDEX bulletin_rule_kind ON public.bulletin_rule USING btree (kind, version DESC)
CREATE INDEX clock_rule_latest ON public.clock_rule USING btree (clause, until, version DESC)
CREATE INDEX dispatch_active ON public.dispatch USING btree (id) WHERE (state = ANY (ARRAY['proposed'::text, 'approved'::text, 'expanded'::text, 'sending'::text]))
CREATE INDEX dispatch_incident ON public.dispatch USING btree (incident_id)
CREATE INDEX event_keys ON public.event USING gin (event_keys)
CREATE INDEX event_recent ON public.event USING btree (updated_at DESC)
CREATE INDEX event_telegram_event ON public.event_telegram USING btree (event_id)
CREATE INDEX incident_event_incident ON public.incident_event USING btree (incident_id)
CREATE UNIQUE INDEX person_group_main ON public.person_group USING btree (person_id) WHERE main
CREATE INDEX person_region_prefecture ON public.person_region USING btree (prefecture, person_id)
CREATE INDEX reading_cancelled ON public.reading USING btree (type, press_time) WHERE (phase = 'cancelled'::text)
CREATE INDEX reading_eew ON public.reading USING btree (press_time) WHERE (type = ANY (ARRAY['VXSE42'::text, 'VXSE43'::text, 'VXSE44'::text, 'VXSE45'::text]))
CREATE INDEX reading_error ON public.reading USING btree (telegram_id) WHERE (error <> ''::text)
CREATE INDEX reading_kind ON public.reading USING btree (type, press_time)
CREATE INDEX recipient_unreached ON public.recipient USING btree (dispatch_id, person_id) WHERE (mails = 0)
CREATE INDEX response_dispatch ON public.response USING btree (dispatch_id, stored_at)
CREATE UNIQUE INDEX source_silence_open ON public.source_silence USING btree (name) WHERE (ended_at IS NULL)
CREATE INDEX subscription_person ON public.subscription USING btree (person_id)
CREATE UNIQUE INDEX subscription_present ON public.subscription USING btree (kind, person_id) WHERE (ended_at IS NULL)
CREATE INDEX telegram_stored ON public.telegram USING btree (stored_at)
CREATE INDEX unread_turn ON public.unread USING btree (feed, telegram_id)
CREATE INDEX verification_event ON public.verification USING btree (event_id, id DESC)

-- Functions
CREATE OR REPLACE FUNCTION public.bulletin_is_live()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
  IF NOT EXISTS (SELECT FROM reading r WHERE r.telegram_id = NEW.telegram_id AND r.mode = 'live') THEN
    RAISE EXCEPTION 'a bulletin is of a live telegram' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT FROM dispatch d WHERE d.id = NEW.id) THEN
    RAISE EXCEPTION 'this number is a dispatch' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $function$

CREATE OR REPLACE FUNCTION public.bulletin_takes_legal_steps()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
  IF NOT ((OLD.state, NEW.state) IN (
      ('expanded', 'sending'), ('expanded', 'sent'), ('expanded', 'stopped'), ('sending', 'sent'), ('sending', 'stopped'))) THEN
    RAISE EXCEPTION 'a bulletin does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $function$

CREATE OR REPLACE FUNCTION public.desk_writes_its_own_telegrams()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
  IF NEW.feed <> 'manual' THEN
    RAISE EXCEPTION 'the desk writes telegrams of the feed manual alone' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $function$

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
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
  -- Once a statement, not once a row: a foreign key would cost more than the mail itself. (law 2)
  IF EXISTS (SELECT FROM (SELECT DISTINCT approval_id, dispatch_id FROM written) w
             WHERE NOT EXISTS (SELECT FROM approval a WHERE a.id = w.approval_id AND a.dispatch_id = w.dispatch_id)
               AND NOT (w.approval_id IS NULL AND EXISTS (SELECT FROM bulletin b WHERE b.id = w.dispatch_id))) THEN
    RAISE EXCEPTION 'a mail of a safety confirmation names no approval of its dispatch' USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NULL;
END $function$

CREATE OR REPLACE FUNCTION public.reading_is_done()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
  DELETE FROM unread WHERE telegram_id = NEW.telegram_id;
  RETURN NULL;
END $function$

CREATE OR REPLACE FUNCTION public.reading_waits()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
  INSERT INTO unconsidered (telegram_id) VALUES (NEW.telegram_id) ON CONFLICT DO NOTHING;
  RETURN NULL;
END $function$

CREATE OR REPLACE FUNCTION public.stop_names_a_mailing()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
  IF NOT EXISTS (SELECT FROM dispatch d WHERE d.id = NEW.dispatch_id) AND NOT EXISTS (SELECT FROM bulletin b WHERE b.id = NEW.dispatch_id) THEN
    RAISE EXCEPTION 'a stop names a dispatch or a bulletin' USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NEW;
END $function$

CREATE OR REPLACE FUNCTION public.telegram_waits()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
  INSERT INTO unread (telegram_id, feed) VALUES (NEW.id, NEW.feed);
  RETURN NULL;
END $function$


-- Triggers
CREATE TRIGGER bulletin_live BEFORE INSERT ON public.bulletin FOR EACH ROW EXECUTE FUNCTION bulletin_is_live()
CREATE TRIGGER bulletin_steps BEFORE UPDATE OF state ON public.bulletin FOR EACH ROW WHEN (((old.state IS DISTINCT FROM new.state) AND (CURRENT_USER = ANY (ARRAY['yagura_engine'::name, 'yagura_console'::name])))) EXECUTE FUNCTION bulletin_takes_legal_steps()
CREATE TRIGGER dispatch_draft BEFORE INSERT ON public.dispatch FOR EACH ROW WHEN ((CURRENT_USER = ANY (ARRAY['yagura_engine'::name, 'yagura_console'::name]))) EXECUTE FUNCTION dispatch_begins_as_draft()
CREATE TRIGGER dispatch_steps BEFORE UPDATE OF state ON public.dispatch FOR EACH ROW WHEN (((old.state IS DISTINCT FROM new.state) AND (CURRENT_USER = ANY (ARRAY['yagura_engine'::name, 'yagura_console'::name])))) EXECUTE FUNCTION dispatch_takes_legal_steps()
CREATE TRIGGER mail_approved AFTER INSERT ON public.mail REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION mail_names_its_approval()
CREATE TRIGGER reading_is_done AFTER INSERT ON public.reading FOR EACH ROW EXECUTE FUNCTION reading_is_done()
CREATE TRIGGER reading_unconsidered AFTER INSERT ON public.reading FOR EACH ROW EXECUTE FUNCTION reading_waits()
CREATE TRIGGER stop_mailing BEFORE INSERT ON public.stop FOR EACH ROW EXECUTE FUNCTION stop_names_a_mailing()
CREATE TRIGGER telegram_of_the_desk BEFORE INSERT ON public.telegram FOR EACH ROW WHEN ((CURRENT_USER = 'yagura_console'::name)) EXECUTE FUNCTION desk_writes_its_own_telegrams()
CREATE TRIGGER telegram_waits AFTER INSERT ON public.telegram FOR EACH ROW EXECUTE FUNCTION telegram_waits()

-- Grants
GRANT USAGE ON schema public TO PUBLIC
GRANT SELECT (domain) (id) (person_id) (state) ON address TO yagura_console
GRANT SELECT ON advice TO yagura_console
GRANT INSERT, SELECT ON approval TO yagura_console
GRANT SELECT ON attempt TO yagura_console
GRANT INSERT, SELECT ON audit TO yagura_console
GRANT SELECT ON breach TO yagura_console
GRANT SELECT, UPDATE (ended_at) ON bulletin TO yagura_console
GRANT SELECT ON bulletin_considered TO yagura_console
GRANT SELECT, UPDATE (dropped) ON bulletin_recipient TO yagura_console
GRANT SELECT ON bulletin_rule TO yagura_console
GRANT SELECT ON carrier TO yagura_console
GRANT SELECT ON carrier_domain TO yagura_console
GRANT SELECT ON clock_rule TO yagura_console
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
GRANT SELECT ON source_health TO yagura_console
GRANT SELECT ON source_silence TO yagura_console
GRANT SELECT ON standing TO yagura_console
GRANT INSERT, SELECT ON stop TO yagura_console
GRANT SELECT ON subscription TO yagura_console
GRANT SELECT ON tally TO yagura_console
GRANT INSERT, SELECT ON telegram TO yagura_console
GRANT SELECT ON template TO yagura_console
GRANT SELECT ON unread TO yagura_console
GRANT INSERT, SELECT ON verification TO yagura_console
GRANT SELECT ON address TO yagura_engine
GRANT INSERT, SELECT ON advice TO yagura_engine
GRANT SELECT ON approval TO yagura_engine
GRANT INSERT, SELECT ON attempt TO yagura_engine
GRANT INSERT, SELECT ON audit TO yagura_engine
GRANT INSERT, SELECT, UPDATE (drafted_at) (odt) (report) (stages) ON breach TO yagura_engine
GRANT INSERT, SELECT, UPDATE (ended_at) (mails) (recipients) (state) ON bulletin TO yagura_engine
GRANT INSERT, SELECT ON bulletin_considered TO yagura_engine
GRANT INSERT, SELECT, UPDATE (carried_by) (dropped) ON bulletin_recipient TO yagura_engine
GRANT SELECT ON bulletin_rule TO yagura_engine
GRANT SELECT ON carrier TO yagura_engine
GRANT SELECT ON carrier_domain TO yagura_engine
GRANT SELECT ON clock_rule TO yagura_engine
GRANT SELECT, UPDATE (addresses) (ended_at) (expanded_at) (expanded_through) (head_count) (state) (unreached) ON dispatch TO yagura_engine
GRANT USAGE ON dispatch_id_seq TO yagura_engine
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
GRANT INSERT, SELECT, UPDATE ON source_health TO yagura_engine
GRANT INSERT, SELECT, UPDATE (ended_at) ON source_silence TO yagura_engine
GRANT INSERT, SELECT, UPDATE ON standing TO yagura_engine
GRANT SELECT ON stop TO yagura_engine
GRANT SELECT ON subscription TO yagura_engine
GRANT INSERT, SELECT, UPDATE ON tally TO yagura_engine
GRANT INSERT, SELECT ON telegram TO yagura_engine
GRANT SELECT ON template TO yagura_engine
GRANT DELETE, INSERT, SELECT ON unconsidered TO yagura_engine
GRANT SELECT ON unread TO yagura_engine
GRANT SELECT ON verification TO yagura_engine
