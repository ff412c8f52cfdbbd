"""Tables and views of the store, from the one definition of the columns in `forensics.model`."""

from __future__ import annotations

import re

from forensics.model.address_fact import ADDRESS_TABLES
from forensics.model.columns import Table
from forensics.model.custody_logs import CUSTODY_LOG_TABLES
from forensics.model.event import AWS_TABLES
from forensics.model.evidence_file import CASE_TABLES
from forensics.model.handling import HANDLING_TABLES
from forensics.model.indicator import INDICATOR_TABLES
from forensics.model.log_integrity import LOG_INTEGRITY_TABLES
from forensics.model.other_event import OTHER_EVENT
from forensics.model.posture import POSTURE
from forensics.model.prices import MODEL_PRICE, MODEL_USE
from forensics.model.provider_key import PROVIDER_KEY
from forensics.model.usage import AI_TABLES
from forensics.store.custody_views import ACTIVITY_OF_CUSTODY, CUSTODY_VIEWS
from forensics.store.finding_views import FINDING_GROUP
from forensics.store.key_views import AI_KEY_STANDING, AI_KEY_STATED, KEY_READ
from forensics.store.level_views import LEVEL_VIEWS
from forensics.store.series_views import SERIES_VIEWS
from forensics.store.usage_views import USAGE_VIEWS

SCHEMA_VERSION = "14"

_ALL = (
    *CASE_TABLES,
    *HANDLING_TABLES,
    *LOG_INTEGRITY_TABLES,
    *AWS_TABLES,
    *AI_TABLES,
    PROVIDER_KEY,
    MODEL_PRICE,
    MODEL_USE,
    POSTURE,
    *CUSTODY_LOG_TABLES,
    OTHER_EVENT,
    *INDICATOR_TABLES,
    *ADDRESS_TABLES,
)
TABLES: dict[str, Table] = {t.name: t for t in _ALL}

#: Tables whose rows stand for records of the evidence.
EVENT_TABLES = (
    *("aws_event", "aws_event_twin", "ai_usage", "ai_request", "ai_cost", "ai_audit_event", "ai_key", "provider_key"),
    *(t.name for t in CUSTODY_LOG_TABLES),
    "other_event",
)

_TIMES = ("event_time", "bucket_start", "period_start")
#: (event_key, event_time) of every record that has a time.
EVENT_TIMES = "\nUNION ALL ".join(
    f"SELECT event_key, {time} AS event_time FROM {name}"
    for name in EVENT_TABLES
    for time in _TIMES
    if name != "aws_event_twin" and time in TABLES[name].names
)


def ddl(table: Table) -> str:
    """Return the CREATE TABLE statement of a table. Keys are enforced by the writer, not by an index."""
    columns = ",\n  ".join(c.definition for c in table.columns)
    return f"CREATE TABLE {table.name} (\n  {columns}\n)"


#: One row an access to a stored secret, parameter or function configuration, denied ones too.
ACCESS_TO_SECRETS = """
CREATE VIEW secret_access AS
SELECT e.event_key, e.event_time, e.event_epoch, e.actor, e.session_name, e.credential_id, e.credential_class,
       e.source_ip, e.source_ip_key, e.source_class, e.vpc_endpoint_id, e.user_agent, e.invoked_by, e.identity_type,
       e.account_id, e.region, e.outcome, e.is_denied, e.event_source, e.event_name_base AS action, e.evidence, e.owner,
       CASE i.kind WHEN 'secret' THEN 'secret' WHEN 'kms_secret' THEN 'secret'
                   WHEN 'parameter' THEN 'ssm' WHEN 'parameter_path' THEN 'ssm_path' WHEN 'kms_parameter' THEN 'ssm'
                   ELSE 'lambda' END AS location_kind,
       i.value AS location,
       CASE WHEN i.kind IN ('kms_secret', 'kms_parameter', 'kms_function') THEN 'decrypted'
            WHEN i.kind = 'function' THEN 'configuration_read'
            ELSE 'read' END AS access
FROM aws_event AS e
JOIN aws_event_item AS i ON i.event_key = e.event_key
WHERE (e.event_source = 'secretsmanager.amazonaws.com' AND e.event_name_base = 'GetSecretValue' AND i.kind = 'secret')
   OR (e.event_source = 'ssm.amazonaws.com' AND i.kind IN ('parameter', 'parameter_path')
       AND e.event_name_base IN ('GetParameter', 'GetParameters', 'GetParametersByPath', 'GetParameterHistory'))
   OR (e.event_source = 'kms.amazonaws.com' AND e.event_name_base = 'Decrypt'
       AND i.kind IN ('kms_secret', 'kms_parameter', 'kms_function'))
   OR (e.event_source = 'lambda.amazonaws.com' AND i.kind = 'function'
       AND e.event_name_base IN ('GetFunction', 'GetFunctionConfiguration'))
"""

