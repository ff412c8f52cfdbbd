-- ---
-- id = "aws.ssh_key_pushed_to_instance"
-- kind = "detection"
-- title = "A key for SSH or a tunnel was sent to a machine by a principal new to it, or to several machines"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1021.004", "T1021.008", "T1098.004"]
-- attack_v19 = ["T1021.004", "T1021.008", "T1098.004"]
-- attack_version = "18.1"
-- description = "EC2 Instance Connect pushed a public key to an instance or to its serial console, or opened a tunnel to it, by a principal that had not done so before the end of the baseline, or to at least distinct_instances machines within two adjacent blocks of half an hour. Denied attempts count, because they show the intent. reason says which."
-- misses = "One machine, by a principal that uses Instance Connect as its work. What was done in the shell: it is in the machine's own logs."
-- false_positives = ["An engineer's first use of Instance Connect, or any use without a stated T0", "Maintenance of several machines"]
-- next_steps = ["Ask the holder of the credential", "Take the machine's login and shell history", "Treat the role and the files of the machine as in the intruder's hands"]
-- references = ["https://docs.aws.amazon.com/ec2-instance-connect/latest/APIReference/API_SendSSHPublicKey.html", "https://docs.aws.amazon.com/ec2-instance-connect/latest/APIReference/API_SendSerialConsoleSSHPublicKey.html", "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/connect-with-ec2-instance-connect-endpoint.html"]
--
-- [params]
-- distinct_instances = { type = "integer", doc = "Different machines within two adjacent blocks of half an hour", default = 3 }
-- ---
WITH pushes AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS caller,
    e.event_epoch // 1800 AS block_no,
    coalesce(
      json_extract_string(e.request_parameters, '$.instanceId'),
      e.resource,
      ''
    ) AS instance_id
  FROM aws_event AS e
  WHERE e.event_source = 'ec2-instance-connect.amazonaws.com'
    AND e.event_name_base IN ('SendSSHPublicKey', 'SendSerialConsoleSSHPublicKey', 'OpenTunnel')
    AND e.outcome IN ('success', 'denied')
    AND e.event_time < $until
),
habits AS (
  SELECT DISTINCT caller FROM pushes WHERE event_time < $baseline_until
),
window_pushes AS (
  SELECT caller, block_no AS first_block, instance_id FROM pushes
  UNION ALL
  SELECT caller, block_no - 1 AS first_block, instance_id FROM pushes
),
spreads AS (
  SELECT caller, first_block, count(DISTINCT instance_id) AS machines
  FROM window_pushes
  GROUP BY caller, first_block
  HAVING count(DISTINCT instance_id) >= $distinct_instances
),
spread_blocks AS (
  SELECT caller, first_block AS block_no FROM spreads
  UNION
  SELECT caller, first_block + 1 AS block_no FROM spreads
)
SELECT
  p.caller || '|' || coalesce(p.credential_id, '') || '|' || strftime(p.event_time, '%Y-%m-%d') AS finding_key,
  p.event_time,
  p.actor,
  p.event_name_base AS action,
  nullif(p.instance_id, '') AS resource,
  p.source_ip,
  p.credential_id,
  p.account_id,
  p.region,
  p.outcome,
  p.event_key,
  p.evidence,
  CASE WHEN s.caller IS NOT NULL THEN 'several machines' ELSE 'new principal' END AS reason,
  json_extract_string(p.request_parameters, '$.instanceOSUser') AS machine_user,
  p.session_name,
  p.user_agent
FROM pushes AS p
LEFT JOIN habits AS h ON h.caller = p.caller
LEFT JOIN spread_blocks AS s ON s.caller = p.caller AND s.block_no = p.block_no
WHERE (h.caller IS NULL OR s.caller IS NOT NULL)
  AND p.event_time >= $since
ORDER BY p.event_time NULLS LAST, p.event_key
