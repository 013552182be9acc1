-- What one batch of claim events runs, in this order, in one transaction at READ COMMITTED, after
-- its events were copied into the temporary table that is called `staged` here. Made by
-- `python -m repositories.claims.sql` from repositories/claims/merge.py, which says why each step
-- is there; do not edit.

-- Make the batch's providers known
INSERT INTO providers (provider_id, metrics_revision) SELECT DISTINCT staged.provider_id, 2
FROM staged_claim_events_1b34f57b AS staged
ORDER BY staged.provider_id
ON CONFLICT DO NOTHING;

-- Lock them, in order
WITH locked AS
(SELECT providers.provider_id
FROM providers
WHERE providers.provider_id IN (SELECT staged.provider_id
FROM staged_claim_events_1b34f57b AS staged)
ORDER BY providers.provider_id FOR NO KEY UPDATE)
SELECT count(*) AS count_1
FROM locked;

-- See whether anything was erased, ever
SELECT EXISTS (SELECT erasures.id_hash, erasures.kind, erasures.why, erasures.erased_at
FROM erasures) AS anon_1, EXISTS (SELECT erasures.id_hash, erasures.kind, erasures.why,
    erasures.erased_at
FROM erasures
WHERE erasures.kind = 'removed') AS anon_2;

-- If so: take the events of erased providers out
WITH erased AS
(SELECT seen.provider_id
FROM (SELECT DISTINCT staged.provider_id
FROM staged_claim_events_1b34f57b AS staged) AS seen
WHERE EXISTS (SELECT erasures.id_hash, erasures.kind, erasures.why, erasures.erased_at
FROM erasures JOIN erasure_keys ON erasures.id_hash = sha256(erasure_keys.hash_key ||
    uuid_send(seen.provider_id))
WHERE erasures.kind = 'provider')),
unknown_again AS
(DELETE FROM providers USING erased WHERE providers.provider_id = erased.provider_id AND
    providers.first_seen_at = now()
RETURNING 1),
left_out AS
(DELETE FROM staged_claim_events_1b34f57b AS staged USING erased WHERE staged.provider_id =
    erased.provider_id
RETURNING 1)
SELECT count(*) AS count_1
FROM left_out;

-- If so: take patients' numbers out of events of claims that lost them
UPDATE staged_claim_events_1b34f57b AS staged SET patient_phn=NULL, phn_erased_at=now() WHERE
    staged.patient_phn IS NOT NULL AND (EXISTS (SELECT erasures.id_hash, erasures.kind,
    erasures.why, erasures.erased_at
FROM erasures JOIN erasure_keys ON erasures.id_hash = sha256(erasure_keys.hash_key ||
    uuid_send(staged.claim_id))
WHERE erasures.kind = 'claim'));

-- Merge: history, claims, figures, marks of months whose top codes are behind
WITH judged AS
(SELECT staged.seq, staged.claim_id, staged.claim_version, staged.provider_id, staged.state,
    staged.claim_type, staged.date_of_service, staged.patient_phn, staged.ba_number,
    staged.location_id, staged.hsc_code, staged.modifiers, staged.form_id, staged.timing_tier,
    staged.submitted_fee, staged.submitted_at, staged.submission_deadline, staged.assessed_fee,
    staged.payment_date, staged.rrnp_premium, staged.explanatory_codes, staged.created_at,
    staged.created_day, staged.occurred_at, staged.source_topic, staged.source_partition,
    staged.source_offset, staged.phn_erased_at, claims.claim_version AS known_version,
    claims.first_sent_version AS known_first_sent_version, claims.first_rejected_version AS
    known_first_rejected_version, claims.last_sent_version AS known_last_sent_version,
    claim_events.claim_id IS NOT NULL AS recorded, staged.claim_id IS DISTINCT FROM
    claim_events.claim_id OR staged.claim_version IS DISTINCT FROM claim_events.claim_version OR
    staged.provider_id IS DISTINCT FROM claim_events.provider_id OR staged.state IS DISTINCT FROM
    claim_events.state OR staged.claim_type IS DISTINCT FROM claim_events.claim_type OR
    staged.date_of_service IS DISTINCT FROM claim_events.date_of_service OR staged.ba_number IS
    DISTINCT FROM claim_events.ba_number OR staged.location_id IS DISTINCT FROM
    claim_events.location_id OR staged.hsc_code IS DISTINCT FROM claim_events.hsc_code OR
    staged.modifiers IS DISTINCT FROM claim_events.modifiers OR staged.form_id IS DISTINCT FROM
    claim_events.form_id OR staged.timing_tier IS DISTINCT FROM claim_events.timing_tier OR
    staged.submitted_fee IS DISTINCT FROM claim_events.submitted_fee OR staged.submitted_at IS
    DISTINCT FROM claim_events.submitted_at OR staged.submission_deadline IS DISTINCT FROM
    claim_events.submission_deadline OR staged.assessed_fee IS DISTINCT FROM
    claim_events.assessed_fee OR staged.payment_date IS DISTINCT FROM claim_events.payment_date OR
    staged.rrnp_premium IS DISTINCT FROM claim_events.rrnp_premium OR staged.explanatory_codes IS
    DISTINCT FROM claim_events.explanatory_codes OR staged.created_at IS DISTINCT FROM
    claim_events.created_at OR claim_events.patient_phn IS NOT NULL AND staged.phn_erased_at IS NULL
    AND staged.patient_phn IS DISTINCT FROM claim_events.patient_phn AS differs,
    coalesce(claims.provider_id, first_value(staged.provider_id) OVER (PARTITION BY staged.claim_id
    ORDER BY staged.seq)) AS owner, greatest(claims.claim_version, max(staged.claim_version) OVER
    (PARTITION BY staged.claim_id, staged.provider_id ORDER BY staged.seq)) AS newest
FROM staged_claim_events_1b34f57b AS staged LEFT OUTER JOIN claims ON claims.claim_id =
    staged.claim_id LEFT OUTER JOIN claim_events ON claim_events.claim_id = staged.claim_id AND
    claim_events.claim_version = CASE WHEN (staged.claim_version <= claims.claim_version) THEN
    staged.claim_version END),
confirmed AS
(INSERT INTO provider_freshness (provider_id, confirmed_at) SELECT providers.provider_id, now() AS
    now_1
FROM providers JOIN (SELECT DISTINCT judged.provider_id
FROM judged) AS seen ON seen.provider_id = providers.provider_id LEFT OUTER JOIN provider_freshness
    ON provider_freshness.provider_id = providers.provider_id
WHERE providers.metrics_revision >= 2 AND (provider_freshness.confirmed_at IS NULL OR
    provider_freshness.confirmed_at < now() - interval '1 minute')
ORDER BY providers.provider_id
ON CONFLICT (provider_id) DO UPDATE SET confirmed_at = excluded.confirmed_at),
fresh AS
(SELECT DISTINCT ON (judged.claim_id, judged.claim_version) judged.seq, judged.claim_id,
    judged.claim_version, judged.provider_id, judged.state, judged.claim_type,
    judged.date_of_service, judged.patient_phn, judged.ba_number, judged.location_id,
    judged.hsc_code, judged.modifiers, judged.form_id, judged.timing_tier, judged.submitted_fee,
    judged.submitted_at, judged.submission_deadline, judged.assessed_fee, judged.payment_date,
    judged.rrnp_premium, judged.explanatory_codes, judged.created_at, judged.created_day,
    judged.occurred_at, judged.source_topic, judged.source_partition, judged.source_offset,
    judged.phn_erased_at, judged.known_version, judged.known_first_sent_version,
    judged.known_first_rejected_version, judged.known_last_sent_version, judged.recorded,
    judged.differs, judged.owner, judged.newest, judged.claim_version < judged.newest AS late
FROM judged
WHERE judged.provider_id = judged.owner AND NOT judged.recorded
ORDER BY judged.claim_id, judged.claim_version, judged.seq),
latest AS
(SELECT DISTINCT ON (fresh.claim_id) fresh.seq, fresh.claim_id, fresh.claim_version,
    fresh.provider_id, fresh.state, fresh.claim_type, fresh.date_of_service, fresh.patient_phn,
    fresh.ba_number, fresh.location_id, fresh.hsc_code, fresh.modifiers, fresh.form_id,
    fresh.timing_tier, fresh.submitted_fee, fresh.submitted_at, fresh.submission_deadline,
    fresh.assessed_fee, fresh.payment_date, fresh.rrnp_premium, fresh.explanatory_codes,
    fresh.created_at, fresh.created_day, fresh.occurred_at, fresh.source_topic,
    fresh.source_partition, fresh.source_offset, fresh.phn_erased_at, fresh.known_version,
    fresh.known_first_sent_version, fresh.known_first_rejected_version,
    fresh.known_last_sent_version, fresh.recorded, fresh.differs, fresh.owner, fresh.newest,
    fresh.late, least(min(CASE WHEN (fresh.state IN ('SUBMITTED', 'ASSESSED', 'PAID', 'REJECTED',
    'ADJUSTED')) THEN fresh.claim_version END) OVER (PARTITION BY fresh.claim_id),
    fresh.known_first_sent_version) AS first_sent_version, least(min(CASE WHEN (fresh.state IN
    ('REJECTED')) THEN fresh.claim_version END) OVER (PARTITION BY fresh.claim_id),
    fresh.known_first_rejected_version) AS first_rejected_version, greatest(max(CASE WHEN
    (fresh.state IN ('SUBMITTED', 'ASSESSED', 'PAID', 'ADJUSTED')) THEN fresh.claim_version END)
    OVER (PARTITION BY fresh.claim_id), fresh.known_last_sent_version) AS last_sent_version
FROM fresh
ORDER BY fresh.claim_id, fresh.claim_version DESC),
changed AS
(SELECT latest.claim_id, latest.claim_version, latest.provider_id, latest.state, latest.claim_type,
    latest.date_of_service, latest.patient_phn, latest.ba_number, latest.location_id,
    latest.hsc_code, latest.modifiers, latest.form_id, latest.timing_tier, latest.submitted_fee,
    latest.submitted_at, latest.submission_deadline, latest.assessed_fee, latest.payment_date,
    latest.rrnp_premium, latest.explanatory_codes, latest.created_at, latest.created_day,
    latest.phn_erased_at, latest.first_sent_version, latest.first_rejected_version,
    latest.last_sent_version
FROM latest
WHERE latest.known_version IS NULL OR latest.claim_version > latest.known_version UNION ALL SELECT
    claims.claim_id, claims.claim_version, claims.provider_id, claims.state, claims.claim_type,
    claims.date_of_service, claims.patient_phn, claims.ba_number, claims.location_id,
    claims.hsc_code, claims.modifiers, claims.form_id, claims.timing_tier, claims.submitted_fee,
    claims.submitted_at, claims.submission_deadline, claims.assessed_fee, claims.payment_date,
    claims.rrnp_premium, claims.explanatory_codes, claims.created_at, claims.created_day,
    claims.phn_erased_at, latest.first_sent_version, latest.first_rejected_version,
    latest.last_sent_version
FROM claims JOIN latest ON latest.claim_id = claims.claim_id
WHERE NOT (latest.known_version IS NULL OR latest.claim_version > latest.known_version) AND
    (latest.first_sent_version IS DISTINCT FROM latest.known_first_sent_version OR
    latest.first_rejected_version IS DISTINCT FROM latest.known_first_rejected_version OR
    latest.last_sent_version IS DISTINCT FROM latest.known_last_sent_version)),
