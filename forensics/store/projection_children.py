"""Rows of the child tables of aws_event, in SQL, over any relation with the columns of aws_event that they need.

Which lists an event may hold is told by its service.
"""

from __future__ import annotations

from collections.abc import Collection

from forensics.store.projection import name_base, projected, request_of

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


#: ARNs of the resources, under either spelling of the name.
_ARNS = "list_transform(json_extract(resources, '$[*]'), lambda r: coalesce(r ->> '$.ARN', r ->> '$.arn'))"


def _texts(path: str) -> str:
    """Return what stands at a path of the request; most requests lack its first name, which a search tells sooner."""
    first = path.removeprefix("$.").partition(".")[0].removesuffix("[*]")
    return f"CASE WHEN contains(request_parameters, '\"{first}\"') THEN json_extract_string(request_parameters, '{path}') END"


def _one(kind: str, value: str) -> str:
    return f"[{{'kind': '{kind}', 'n': CAST(0 AS BIGINT), 'v': {value}}}]"


def _each(kind: str, texts: str) -> str:
    return f"list_transform({texts}, lambda v, i: {{'kind': '{kind}', 'n': CAST(i - 1 AS BIGINT), 'v': v}})"


def _parameters(items: str) -> str:
    return f"CASE WHEN event_name_base LIKE '%Parameter%' THEN {items} END"


#: What the events of a service name, by service.
_NAMED = {
    "secretsmanager": (_one("secret", "request_secret_id"), _each("secret", _texts("$.secretIdList[*]"))),
    "ssm": (
        _parameters(_one("parameter", "request_name")),
        _parameters(_each("parameter", _texts("$.names[*]"))),
        _one("parameter_path", _texts("$.path")),
    ),
    "lambda": (_one("function", "request_function"),),
    "ec2": (
        _one("instance", _texts("$.instanceId")),
        _each("instance", _texts("$.instancesSet.items[*].instanceId")),
        _each("cidr", _texts("$.ipPermissions.items[*].ipRanges.items[*].cidrIp")),
        _each("cidr", _texts("$.ipPermissions.items[*].ipv6Ranges.items[*].cidrIpv6")),
        _each("attribute_account", _texts("$.createVolumePermission.add.items[*].userId")),
        _each("attribute_account", _texts("$.launchPermission.add.items[*].userId")),
        _each("attribute_account", _texts("$.createVolumePermission.add.items[*].group")),
        _each("attribute_account", _texts("$.launchPermission.add.items[*].group")),
    ),
    "kms": (
        _one("kms_secret", _texts("$.encryptionContext.SecretARN")),
        _one("kms_parameter", _texts("$.encryptionContext.PARAMETER_ARN")),
        _one("kms_function", _texts('$.encryptionContext."aws:lambda:FunctionArn"')),
        _one("kms_context", _texts("$.encryptionContext")),
    ),
    "rds": (_each("attribute_account", _texts("$.valuesToAdd[*]")),),
}


def _list_of(parts: tuple[str, ...]) -> str:
    made = parts[0]
    for part in parts[1:]:
        made = f"list_concat({made}, {part})"
    return made


def _hosts(service: str) -> str:
    return f"'{service}.amazonaws.com', '{service}.amazonaws.com.cn'"


def items(events: str, services: Collection[str] = tuple(_NAMED)) -> str:
    """Return the SELECT of rows of aws_event_item for the events of a relation.

    `services` are the first words of the event sources that occur in it: what is left out need not be planned.
    """
    named = [
        f"SELECT event_key, unnest({_list_of(parts)}) AS i FROM {events} WHERE event_source IN ({_hosts(service)})"
        for service, parts in _NAMED.items()
        if service in services
    ]
    named.append(
        f"SELECT event_key, unnest({_each('resource_arn', _ARNS)}) AS i FROM {events} WHERE resources IS NOT NULL"
    )
    return f"""
SELECT event_key, i.kind, i.n,
  CASE WHEN i.kind IN ('secret', 'kms_secret') THEN {_SHORT_NAME.format(v="i.v")}
       WHEN i.kind IN ('parameter', 'kms_parameter') THEN {_PARAMETER_NAME.format(v="i.v")}
       WHEN i.kind IN ('function', 'kms_function') THEN {_FUNCTION_NAME.format(v="i.v")} ELSE i.v END AS value,
  i.v AS value_raw
FROM ({" UNION ALL ".join(reversed(named))})
WHERE i.v IS NOT NULL AND i.v <> ''
"""


def credentials(events: str) -> str:
    """Return the SELECT of rows of credential: what the events of a relation handed out."""
    return f"""
SELECT issued_credential_id, event_time, credential_id, actor,
  coalesce(json_extract_string(response_elements, '$.assumedRoleUser.arn'),
           json_extract_string(response_elements, '$.federatedUser.arn'),
           json_extract_string(response_elements, '$.accessKey.userName'), request_role_arn, request_user_name, actor),
  event_name_base, 'exact', event_key
FROM {events} WHERE issued_credential_id IS NOT NULL AND outcome = 'success'
"""


#: The first words of the event sources whose events name something, and the event sources.
SERVICES = tuple(_NAMED)
HOSTS = tuple(f"{service}.amazonaws.com{region}" for service in _NAMED for region in ("", ".cn"))


def named_items(services: Collection[str]) -> str:
    """Return the SELECT of rows of aws_event_item for the records of `naming`, which has few columns of what is shaped."""
    return f"""
WITH named AS MATERIALIZED (
  SELECT event_key, event_source, event_name_base, request_parameters, resources,
    q.secretId AS request_secret_id, q."name" AS request_name, q.functionName AS request_function
  FROM (SELECT own_key AS event_key, event_source, {name_base("event_name")} AS event_name_base,
          request AS request_parameters, resources, {request_of("request")} AS q FROM naming))
{items("named", services)}"""


#: Records that may hand out a credential are projected again: to find their rows takes longer the more there are.
_ISSUED = (
    "event_key event_time credential_id actor event_name_base outcome response_elements issued_credential_id"
    " request_role_arn request_user_name"
).split()
PROJECT_CREDENTIALS = credentials(f"({projected(_ISSUED, 'issuing')})")
