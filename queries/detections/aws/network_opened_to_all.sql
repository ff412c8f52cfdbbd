-- ---
-- id = "aws.network_opened_to_all"
-- kind = "detection"
-- title = "A network rule or a database was opened to the whole internet"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1562.007"]
-- attack_v19 = ["T1686.001"]
-- attack_version = "18.1"
-- description = "A security group lets every address in on a port other than 80 and 443, a network ACL lets all traffic of every address in, or a database instance is made reachable from the internet. A principal that made such a call before the end of the baseline is left out. Denied attempts count, because they show the intent. A request with several rules is read as a whole."
-- misses = "Rules for address ranges that are wide but not everything. Rules changed through ModifySecurityGroupRules or a prefix list. A principal that opens networks as its work."
-- false_positives = ["Infrastructure tools that build an environment, in their first days", "A request that opens port 443 to all and another port to few", "Without a stated T0 there is no baseline, so every such call appears"]
-- next_steps = ["Ask who ordered the opening", "List the machines behind it and the connections to them", "Close it and look for logins from outside"]
-- references = ["https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html", "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkAclEntry.html", "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html"]
-- ---
WITH requests AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS caller,
    -- Ports of web servers, and of ICMP, which has none, are taken out: what is left is another port.
    regexp_replace(regexp_replace(coalesce(CAST(e.request_parameters AS VARCHAR), ''), '\s', '', 'g'),
      '"(from|to)Port":(80|443|-1)([,}])', '', 'g') AS request_text
  FROM aws_event AS e
  WHERE e.outcome IN ('success', 'denied')
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
openings AS (
  SELECT *
  FROM requests
  WHERE (event_source = 'ec2.amazonaws.com'
      AND event_name_base = 'AuthorizeSecurityGroupIngress'
      AND regexp_matches(request_text, '"cidrIp(v6)?":"[0-9A-Fa-f.:]+/0"')
      AND regexp_matches(request_text, '"fromPort":|"toPort":|"ipProtocol":"-1"'))
     OR (event_source = 'ec2.amazonaws.com'
      AND event_name_base IN ('CreateNetworkAclEntry', 'ReplaceNetworkAclEntry')
      AND contains(request_text, '"ruleAction":"allow"')
      AND contains(request_text, '"egress":false')
      AND regexp_matches(request_text, '"(ipv6CidrBlock|cidrBlock)":"[0-9A-Fa-f.:]+/0"')
      AND regexp_matches(request_text, '"aclProtocol":"?-1'))
     OR (event_source = 'rds.amazonaws.com'
      AND event_name_base IN ('CreateDBInstance', 'ModifyDBInstance')
      AND contains(request_text, '"publiclyAccessible":true'))
),
habits AS (
  SELECT DISTINCT caller, event_name_base FROM openings WHERE event_time < $baseline_until
)
SELECT
  e.caller || '|' || coalesce(e.credential_id, '') || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  coalesce(
    json_extract_string(e.request_parameters, '$.groupId'),
    json_extract_string(e.request_parameters, '$.groupName'),
    json_extract_string(e.request_parameters, '$.networkAclId'),
    json_extract_string(e.request_parameters, '$.dBInstanceIdentifier'),
    e.resource
  ) AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  e.session_name,
  e.user_agent
FROM openings AS e
LEFT JOIN habits AS h ON h.caller = e.caller AND h.event_name_base = e.event_name_base
WHERE h.caller IS NULL
  AND e.event_time >= $since
ORDER BY e.event_time NULLS LAST, e.event_key
