"""The one projection of a CloudTrail record's text to the columns of aws_event, in SQL.

It reads the relation `incoming` (raw text and place of each record) in stages: `shaped` holds the parts of each text,
`identity_form` what follows from each distinct userIdentity (`identity_text`), `time_form` and `address_form` what Python
made of the distinct times and addresses that SQL must not guess.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from forensics.model.event import AWS_EVENT

_TEXT = "VARCHAR"
_JSON = "JSON"

#: Shape that json_transform reads; everything as text, so that no value can fail a cast. Parts that are kept whole are
#: JSON: a part may be text instead of an object.
_SHAPE = json.dumps(
    {
        **dict.fromkeys(
            ("eventVersion eventTime @timestamp eventSource eventName awsRegion sourceIPAddress userAgent errorCode errorMessage"
             " requestID eventID eventType apiVersion managementEvent readOnly recipientAccountId sharedEventID"
             " vpcEndpointId eventCategory").split(),
            _TEXT,
        ),
        **dict.fromkeys(
            ("userIdentity requestParameters responseElements additionalEventData serviceEventDetails resources"
             " edgeDeviceDetails tlsDetails vpcEndpointAccountId addendum sessionCredentialFromConsole eventContext"
             " insightDetails").split(),
            _JSON,
        ),
    }
)  # fmt: skip
_IDENTITY = json.dumps(
    {
        **dict.fromkeys("type principalId arn accountId accessKeyId userName invokedBy".split(), _TEXT),
        "onBehalfOf": {"userId": _TEXT},
        "sessionContext": {
            "sessionIssuer": dict.fromkeys("type userName principalId arn accountId".split(), _TEXT),
            "attributes": dict.fromkeys("creationDate mfaAuthenticated".split(), _TEXT),
            "sourceIdentity": _TEXT,
            "ec2RoleDelivery": _TEXT,
        },
    }
)
_REQUEST = json.dumps(
    dict.fromkeys(
        ("roleArn roleSessionName userName policyArn bucketName key functionName secretId name modelId model"
         " roleName trailName groupId instanceId dBSnapshotIdentifier groupName keyId").split(), _TEXT
    )
)  # fmt: skip
_RESPONSE = json.dumps(
    {
        "credentials": {"accessKeyId": _TEXT},
        "accessKey": {"accessKeyId": _TEXT},
        "ConsoleLogin": _TEXT,
        "CheckMfa": _TEXT,
        "errorCode": _TEXT,
        "errorMessage": _TEXT,
    }
)

_KNOWN = (
    "eventVersion userIdentity eventTime eventSource eventName awsRegion sourceIPAddress userAgent errorCode errorMessage"
    " requestParameters responseElements additionalEventData requestID eventID eventType apiVersion managementEvent"
    " readOnly resources recipientAccountId serviceEventDetails sharedEventID vpcEndpointId vpcEndpointAccountId"
    " eventCategory addendum sessionCredentialFromConsole edgeDeviceDetails tlsDetails eventContext insightDetails"
)
KNOWN_NAMES = frozenset(_KNOWN.split())

#: The one form of a time that is cast.
TIME_FORM = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?Z"


def _moment(text: str, form: str) -> str:
    return (
        f"CASE WHEN regexp_full_match({text}, '{TIME_FORM}') "
        f"THEN TRY_CAST(replace(left({text}, length({text}) - 1), 'T', ' ') AS TIMESTAMP) ELSE {form}.moment END"
    )


#: Merge patch (RFC 7396) that leaves of a record the fields nobody knows.
_WITHOUT_KNOWN = json.dumps(dict.fromkeys([*sorted(KNOWN_NAMES), "@timestamp"]))

#: The text of each record is read once into its shape; all else reads that and not the text.
SHAPED = f"""
SELECT i.* EXCLUDE (raw), TRY(json_transform(i.raw, '{_SHAPE}')) AS s,
  CASE WHEN i.unmapped IS NOT NULL THEN TRY(json_merge_patch(i.raw, '{_WITHOUT_KNOWN}')) END AS rest
