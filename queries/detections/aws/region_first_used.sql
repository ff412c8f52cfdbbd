-- ---
-- id = "aws.region_first_used"
-- kind = "detection"
-- title = "A region was used that the account had not used before, or was switched on"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1535"]
-- attack_v19 = ["T1535"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "A principal calls a region in which no principal of the account acted in the baseline, or enables a region. Global services, which record in one fixed region, and calls made by services are left out. Denied calls count. The calls are listed up to a limit. Accounts with too little baseline carry baseline_state none, and of each distinct call of a principal only the first is listed."
-- misses = "Activity in regions whose logs were not supplied. A region the account used at least once before."
-- false_positives = ["Security scanners that sweep every region", "A planned new deployment", "A console page that opens in another region"]
-- next_steps = ["List what was created in the region", "Check whether detection and logging run there", "Compare the principal with those of the incident"]
-- references = ["https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html", "https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html"]
--
-- [params]
-- min_baseline_events = { type = "integer", doc = "Events the account must have in the baseline for its regions to be known", default = 20 }
-- min_baseline_days = { type = "integer", doc = "Days on which the account must have acted in the baseline", default = 7 }
-- shown_calls = { type = "integer", doc = "Calls listed for each account and region with a sufficient baseline", default = 2000 }
-- ---
WITH calls AS (
  SELECT
    event_key,
    event_time,
    event_epoch,
    coalesce(account_id, '') AS account,
    CASE
      WHEN event_source = 'account.amazonaws.com' AND event_name_base IN ('EnableRegion', 'EnableOptInRegion')
        THEN coalesce(json_extract_string(request_parameters, '$.regionName'),
                      json_extract_string(request_parameters, '$.RegionName'), region)
      ELSE region
    END AS used_region,
    event_source = 'account.amazonaws.com' AND event_name_base IN ('EnableRegion', 'EnableOptInRegion') AS switched_on,
    coalesce(actor, '') AS principal,
    event_source,
    event_name_base,
    outcome,
    coalesce(read_only, FALSE) AS reads_only
  FROM aws_event
  WHERE region IS NOT NULL
    AND coalesce(identity_type, '') <> 'AWSService'
    AND coalesce(event_type, '') <> 'AwsServiceEvent'
    AND coalesce(invoked_by, '') = ''
    -- These record in one region wherever the caller is.
    AND (event_source NOT IN (
          'account.amazonaws.com', 'billing.amazonaws.com', 'budgets.amazonaws.com', 'ce.amazonaws.com',
          'cloudfront.amazonaws.com', 'globalaccelerator.amazonaws.com', 'health.amazonaws.com', 'iam.amazonaws.com',
          'networkmanager.amazonaws.com', 'organizations.amazonaws.com', 'route53.amazonaws.com',
          'route53domains.amazonaws.com', 'shield.amazonaws.com', 'signin.amazonaws.com', 'support.amazonaws.com',
          'trustedadvisor.amazonaws.com', 'waf.amazonaws.com')
      OR (event_source = 'account.amazonaws.com' AND event_name_base IN ('EnableRegion', 'EnableOptInRegion')))
),
baselines AS (
  SELECT account, count(*) AS baseline_events, count(DISTINCT event_epoch // 86400) AS baseline_days
  FROM calls
  WHERE event_time < $baseline_until
  GROUP BY account
),
known_regions AS (
  SELECT DISTINCT account, used_region FROM calls WHERE event_time < $baseline_until AND NOT switched_on
),
new_calls AS (
  SELECT
    c.event_key,
    c.account,
    c.used_region,
    c.switched_on,
    c.reads_only,
    count(*) OVER (
      PARTITION BY c.account, c.used_region, c.principal, c.event_source, c.event_name_base, c.outcome
      ORDER BY c.event_epoch NULLS LAST, c.event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS calls,
    row_number() OVER (
      PARTITION BY c.account, c.used_region, c.principal, c.event_source, c.event_name_base, c.outcome
      ORDER BY c.event_epoch NULLS LAST, c.event_key
    ) AS place,
    row_number() OVER (
      PARTITION BY c.account, c.used_region ORDER BY c.event_epoch NULLS LAST, c.event_key
    ) AS call_no
  FROM calls AS c
  LEFT JOIN known_regions AS k ON k.account = c.account AND k.used_region = c.used_region
  WHERE k.used_region IS NULL
    AND c.event_time >= $baseline_until
    AND c.event_time >= $since
    AND c.event_time < $until
)
SELECT
  n.account || '|' || coalesce(n.used_region, '') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  e.resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  n.used_region AS region,
  e.outcome,
  e.event_key,
  e.evidence,
  CASE
    WHEN n.switched_on THEN 'sufficient'                     -- needs no comparison
    WHEN coalesce(b.baseline_events, 0) >= $min_baseline_events AND coalesce(b.baseline_days, 0) >= $min_baseline_days
      THEN 'sufficient'
    ELSE 'none'
  END AS baseline_state,
  n.switched_on,
  n.reads_only,
  n.calls
FROM new_calls AS n
JOIN aws_event AS e ON e.event_key = n.event_key
LEFT JOIN baselines AS b ON b.account = n.account
WHERE n.place = 1
   OR (n.call_no <= $shown_calls
       AND coalesce(b.baseline_events, 0) >= $min_baseline_events
       AND coalesce(b.baseline_days, 0) >= $min_baseline_days)
ORDER BY e.event_time NULLS LAST, e.event_key
