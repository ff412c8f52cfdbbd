"""The one projection of a CloudTrail record's text to the columns of aws_event, in SQL.

It reads the relation `incoming` (raw text and place of each record) with `time_form` and `address_form`
beside it, which hold what Python made of the distinct times and addresses that SQL must not guess.
"""

from __future__ import annotations

import json

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

#: Texts that SQL hands to Python because their form must not be guessed.
DISTINCT_TIMES = """
SELECT DISTINCT t FROM (
  SELECT coalesce(g.eventTime, g."@timestamp") AS t FROM glimpsed
  UNION ALL
  SELECT g.userIdentity.sessionContext.attributes.creationDate FROM glimpsed)
WHERE t IS NOT NULL AND NOT regexp_full_match(t, '[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?Z')
"""
DISTINCT_ADDRESSES = "SELECT DISTINCT g.sourceIPAddress FROM glimpsed WHERE g.sourceIPAddress IS NOT NULL"

_FORM = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?Z"


def _moment(text: str, form: str) -> str:
    return (
        f"CASE WHEN regexp_full_match({text}, '{_FORM}') "
        f"THEN TRY_CAST(replace(left({text}, length({text}) - 1), 'T', ' ') AS TIMESTAMP) ELSE {form}.moment END"
    )


#: Merge patch (RFC 7396) that leaves of a record the fields nobody knows.
_WITHOUT_KNOWN = json.dumps(dict.fromkeys([*sorted(KNOWN_NAMES), "@timestamp"]))

_GLIMPSE = json.dumps(
    {
        **dict.fromkeys("eventTime @timestamp sourceIPAddress".split(), _TEXT),
        "userIdentity": {"sessionContext": {"attributes": {"creationDate": _TEXT}}},
    }
)
#: The few texts of each record whose form must be known before the rest is read.
GLIMPSED = f"SELECT TRY(json_transform(raw, '{_GLIMPSE}')) AS g FROM incoming"

