"""Columns of AI-provider usage, requests, costs, audit events and keys."""

from __future__ import annotations

from forensics.model.columns import Table, table

_HEAD = """
event_key VARCHAR identity: 32 hex digits over source id, provider's id (with owner and organisation) and the record's SHA-256
source_id VARCHAR log format it was read from
provider VARCHAR openai, anthropic, aws_bedrock, litellm, ...
owner VARCHAR whose evidence; empty when unassigned
organisation VARCHAR provider organisation of the receipt; empty when not stated
"""
_TAIL = """
native_id VARCHAR provider's id, or the natural key of a bucket; with owner and organisation
canonical_sha256 VARCHAR SHA-256 of the record as sorted JSON: equal for other serialisations
raw JSON the provider's fields that have no column
received_at TIMESTAMP when the export was received, by its receipt
evidence VARCHAR content SHA-256 and record number of the smallest occurrence
file_sha256 VARCHAR received file that was read first; for the account only
"""

AI_USAGE = table(
    "ai_usage",
    "Usage in time buckets, as the provider reports it. Overlapping exports are all here; figures use ai_usage_current.",
    _HEAD
    + """
bucket_start TIMESTAMP start, UTC, inclusive
bucket_end TIMESTAMP end, UTC, exclusive
granularity_s BIGINT bucket width in seconds
endpoint VARCHAR chat, embeddings, moderations, images, tts, stt, vector_store, code_interpreter, file_search, web_search
project_id VARCHAR project
workspace_id VARCHAR workspace
key_id VARCHAR provider's key id; NULL when the export was not grouped by key
key_name VARCHAR name of the key, where the export names keys by name only
user_id VARCHAR user or account
model VARCHAR model as the provider names it
service_tier VARCHAR service tier
is_batch BOOLEAN batch call
requests BIGINT number of requests; NULL where the provider gives none
input_tokens_total BIGINT all input tokens, cached ones included
input_tokens_uncached BIGINT input tokens neither read from nor written to a cache
cache_read_tokens BIGINT input tokens read from a cache
cache_write_tokens BIGINT input tokens written to a cache
output_tokens BIGINT output tokens
other_quantity BIGINT images, characters, seconds, sessions or bytes, by other_unit
other_unit VARCHAR unit of other_quantity
grouped_by VARCHAR dimensions the export was really grouped by, sorted, comma separated
"""
    + _TAIL,
    key=("event_key",),
)

AI_REQUEST = table(
    "ai_request",
    "Single model requests, from gateways and invocation logs.",
    _HEAD
    + """
event_time TIMESTAMP start of the request, UTC
end_time TIMESTAMP end, UTC
request_id VARCHAR provider's or gateway's id; joins CloudTrail's requestID for Bedrock
operation VARCHAR call type
model VARCHAR model
upstream_provider VARCHAR provider behind a gateway
key_id VARCHAR provider's key id, where given
key_name VARCHAR alias of the key
key_hash VARCHAR SHA-256 of a gateway's virtual key
principal VARCHAR ARN or user that asked
user_id VARCHAR user or end user
account_id VARCHAR cloud account
region VARCHAR region
source_ip VARCHAR canonical address of the caller
source_ip_key VARCHAR source_ip as 32 hex digits, IPv4 mapped into IPv6
user_agent VARCHAR user agent
status VARCHAR ok, error
error_code VARCHAR error
input_tokens_total BIGINT all input tokens
cache_read_tokens BIGINT tokens read from a cache
cache_write_tokens BIGINT tokens written to a cache
output_tokens BIGINT output tokens
cost MONEY cost as reported
currency VARCHAR of cost
"""
    + _TAIL,
    key=("event_key",),
)

AI_COST = table(
    "ai_cost",
    "Costs as billed by the provider, in units of the currency (never cents).",
    _HEAD
    + """
period_start TIMESTAMP start, UTC, inclusive
period_end TIMESTAMP end, UTC, exclusive
line_item VARCHAR line item or description
cost_type VARCHAR tokens, web_search, ...
token_type VARCHAR kind of token
model VARCHAR model
project_id VARCHAR project
workspace_id VARCHAR workspace
key_id VARCHAR key id; NULL when not grouped by key
key_name VARCHAR name of the key, where the export names keys by name only
user_id VARCHAR user
amount MONEY amount in units of the currency
currency VARCHAR upper case
grouped_by VARCHAR dimensions the export was really grouped by
"""
    + _TAIL,
    key=("event_key",),
)

AI_AUDIT_EVENT = table(
    "ai_audit_event",
    "Control-plane acts at a provider: keys, members, limits, logins.",
    _HEAD
    + """
event_time TIMESTAMP when, UTC
event_id VARCHAR provider's id
action VARCHAR type as the provider names it
outcome VARCHAR success, failure
actor_type VARCHAR session, api_key, user_actor, api_actor, admin_api_key_actor, ...
actor_id VARCHAR user or service account id
actor_email VARCHAR e-mail address
actor_key_id VARCHAR key that acted
source_ip VARCHAR canonical address
source_ip_key VARCHAR source_ip as 32 hex digits, IPv4 mapped into IPv6
user_agent VARCHAR user agent
target_id VARCHAR id of the thing acted on
target_key_id VARCHAR key acted on
project_id VARCHAR project
details JSON the provider's details object, whole
"""
    + _TAIL,
    key=("event_key",),
)

AI_KEY = table(
    "ai_key",
    "Rows of key inventories: statements of a person as of a time, never proof.",
    _HEAD
    + """
customer VARCHAR customer the key belongs to
key_provider VARCHAR openai, anthropic, ...
key_id VARCHAR provider's key id
key_name VARCHAR name
hint VARCHAR redacted form
key_sha256 VARCHAR SHA-256 of the key
kind VARCHAR project, admin, ...
location_kind VARCHAR secret, ssm, lambda, s3, other
location_region VARCHAR region of the store
location VARCHAR name within the store, normalised
location_raw VARCHAR as written
created_at TIMESTAMP stated creation
rotated_at TIMESTAMP stated rotation in the store
revoked_at TIMESTAMP stated revocation at the provider
key_owner VARCHAR stated owner
as_of TIMESTAMP time of the statement
author VARCHAR who states it, where the row says so; else the receipt tells from whom it came
"""
    + _TAIL,
    key=("event_key",),
)

AI_COVERAGE = table(
    "ai_coverage",
    "What each export proves: a stretch of time in which absence means zero.",
    """
source_id VARCHAR log format
provider VARCHAR provider
owner VARCHAR whose evidence
organisation VARCHAR provider organisation
endpoint VARCHAR endpoint for usage, costs, audit, requests
granularity_s BIGINT bucket width; NULL for events
grouped_by VARCHAR dimensions the export was really grouped by
covered_from TIMESTAMP start, UTC, inclusive
covered_until TIMESTAMP end, UTC, exclusive
truncated BOOLEAN the last page says that more follows
received_at TIMESTAMP when the export was received
file_sha256 VARCHAR received file
""",
)

AI_TABLES = (AI_USAGE, AI_REQUEST, AI_COST, AI_AUDIT_EVENT, AI_KEY, AI_COVERAGE)

#: Columns that the writer fills, not the format.
_WRITTEN = frozenset(
    "event_key source_id owner organisation native_id canonical_sha256 received_at evidence file_sha256".split()
)


def blank(columns: Table) -> dict[str, object]:
    """Return a row of a table with every column that a format fills, all NULL; the format puts what it knows."""
    return {name: None for name in columns.names if name not in _WRITTEN}