recorded AS
(INSERT INTO claim_events (claim_id, claim_version, provider_id, state, claim_type, date_of_service,
    patient_phn, ba_number, location_id, hsc_code, modifiers, form_id, timing_tier, submitted_fee,
    submitted_at, submission_deadline, assessed_fee, payment_date, rrnp_premium, explanatory_codes,
    created_at, created_day, phn_erased_at, occurred_at, source_topic, source_partition,
    source_offset) SELECT fresh.claim_id, fresh.claim_version, fresh.provider_id, fresh.state,
    fresh.claim_type, fresh.date_of_service, fresh.patient_phn, fresh.ba_number, fresh.location_id,
    fresh.hsc_code, fresh.modifiers, fresh.form_id, fresh.timing_tier, fresh.submitted_fee,
    fresh.submitted_at, fresh.submission_deadline, fresh.assessed_fee, fresh.payment_date,
    fresh.rrnp_premium, fresh.explanatory_codes, fresh.created_at, fresh.created_day,
    fresh.phn_erased_at, fresh.occurred_at, fresh.source_topic, fresh.source_partition,
    fresh.source_offset
FROM fresh
ON CONFLICT DO NOTHING
RETURNING 1),
merged AS
(INSERT INTO claims (claim_id, claim_version, provider_id, state, claim_type, date_of_service,
    patient_phn, ba_number, location_id, hsc_code, modifiers, form_id, timing_tier, submitted_fee,
    submitted_at, submission_deadline, assessed_fee, payment_date, rrnp_premium, explanatory_codes,
    created_at, created_day, phn_erased_at, first_sent_version, first_rejected_version,
    last_sent_version) SELECT changed.claim_id, changed.claim_version, changed.provider_id,
    changed.state, changed.claim_type, changed.date_of_service, changed.patient_phn,
    changed.ba_number, changed.location_id, changed.hsc_code, changed.modifiers, changed.form_id,
    changed.timing_tier, changed.submitted_fee, changed.submitted_at, changed.submission_deadline,
    changed.assessed_fee, changed.payment_date, changed.rrnp_premium, changed.explanatory_codes,
    changed.created_at, changed.created_day, changed.phn_erased_at, changed.first_sent_version,
    changed.first_rejected_version, changed.last_sent_version
FROM changed
ON CONFLICT (claim_id) DO UPDATE SET claim_version = excluded.claim_version, provider_id =
    excluded.provider_id, state = excluded.state, claim_type = excluded.claim_type, date_of_service
    = excluded.date_of_service, patient_phn = excluded.patient_phn, ba_number = excluded.ba_number,
    location_id = excluded.location_id, hsc_code = excluded.hsc_code, modifiers =
    excluded.modifiers, form_id = excluded.form_id, timing_tier = excluded.timing_tier,
    submitted_fee = excluded.submitted_fee, submitted_at = excluded.submitted_at,
    submission_deadline = excluded.submission_deadline, assessed_fee = excluded.assessed_fee,
    payment_date = excluded.payment_date, rrnp_premium = excluded.rrnp_premium, phn_erased_at =
    excluded.phn_erased_at, explanatory_codes = excluded.explanatory_codes, created_at =
    excluded.created_at, created_day = excluded.created_day, first_sent_version =
    excluded.first_sent_version, first_rejected_version = excluded.first_rejected_version,
    last_sent_version = excluded.last_sent_version WHERE claims.claim_version <=
    excluded.claim_version AND claims.provider_id = excluded.provider_id
RETURNING 1),
changes AS
(SELECT changed.claim_id, changed.claim_version, changed.provider_id, changed.state,
    changed.claim_type, changed.date_of_service, changed.patient_phn, changed.ba_number,
    changed.location_id, changed.hsc_code, changed.modifiers, changed.form_id, changed.timing_tier,
    changed.submitted_fee, changed.submitted_at, changed.submission_deadline, changed.assessed_fee,
    changed.payment_date, changed.rrnp_premium, changed.explanatory_codes, changed.created_at,
    changed.created_day, changed.phn_erased_at, changed.first_sent_version,
    changed.first_rejected_version, changed.last_sent_version, +1 AS sign
FROM changed UNION ALL SELECT claims.claim_id, claims.claim_version, claims.provider_id,
    claims.state, claims.claim_type, claims.date_of_service, claims.patient_phn, claims.ba_number,
    claims.location_id, claims.hsc_code, claims.modifiers, claims.form_id, claims.timing_tier,
    claims.submitted_fee, claims.submitted_at, claims.submission_deadline, claims.assessed_fee,
    claims.payment_date, claims.rrnp_premium, claims.explanatory_codes, claims.created_at,
    claims.created_day, claims.phn_erased_at, claims.first_sent_version,
    claims.first_rejected_version, claims.last_sent_version, -1 AS sign
FROM claims JOIN changed ON changed.claim_id = claims.claim_id),
claims_sums_0 AS
(SELECT changes.provider_id, CAST(date_trunc('month', CAST(changes.date_of_service AS TIMESTAMP
    WITHOUT TIME ZONE)) AS DATE) AS period_start, changes.claim_type, coalesce(sum(CASE WHEN
    (changes.first_sent_version IS NOT NULL AND changes.state != 'WITHDRAWN') THEN changes.sign * 1
    END), 0) AS submitted_count, coalesce(sum(CASE WHEN (changes.first_sent_version IS NOT NULL AND
    changes.state != 'WITHDRAWN') THEN changes.sign * changes.submitted_fee END), 0.00) AS
    submitted_amount, coalesce(sum(CASE WHEN (changes.state IN ('PAID', 'ADJUSTED')) THEN
    changes.sign * 1 END), 0) AS paid_count, coalesce(sum(CASE WHEN (changes.state IN ('PAID',
    'ADJUSTED')) THEN changes.sign * changes.assessed_fee END), 0.00) AS paid_amount,
    coalesce(sum(CASE WHEN (changes.state IN ('SUBMITTED', 'ASSESSED')) THEN changes.sign * 1 END),
    0) AS pending_count, coalesce(sum(CASE WHEN (changes.state IN ('SUBMITTED', 'ASSESSED')) THEN
    changes.sign * changes.submitted_fee END), 0.00) AS pending_amount, coalesce(sum(CASE WHEN
    (changes.state IN ('PAID', 'ADJUSTED')) THEN changes.sign * (changes.payment_date -
    changes.date_of_service) END), 0) AS paid_days, coalesce(sum(CASE WHEN (changes.state =
    'ASSESSED') THEN changes.sign * 1 END), 0) AS assessed_count, coalesce(sum(CASE WHEN
    (changes.state = 'ASSESSED') THEN changes.sign * changes.assessed_fee END), 0.00) AS
    assessed_amount, coalesce(sum(CASE WHEN (changes.state = 'REJECTED') THEN changes.sign * 1 END),
    0) AS rejected_count, coalesce(sum(CASE WHEN (changes.state = 'REJECTED') THEN changes.sign *
    changes.submitted_fee END), 0.00) AS rejected_amount, coalesce(sum(CASE WHEN (changes.state =
    'ADJUSTED') THEN changes.sign * 1 END), 0) AS adjusted_count, coalesce(sum(CASE WHEN
    (changes.state = 'ADJUSTED') THEN changes.sign * changes.assessed_fee END), 0.00) AS
    adjusted_amount, coalesce(sum(CASE WHEN (changes.state = 'ADJUSTED') THEN changes.sign *
    (changes.assessed_fee - changes.submitted_fee) END), 0.00) AS adjusted_difference,
    coalesce(sum(CASE WHEN (changes.state IN ('ASSESSED', 'PAID', 'REJECTED', 'ADJUSTED')) THEN
    changes.sign * 1 END), 0) AS decided_count, coalesce(sum(CASE WHEN
    (changes.first_rejected_version IS NOT NULL AND changes.state != 'WITHDRAWN') THEN changes.sign
    * 1 END), 0) AS ever_rejected, coalesce(sum(CASE WHEN (changes.first_rejected_version IS NOT
    NULL AND changes.state != 'WITHDRAWN' AND changes.last_sent_version >
    changes.first_rejected_version) THEN changes.sign * 1 END), 0) AS resubmitted, coalesce(sum(CASE
    WHEN (changes.first_rejected_version IS NOT NULL AND changes.state != 'WITHDRAWN' AND
    changes.last_sent_version > changes.first_rejected_version AND changes.state IN ('PAID',
    'ADJUSTED')) THEN changes.sign * 1 END), 0) AS paid_on_resubmission, coalesce(sum(CASE WHEN
    (changes.first_rejected_version IS NOT NULL AND changes.state != 'WITHDRAWN' AND changes.state =
    'WRITTEN_OFF') THEN changes.sign * 1 END), 0) AS rejected_and_written_off, coalesce(sum(CASE
    WHEN (changes.state = 'EXPIRED') THEN changes.sign * 1 END), 0) AS expired_count,
    coalesce(sum(CASE WHEN (changes.state = 'EXPIRED') THEN changes.sign * changes.submitted_fee
    END), 0.00) AS expired_amount, grouping(changes.claim_type) AS level
FROM changes
WHERE changes.date_of_service >= coalesce((SELECT cache_horizon.first_month
FROM cache_horizon), '-infinity'::date)
GROUP BY GROUPING SETS((changes.provider_id, CAST(date_trunc('month', CAST(changes.date_of_service
    AS TIMESTAMP WITHOUT TIME ZONE)) AS DATE)), (changes.provider_id, CAST(date_trunc('month',
    CAST(changes.date_of_service AS TIMESTAMP WITHOUT TIME ZONE)) AS DATE), changes.claim_type))),