FROM incoming AS i"""

#: What follows from userIdentity alone. Thousands of records carry the same one, so each is read once.
IDENTITIES = f"""
SELECT text, u, coalesce(u.type IN ('AssumedRole', 'Root'), FALSE) AS is_final,
  CASE WHEN u.type = 'AssumedRole' THEN coalesce(nullif(u.sessionContext.sessionIssuer.arn, ''),
         regexp_replace(u.arn, '^arn:([^:]*):sts::([^:]*):assumed-role/(.*)/[^/]*$', 'arn:\\1:iam::\\2:role/\\3'))
       WHEN u.type = 'Root' THEN 'root:' || coalesce(u.accountId, '')
       ELSE coalesce(nullif(u.arn, ''), nullif(u.invokedBy, ''), nullif(u.userName, ''), nullif(u.principalId, ''),
                     nullif(u.onBehalfOf.userId, ''), nullif(u.accountId, ''), nullif(u.type, '')) END AS actor,
  CASE WHEN contains(u.arn, ':assumed-role/') OR contains(u.arn, ':federated-user/') THEN
    nullif(regexp_extract(u.arn, ':(assumed-role|federated-user)/(.*/)?([^/]*)$', 3), '') END AS session_name
FROM (SELECT text, TRY(json_transform(text, '{_IDENTITY}')) AS u FROM identity_text)"""


def request_of(text: str) -> str:
    """Return the SQL of requestParameters by name."""
    return f"TRY(json_transform(CASE WHEN json_type({text}) = 'OBJECT' THEN {text} END, '{_REQUEST}'))"


def name_base(name: str) -> str:
    """Return the SQL of an eventName without the date that some services append; hardly one ends with a digit."""
    base = f"regexp_replace({name}, '[0-9]{{8}}(v[0-9]+)?$', '')"
    return f"CASE WHEN right({name}, 1) BETWEEN '0' AND '9' THEN {base} ELSE {name} END"


_STAGES = f"""
WITH deep AS (
  SELECT p.* EXCLUDE (s), p.s, i.u, i.actor AS identity_actor, i.is_final, i.session_name,
    {request_of("s.requestParameters")} AS q,
    TRY(json_transform(CASE WHEN json_type(s.responseElements) = 'OBJECT' THEN s.responseElements END, '{_RESPONSE}')) AS r,
    coalesce(s.eventTime, s."@timestamp") AS time_text,
    {name_base("s.eventName")} AS name_base
  FROM shaped AS p LEFT JOIN identity_form AS i ON i.text = p.s.userIdentity
  WHERE p.is_new),
worded AS (
  SELECT *,
    coalesce(nullif(s.errorCode, ''), CASE WHEN regexp_full_match(r.errorCode, '[A-Za-z][A-Za-z0-9._:]*')
      AND lower(r.errorCode) NOT IN ('none', 'ok', 'success') THEN r.errorCode END) AS error_text,
    lower(error_text) AS error_lower
  FROM deep),
judged AS (
  SELECT *,
    CASE WHEN error_text IS NULL THEN FALSE ELSE error_lower LIKE '%accessdenied%' OR error_lower LIKE '%unauthorized%'
      OR error_lower LIKE '%notauthorized%' OR error_lower = 'forbidden' END AS denied,
    coalesce(r.ConsoleLogin, r.CheckMfa, '') = 'Failure' AS login_failed,
    CASE WHEN is_final THEN identity_actor
         ELSE coalesce(identity_actor, CASE WHEN s.eventType = 'AwsServiceEvent' THEN s.eventSource END) END AS actor
  FROM worded)