#: One row per thing that happened, over all sources.
ACTIVITY = f"""
CREATE VIEW activity AS
SELECT event_time, source_id AS source, owner, actor, event_source || ':' || event_name_base AS action, outcome, resource,
       credential_id AS credential, source_ip, user_agent, account_id, region, event_key, event_id, evidence,
       'aws_event' AS table_name
FROM aws_event
UNION ALL
SELECT event_time, source_id, owner, coalesce(actor_email, actor_key_id, actor_id, actor_type),
       provider || ':' || action, outcome, coalesce(target_key_id, target_id), actor_key_id, source_ip, user_agent,
       organisation, NULL, event_key, event_id, evidence, 'ai_audit_event'
FROM ai_audit_event
UNION ALL
SELECT event_time, source_id, owner, coalesce(principal, key_name, user_id, key_hash),
       provider || ':' || coalesce(operation, 'request'), CASE status WHEN 'ok' THEN 'success' WHEN 'error' THEN 'failure' END, model,
       coalesce(key_id, key_hash), source_ip, user_agent, account_id, region, event_key, request_id, evidence, 'ai_request'
FROM ai_request
UNION ALL
SELECT bucket_start, source_id, owner, coalesce(key_id, user_id, project_id, workspace_id), provider || ':usage:' || endpoint,
       'success', model, key_id, NULL, NULL, organisation, NULL, event_key, NULL, evidence, 'ai_usage'
FROM ai_usage_current
UNION ALL
{ACTIVITY_OF_CUSTODY.strip()}
"""

#: What the digests say of each CloudTrail event: the best of the files that hold it, a failed one before one without digest.
EVENT_INTEGRITY = """
CREATE VIEW event_integrity AS
SELECT event_key, ['signed', 'content hash only', 'failed', 'not covered'][min(place)] AS integrity,
       bool_or(place = 3) AS in_failed_file
FROM (
  SELECT o.event_key, CASE l.integrity WHEN 'signed' THEN 1 WHEN 'content hash only' THEN 2 WHEN 'failed' THEN 3 ELSE 4 END AS place
  FROM occurrence AS o
  LEFT JOIN log_integrity AS l ON l.file_sha256 = o.file_sha256 AND l.member_path = o.member_path
  WHERE o.table_name = 'aws_event' AND EXISTS (SELECT 1 FROM result_basis WHERE kind = 'verify-logs')
    AND o.file_sha256 NOT IN (SELECT file_sha256 FROM withdrawal))
GROUP BY event_key
"""

VIEWS = (
    ACCESS_TO_SECRETS,
    AI_KEY_STATED,
    AI_KEY_STANDING,
    KEY_READ,
    EVENT_INTEGRITY,
    FINDING_GROUP,
    *USAGE_VIEWS,
    *SERIES_VIEWS,
    *LEVEL_VIEWS,
    *CUSTODY_VIEWS,
    ACTIVITY,
)

#: Names of the views, in the order in which they rest on each other.
VIEW_NAMES = tuple(match[1] for sql in VIEWS if (match := re.search(r"CREATE VIEW (\w+)", sql)))


def statements() -> list[str]:
    """Return all statements that make an empty store."""
    return [*(ddl(t) for t in TABLES.values()), *VIEWS]
