"""What the store says of each credential that was used, and of each event that hands one out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from forensics.store.duckdb_engine import rows_of

if TYPE_CHECKING:
    import duckdb

#: Calls that hand out a session or a key.
ISSUING = (
    *("AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "AssumeRoot"),
    *("GetSessionToken", "GetFederationToken", "CreateAccessKey"),
)
#: Calls that make a user, or give one a way in; and what they make. A change of a key's state makes nothing.
MAKES = {
    "CreateUser": "{}",
    "CreateLoginProfile": "password of {}",
    "UpdateLoginProfile": "password of {}",
    "CreateServiceSpecificCredential": "service credential of {}",
    "ResetServiceSpecificCredential": "service credential of {}",
    "UploadSSHPublicKey": "SSH key of {}",
}
SIGNING_IN = ("ConsoleLogin", "GetSigninToken", "SwitchRole")
ADDRESSES_SHOWN = 20

_HOLDERS = """
SELECT credential_id, min(identity_type) AS identity_type, min(actor) AS actor, min(actor_arn) AS actor_arn,
       min(session_name) AS session_name, min(issuer_arn) AS issuer_arn, min(session_created) AS session_created,
       bool_or(coalesce(mfa, FALSE)) AS mfa, min(source_identity) AS source_identity,
       min(ec2_role_delivery) AS ec2_role_delivery, min(invoked_by) AS invoked_by,
       bool_and(invoked_by IS NOT NULL) AS by_service_only,
       bool_or(coalesce(json_extract_string(further_fields, '$.sessionCredentialFromConsole'), '') = 'true') AS console,
       count(*) AS events, count(*) FILTER (WHERE outcome = 'denied') AS denied,
       count(*) FILTER (WHERE NOT coalesce(read_only, TRUE)) AS changes,
       min(event_time) AS first, max(event_time) AS last
FROM aws_event WHERE credential_id IS NOT NULL GROUP BY credential_id ORDER BY credential_id
"""
_ADDRESSES = """
SELECT credential_id, source_ip FROM aws_event
WHERE credential_id IS NOT NULL AND source_ip IS NOT NULL GROUP BY ALL ORDER BY credential_id, source_ip
"""
_ISSUES = """
SELECT event_key, event_time, event_name_base, identity_type, actor, actor_arn, credential_id, session_created, invoked_by,
       shared_event_id, account_id, actor_account_id, session_name, source_ip, request_role_arn, request_role_session,
       request_user_name, request_name, issued_credential_id, mfa,
       json_extract_string(response_elements, '$.assumedRoleUser.arn') AS assumed_arn,
       json_extract_string(response_elements, '$.federatedUser.arn') AS federated_arn
FROM aws_event
WHERE outcome = 'success' AND event_name_base IN (SELECT unnest($names))
ORDER BY event_time NULLS LAST, event_key
"""
_PLACES = """
SELECT credential_id, min(json_extract_string(user_identity, '$.inScopeOf.credentialsIssuedTo')) AS issued_to,
       min(json_extract_string(user_identity, '$.sessionContext.webIdFederationData.federatedProvider')) AS provider
FROM aws_event WHERE credential_id IN (SELECT unnest($credentials)) GROUP BY credential_id ORDER BY credential_id
"""
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Rows that the rules work on: `holders` by credential id, `issues` and `sign_ins` in order of time."""

    holders: dict[str, Row]
    issues: list[Row]
    makings: list[Row]
    sign_ins: list[Row]


def evidence_of(connection: duckdb.DuckDBPyConnection) -> Evidence:
    """Read what the graph is made of."""
    holders = {row["credential_id"]: row for row in rows_of(connection, _HOLDERS)}
    for row in holders.values():
        row["addresses"] = []
    for row in rows_of(connection, _ADDRESSES):
        if len(holders[row["credential_id"]]["addresses"]) < ADDRESSES_SHOWN:
            holders[row["credential_id"]]["addresses"].append(row["source_ip"])
    issues, makings, sign_ins = (
        rows_of(connection, _ISSUES, {"names": list(names)}) for names in (ISSUING, MAKES, SIGNING_IN)
    )
    return Evidence(holders, issues, makings, sign_ins)


def places_of(connection: duckdb.DuckDBPyConnection, credentials: list[str]) -> dict[str, Row]:
    """Return to what a service delivered credentials (a function's ARN) or which identity provider vouched, by credential."""
    if not credentials:
        return {}
    return {row["credential_id"]: row for row in rows_of(connection, _PLACES, {"credentials": credentials})}


def session_node(arn: str | None, created: datetime | None) -> str:
    """Return the name of a session that is known by who it is and when it began."""
    return f"{arn} @ {created:%Y-%m-%dT%H:%M:%SZ}" if arn and created else (arn or "")