"""

#: Parts kept whole in further_fields, and texts kept there where the column beside them says something else.
_WHOLE = "tlsDetails vpcEndpointAccountId addendum sessionCredentialFromConsole edgeDeviceDetails eventContext insightDetails"
_OTHERWISE = {
    "errorCode": "error_text",
    "errorMessage": "coalesce(s.errorMessage, CASE WHEN error_text = r.errorCode THEN r.errorMessage END)",
    "recipientAccountId": "coalesce(s.recipientAccountId, u.accountId)",
    "eventID": "nullif(s.eventID, '')",
    "readOnly": "CAST(TRY_CAST(s.readOnly AS BOOLEAN) AS VARCHAR)",
    "managementEvent": "CAST(TRY_CAST(s.managementEvent AS BOOLEAN) AS VARCHAR)",
}
_FURTHER = ", ".join(
    [
        *(f"CASE WHEN json_type(s.{n}) <> 'NULL' THEN '\"{n}\":' || s.{n} END" for n in _WHOLE.split()),
        *(
            f"CASE WHEN s.{n} IS DISTINCT FROM {column} THEN '\"{n}\":' || coalesce(CAST(to_json(s.{n}) AS VARCHAR), 'null') END"
            for n, column in _OTHERWISE.items()
        ),
        "CASE WHEN length(rest) > 2 THEN substr(CAST(rest AS VARCHAR), 2, length(rest) - 2) END",
    ]
)


def _said(part: str, name: str) -> str:
    """Return the SQL of a member of a part; most parts lack it, which a search tells sooner than reading them."""
    return f"CASE WHEN contains(s.{part}, '{name}') THEN json_extract_string(s.{part}, '$.{name}') END"


#: Expression for each column of aws_event; the loader refuses a column without one.
_COLUMNS: dict[str, str] = {
    "event_key": "own_key",
    "event_id": "nullif(s.eventID, '')",
    "event_time": _moment("time_text", "tf"),
    "event_time_raw": "time_text",
    "event_epoch": f"CAST(epoch({_moment('time_text', 'tf')}) AS BIGINT)",
    "event_version": "s.eventVersion",
    "event_source": "s.eventSource",
    "event_name": "s.eventName",
    "event_name_base": "name_base",
    "event_type": "s.eventType",
    "event_category": "s.eventCategory",
    "read_only": "TRY_CAST(s.readOnly AS BOOLEAN)",
    "management_event": "TRY_CAST(s.managementEvent AS BOOLEAN)",
    "region": "s.awsRegion",
    "account_id": "coalesce(s.recipientAccountId, u.accountId)",
    "actor_account_id": "u.accountId",
    "api_version": "s.apiVersion",
    "request_id": "s.requestID",
    "shared_event_id": "s.sharedEventID",
    "identity_type": "u.type",
    "principal_id": "u.principalId",
    "actor": "actor",
    "actor_arn": "u.arn",
    "user_name": "coalesce(u.userName, u.sessionContext.sessionIssuer.userName)",
    "credential_id": "nullif(u.accessKeyId, '')",
    "credential_class": "nullif(left(u.accessKeyId, 4), '')",
    "session_name": "session_name",
    "issuer_type": "u.sessionContext.sessionIssuer.type",
    "issuer_arn": "u.sessionContext.sessionIssuer.arn",
    "issuer_name": "u.sessionContext.sessionIssuer.userName",
    "session_created": _moment("u.sessionContext.attributes.creationDate", "cf"),
    "mfa": "TRY_CAST(u.sessionContext.attributes.mfaAuthenticated AS BOOLEAN)",
    "source_identity": "u.sessionContext.sourceIdentity",
    "ec2_role_delivery": "u.sessionContext.ec2RoleDelivery",
    "invoked_by": "u.invokedBy",
    "source_ip_raw": "s.sourceIPAddress",
    "source_ip": "af.text",
    "source_ip_key": "af.ip_key",
    "source_class": "af.kind",
    "user_agent": "s.userAgent",
    "vpc_endpoint_id": "s.vpcEndpointId",
    "tls_host": "json_extract_string(s.tlsDetails, '$.clientProvidedHostHeader')",
    "error_code": "error_text",  # some services write the error into the response
    "error_message": "coalesce(s.errorMessage, CASE WHEN error_text = r.errorCode THEN r.errorMessage END)",
    "outcome": "CASE WHEN denied THEN 'denied' WHEN error_text IS NOT NULL OR login_failed"
    " OR nullif(s.errorMessage, '') IS NOT NULL THEN 'failure' ELSE 'success' END",
    "is_denied": "denied",
    "issued_credential_id": "coalesce(r.credentials.accessKeyId, r.accessKey.accessKeyId)",
    "request_role_arn": "q.roleArn",
    "request_role_session": "q.roleSessionName",
    "request_user_name": "q.userName",
    "request_policy_arn": "q.policyArn",
    "request_bucket": "q.bucketName",
    "request_object_key": 'q."key"',
    "request_function": "q.functionName",
    "request_secret_id": "q.secretId",
    "request_name": 'q."name"',
    "request_model_id": "coalesce(q.modelId, q.model)",
    "bearer_token": f"coalesce(TRY_CAST({_said('additionalEventData', 'callWithBearerToken')} AS BOOLEAN),"
    f" TRY_CAST({_said('requestParameters', 'callWithBearerToken')} AS BOOLEAN), FALSE)",
    "resource": "coalesce(q.secretId, q.modelId, q.model, q.functionName, CASE WHEN q.bucketName IS NOT NULL THEN"
    " q.bucketName || coalesce('/' || q.\"key\", '') END, q.roleArn, q.roleName, q.userName, q.trailName, q.instanceId,"
    " q.dBSnapshotIdentifier, q.groupId, q.groupName, q.\"name\", q.keyId, json_extract_string(s.resources, '$[0].ARN'),"
    " json_extract_string(s.resources, '$[0].arn'))",
    "user_identity": "s.userIdentity",
    "request_parameters": "s.requestParameters",
    "response_elements": "s.responseElements",
    "additional_event_data": "s.additionalEventData",
    "service_event_details": "s.serviceEventDetails",
    "resources": "s.resources",
    "unmapped": "unmapped",
    "further_fields": f"'{{' || nullif(concat_ws(',', {_FURTHER}), '') || '}}'",
    "has_omitted": " OR ".join(
        f"coalesce({_said(part, 'omitted')} = 'true', FALSE)"
        for part in "requestParameters responseElements additionalEventData serviceEventDetails edgeDeviceDetails".split()
    ),
    "text_repaired": "text_repaired",
    "duplicate_names": "duplicate_names",
    "id_conflict": "FALSE",
    "fidelity": "coalesce(fidelity, 'full')",
    "canonical_sha256": "canonical_sha256",
    "source_id": "source_id",
    "owner": "owner",
    "evidence_sha256": "evidence_sha256",
    "evidence_record": "evidence_record",
    "file_sha256": "file_sha256",
}

_missing = set(AWS_EVENT.stored) ^ set(_COLUMNS)
if _missing:  # a column added to the model must be projected, and the other way round
    raise RuntimeError(f"aws_event columns without projection: {sorted(_missing)}")


def projected(names: Sequence[str], shaped: str = "shaped") -> str:
    """Return the SELECT of these columns of aws_event over a relation of the form of `shaped`."""
    columns = ",\n  ".join(f"{_COLUMNS[name]} AS {name}" for name in names)
    return f"""{_STAGES.replace("FROM shaped AS", f"FROM {shaped} AS")}
SELECT {columns}
FROM judged
LEFT JOIN time_form AS tf ON tf.text = time_text
LEFT JOIN time_form AS cf ON cf.text = u.sessionContext.attributes.creationDate
LEFT JOIN address_form AS af ON af.raw = s.sourceIPAddress
"""


PROJECT_AWS_EVENT = projected(AWS_EVENT.stored)