#: The record's text is read once into shapes; all else reads these and not the text.
_STAGES = f"""
WITH shaped AS (
  SELECT i.* EXCLUDE (raw), TRY(json_transform(i.raw, '{_SHAPE}')) AS s,
    CASE WHEN i.unmapped IS NOT NULL THEN TRY(json_merge_patch(i.raw, '{_WITHOUT_KNOWN}')) END AS rest
  FROM incoming AS i),
parsed AS (SELECT *, TRY(json_transform(s.userIdentity, '{_IDENTITY}')) AS u FROM shaped),
deep AS (
  SELECT *,
    TRY(json_transform(CASE WHEN json_type(s.requestParameters) = 'OBJECT' THEN s.requestParameters END, '{_REQUEST}')) AS q,
    TRY(json_transform(CASE WHEN json_type(s.responseElements) = 'OBJECT' THEN s.responseElements END, '{_RESPONSE}')) AS r,
    coalesce(s.eventTime, s."@timestamp") AS time_text,
    regexp_replace(s.eventName, '[0-9]{{8}}(v[0-9]+)?$', '') AS name_base
  FROM parsed),
worded AS (
  SELECT *,
    coalesce(nullif(s.errorCode, ''), CASE WHEN regexp_full_match(r.errorCode, '[A-Za-z][A-Za-z0-9._:]*')
      AND lower(r.errorCode) NOT IN ('none', 'ok', 'success') THEN r.errorCode END) AS error_text,
    lower(coalesce(error_text, '')) AS error_lower
  FROM deep),
judged AS (
  SELECT *,
    error_lower LIKE '%accessdenied%' OR error_lower LIKE '%unauthorized%' OR error_lower LIKE '%notauthorized%'
      OR error_lower = 'forbidden' AS denied,
    coalesce(r.ConsoleLogin, r.CheckMfa, '') = 'Failure' AS login_failed,
    CASE WHEN u.type = 'AssumedRole' THEN coalesce(nullif(u.sessionContext.sessionIssuer.arn, ''),
           regexp_replace(u.arn, '^arn:([^:]*):sts::([^:]*):assumed-role/(.*)/[^/]*$', 'arn:\\1:iam::\\2:role/\\3'))
         WHEN u.type = 'Root' THEN 'root:' || coalesce(u.accountId, '')
         ELSE coalesce(nullif(u.arn, ''), nullif(u.invokedBy, ''), nullif(u.userName, ''), nullif(u.principalId, ''),
                       nullif(u.onBehalfOf.userId, ''), nullif(u.accountId, ''), nullif(u.type, ''),
                       CASE WHEN s.eventType = 'AwsServiceEvent' THEN s.eventSource END) END AS actor
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
    "session_name": "CASE WHEN contains(u.arn, ':assumed-role/') OR contains(u.arn, ':federated-user/') THEN"
    " nullif(regexp_extract(u.arn, ':(assumed-role|federated-user)/(.*/)?([^/]*)$', 3), '') END",
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
    "bearer_token": "coalesce(TRY_CAST(json_extract_string(s.additionalEventData, '$.callWithBearerToken') AS BOOLEAN),"
    " TRY_CAST(json_extract_string(s.requestParameters, '$.callWithBearerToken') AS BOOLEAN), FALSE)",
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
        f"coalesce(json_extract_string(s.{part}, '$.omitted') = 'true', FALSE)"
        for part in "requestParameters responseElements additionalEventData serviceEventDetails edgeDeviceDetails".split()
    ),
    "text_repaired": "text_repaired",
    "duplicate_names": "duplicate_names",
    "id_conflict": "FALSE",
    "fidelity": "coalesce(fidelity, 'full')",
    "canonical_sha256": "canonical_sha256",
    "source_id": "source_id",
    "owner": "owner",
    "evidence": "evidence",
    "file_sha256": "file_sha256",
}

_missing = set(AWS_EVENT.names) ^ set(_COLUMNS)
if _missing:  # a column added to the model must be projected, and the other way round
    raise RuntimeError(f"aws_event columns without projection: {sorted(_missing)}")

PROJECT_AWS_EVENT = (
    _STAGES
    + "SELECT "
    + ",\n  ".join(f"{_COLUMNS[name]} AS {name}" for name in AWS_EVENT.names)
    + """
