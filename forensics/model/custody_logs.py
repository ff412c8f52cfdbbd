"""Columns of logs of the places that hold keys: secret stores, posture reports, gateways."""

from __future__ import annotations

from forensics.model.columns import table

_HEAD = """
event_key VARCHAR identity: 32 hex digits over source id, own id (with owner and organisation) and the record's SHA-256
source_id VARCHAR log format it was read from
provider VARCHAR vault, aws, ...
owner VARCHAR whose evidence; empty when unassigned
organisation VARCHAR organisation of the receipt; empty when not stated
"""
_TAIL = """
native_id VARCHAR id of the record in its log; with owner and organisation
canonical_sha256 VARCHAR SHA-256 of the record as sorted JSON: equal for other serialisations
raw JSON fields that have no column
received_at TIMESTAMP when the export was received, by its receipt
evidence VARCHAR content SHA-256 and record number of the smallest occurrence
file_sha256 VARCHAR received file that was read first; for the account only
"""

VAULT_EVENT = table(
    "vault_event",
    "Records of a Vault audit device: requests and responses, each a row. Accesses are in vault_access.",
    _HEAD
    + """
event_time TIMESTAMP when, UTC
kind VARCHAR request, response
request_id VARCHAR id that a request and its response share
operation VARCHAR read, list, create, update, delete, ...
path VARCHAR path within Vault, in clear
mount_type VARCHAR type of the mount, like kv
mount_point VARCHAR mount
namespace VARCHAR namespace id
principal VARCHAR display name of the token
entity_id VARCHAR identity entity
token_hmac VARCHAR salted HMAC of the token; equal for equal tokens on one device, never the token
accessor_hmac VARCHAR salted HMAC of the token's accessor
token_type VARCHAR service, batch
policies VARCHAR policies of the token, sorted, comma separated
source_ip VARCHAR canonical address of the client
source_ip_key VARCHAR source_ip as 32 hex digits, IPv4 mapped into IPv6
user_agent VARCHAR user agent, where the device logs that header
error VARCHAR error; NULL on success
request_data JSON what was sent: names in clear, values as salted HMACs
response_data JSON what came back: names in clear, values as salted HMACs
"""
    + _TAIL,
    key=("event_key",),
)

IAM_CREDENTIAL_REPORT = table(
    "iam_credential_report",
    "Rows of IAM credential reports: users of an account with passwords and keys as of the report. Times of use are exact to 15 minutes.",
    _HEAD
    + """
user_name VARCHAR user; <root_account> for the root user
arn VARCHAR ARN
account_id VARCHAR account of the ARN
user_created_at TIMESTAMP creation of the user
password_enabled BOOLEAN password set; NULL where not supported
password_last_used_at TIMESTAMP last use; NULL when never or not known, the report's word for it is in raw
password_changed_at TIMESTAMP last change
password_rotates_at TIMESTAMP next rotation
mfa_active BOOLEAN MFA device active
key1_active BOOLEAN first access key active
key1_rotated_at TIMESTAMP its creation or last rotation
key1_last_used_at TIMESTAMP its last use
key1_last_used_region VARCHAR region of its last use
key1_last_used_service VARCHAR service of its last use
key2_active BOOLEAN second access key active
key2_rotated_at TIMESTAMP its creation or last rotation
key2_last_used_at TIMESTAMP its last use
key2_last_used_region VARCHAR region of its last use
key2_last_used_service VARCHAR service of its last use
cert1_active BOOLEAN first signing certificate active
cert1_rotated_at TIMESTAMP its creation or last rotation
cert2_active BOOLEAN second signing certificate active
cert2_rotated_at TIMESTAMP its creation or last rotation
"""
    + _TAIL,
    key=("event_key",),
)

API_ACCESS = table(
    "api_access",
    "Calls of an API behind a gateway, from its access log.",
    _HEAD
    + """
event_time TIMESTAMP when the request came in, UTC
request_id VARCHAR id of the request
extended_request_id VARCHAR id that the caller saw
api_id VARCHAR API
stage VARCHAR stage
account_id VARCHAR account of the API
caller VARCHAR principal that signed the call
user_id VARCHAR user
key_id VARCHAR id of the API key, never the key
method VARCHAR HTTP method
path VARCHAR resource path
status BIGINT HTTP status
error VARCHAR message of the gateway
source_ip VARCHAR canonical address
source_ip_key VARCHAR source_ip as 32 hex digits, IPv4 mapped into IPv6
user_agent VARCHAR user agent
response_bytes BIGINT length of the response
"""
    + _TAIL,
    key=("event_key",),
)

CUSTODY_LOG_TABLES = (VAULT_EVENT, IAM_CREDENTIAL_REPORT, API_ACCESS)