behind AS
(SELECT providers.provider_id, providers.metrics_revision
FROM providers
WHERE providers.metrics_revision < 2),
claims_sums_1 AS
(SELECT changes.provider_id, CAST(date_trunc('month', CAST(changes.date_of_service AS TIMESTAMP
    WITHOUT TIME ZONE)) AS DATE) AS period_start, changes.ba_number, changes.location_id,
    changes.hsc_code, changes.form_id, changes.timing_tier, coalesce(sum(CASE WHEN (changes.state IN
    ('PAID', 'ADJUSTED')) THEN changes.sign * 1 END), 0) AS paid_count, coalesce(sum(CASE WHEN
    (changes.state IN ('PAID', 'ADJUSTED')) THEN changes.sign * changes.assessed_fee END), 0.00) AS
    paid_amount, coalesce(sum(CASE WHEN (changes.first_sent_version IS NOT NULL AND changes.state !=
    'WITHDRAWN') THEN changes.sign * 1 END), 0) AS submitted_count, coalesce(sum(CASE WHEN
    (changes.state = 'REJECTED') THEN changes.sign * 1 END), 0) AS rejected_count, coalesce(sum(CASE
    WHEN (changes.state IN ('ASSESSED', 'PAID', 'REJECTED', 'ADJUSTED')) THEN changes.sign * 1 END),
    0) AS decided_count, coalesce(sum(CASE WHEN (changes.state IN ('PAID', 'ADJUSTED') AND
    changes.rrnp_premium > 0) THEN changes.sign * 1 END), 0) AS premium_count, coalesce(sum(CASE
    WHEN (changes.state IN ('PAID', 'ADJUSTED') AND changes.rrnp_premium > 0) THEN changes.sign *
    changes.rrnp_premium END), 0.00) AS premium_amount, grouping(changes.ba_number,
    changes.location_id, changes.hsc_code, changes.form_id, changes.timing_tier) AS level
FROM changes
WHERE changes.date_of_service >= coalesce((SELECT cache_horizon.first_month
FROM cache_horizon), '-infinity'::date)
GROUP BY GROUPING SETS((changes.provider_id, CAST(date_trunc('month', CAST(changes.date_of_service
    AS TIMESTAMP WITHOUT TIME ZONE)) AS DATE), changes.ba_number), (changes.provider_id,
    CAST(date_trunc('month', CAST(changes.date_of_service AS TIMESTAMP WITHOUT TIME ZONE)) AS DATE),
    changes.form_id), (changes.provider_id, CAST(date_trunc('month', CAST(changes.date_of_service AS
    TIMESTAMP WITHOUT TIME ZONE)) AS DATE), changes.hsc_code), (changes.provider_id,
    CAST(date_trunc('month', CAST(changes.date_of_service AS TIMESTAMP WITHOUT TIME ZONE)) AS DATE),
    changes.location_id), (changes.provider_id, CAST(date_trunc('month',
    CAST(changes.date_of_service AS TIMESTAMP WITHOUT TIME ZONE)) AS DATE), changes.timing_tier))),
claims_sums_2 AS
(SELECT by_code.provider_id, CAST(date_trunc('month', CAST(by_code.date_of_service AS TIMESTAMP
    WITHOUT TIME ZONE)) AS DATE) AS period_start, by_code.explanatory_code, coalesce(sum(CASE WHEN
    (by_code.state = 'REJECTED') THEN by_code.sign * 1 END), 0) AS rejected_count, coalesce(sum(CASE
    WHEN (by_code.state = 'REJECTED') THEN by_code.sign * by_code.submitted_fee END), 0.00) AS
    rejected_amount, grouping(by_code.explanatory_code) AS level
FROM (SELECT changes.claim_id, changes.claim_version, changes.provider_id, changes.state,
    changes.claim_type, changes.date_of_service, changes.patient_phn, changes.ba_number,
    changes.location_id, changes.hsc_code, changes.modifiers, changes.form_id, changes.timing_tier,
    changes.submitted_fee, changes.submitted_at, changes.submission_deadline, changes.assessed_fee,
    changes.payment_date, changes.rrnp_premium, changes.explanatory_codes, changes.created_at,
    changes.created_day, changes.phn_erased_at, changes.first_sent_version,
    changes.first_rejected_version, changes.last_sent_version, changes.sign, codes.explanatory_code
FROM changes JOIN LATERAL (SELECT DISTINCT unnest(changes.explanatory_codes) AS explanatory_code) AS
    codes ON true
WHERE changes.state = 'REJECTED') AS by_code
WHERE by_code.date_of_service >= coalesce((SELECT cache_horizon.first_month
FROM cache_horizon), '-infinity'::date)
GROUP BY GROUPING SETS((by_code.provider_id, CAST(date_trunc('month', CAST(by_code.date_of_service
    AS TIMESTAMP WITHOUT TIME ZONE)) AS DATE), by_code.explanatory_code))),
claims_sums_3 AS
(SELECT changes.provider_id, changes.date_of_service AS period_start, changes.claim_type,
    coalesce(sum(CASE WHEN true THEN changes.sign * 1 END), 0) AS waiting_count, coalesce(sum(CASE
    WHEN true THEN changes.sign * changes.submitted_fee END), 0.00) AS waiting_amount,
    grouping(changes.claim_type) AS level
FROM changes
WHERE changes.state = 'SUBMITTED' OR changes.state IN ('DRAFT', 'VALIDATED', 'QUEUED')
GROUP BY GROUPING SETS((changes.provider_id, changes.date_of_service), (changes.provider_id,
    changes.date_of_service, changes.claim_type))),
claims_sums_4 AS
(SELECT changes.provider_id, changes.submission_deadline AS period_start, changes.claim_type,
    coalesce(sum(CASE WHEN true THEN changes.sign * 1 END), 0) AS waiting_count, coalesce(sum(CASE
    WHEN true THEN changes.sign * changes.submitted_fee END), 0.00) AS waiting_amount,
    grouping(changes.claim_type) AS level
FROM changes
WHERE (changes.state IN ('DRAFT', 'VALIDATED', 'QUEUED') OR changes.state = 'REJECTED') AND
    changes.submission_deadline IS NOT NULL
GROUP BY GROUPING SETS((changes.provider_id, changes.submission_deadline), (changes.provider_id,
    changes.submission_deadline, changes.claim_type))),
claims_sums_5 AS
(SELECT changes.provider_id, changes.created_day AS period_start, changes.claim_type,
    coalesce(sum(CASE WHEN true THEN changes.sign * 1 END), 0) AS waiting_count, coalesce(sum(CASE
    WHEN true THEN changes.sign * changes.submitted_fee END), 0.00) AS waiting_amount,
    grouping(changes.claim_type) AS level
FROM changes
WHERE changes.state IN ('DRAFT', 'VALIDATED')
GROUP BY GROUPING SETS((changes.provider_id, changes.created_day), (changes.provider_id,
    changes.created_day, changes.claim_type))),
