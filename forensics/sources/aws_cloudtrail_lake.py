"""Results of queries over CloudTrail: Lake and Athena as CSV, and Lake as the answer of `get-query-results`.

Names come in lower case. A cell is JSON (Athena's recommended table) or what Java prints, `{type=AssumedRole, ...}`, which
has no quotes and is ambiguous: rows with such cells are lossy, and a cell that cannot be read in one way stays text.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/lake-view-query-results.html
https://docs.aws.amazon.com/athena/latest/ug/cloudtrail-logs.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics.model.wrapping import loaded
from forensics.sources.protocol import WHOLE, Document, Probe, RawRecord, Reading, RowOrDefect
from forensics.sources.trail_mapping import java_map, mapped
from forensics.sources.trail_record import NAMES, is_event

_PROPER = {
    name.lower(): name
    for name in (
        *NAMES,
        *("principalId", "accountId", "accessKeyId", "userName", "invokedBy", "sessionContext", "sessionIssuer"),
        *("mfaAuthenticated", "creationDate", "sourceIdentity", "ec2RoleDelivery", "onBehalfOf", "userId"),
        *("identityProvider", "credentialId", "webIdFederationData", "federatedProvider", "inScopeOf"),
        *("clientProvidedHostHeader", "tlsVersion", "cipherSuite", "identityStoreArn", "issuerType"),
    )
}
#: Parts whose inner names are those of a known structure; the names in others are the service's own and stay.
_STRUCTURES = frozenset({"userIdentity", "tlsDetails", "addendum", "sessionContext", "eventContext"})
_RESOURCE = {"arn": "ARN", "accountid": "accountId", "type": "type", "arnprefix": "ARNPrefix"}
_PARTS = frozenset(
    "userIdentity requestParameters responseElements additionalEventData serviceEventDetails resources tlsDetails addendum"
    " edgeDeviceDetails eventContext".split()
)
_CORE = frozenset({"eventsource", "eventname"})
_ROWS = "QueryResultRows"


class QueryResults:
    """Rows of query results."""

    id = "aws_cloudtrail_lake"
    title = "AWS CloudTrail out of Lake or Athena (query results)"
    provider = "aws"
    reference = "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/lake-view-query-results.html"
    reader_version = "1"
    table = "aws_event"

    def recognise(self, probe: Probe) -> str:
        """Recognise by lower-case names of source and name, beside identity, id or time of an event; or by QueryResultRows."""
        if probe.form in {"json", "ndjson"}:
            rows = isinstance(probe.sample, list) and _as_row(probe.sample)
            named = {str(name).lower() for name in rows} if rows else set()
            return "QueryResultRows with columns of CloudTrail" if _ROWS in probe.keys and named >= _CORE else ""
        names = {name.strip().lower() for name in probe.header if name.islower()} if probe.form == "csv" else set()
        claimed = names >= _CORE and bool(names & {"useridentity", "eventid", "eventtime"})
        return "query results with columns of CloudTrail" if claimed else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Rows of a CSV file have no path; those of an answer stand in a list."""
        return (_ROWS, WHOLE) if _ROWS in probe.keys else ()

    def read(self, document: Document) -> Reading:
        """Put the event of each row together."""
        return Reading([_judge(record) for record in document.records])


def _as_row(value: Any) -> Mapping[str, Any]:
    """Return a row: as it is, or put together from the objects of one member each that Lake answers with."""
    if isinstance(value, Mapping):
        return value
    cells = value if isinstance(value, list) else []
    if not cells or not all(isinstance(cell, Mapping) for cell in cells):
        return {}
    return {str(name): member for cell in cells for name, member in cell.items()}


def _judge(record: RawRecord) -> RowOrDefect:
    row = _as_row(record.value)
    if not row:
        return RowOrDefect(record, defect="not a row")
    event: dict[str, Any] = {}
    unread, lossy = [], False
    for name, cell in row.items():
        ours = _PROPER.get(name.strip().lower())
        text = cell.strip() if isinstance(cell, str) else cell
        if text in ("", "null", None):
            continue
        if ours not in NAMES:
            unread.append(name)
        elif ours in _PARTS and isinstance(text, str):
            value, is_json = _part(ours, text)
            lossy |= not is_json
            event[ours] = value
        else:
            event[ours] = text
    if isinstance(event.get("eventTime"), str):
        event["eventTime"] = _utc(event["eventTime"])
    if not is_event(event):
        return RowOrDefect(record, defect="a row without eventsource and eventname")
    return mapped(record, event, unread, "lossy" if lossy else "mapped")


def _part(name: str, text: str) -> tuple[Any, bool]:
    """Return the value of a cell and whether it was JSON; text that is neither form stays text."""
    value = loaded(text)
    if value is not None:
        return (_named(value) if name in _STRUCTURES else value), True
    value = java_map(text)
    if value is None:
        return text, False
    if name == "resources" and isinstance(value, list):
        return [_resource(each) for each in value], False
    return (_named(value) if name in _STRUCTURES else value), False


def _named(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_PROPER.get(str(n).lower(), n): _named(v) for n, v in value.items() if v not in (None, "null")}
    return [_named(each) for each in value] if isinstance(value, list) else value


def _resource(value: Any) -> Any:
    return {_RESOURCE.get(str(n).lower(), n): v for n, v in value.items()} if isinstance(value, Mapping) else value


def _utc(text: str) -> str:
    """Return a time of a result without a zone, `2023-06-11 16:26:28.000`, in the form of a record: it is UTC."""
    plain = text.strip().replace(" ", "T", 1)
    return plain if plain[-1:] in ("Z", "z") or "+" in plain or len(plain) < 19 else plain + "Z"


SOURCE = QueryResults()