FROM judged
LEFT JOIN time_form AS tf ON tf.text = time_text
LEFT JOIN time_form AS cf ON cf.text = u.sessionContext.attributes.creationDate
LEFT JOIN address_form AS af ON af.raw = s.sourceIPAddress
"""
)

_SHORT_NAME = (
    "CASE WHEN {v} LIKE 'arn:%:secretsmanager:%' THEN regexp_replace(regexp_replace({v},"
    " '^arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:', ''), '-[A-Za-z0-9]{{6}}$', '') ELSE {v} END"
)
_PARAMETER_NAME = (
    "CASE WHEN {v} LIKE 'arn:%:ssm:%' THEN '/' || ltrim(regexp_replace({v}, '^arn:[^:]*:ssm:[^:]*:[^:]*:parameter', ''), '/')"
    " ELSE {v} END"
)
_FUNCTION_NAME = (
    "CASE WHEN {v} LIKE 'arn:%:lambda:%' THEN split_part({v}, ':', 7) WHEN {v} LIKE '%:function:%'"
    " THEN split_part(split_part({v}, ':function:', 2), ':', 1) ELSE split_part({v}, ':', 1) END"
)


def _items(kind: str, value: str, where: str, normal: str = "{v}") -> str:
    shown = normal.format(v="v")
    return (
        f"SELECT event_key, '{kind}' AS kind, CAST(0 AS BIGINT) AS n, {shown} AS value, v AS value_raw FROM"
        f" (SELECT event_key, {value} AS v FROM fresh WHERE {where}) WHERE v IS NOT NULL AND v <> ''"
    )


def _list_items(kind: str, part: str, path: str, where: str, normal: str = "{v}") -> str:
    return _unnested(kind, f"json_extract_string({part}, '{path}')", where, normal)


def _unnested(kind: str, texts: str, where: str, normal: str = "{v}") -> str:
    shown = normal.format(v="v")
    return (
        f"SELECT event_key, '{kind}', CAST(n AS BIGINT), {shown}, v FROM (SELECT event_key,"
        f" unnest(range(len(l))) AS n, unnest(l) AS v FROM (SELECT event_key,"
        f" {texts} AS l FROM fresh WHERE {where})) WHERE v IS NOT NULL AND v <> ''"
    )


def _source(name: str) -> str:
    return f"event_source IN ('{name}.amazonaws.com', '{name}.amazonaws.com.cn')"


#: ARNs of the resources, under either spelling of the name.
_ARNS = "list_transform(json_extract(resources, '$[*]'), lambda r: coalesce(r ->> '$.ARN', r ->> '$.arn'))"
_CONTEXT = "json_extract_string(request_parameters, '$.encryptionContext.{name}')"

#: Rows of aws_event_item for the events in the temporary table `fresh`.
PROJECT_ITEMS = "\nUNION ALL\n".join(
    (
        _items("secret", "request_secret_id", _source("secretsmanager"), _SHORT_NAME),
        _list_items("secret", "request_parameters", "$.secretIdList[*]", _source("secretsmanager"), _SHORT_NAME),
        _items(
            "parameter",
            "request_name",
            _source("ssm") + " AND event_name_base LIKE '%Parameter%'",
            _PARAMETER_NAME,
        ),
        _list_items(
            "parameter",
            "request_parameters",
            "$.names[*]",
            _source("ssm") + " AND event_name_base LIKE '%Parameter%'",
            _PARAMETER_NAME,
        ),
        _items("parameter_path", "json_extract_string(request_parameters, '$.path')", _source("ssm")),
        _items("function", "request_function", _source("lambda"), _FUNCTION_NAME),
        _items("instance", "json_extract_string(request_parameters, '$.instanceId')", _source("ec2")),
        _list_items("instance", "request_parameters", "$.instancesSet.items[*].instanceId", _source("ec2")),
        _list_items("cidr", "request_parameters", "$.ipPermissions.items[*].ipRanges.items[*].cidrIp", _source("ec2")),
        _list_items(
            "cidr",
            "request_parameters",
            "$.ipPermissions.items[*].ipv6Ranges.items[*].cidrIpv6",
            _source("ec2"),
        ),
        _items("kms_secret", _CONTEXT.format(name="SecretARN"), _source("kms"), _SHORT_NAME),
        _items("kms_parameter", _CONTEXT.format(name="PARAMETER_ARN"), _source("kms"), _PARAMETER_NAME),
        _items("kms_function", _CONTEXT.format(name='"aws:lambda:FunctionArn"'), _source("kms"), _FUNCTION_NAME),
        _items("kms_context", "json_extract_string(request_parameters, '$.encryptionContext')", _source("kms")),
        _list_items("attribute_account", "request_parameters", "$.valuesToAdd[*]", _source("rds")),
        _list_items(
            "attribute_account",
            "request_parameters",
            "$.createVolumePermission.add.items[*].userId",
            _source("ec2"),
        ),
        _list_items(
            "attribute_account",
            "request_parameters",
            "$.launchPermission.add.items[*].userId",
            _source("ec2"),
        ),
        _list_items(
            "attribute_account",
            "request_parameters",
            "$.createVolumePermission.add.items[*].group",
            _source("ec2"),
        ),
        _list_items("attribute_account", "request_parameters", "$.launchPermission.add.items[*].group", _source("ec2")),
        _unnested("resource_arn", _ARNS, "resources IS NOT NULL"),
    )
)

#: Credentials handed out by the events in `fresh`.
PROJECT_CREDENTIALS = """
SELECT issued_credential_id, event_time, credential_id, actor,
  coalesce(json_extract_string(response_elements, '$.assumedRoleUser.arn'),
           json_extract_string(response_elements, '$.federatedUser.arn'),
           json_extract_string(response_elements, '$.accessKey.userName'), request_role_arn, request_user_name, actor),
  event_name_base, 'exact', event_key
FROM fresh WHERE issued_credential_id IS NOT NULL AND outcome = 'success'
"""