changed_rows AS
(INSERT INTO analytics_cache (cache_id, provider_id, metric_key, period_start, period_end,
    dimensions, value, computed_at) SELECT CAST(encode(int8send(hashtextextended(concat_ws('|',
    rows.provider_id, rows.metric_key, rows.period_start, rows.dimensions), 0)) ||
    int8send(hashtextextended(concat_ws('|', rows.provider_id, rows.metric_key, rows.period_start,
    rows.dimensions), 1)), 'hex') AS UUID) AS encode_1, rows.provider_id, rows.metric_key,
    rows.period_start, rows.period_end, rows.dimensions, rows.value, now() AS now_2
FROM (SELECT claims_sums_0.provider_id, 'claims_submitted' AS metric_key,
    claims_sums_0.period_start, CAST(claims_sums_0.period_start + interval '1 month -1 day' AS DATE)
    AS period_end, NULL::jsonb AS dimensions, jsonb_build_object('count',
    claims_sums_0.submitted_count, 'amount', CAST(claims_sums_0.submitted_amount AS TEXT)) AS value
FROM claims_sums_0
WHERE claims_sums_0.level = 1 AND (claims_sums_0.submitted_count != 0 OR
    claims_sums_0.submitted_amount != 0) UNION ALL SELECT claims_sums_0.provider_id,
    'claims_submitted' AS metric_key, claims_sums_0.period_start, CAST(claims_sums_0.period_start +
    interval '1 month -1 day' AS DATE) AS period_end, jsonb_build_object('claim_type',
    claims_sums_0.claim_type) AS dimensions, jsonb_build_object('count',
    claims_sums_0.submitted_count, 'amount', CAST(claims_sums_0.submitted_amount AS TEXT)) AS value
FROM claims_sums_0
WHERE claims_sums_0.level = 0 AND (claims_sums_0.submitted_count != 0 OR
    claims_sums_0.submitted_amount != 0) AND claims_sums_0.claim_type IS NOT NULL UNION ALL SELECT
    claims_sums_0.provider_id, 'claims_paid' AS metric_key, claims_sums_0.period_start,
    CAST(claims_sums_0.period_start + interval '1 month -1 day' AS DATE) AS period_end, NULL::jsonb
    AS dimensions, jsonb_build_object('count', claims_sums_0.paid_count, 'amount',
    CAST(claims_sums_0.paid_amount AS TEXT)) AS value
FROM claims_sums_0
WHERE claims_sums_0.level = 1 AND (claims_sums_0.paid_count != 0 OR claims_sums_0.paid_amount != 0)
    UNION ALL SELECT claims_sums_0.provider_id, 'claims_paid' AS metric_key,
    claims_sums_0.period_start, CAST(claims_sums_0.period_start + interval '1 month -1 day' AS DATE)
    AS period_end, jsonb_build_object('claim_type', claims_sums_0.claim_type) AS dimensions,
    jsonb_build_object('count', claims_sums_0.paid_count, 'amount', CAST(claims_sums_0.paid_amount
    AS TEXT)) AS value
FROM claims_sums_0
WHERE claims_sums_0.level = 0 AND (claims_sums_0.paid_count != 0 OR claims_sums_0.paid_amount != 0)
    AND claims_sums_0.claim_type IS NOT NULL UNION ALL SELECT claims_sums_0.provider_id,
    'revenue_monthly' AS metric_key, claims_sums_0.period_start, CAST(claims_sums_0.period_start +
    interval '1 month -1 day' AS DATE) AS period_end, NULL::jsonb AS dimensions,
    jsonb_build_object('count', claims_sums_0.paid_count, 'amount', CAST(claims_sums_0.paid_amount
    AS TEXT)) AS value
FROM claims_sums_0
WHERE claims_sums_0.level = 1 AND (claims_sums_0.paid_count != 0 OR claims_sums_0.paid_amount != 0)
    UNION ALL SELECT claims_sums_0.provider_id, 'revenue_monthly' AS metric_key,
    claims_sums_0.period_start, CAST(claims_sums_0.period_start + interval '1 month -1 day' AS DATE)
    AS period_end, jsonb_build_object('claim_type', claims_sums_0.claim_type) AS dimensions,
    jsonb_build_object('count', claims_sums_0.paid_count, 'amount', CAST(claims_sums_0.paid_amount
    AS TEXT)) AS value
FROM claims_sums_0
WHERE claims_sums_0.level = 0 AND (claims_sums_0.paid_count != 0 OR claims_sums_0.paid_amount != 0)
    AND claims_sums_0.claim_type IS NOT NULL UNION ALL SELECT claims_sums_0.provider_id,
    'avg_fee_per_claim' AS metric_key, claims_sums_0.period_start, CAST(claims_sums_0.period_start +
    interval '1 month -1 day' AS DATE) AS period_end, NULL::jsonb AS dimensions,
    jsonb_build_object('count', claims_sums_0.paid_count, 'amount', CAST(claims_sums_0.paid_amount
    AS TEXT), 'average', CASE WHEN (claims_sums_0.paid_count = 0) THEN '0.00' ELSE
    CAST(round(CAST(claims_sums_0.paid_amount AS NUMERIC(18, 2)) / CAST(claims_sums_0.paid_count AS
    NUMERIC), 2) AS TEXT) END) AS value
FROM claims_sums_0
WHERE claims_sums_0.level = 1 AND (claims_sums_0.paid_count != 0 OR claims_sums_0.paid_amount != 0)
    UNION ALL SELECT claims_sums_0.provider_id, 'avg_fee_per_claim' AS metric_key,
    claims_sums_0.period_start, CAST(claims_sums_0.period_start + interval '1 month -1 day' AS DATE)
    AS period_end, jsonb_build_object('claim_type', claims_sums_0.claim_type) AS dimensions,
    jsonb_build_object('count', claims_sums_0.paid_count, 'amount', CAST(claims_sums_0.paid_amount
    AS TEXT), 'average', CASE WHEN (claims_sums_0.paid_count = 0) THEN '0.00' ELSE
    CAST(round(CAST(claims_sums_0.paid_amount AS NUMERIC(18, 2)) / CAST(claims_sums_0.paid_count AS
    NUMERIC), 2) AS TEXT) END) AS value
FROM claims_sums_0
WHERE claims_sums_0.level = 0 AND (claims_sums_0.paid_count != 0 OR claims_sums_0.paid_amount != 0)
    AND claims_sums_0.claim_type IS NOT NULL UNION ALL SELECT claims_sums_0.provider_id,
    'pending_pipeline' AS metric_key, claims_sums_0.period_start, CAST(claims_sums_0.period_start +
    interval '1 month -1 day' AS DATE) AS period_end, NULL::jsonb AS dimensions,
    jsonb_build_object('count', claims_sums_0.pending_count, 'amount',
    CAST(claims_sums_0.pending_amount AS TEXT)) AS value
FROM claims_sums_0
WHERE claims_sums_0.level = 1 AND (claims_sums_0.pending_count != 0 OR claims_sums_0.pending_amount
    != 0) UNION ALL SELECT claims_sums_0.provider_id, 'pending_pipeline' AS metric_key,
    claims_sums_0.period_start, CAST(claims_sums_0.period_start + interval '1 month -1 day' AS DATE)
    AS period_end, jsonb_build_object('claim_type', claims_sums_0.claim_type) AS dimensions,
    jsonb_build_object('count', claims_sums_0.pending_count, 'amount',
    CAST(claims_sums_0.pending_amount AS TEXT)) AS value
FROM claims_sums_0
WHERE claims_sums_0.level = 0 AND (claims_sums_0.pending_count != 0 OR claims_sums_0.pending_amount
    != 0) AND claims_sums_0.claim_type IS NOT NULL UNION ALL SELECT claims_sums_0.provider_id,
    'avg_resolution_time' AS metric_key, claims_sums_0.period_start, CAST(claims_sums_0.period_start
    + interval '1 month -1 day' AS DATE) AS period_end, NULL::jsonb AS dimensions,
    jsonb_build_object('count', claims_sums_0.paid_count, 'days', claims_sums_0.paid_days,
    'average_days', CASE WHEN (claims_sums_0.paid_count = 0) THEN '0.00' ELSE
    CAST(round(CAST(claims_sums_0.paid_days AS NUMERIC(18, 2)) / CAST(claims_sums_0.paid_count AS
    NUMERIC), 2) AS TEXT) END) AS value
FROM claims_sums_0
WHERE claims_sums_0.level = 1 AND (claims_sums_0.paid_count != 0 OR claims_sums_0.paid_days != 0)
    UNION ALL SELECT claims_sums_0.provider_id, 'avg_resolution_time' AS metric_key,
    claims_sums_0.period_start, CAST(claims_sums_0.period_start + interval '1 month -1 day' AS DATE)
    AS period_end, jsonb_build_object('claim_type', claims_sums_0.claim_type) AS dimensions,
    jsonb_build_object('count', claims_sums_0.paid_count, 'days', claims_sums_0.paid_days,
    'average_days', CASE WHEN (claims_sums_0.paid_count = 0) THEN '0.00' ELSE
    CAST(round(CAST(claims_sums_0.paid_days AS NUMERIC(18, 2)) / CAST(claims_sums_0.paid_count AS
    NUMERIC), 2) AS TEXT) END) AS value
FROM claims_sums_0
WHERE claims_sums_0.level = 0 AND (claims_sums_0.paid_count != 0 OR claims_sums_0.paid_days != 0)
    AND claims_sums_0.claim_type IS NOT NULL UNION ALL SELECT claims_sums_0.provider_id,
    'wcb_revenue_trend' AS metric_key, claims_sums_0.period_start, CAST(claims_sums_0.period_start +
    interval '1 month -1 day' AS DATE) AS period_end, NULL::jsonb AS dimensions,
    jsonb_build_object('count', claims_sums_0.paid_count, 'amount', CAST(claims_sums_0.paid_amount
    AS TEXT)) AS value
FROM claims_sums_0
WHERE claims_sums_0.level = 0 AND (claims_sums_0.paid_count != 0 OR claims_sums_0.paid_amount != 0)
    AND claims_sums_0.claim_type IS NOT NULL AND claims_sums_0.claim_type = 'WCB' UNION ALL SELECT
    claims_sums_0.provider_id, 'claims_assessed' AS metric_key, claims_sums_0.period_start,
    CAST(claims_sums_0.period_start + interval '1 month -1 day' AS DATE) AS period_end, NULL::jsonb
    AS dimensions, jsonb_build_object('count', claims_sums_0.assessed_count, 'amount',
    CAST(claims_sums_0.assessed_amount AS TEXT)) AS value
FROM claims_sums_0
WHERE claims_sums_0.level = 1 AND (claims_sums_0.assessed_count != 0 OR
    claims_sums_0.assessed_amount != 0) AND (claims_sums_0.provider_id NOT IN (SELECT
    behind.provider_id
FROM behind
WHERE behind.metrics_revision < 2)) UNION ALL SELECT claims_sums_0.provider_id, 'claims_assessed' AS
    metric_key, claims_sums_0.period_start, CAST(claims_sums_0.period_start + interval '1 month -1
    day' AS DATE) AS period_end, jsonb_build_object('claim_type', claims_sums_0.claim_type) AS
    dimensions, jsonb_build_object('count', claims_sums_0.assessed_count, 'amount',
    CAST(claims_sums_0.assessed_amount AS TEXT)) AS value
FROM claims_sums_0
WHERE claims_sums_0.level = 0 AND (claims_sums_0.assessed_count != 0 OR
    claims_sums_0.assessed_amount != 0) AND claims_sums_0.claim_type IS NOT NULL AND
    (claims_sums_0.provider_id NOT IN (SELECT behind.provider_id
FROM behind
WHERE behind.metrics_revision < 2)) UNION ALL SELECT claims_sums_0.provider_id, 'claims_rejected' AS
    metric_key, claims_sums_0.period_start, CAST(claims_sums_0.period_start + interval '1 month -1
    day' AS DATE) AS period_end, NULL::jsonb AS dimensions, jsonb_build_object('count',
    claims_sums_0.rejected_count, 'amount', CAST(claims_sums_0.rejected_amount AS TEXT)) AS value
FROM claims_sums_0
WHERE claims_sums_0.level = 1 AND (claims_sums_0.rejected_count != 0 OR
    claims_sums_0.rejected_amount != 0) AND (claims_sums_0.provider_id NOT IN (SELECT
    behind.provider_id
FROM behind
WHERE behind.metrics_revision < 2)) UNION ALL SELECT claims_sums_0.provider_id, 'claims_rejected' AS
    metric_key, claims_sums_0.period_start, CAST(claims_sums_0.period_start + interval '1 month -1
    day' AS DATE) AS period_end, jsonb_build_object('claim_type', claims_sums_0.claim_type) AS
    dimensions, jsonb_build_object('count', claims_sums_0.rejected_count, 'amount',
    CAST(claims_sums_0.rejected_amount AS TEXT)) AS value
FROM claims_sums_0
WHERE claims_sums_0.level = 0 AND (claims_sums_0.rejected_count != 0 OR
    claims_sums_0.rejected_amount != 0) AND claims_sums_0.claim_type IS NOT NULL AND
    (claims_sums_0.provider_id NOT IN (SELECT behind.provider_id
FROM behind
WHERE behind.metrics_revision < 2)) UNION ALL SELECT claims_sums_0.provider_id, 'claims_adjusted' AS
    metric_key, claims_sums_0.period_start, CAST(claims_sums_0.period_start + interval '1 month -1
    day' AS DATE) AS period_end, NULL::jsonb AS dimensions, jsonb_build_object('count',
    claims_sums_0.adjusted_count, 'amount', CAST(claims_sums_0.adjusted_amount AS TEXT),
    'difference', CAST(claims_sums_0.adjusted_difference AS TEXT)) AS value
FROM claims_sums_0
WHERE claims_sums_0.level = 1 AND (claims_sums_0.adjusted_count != 0 OR
    claims_sums_0.adjusted_amount != 0 OR claims_sums_0.adjusted_difference != 0) AND
    (claims_sums_0.provider_id NOT IN (SELECT behind.provider_id
FROM behind
WHERE behind.metrics_revision < 2)) UNION ALL SELECT claims_sums_0.provider_id, 'claims_adjusted' AS
    metric_key, claims_sums_0.period_start, CAST(claims_sums_0.period_start + interval '1 month -1
    day' AS DATE) AS period_end, jsonb_build_object('claim_type', claims_sums_0.claim_type) AS
    dimensions, jsonb_build_object('count', claims_sums_0.adjusted_count, 'amount',
    CAST(claims_sums_0.adjusted_amount AS TEXT), 'difference',
    CAST(claims_sums_0.adjusted_difference AS TEXT)) AS value
FROM claims_sums_0
WHERE claims_sums_0.level = 0 AND (claims_sums_0.adjusted_count != 0 OR
    claims_sums_0.adjusted_amount != 0 OR claims_sums_0.adjusted_difference != 0) AND
    claims_sums_0.claim_type IS NOT NULL AND (claims_sums_0.provider_id NOT IN (SELECT
    behind.provider_id
FROM behind
WHERE behind.metrics_revision < 2)) UNION ALL SELECT claims_sums_0.provider_id,
    'rejection_rate_monthly' AS metric_key, claims_sums_0.period_start,
    CAST(claims_sums_0.period_start + interval '1 month -1 day' AS DATE) AS period_end, NULL::jsonb
    AS dimensions, jsonb_build_object('rejected', claims_sums_0.rejected_count, 'decided',
    claims_sums_0.decided_count, 'rate', CASE WHEN (claims_sums_0.decided_count = 0) THEN '0.00'
    ELSE CAST(round((CAST(claims_sums_0.rejected_count AS NUMERIC(18, 2)) * 100) /
    CAST(claims_sums_0.decided_count AS NUMERIC), 2) AS TEXT) END) AS value
FROM claims_sums_0
WHERE claims_sums_0.level = 1 AND (claims_sums_0.rejected_count != 0 OR claims_sums_0.decided_count
    != 0) AND (claims_sums_0.provider_id NOT IN (SELECT behind.provider_id
FROM behind
WHERE behind.metrics_revision < 2)) UNION ALL SELECT claims_sums_0.provider_id,
    'rejection_rate_monthly' AS metric_key, claims_sums_0.period_start,
    CAST(claims_sums_0.period_start + interval '1 month -1 day' AS DATE) AS period_end,
    jsonb_build_object('claim_type', claims_sums_0.claim_type) AS dimensions,
    jsonb_build_object('rejected', claims_sums_0.rejected_count, 'decided',
    claims_sums_0.decided_count, 'rate', CASE WHEN (claims_sums_0.decided_count = 0) THEN '0.00'
    ELSE CAST(round((CAST(claims_sums_0.rejected_count AS NUMERIC(18, 2)) * 100) /
    CAST(claims_sums_0.decided_count AS NUMERIC), 2) AS TEXT) END) AS value
FROM claims_sums_0
WHERE claims_sums_0.level = 0 AND (claims_sums_0.rejected_count != 0 OR claims_sums_0.decided_count
    != 0) AND claims_sums_0.claim_type IS NOT NULL AND (claims_sums_0.provider_id NOT IN (SELECT
    behind.provider_id
FROM behind
WHERE behind.metrics_revision < 2)) UNION ALL SELECT claims_sums_0.provider_id, 'wcb_rejection_rate'
    AS metric_key, claims_sums_0.period_start, CAST(claims_sums_0.period_start + interval '1 month
    -1 day' AS DATE) AS period_end, NULL::jsonb AS dimensions, jsonb_build_object('rejected',
    claims_sums_0.rejected_count, 'decided', claims_sums_0.decided_count, 'rate', CASE WHEN
    (claims_sums_0.decided_count = 0) THEN '0.00' ELSE CAST(round((CAST(claims_sums_0.rejected_count
    AS NUMERIC(18, 2)) * 100) / CAST(claims_sums_0.decided_count AS NUMERIC), 2) AS TEXT) END) AS
    value
FROM claims_sums_0
WHERE claims_sums_0.level = 0 AND (claims_sums_0.rejected_count != 0 OR claims_sums_0.decided_count
    != 0) AND claims_sums_0.claim_type IS NOT NULL AND claims_sums_0.claim_type = 'WCB' AND
    (claims_sums_0.provider_id NOT IN (SELECT behind.provider_id
FROM behind
WHERE behind.metrics_revision < 2)) UNION ALL SELECT claims_sums_0.provider_id,
    'rejection_resolution_funnel' AS metric_key, claims_sums_0.period_start,
    CAST(claims_sums_0.period_start + interval '1 month -1 day' AS DATE) AS period_end, NULL::jsonb
    AS dimensions, jsonb_build_object('rejected', claims_sums_0.ever_rejected, 'resubmitted',
    claims_sums_0.resubmitted, 'paid_on_resubmission', claims_sums_0.paid_on_resubmission,
    'written_off', claims_sums_0.rejected_and_written_off) AS value
FROM claims_sums_0
WHERE claims_sums_0.level = 1 AND (claims_sums_0.ever_rejected != 0 OR claims_sums_0.resubmitted !=
    0 OR claims_sums_0.paid_on_resubmission != 0 OR claims_sums_0.rejected_and_written_off != 0) AND
    (claims_sums_0.provider_id NOT IN (SELECT behind.provider_id
FROM behind
WHERE behind.metrics_revision < 2)) UNION ALL SELECT claims_sums_0.provider_id,
    'rejection_resolution_funnel' AS metric_key, claims_sums_0.period_start,
    CAST(claims_sums_0.period_start + interval '1 month -1 day' AS DATE) AS period_end,
    jsonb_build_object('claim_type', claims_sums_0.claim_type) AS dimensions,
    jsonb_build_object('rejected', claims_sums_0.ever_rejected, 'resubmitted',
    claims_sums_0.resubmitted, 'paid_on_resubmission', claims_sums_0.paid_on_resubmission,
    'written_off', claims_sums_0.rejected_and_written_off) AS value
FROM claims_sums_0
WHERE claims_sums_0.level = 0 AND (claims_sums_0.ever_rejected != 0 OR claims_sums_0.resubmitted !=
    0 OR claims_sums_0.paid_on_resubmission != 0 OR claims_sums_0.rejected_and_written_off != 0) AND
    claims_sums_0.claim_type IS NOT NULL AND (claims_sums_0.provider_id NOT IN (SELECT
    behind.provider_id
FROM behind
WHERE behind.metrics_revision < 2)) UNION ALL SELECT claims_sums_0.provider_id, 'expired_claims' AS
    metric_key, claims_sums_0.period_start, CAST(claims_sums_0.period_start + interval '1 month -1
    day' AS DATE) AS period_end, NULL::jsonb AS dimensions, jsonb_build_object('count',
    claims_sums_0.expired_count, 'amount', CAST(claims_sums_0.expired_amount AS TEXT)) AS value
FROM claims_sums_0
WHERE claims_sums_0.level = 1 AND (claims_sums_0.expired_count != 0 OR claims_sums_0.expired_amount
    != 0) AND (claims_sums_0.provider_id NOT IN (SELECT behind.provider_id
FROM behind
WHERE behind.metrics_revision < 2)) UNION ALL SELECT claims_sums_0.provider_id, 'expired_claims' AS
    metric_key, claims_sums_0.period_start, CAST(claims_sums_0.period_start + interval '1 month -1
    day' AS DATE) AS period_end, jsonb_build_object('claim_type', claims_sums_0.claim_type) AS
    dimensions, jsonb_build_object('count', claims_sums_0.expired_count, 'amount',
    CAST(claims_sums_0.expired_amount AS TEXT)) AS value
FROM claims_sums_0
WHERE claims_sums_0.level = 0 AND (claims_sums_0.expired_count != 0 OR claims_sums_0.expired_amount
    != 0) AND claims_sums_0.claim_type IS NOT NULL AND (claims_sums_0.provider_id NOT IN (SELECT
    behind.provider_id
FROM behind
WHERE behind.metrics_revision < 2)) UNION ALL SELECT claims_sums_1.provider_id, 'revenue_by_ba' AS
    metric_key, claims_sums_1.period_start, CAST(claims_sums_1.period_start + interval '1 month -1
    day' AS DATE) AS period_end, jsonb_build_object('ba_number', claims_sums_1.ba_number) AS
    dimensions, jsonb_build_object('count', claims_sums_1.paid_count, 'amount',
    CAST(claims_sums_1.paid_amount AS TEXT)) AS value
FROM claims_sums_1
WHERE claims_sums_1.level = 15 AND (claims_sums_1.paid_count != 0 OR claims_sums_1.paid_amount != 0)
    AND claims_sums_1.ba_number IS NOT NULL UNION ALL SELECT claims_sums_1.provider_id,
    'revenue_by_location' AS metric_key, claims_sums_1.period_start, CAST(claims_sums_1.period_start
    + interval '1 month -1 day' AS DATE) AS period_end, jsonb_build_object('location_id',
    claims_sums_1.location_id) AS dimensions, jsonb_build_object('count', claims_sums_1.paid_count,
    'amount', CAST(claims_sums_1.paid_amount AS TEXT)) AS value
FROM claims_sums_1
WHERE claims_sums_1.level = 23 AND (claims_sums_1.paid_count != 0 OR claims_sums_1.paid_amount != 0)
    AND claims_sums_1.location_id IS NOT NULL UNION ALL SELECT claims_sums_1.provider_id,
    'revenue_by_hsc' AS metric_key, claims_sums_1.period_start, CAST(claims_sums_1.period_start +
    interval '1 month -1 day' AS DATE) AS period_end, jsonb_build_object('hsc_code',
    claims_sums_1.hsc_code) AS dimensions, jsonb_build_object('count', claims_sums_1.paid_count,
    'amount', CAST(claims_sums_1.paid_amount AS TEXT)) AS value
FROM claims_sums_1
WHERE claims_sums_1.level = 27 AND (claims_sums_1.paid_count != 0 OR claims_sums_1.paid_amount != 0)
    AND claims_sums_1.hsc_code IS NOT NULL UNION ALL SELECT claims_sums_1.provider_id,
    'wcb_by_form_type' AS metric_key, claims_sums_1.period_start, CAST(claims_sums_1.period_start +
    interval '1 month -1 day' AS DATE) AS period_end, jsonb_build_object('form_id',
    claims_sums_1.form_id) AS dimensions, jsonb_build_object('count', claims_sums_1.submitted_count,
    'amount', CAST(claims_sums_1.paid_amount AS TEXT)) AS value
FROM claims_sums_1
WHERE claims_sums_1.level = 29 AND (claims_sums_1.submitted_count != 0 OR claims_sums_1.paid_amount
    != 0) AND claims_sums_1.form_id IS NOT NULL UNION ALL SELECT claims_sums_1.provider_id,
    'wcb_timing_tier_dist' AS metric_key, claims_sums_1.period_start,
    CAST(claims_sums_1.period_start + interval '1 month -1 day' AS DATE) AS period_end,
    jsonb_build_object('timing_tier', claims_sums_1.timing_tier) AS dimensions,
    jsonb_build_object('count', claims_sums_1.submitted_count) AS value
FROM claims_sums_1
WHERE claims_sums_1.level = 30 AND claims_sums_1.submitted_count != 0 AND claims_sums_1.timing_tier
    IS NOT NULL UNION ALL SELECT claims_sums_1.provider_id, 'wcb_fee_tier_analysis' AS metric_key,
    claims_sums_1.period_start, CAST(claims_sums_1.period_start + interval '1 month -1 day' AS DATE)
    AS period_end, jsonb_build_object('timing_tier', claims_sums_1.timing_tier) AS dimensions,
    jsonb_build_object('count', claims_sums_1.paid_count, 'amount', CAST(claims_sums_1.paid_amount
    AS TEXT), 'average', CASE WHEN (claims_sums_1.paid_count = 0) THEN '0.00' ELSE
    CAST(round(CAST(claims_sums_1.paid_amount AS NUMERIC(18, 2)) / CAST(claims_sums_1.paid_count AS
    NUMERIC), 2) AS TEXT) END) AS value
FROM claims_sums_1
WHERE claims_sums_1.level = 30 AND (claims_sums_1.paid_count != 0 OR claims_sums_1.paid_amount != 0)
    AND claims_sums_1.timing_tier IS NOT NULL UNION ALL SELECT claims_sums_1.provider_id,
    'multisite_revenue' AS metric_key, claims_sums_1.period_start, CAST(claims_sums_1.period_start +
    interval '1 month -1 day' AS DATE) AS period_end, jsonb_build_object('location_id',
    claims_sums_1.location_id) AS dimensions, jsonb_build_object('count', claims_sums_1.paid_count,
    'amount', CAST(claims_sums_1.paid_amount AS TEXT)) AS value
FROM claims_sums_1
WHERE claims_sums_1.level = 23 AND (claims_sums_1.paid_count != 0 OR claims_sums_1.paid_amount != 0)
    AND claims_sums_1.location_id IS NOT NULL UNION ALL SELECT claims_sums_1.provider_id,
    'multisite_claims' AS metric_key, claims_sums_1.period_start, CAST(claims_sums_1.period_start +
    interval '1 month -1 day' AS DATE) AS period_end, jsonb_build_object('location_id',
    claims_sums_1.location_id) AS dimensions, jsonb_build_object('submitted',
    claims_sums_1.submitted_count, 'paid', claims_sums_1.paid_count, 'rejected',
    claims_sums_1.rejected_count, 'decided', claims_sums_1.decided_count, 'rejection_rate', CASE
    WHEN (claims_sums_1.decided_count = 0) THEN '0.00' ELSE
    CAST(round((CAST(claims_sums_1.rejected_count AS NUMERIC(18, 2)) * 100) /
    CAST(claims_sums_1.decided_count AS NUMERIC), 2) AS TEXT) END) AS value
FROM claims_sums_1
WHERE claims_sums_1.level = 23 AND (claims_sums_1.submitted_count != 0 OR claims_sums_1.paid_count
    != 0 OR claims_sums_1.rejected_count != 0 OR claims_sums_1.decided_count != 0) AND
    claims_sums_1.location_id IS NOT NULL AND (claims_sums_1.provider_id NOT IN (SELECT
    behind.provider_id
FROM behind
WHERE behind.metrics_revision < 2)) UNION ALL SELECT claims_sums_1.provider_id, 'multisite_rrnp' AS
    metric_key, claims_sums_1.period_start, CAST(claims_sums_1.period_start + interval '1 month -1
    day' AS DATE) AS period_end, jsonb_build_object('location_id', claims_sums_1.location_id) AS
    dimensions, jsonb_build_object('count', claims_sums_1.premium_count, 'amount',
    CAST(claims_sums_1.premium_amount AS TEXT)) AS value
FROM claims_sums_1
WHERE claims_sums_1.level = 23 AND (claims_sums_1.premium_count != 0 OR claims_sums_1.premium_amount
    != 0) AND claims_sums_1.location_id IS NOT NULL UNION ALL SELECT claims_sums_1.provider_id,
    'rejection_by_hsc' AS metric_key, claims_sums_1.period_start, CAST(claims_sums_1.period_start +
    interval '1 month -1 day' AS DATE) AS period_end, jsonb_build_object('hsc_code',
    claims_sums_1.hsc_code) AS dimensions, jsonb_build_object('rejected',
    claims_sums_1.rejected_count, 'decided', claims_sums_1.decided_count, 'rate', CASE WHEN
    (claims_sums_1.decided_count = 0) THEN '0.00' ELSE CAST(round((CAST(claims_sums_1.rejected_count
    AS NUMERIC(18, 2)) * 100) / CAST(claims_sums_1.decided_count AS NUMERIC), 2) AS TEXT) END) AS
    value
FROM claims_sums_1
WHERE claims_sums_1.level = 27 AND (claims_sums_1.rejected_count != 0 OR claims_sums_1.decided_count
    != 0) AND claims_sums_1.hsc_code IS NOT NULL AND (claims_sums_1.provider_id NOT IN (SELECT
    behind.provider_id
FROM behind
WHERE behind.metrics_revision < 2)) UNION ALL SELECT claims_sums_2.provider_id, 'rejection_by_code'
    AS metric_key, claims_sums_2.period_start, CAST(claims_sums_2.period_start + interval '1 month
    -1 day' AS DATE) AS period_end, jsonb_build_object('explanatory_code',
    claims_sums_2.explanatory_code) AS dimensions, jsonb_build_object('count',
    claims_sums_2.rejected_count, 'amount', CAST(claims_sums_2.rejected_amount AS TEXT)) AS value
FROM claims_sums_2
WHERE claims_sums_2.level = 0 AND (claims_sums_2.rejected_count != 0 OR
    claims_sums_2.rejected_amount != 0) AND claims_sums_2.explanatory_code IS NOT NULL AND
    (claims_sums_2.provider_id NOT IN (SELECT behind.provider_id
FROM behind
WHERE behind.metrics_revision < 2)) UNION ALL SELECT claims_sums_3.provider_id, 'aging_brackets' AS
    metric_key, claims_sums_3.period_start, claims_sums_3.period_start AS period_end, NULL::jsonb AS
    dimensions, jsonb_build_object('count', claims_sums_3.waiting_count, 'amount',
    CAST(claims_sums_3.waiting_amount AS TEXT)) AS value
FROM claims_sums_3
WHERE claims_sums_3.level = 1 AND (claims_sums_3.waiting_count != 0 OR claims_sums_3.waiting_amount
    != 0) AND (claims_sums_3.provider_id NOT IN (SELECT behind.provider_id
FROM behind
WHERE behind.metrics_revision < 2)) UNION ALL SELECT claims_sums_3.provider_id, 'aging_brackets' AS
    metric_key, claims_sums_3.period_start, claims_sums_3.period_start AS period_end,
    jsonb_build_object('claim_type', claims_sums_3.claim_type) AS dimensions,
    jsonb_build_object('count', claims_sums_3.waiting_count, 'amount',
    CAST(claims_sums_3.waiting_amount AS TEXT)) AS value
FROM claims_sums_3
WHERE claims_sums_3.level = 0 AND (claims_sums_3.waiting_count != 0 OR claims_sums_3.waiting_amount
    != 0) AND claims_sums_3.claim_type IS NOT NULL AND (claims_sums_3.provider_id NOT IN (SELECT
    behind.provider_id
FROM behind
WHERE behind.metrics_revision < 2)) UNION ALL SELECT claims_sums_4.provider_id,
    'approaching_deadline' AS metric_key, claims_sums_4.period_start, claims_sums_4.period_start AS
    period_end, NULL::jsonb AS dimensions, jsonb_build_object('count', claims_sums_4.waiting_count,
    'amount', CAST(claims_sums_4.waiting_amount AS TEXT)) AS value
FROM claims_sums_4
WHERE claims_sums_4.level = 1 AND (claims_sums_4.waiting_count != 0 OR claims_sums_4.waiting_amount
    != 0) AND (claims_sums_4.provider_id NOT IN (SELECT behind.provider_id
FROM behind
WHERE behind.metrics_revision < 2)) UNION ALL SELECT claims_sums_4.provider_id,
    'approaching_deadline' AS metric_key, claims_sums_4.period_start, claims_sums_4.period_start AS
    period_end, jsonb_build_object('claim_type', claims_sums_4.claim_type) AS dimensions,
    jsonb_build_object('count', claims_sums_4.waiting_count, 'amount',
    CAST(claims_sums_4.waiting_amount AS TEXT)) AS value
FROM claims_sums_4
WHERE claims_sums_4.level = 0 AND (claims_sums_4.waiting_count != 0 OR claims_sums_4.waiting_amount
    != 0) AND claims_sums_4.claim_type IS NOT NULL AND (claims_sums_4.provider_id NOT IN (SELECT
    behind.provider_id
FROM behind
WHERE behind.metrics_revision < 2)) UNION ALL SELECT claims_sums_5.provider_id, 'stale_claims' AS
    metric_key, claims_sums_5.period_start, claims_sums_5.period_start AS period_end, NULL::jsonb AS
    dimensions, jsonb_build_object('count', claims_sums_5.waiting_count, 'amount',
    CAST(claims_sums_5.waiting_amount AS TEXT)) AS value
FROM claims_sums_5
WHERE claims_sums_5.level = 1 AND (claims_sums_5.waiting_count != 0 OR claims_sums_5.waiting_amount
    != 0) AND (claims_sums_5.provider_id NOT IN (SELECT behind.provider_id
FROM behind
WHERE behind.metrics_revision < 2)) UNION ALL SELECT claims_sums_5.provider_id, 'stale_claims' AS
    metric_key, claims_sums_5.period_start, claims_sums_5.period_start AS period_end,
    jsonb_build_object('claim_type', claims_sums_5.claim_type) AS dimensions,
    jsonb_build_object('count', claims_sums_5.waiting_count, 'amount',
    CAST(claims_sums_5.waiting_amount AS TEXT)) AS value
FROM claims_sums_5
WHERE claims_sums_5.level = 0 AND (claims_sums_5.waiting_count != 0 OR claims_sums_5.waiting_amount
    != 0) AND claims_sums_5.claim_type IS NOT NULL AND (claims_sums_5.provider_id NOT IN (SELECT
    behind.provider_id
FROM behind
WHERE behind.metrics_revision < 2))) AS rows
ORDER BY rows.provider_id, rows.metric_key, rows.period_start, rows.period_end, rows.dimensions
ON CONFLICT ON CONSTRAINT uq_analytics_cache_key DO UPDATE SET value = CASE WHEN
    (analytics_cache.metric_key IN ('claims_submitted', 'claims_paid', 'revenue_monthly',
    'revenue_by_ba', 'revenue_by_location', 'revenue_by_hsc', 'pending_pipeline',
    'wcb_by_form_type', 'wcb_revenue_trend', 'multisite_revenue', 'multisite_rrnp',
    'claims_assessed', 'claims_rejected', 'rejection_by_code', 'expired_claims', 'aging_brackets',
    'approaching_deadline', 'stale_claims', 'ai_coach_revenue_recovered')) THEN
    jsonb_build_object('count', CAST(analytics_cache.value ->> 'count' AS BIGINT) +
    CAST(excluded.value ->> 'count' AS BIGINT), 'amount', CAST(CAST(analytics_cache.value ->>
    'amount' AS NUMERIC(18, 2)) + CAST(excluded.value ->> 'amount' AS NUMERIC(18, 2)) AS TEXT)) WHEN
    (analytics_cache.metric_key IN ('avg_fee_per_claim', 'wcb_fee_tier_analysis')) THEN
    jsonb_build_object('count', CAST(analytics_cache.value ->> 'count' AS BIGINT) +
    CAST(excluded.value ->> 'count' AS BIGINT), 'amount', CAST(CAST(analytics_cache.value ->>
    'amount' AS NUMERIC(18, 2)) + CAST(excluded.value ->> 'amount' AS NUMERIC(18, 2)) AS TEXT),
    'average', CASE WHEN (CAST(analytics_cache.value ->> 'count' AS BIGINT) + CAST(excluded.value
    ->> 'count' AS BIGINT) = 0) THEN '0.00' ELSE CAST(round(CAST(CAST(analytics_cache.value ->>
    'amount' AS NUMERIC(18, 2)) + CAST(excluded.value ->> 'amount' AS NUMERIC(18, 2)) AS NUMERIC(18,
    2)) / CAST((CAST(analytics_cache.value ->> 'count' AS BIGINT) + CAST(excluded.value ->> 'count'
    AS BIGINT)) AS NUMERIC), 2) AS TEXT) END) WHEN (analytics_cache.metric_key IN
    ('avg_resolution_time')) THEN jsonb_build_object('count', CAST(analytics_cache.value ->> 'count'
    AS BIGINT) + CAST(excluded.value ->> 'count' AS BIGINT), 'days', CAST(analytics_cache.value ->>
    'days' AS BIGINT) + CAST(excluded.value ->> 'days' AS BIGINT), 'average_days', CASE WHEN
    (CAST(analytics_cache.value ->> 'count' AS BIGINT) + CAST(excluded.value ->> 'count' AS BIGINT)
    = 0) THEN '0.00' ELSE CAST(round(CAST(CAST(analytics_cache.value ->> 'days' AS BIGINT) +
    CAST(excluded.value ->> 'days' AS BIGINT) AS NUMERIC(18, 2)) / CAST((CAST(analytics_cache.value
    ->> 'count' AS BIGINT) + CAST(excluded.value ->> 'count' AS BIGINT)) AS NUMERIC), 2) AS TEXT)
    END) WHEN (analytics_cache.metric_key IN ('wcb_timing_tier_dist')) THEN
    jsonb_build_object('count', CAST(analytics_cache.value ->> 'count' AS BIGINT) +
    CAST(excluded.value ->> 'count' AS BIGINT)) WHEN (analytics_cache.metric_key IN
    ('multisite_claims')) THEN jsonb_build_object('submitted', CAST(analytics_cache.value ->>
    'submitted' AS BIGINT) + CAST(excluded.value ->> 'submitted' AS BIGINT), 'paid',
    CAST(analytics_cache.value ->> 'paid' AS BIGINT) + CAST(excluded.value ->> 'paid' AS BIGINT),
    'rejected', CAST(analytics_cache.value ->> 'rejected' AS BIGINT) + CAST(excluded.value ->>
    'rejected' AS BIGINT), 'decided', CAST(analytics_cache.value ->> 'decided' AS BIGINT) +
    CAST(excluded.value ->> 'decided' AS BIGINT), 'rejection_rate', CASE WHEN
    (CAST(analytics_cache.value ->> 'decided' AS BIGINT) + CAST(excluded.value ->> 'decided' AS
    BIGINT) = 0) THEN '0.00' ELSE CAST(round((CAST(CAST(analytics_cache.value ->> 'rejected' AS
    BIGINT) + CAST(excluded.value ->> 'rejected' AS BIGINT) AS NUMERIC(18, 2)) * 100) /
    CAST((CAST(analytics_cache.value ->> 'decided' AS BIGINT) + CAST(excluded.value ->> 'decided' AS
    BIGINT)) AS NUMERIC), 2) AS TEXT) END) WHEN (analytics_cache.metric_key IN ('claims_adjusted'))
    THEN jsonb_build_object('count', CAST(analytics_cache.value ->> 'count' AS BIGINT) +
    CAST(excluded.value ->> 'count' AS BIGINT), 'amount', CAST(CAST(analytics_cache.value ->>
    'amount' AS NUMERIC(18, 2)) + CAST(excluded.value ->> 'amount' AS NUMERIC(18, 2)) AS TEXT),
    'difference', CAST(CAST(analytics_cache.value ->> 'difference' AS NUMERIC(18, 2)) +
    CAST(excluded.value ->> 'difference' AS NUMERIC(18, 2)) AS TEXT)) WHEN
    (analytics_cache.metric_key IN ('rejection_rate_monthly', 'wcb_rejection_rate',
    'rejection_by_hsc')) THEN jsonb_build_object('rejected', CAST(analytics_cache.value ->>
    'rejected' AS BIGINT) + CAST(excluded.value ->> 'rejected' AS BIGINT), 'decided',
    CAST(analytics_cache.value ->> 'decided' AS BIGINT) + CAST(excluded.value ->> 'decided' AS
    BIGINT), 'rate', CASE WHEN (CAST(analytics_cache.value ->> 'decided' AS BIGINT) +
    CAST(excluded.value ->> 'decided' AS BIGINT) = 0) THEN '0.00' ELSE
    CAST(round((CAST(CAST(analytics_cache.value ->> 'rejected' AS BIGINT) + CAST(excluded.value ->>
    'rejected' AS BIGINT) AS NUMERIC(18, 2)) * 100) / CAST((CAST(analytics_cache.value ->> 'decided'
    AS BIGINT) + CAST(excluded.value ->> 'decided' AS BIGINT)) AS NUMERIC), 2) AS TEXT) END) WHEN
    (analytics_cache.metric_key IN ('rejection_resolution_funnel')) THEN
    jsonb_build_object('rejected', CAST(analytics_cache.value ->> 'rejected' AS BIGINT) +
    CAST(excluded.value ->> 'rejected' AS BIGINT), 'resubmitted', CAST(analytics_cache.value ->>
    'resubmitted' AS BIGINT) + CAST(excluded.value ->> 'resubmitted' AS BIGINT),
    'paid_on_resubmission', CAST(analytics_cache.value ->> 'paid_on_resubmission' AS BIGINT) +
    CAST(excluded.value ->> 'paid_on_resubmission' AS BIGINT), 'written_off',
    CAST(analytics_cache.value ->> 'written_off' AS BIGINT) + CAST(excluded.value ->> 'written_off'
    AS BIGINT)) WHEN (analytics_cache.metric_key IN ('ai_coach_acceptance_rate')) THEN
    jsonb_build_object('generated', CAST(analytics_cache.value ->> 'generated' AS BIGINT) +
    CAST(excluded.value ->> 'generated' AS BIGINT), 'accepted', CAST(analytics_cache.value ->>
    'accepted' AS BIGINT) + CAST(excluded.value ->> 'accepted' AS BIGINT), 'dismissed',
    CAST(analytics_cache.value ->> 'dismissed' AS BIGINT) + CAST(excluded.value ->> 'dismissed' AS
    BIGINT), 'rate', CASE WHEN (CAST(analytics_cache.value ->> 'accepted' AS BIGINT) +
    CAST(excluded.value ->> 'accepted' AS BIGINT) + CAST(analytics_cache.value ->> 'dismissed' AS
    BIGINT) + CAST(excluded.value ->> 'dismissed' AS BIGINT) = 0) THEN '0.00' ELSE
    CAST(round((CAST(CAST(analytics_cache.value ->> 'accepted' AS BIGINT) + CAST(excluded.value ->>
    'accepted' AS BIGINT) AS NUMERIC(18, 2)) * 100) / CAST((CAST(analytics_cache.value ->>
    'accepted' AS BIGINT) + CAST(excluded.value ->> 'accepted' AS BIGINT) +
    CAST(analytics_cache.value ->> 'dismissed' AS BIGINT) + CAST(excluded.value ->> 'dismissed' AS
    BIGINT)) AS NUMERIC), 2) AS TEXT) END) WHEN (analytics_cache.metric_key IN
    ('ai_coach_by_category')) THEN jsonb_build_object('generated', CAST(analytics_cache.value ->>
    'generated' AS BIGINT) + CAST(excluded.value ->> 'generated' AS BIGINT), 'accepted',
    CAST(analytics_cache.value ->> 'accepted' AS BIGINT) + CAST(excluded.value ->> 'accepted' AS
    BIGINT), 'dismissed', CAST(analytics_cache.value ->> 'dismissed' AS BIGINT) +
    CAST(excluded.value ->> 'dismissed' AS BIGINT), 'amount', CAST(CAST(analytics_cache.value ->>
    'amount' AS NUMERIC(18, 2)) + CAST(excluded.value ->> 'amount' AS NUMERIC(18, 2)) AS TEXT)) END,
    computed_at = now()
RETURNING analytics_cache.cache_id, analytics_cache.provider_id, analytics_cache.metric_key,
    analytics_cache.period_start, analytics_cache.value),
marked_months AS
(INSERT INTO lists_due (provider_id, metric_key, period_start) SELECT DISTINCT
    changed_rows.provider_id, 'top_hsc_codes' AS metric_key, changed_rows.period_start
FROM changed_rows
WHERE changed_rows.metric_key = 'revenue_by_hsc'
ON CONFLICT DO NOTHING
RETURNING 1)
SELECT (SELECT count(*) AS count_1
FROM fresh) AS fresh, (SELECT count(*) AS count_2
FROM fresh
WHERE fresh.late) AS stale, (SELECT count(*) AS count_3
FROM fresh
WHERE NOT fresh.late AND fresh.known_version IS NOT NULL) AS corrected, (SELECT count(*) AS count_4
FROM changed) AS changed, (SELECT count(*) AS count_5
FROM judged
WHERE judged.recorded AND NOT judged.differs) AS repeated, (SELECT count(*) AS count_6
FROM recorded) AS recorded, (SELECT count(*) AS count_7
FROM merged) AS merged, (SELECT count(*) AS count_8
FROM changed_rows) AS changed_rows, (SELECT count(*) AS count_9
FROM marked_months) AS marked_months, (SELECT array_agg(changed_rows.cache_id) FILTER (WHERE
    changed_rows.metric_key IN ('aging_brackets', 'approaching_deadline', 'stale_claims') AND
    changed_rows.value = '{"count": 0, "amount": "0.00"}'::jsonb) AS anon_1
FROM changed_rows) AS emptied_days;

-- Only if some event is neither new nor a repetition: which, and why
SELECT staged.source_topic, staged.source_partition, staged.source_offset, staged.provider_id !=
    claims.provider_id AS other_provider, staged.claim_id, staged.provider_id,
    (claim_events.source_topic = staged.source_topic AND claim_events.source_partition =
    staged.source_partition AND claim_events.source_offset = staged.source_offset) IS true AS
    own_source
FROM staged_claim_events_1b34f57b AS staged JOIN claims ON claims.claim_id = staged.claim_id LEFT
    OUTER JOIN claim_events ON claim_events.claim_id = staged.claim_id AND
    claim_events.claim_version = staged.claim_version
WHERE staged.provider_id != claims.provider_id OR staged.claim_id IS DISTINCT FROM
    claim_events.claim_id OR staged.claim_version IS DISTINCT FROM claim_events.claim_version OR
    staged.provider_id IS DISTINCT FROM claim_events.provider_id OR staged.state IS DISTINCT FROM
    claim_events.state OR staged.claim_type IS DISTINCT FROM claim_events.claim_type OR
    staged.date_of_service IS DISTINCT FROM claim_events.date_of_service OR staged.ba_number IS
    DISTINCT FROM claim_events.ba_number OR staged.location_id IS DISTINCT FROM
    claim_events.location_id OR staged.hsc_code IS DISTINCT FROM claim_events.hsc_code OR
    staged.modifiers IS DISTINCT FROM claim_events.modifiers OR staged.form_id IS DISTINCT FROM
    claim_events.form_id OR staged.timing_tier IS DISTINCT FROM claim_events.timing_tier OR
    staged.submitted_fee IS DISTINCT FROM claim_events.submitted_fee OR staged.submitted_at IS
    DISTINCT FROM claim_events.submitted_at OR staged.submission_deadline IS DISTINCT FROM
    claim_events.submission_deadline OR staged.assessed_fee IS DISTINCT FROM
    claim_events.assessed_fee OR staged.payment_date IS DISTINCT FROM claim_events.payment_date OR
    staged.rrnp_premium IS DISTINCT FROM claim_events.rrnp_premium OR staged.explanatory_codes IS
    DISTINCT FROM claim_events.explanatory_codes OR staged.created_at IS DISTINCT FROM
    claim_events.created_at OR claim_events.patient_phn IS NOT NULL AND staged.phn_erased_at IS NULL
    AND staged.patient_phn IS DISTINCT FROM claim_events.patient_phn ORDER BY staged.seq;
