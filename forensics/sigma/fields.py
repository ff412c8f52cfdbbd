"""Fields of a CloudTrail record as SQL over aws_event.

A field is a path of names with dots. Arrays on the way are searched: each element may hold the rest of the path.
Names of fields: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from forensics.model.errors import QueryFault

#: Fields that stand in a column of their own, as written.
_COLUMNS = {
    "eventVersion": "event_version",
    "eventTime": "event_time_raw",
    "eventSource": "event_source",
    "eventName": "event_name",
    "eventType": "event_type",
    "eventCategory": "event_category",
    "awsRegion": "region",
    "sourceIPAddress": "source_ip_raw",
    "userAgent": "user_agent",
    "apiVersion": "api_version",
    "requestID": "request_id",
    "sharedEventID": "shared_event_id",
    "vpcEndpointId": "vpc_endpoint_id",
    "userIdentity.type": "identity_type",
    "userIdentity.principalId": "principal_id",
    "userIdentity.arn": "actor_arn",
    "userIdentity.accountId": "actor_account_id",
    "userIdentity.invokedBy": "invoked_by",
    "userIdentity.sessionContext.sessionIssuer.type": "issuer_type",
    "userIdentity.sessionContext.sessionIssuer.arn": "issuer_arn",
}
#: Fields whose column may say something else; then the text as written stands in further_fields.
_OVERRIDDEN = {
    "eventID": "event_id",
    "errorCode": "error_code",
    "errorMessage": "error_message",
    "recipientAccountId": "account_id",
    "readOnly": "CAST(e.read_only AS VARCHAR)",
    "managementEvent": "CAST(e.management_event AS VARCHAR)",
}
#: Parts that are kept whole as JSON.
_PARTS = {
    "userIdentity": "user_identity",
    "requestParameters": "request_parameters",
    "responseElements": "response_elements",
    "additionalEventData": "additional_event_data",
    "serviceEventDetails": "service_event_details",
    "resources": "resources",
}
#: Top-level fields that further_fields holds although the format knows them.
_FURTHER_KNOWN = frozenset(
    "tlsDetails vpcEndpointAccountId addendum sessionCredentialFromConsole edgeDeviceDetails eventContext"
    " insightDetails".split()
)
MOST_STEPS = 20
Bind = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Field:
    """A field as SQL: one text, or a list of texts where arrays may lie on the way.

    `foreign` is the top-level name when CloudTrail has no such field.
    """

    sql: str
    many: bool
    foreign: str = ""

    def any(self, test: Callable[[str], str]) -> str:
        """Return a condition that is true when a value passes `test`, else false; never NULL."""
        if not self.many:
            return f"coalesce({test(self.sql)}, FALSE)"
        return f"coalesce(len(list_filter({self.sql}, lambda v: coalesce({test('v')}, FALSE))) > 0, FALSE)"

    def absent(self) -> str:
        """Return a condition that is true when the field is missing or null; never NULL."""
        return f"coalesce(len({self.sql}) = 0, TRUE)" if self.many else f"({self.sql} IS NULL)"

    def values(self) -> str:
        """Return a list of the distinct values, without NULL."""
        texts = self.sql if self.many else f"[{self.sql}]"
        return f"list_sort(list_distinct(list_filter({texts}, lambda v: v IS NOT NULL)))"


def field(name: str, bind: Bind) -> Field:
    """Return a field of the record as SQL; `bind` takes a value and returns its parameter.

    Raises QueryFault for a name with an empty step or too many steps.
    """
    if name in _COLUMNS:
        return Field(f"e.{_COLUMNS[name]}", many=False)
    if name in _OVERRIDDEN:
        column = _OVERRIDDEN[name]
        column = column if "(" in column else f"e.{column}"
        return Field(
            f"CASE WHEN json_exists(e.further_fields, '$.{name}') THEN json_extract_string(e.further_fields, '$.{name}')"
            f" ELSE {column} END",
            many=False,
        )
    first, *rest = name.split(".")
    if not first or not all(rest) or len(rest) > MOST_STEPS:
        raise QueryFault(f"no field can be named {name[:80]!r}")
    if first in _PARTS:
        return Field(_texts(f"e.{_PARTS[first]}", rest, bind), many=True)
    known = first in _FURTHER_KNOWN or first in {f.partition(".")[0] for f in (*_COLUMNS, *_OVERRIDDEN)}
    return Field(_texts("e.further_fields", [first, *rest], bind), many=True, foreign="" if known else first)


def _pointer(step: str) -> str:
    """Return a JSON pointer of one step: https://www.rfc-editor.org/rfc/rfc6901."""
    return "/" + step.replace("~", "~0").replace("/", "~1")


def _elements(nodes: str) -> str:
    return (
        f"flatten(list_transform({nodes}, lambda x: CASE WHEN json_type(x) = 'ARRAY'"
        " THEN json_extract(x, '$[*]') ELSE [x] END))"
    )


def _texts(part: str, steps: list[str], bind: Bind) -> str:
    nodes = f"[CAST({part} AS JSON)]"
    for step in steps:
        nodes = f"list_transform({_elements(nodes)}, lambda x: json_extract(x, {bind(_pointer(step))}))"
    texts = f"list_transform({_elements(nodes)}, lambda x: json_extract_string(x, '$'))"
    return f"list_filter({texts}, lambda v: v IS NOT NULL)"


def everything() -> Field:
    """Return all texts of a record, for keywords without a field: columns, and each part whole."""
    columns = ", ".join(f"e.{c}" for c in (*_COLUMNS.values(), *_PARTS.values(), "error_code", "error_message"))
    return Field(f"[{columns}, e.event_id, e.account_id, e.further_fields]", many=True)
