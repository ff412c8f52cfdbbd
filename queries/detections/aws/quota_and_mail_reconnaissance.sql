-- ---
-- id = "aws.quota_and_mail_reconnaissance"
-- kind = "detection"
-- title = "One session asked what the account may spend and send"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1526", "T1580"]
-- attack_v19 = ["T1526", "T1580"]
-- attack_version = "18.1"
-- description = "A principal, in one session, makes at least distinct_calls different calls within two adjacent half hours about service quotas, costs, the free tier, the organization, or the right to send mail and text messages. So somebody finds out who wants to abuse the account for computing, models or messages. Denied attempts count. A principal that did so on at least habit_days days of the baseline is reported only when it makes more different calls than it ever did there. Of each call the first in a half hour is listed; alike says how many there were."
-- misses = "Somebody who uses the console, or a program that names itself like a browser. A try without asking first. One question alone, which aws.leaked_key_validated may show."
-- false_positives = ["Tools that watch costs or quotas, in their first days", "A check before a planned launch", "Without a stated T0 there is no baseline, so every regular reader appears"]
-- next_steps = ["Ask the holder of the credential about the purpose", "Look for quota increases, new instances, models invoked and messages sent afterwards", "Compare the address with those of the incident"]
-- references = ["https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html", "https://docs.aws.amazon.com/ses/latest/APIReference/API_GetSendQuota.html", "https://docs.aws.amazon.com/sns/latest/api/API_GetSMSAttributes.html"]
--
-- [params]
-- distinct_calls = { type = "integer", doc = "Different calls about quotas, costs and sending rights within two adjacent half hours", default = 3 }
-- habit_days = { type = "integer", doc = "Days of the baseline with such a burst that make it a habit", default = 3 }
-- ---
WITH calls AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS caller,
    coalesce(e.session_name, '') AS caller_session,
    e.event_epoch // 1800 AS block_no,
    e.event_source || ':' || e.event_name_base AS thing
  FROM aws_event AS e
  WHERE (
      (e.event_source = 'servicequotas.amazonaws.com' AND e.event_name_base IN (
        'GetServiceQuota', 'ListServiceQuotas', 'GetAWSDefaultServiceQuota', 'ListAWSDefaultServiceQuotas',
        'RequestServiceQuotaIncrease', 'ListRequestedServiceQuotaChangeHistory'))
      OR (e.event_source = 'ce.amazonaws.com' AND e.event_name_base IN ('GetCostAndUsage', 'GetCostForecast'))
      OR (e.event_source = 'ses.amazonaws.com' AND e.event_name_base IN (
        'GetSendQuota', 'GetSendStatistics', 'GetAccountSendingEnabled', 'GetAccount',
        'ListIdentities', 'ListEmailIdentities', 'GetIdentityVerificationAttributes'))
      OR (e.event_source = 'sns.amazonaws.com' AND e.event_name_base IN ('GetSMSAttributes', 'GetSMSSandboxAccountStatus'))
      OR (e.event_source = 'freetier.amazonaws.com' AND e.event_name_base = 'GetFreeTierUsage')
      OR (e.event_source = 'organizations.amazonaws.com' AND e.event_name_base = 'DescribeOrganization')
    )
    AND e.outcome IN ('success', 'denied')
    AND NOT regexp_matches(lower(coalesce(e.user_agent, '')), 'mozilla|console|coral|^\x5b?aws[ -]internal')
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
-- Each call stands in two windows of two blocks, so that no burst is cut by the turn of a half hour.
window_calls AS (
  SELECT caller, caller_session, block_no AS first_block, thing, event_time < $baseline_until AS is_earlier FROM calls
  UNION ALL
  SELECT caller, caller_session, block_no - 1 AS first_block, thing, event_time < $baseline_until AS is_earlier FROM calls
),
window_counts AS (
  SELECT
    caller,
    caller_session,
    first_block,
    count(DISTINCT thing) AS calls,
    count(DISTINCT CASE WHEN is_earlier THEN thing END) AS earlier_calls
  FROM window_calls
  GROUP BY caller, caller_session, first_block
),
habits AS (
  SELECT
    caller,
    max(earlier_calls) AS most_calls,
    count(DISTINCT CASE WHEN earlier_calls >= $distinct_calls THEN first_block // 48 END) AS burst_days
  FROM window_counts
  GROUP BY caller
),
bursts AS (
  SELECT c.caller, c.caller_session, c.first_block, c.calls
  FROM window_counts AS c
  JOIN habits AS h ON h.caller = c.caller
  WHERE c.calls >= $distinct_calls
    AND (h.burst_days < $habit_days OR c.calls > h.most_calls)
),
covered_blocks AS (
  SELECT caller, caller_session, first_block AS block_no, calls FROM bursts
  UNION ALL
  SELECT caller, caller_session, first_block + 1 AS block_no, calls FROM bursts
),
burst_blocks AS (
  SELECT caller, caller_session, block_no, max(calls) AS calls_in_window
  FROM covered_blocks
  GROUP BY caller, caller_session, block_no
),
numbered AS (
  SELECT
    c.event_key,
    b.calls_in_window,
    row_number() OVER (
      PARTITION BY c.caller, c.caller_session, c.block_no, c.thing, c.outcome ORDER BY c.event_epoch NULLS LAST, c.event_key
    ) AS place,
    count(*) OVER (
      PARTITION BY c.caller, c.caller_session, c.block_no, c.thing, c.outcome
    ) AS alike
  FROM calls AS c
  JOIN burst_blocks AS b
    ON b.caller = c.caller
   AND b.caller_session = c.caller_session
   AND b.block_no = c.block_no
  WHERE c.event_time >= $since
)
SELECT
  coalesce(e.actor, '') || '|' || coalesce(e.session_name, '') || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  e.resource AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  n.calls_in_window,
  n.alike,
  e.session_name,
  e.user_agent
FROM numbered AS n
JOIN aws_event AS e ON e.event_key = n.event_key
WHERE n.place = 1
ORDER BY e.event_time NULLS LAST, e.event_key
