"""The access log of Amazon API Gateway as JSON: fields are known by name, because each customer chooses them.

Common log format and CSV say nothing without the customer's format string and are not claimed: use a column map.
`-` stands for what a request did not have. `requestTimeEpoch` counts milliseconds.
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from forensics.model.address import read_address
from forensics.model.custody_logs import API_ACCESS
from forensics.model.fields import compact, count, moment, plain
from forensics.model.usage import blank
from forensics.model.wrapping import messages
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

#: Column and the names it goes by: letters and digits alone, in lower case; the first that has a value counts.
_NAMES: dict[str, tuple[str, ...]] = {
    "request_id": ("requestid",),
    "extended_request_id": ("extendedrequestid",),
    "api_id": ("apiid",),
    "stage": ("stage",),
    "account_id": ("accountid",),
    "caller": ("caller", "identitycaller", "userarn", "identityuserarn"),
    "user_id": ("user", "identityuser", "principalid", "authorizerprincipalid"),
    "key_id": ("apikeyid", "identityapikeyid"),
    "method": ("httpmethod", "method"),
    "path": ("resourcepath", "path", "routekey"),
    "error": ("errormessage",),
    "user_agent": ("useragent", "identityuseragent"),
}
_ADDRESS = ("ip", "sourceip", "identitysourceip")
_TIME, _EPOCH = "requesttime", "requesttimeepoch"
_COUNTS = {"status": "status", "responselength": "response_bytes"}
#: Full keys, whatever the customer called the field.
_KEYS = frozenset({"apikey", "identityapikey"})
_CLF = re.compile(r"(\d{1,2})/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def _short(name: object) -> str:
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def _named(value: object) -> dict[str, Any]:
    """Return fields by short name; members of `identity` and the like under both names together."""
    if not isinstance(value, Mapping):
        return {}
    named: dict[str, Any] = {}
    for name, member in value.items():
        if isinstance(member, Mapping):
            named.update({_short(name) + _short(n): v for n, v in member.items()})
        else:
            named[_short(name)] = member
    return {name: v for name, v in named.items() if v not in ("-", "", None)}


def _is_access(value: object) -> bool:
    names = {_short(n) for n in value} if isinstance(value, Mapping) else set()
    names |= {"ip"} if "identity" in names else set()
    return (
        {"requestid", "status"} <= names
        and bool(names & {_TIME, _EPOCH})
        and bool(names & {*_ADDRESS})
        and bool(names & {"httpmethod", "routekey", "resourcepath"})
    )


def clf_time(text: str | None) -> datetime | None:
    """Return naive UTC for `10/Oct/2026:13:55:36 +0200`, else None."""
    match = _CLF.fullmatch((text or "").strip().strip("[]"))
    if match is None or match[2] not in _MONTHS:
        return None
    offset = timedelta(hours=int(match[8]), minutes=int(match[9]))
    try:
        local = datetime(  # noqa: DTZ001 - naive UTC
            int(match[3]), _MONTHS.index(match[2]) + 1, int(match[1]), int(match[4]), int(match[5]), int(match[6])
        )
        return local - offset if match[7] == "+" else local + offset
    except (ValueError, OverflowError):
        return None


def _when(named: Mapping[str, Any]) -> datetime | None:
    """Return the time: the epoch, which is exact to the millisecond, before the written time."""
    return moment(named.get(_EPOCH)) or clf_time(plain(named.get(_TIME))) or moment(named.get(_TIME))


class ApiGatewayAccess:
    """Calls from lines, lists, and log events of CloudWatch Logs."""

    id = "api_gateway_access"
    title = "Amazon API Gateway access log (JSON)"
    provider = "aws"
    reference = "https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html"
    reader_version = "1"
    table = "api_access"
    by_record = True

    def recognise(self, probe: Probe) -> str:
        """Recognise by request id, status, time, address and method or path."""
        if probe.form not in {"json", "ndjson", "lines"}:
            return ""
        if _is_access(probe.sample):
            return "calls with requestId, status, requestTime and address"
        return "log events whose messages are calls" if _is_access(messages(probe.sample)) else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the list that was found in an enclosing object, and to the text of its messages."""
        path = (probe.container,) if probe.container else ()
        return path if _is_access(probe.sample) else (*path, "message")

    def read(self, document: Document) -> Reading:
        """Turn calls into rows of `api_access`; one answer a record, defects with their reason."""
        return Reading([self._answer(record) for record in document.records])

    def _answer(self, record: RawRecord) -> RowOrDefect:
        if not isinstance(record.value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        named = _named(record.value)
        when = _when(named)
        if when is None:
            return RowOrDefect(record, defect="no readable requestTime or requestTimeEpoch")
        row: Row = {**blank(API_ACCESS), "provider": self.provider, "event_time": when}
        used = {_TIME, _EPOCH, *_KEYS}
        for column, names in _NAMES.items():
            name = next((n for n in names if plain(named.get(n))), "")
            row[column] = plain(named.get(name))
            used.add(name)
        row |= {column: count(named.get(name)) for name, column in _COUNTS.items()}
        address = read_address(next((plain(named[name]) for name in _ADDRESS if name in named), None))
        row |= {"source_ip": address.text, "source_ip_key": address.key}
        used |= {name for name, column in _COUNTS.items() if row[column] is not None}
        used |= set(_ADDRESS) if address.text else set()
        row["raw"] = compact({name: v for name, v in named.items() if name not in used})
        return RowOrDefect(record, row, row["request_id"] or "")


SOURCE = ApiGatewayAccess()
