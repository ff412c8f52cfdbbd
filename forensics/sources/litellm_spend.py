"""The spend log of a LiteLLM gateway: one row a request with key, address, agent, tokens, cost in dollars.

Comes as JSON from the gateway, or as a dump of the table LiteLLM_SpendLogs, where JSON columns are text.
Times without a zone are UTC. Messages and responses are never stored.
https://docs.litellm.ai/docs/proxy/cost_tracking
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from forensics.model.address import read_address
from forensics.model.buckets import covered_events
from forensics.model.fields import compact, count, inside, moment, plain
from forensics.model.money import read_money
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_CORE = frozenset({"request_id", "call_type", "api_key", "spend", "starttime"})
_JSON_COLUMNS = ("metadata", "request_tags")
_AGENT_TAG = "User-Agent: "
_STATUS = {"success": "ok", "failure": "error"}
_CACHE = ("metadata", "additional_usage_values")
#: Name of a column in lower case (dumps lose the case of unquoted names) and the column it fills.
_TEXTS = {
    "request_id": "request_id",
    "call_type": "operation",
    "model": "model",
    "custom_llm_provider": "upstream_provider",
    "api_key": "key_hash",
}
_COUNTS = {
    ("prompt_tokens",): "input_tokens_total",
    (*_CACHE, "cache_read_input_tokens"): "cache_read_tokens",
    (*_CACHE, "cache_creation_input_tokens"): "cache_write_tokens",
    ("completion_tokens",): "output_tokens",
}


def _is_row(value: object) -> bool:
    return isinstance(value, Mapping) and {str(name).lower() for name in value} >= _CORE


def _lowered(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record with names in lower case and JSON columns parsed where they are text."""
    lowered = {str(name).strip().lower(): value for name, value in record.items()}
    for name in _JSON_COLUMNS:
        text = lowered.get(name)
        if isinstance(text, str) and text.strip()[:1] in ("{", "["):
            try:
                lowered[name] = json.loads(text, parse_float=Decimal)
            except (ValueError, RecursionError):
                continue  # the text itself stays and is shown in `raw`
    return lowered


def _agent(record: Mapping[str, Any]) -> str | None:
    """Return the user agent: stated in the metadata, else the most exact tag `User-Agent: x`."""
    stated = plain(inside(record, "metadata", "user_agent"))
    tags = record.get("request_tags")
    if stated or not isinstance(tags, list):
        return stated
    named = [t[len(_AGENT_TAG) :].strip() for t in tags if isinstance(t, str) and t.startswith(_AGENT_TAG)]
    return plain(max(named, key=lambda agent: (len(agent), agent))) if named else None


def _status(record: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return ok or error, and the error. A row without a status that has tokens or an amount was answered."""
    metadata = record.get("metadata")
    error = inside(metadata, "error_information")
    code = plain(inside(error, "error_code")) or plain(inside(error, "error_class"))
    stated = plain(record.get("status")) or plain(inside(metadata, "status"))
    if stated:
        return _STATUS.get(stated.lower(), stated), code
    if code:
        return "error", code
    spend = read_money(record.get("spend"))
    return ("ok" if count(record.get("completion_tokens")) or spend else None), None


def _measures(record: Mapping[str, Any], notes: set[str]) -> tuple[Row, set[tuple[str, ...]]]:
    """Return token and cost columns and the paths they were read from; what is no number stays in `raw`."""
    row: Row = {column: count(inside(record, *path)) for path, column in _COUNTS.items()}
    cost = row["cost"] = read_money(record.get("spend"))
    row["currency"] = "USD" if cost is not None else None
    paths = {**_COUNTS, ("spend",): "cost"}
    used = {path for path, column in paths.items() if row[column] is not None}
    for path in sorted(paths.keys() - used):
        if plain(inside(record, *path)) is not None:
            notes.add(f"{path[-1]} is not a number in some rows")
    return row, used


class LiteLLMSpend:
    """Rows of the spend log, from lists, lines and CSV."""

    id = "litellm_spend"
    title = "LiteLLM spend log"
    provider = "litellm"
    reference = "https://docs.litellm.ai/docs/proxy/cost_tracking"
    reader_version = "1"
    table = "ai_request"
    by_record = True

    def recognise(self, probe: Probe) -> str:
        """Recognise by request_id, call_type, api_key, spend and startTime."""
        if probe.form == "csv":
            return "columns of LiteLLM_SpendLogs" if {n.lower() for n in probe.header} >= _CORE else ""
        claimed = probe.form in {"json", "ndjson"} and _is_row(probe.sample)
        return "rows with call_type, api_key, spend and startTime" if claimed else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the list that was found in an enclosing object, else the value itself."""
        return (probe.container,) if probe.container and "call_type" not in probe.keys else ()

    def read(self, document: Document) -> Reading:
        """Turn rows into rows of `ai_request`; one answer a record, defects with their reason."""
        notes: set[str] = set()
        reading = Reading(answers=[self._answer(record, notes) for record in document.records])
        times = [answer.row["event_time"] for answer in reading.answers if answer.row is not None]
        reading.coverage = covered_events(self.provider, "requests", times, truncated=False)
        reading.notes = sorted(notes)
        return reading

    def _answer(self, record: RawRecord, notes: set[str]) -> RowOrDefect:
        if not isinstance(record.value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        value = _lowered(record.value)
        start = moment(value.get("starttime"))
        if start is None:
            return RowOrDefect(record, defect="no readable startTime")
        metadata = value.get("metadata")
        stated = plain(value.get("requester_ip_address")) or plain(inside(metadata, "requester_ip_address"))
        address = read_address(stated)
        status, error = _status(value)
        measures, used = _measures(value, notes)
        end = moment(value.get("endtime"))
        user = plain(value.get("user")) or plain(inside(metadata, "user_api_key_user_id"))
        row: Row = {
            "provider": self.provider,
            "event_time": start,
            "end_time": end,
            **{column: plain(value.get(name)) for name, column in _TEXTS.items()},
            "key_id": None,
            "key_name": plain(inside(metadata, "user_api_key_alias")),
            "principal": plain(inside(metadata, "user_api_key_user_email")),
            "user_id": user or plain(value.get("end_user")),
            "account_id": None,
            "region": None,
            "source_ip": address.text,
            "source_ip_key": address.key,
            "user_agent": _agent(value),
            "status": status,
            "error_code": error,
            **measures,
        }
        used |= {(name,) for name in (*_TEXTS, "starttime")} | {("metadata", n) for n in _OF_METADATA}
        used |= {("endtime",)} if end is not None else set()
        used |= {("requester_ip_address",), ("metadata", "requester_ip_address")} if address.text else set()
        row["raw"] = compact(value, used)
        return RowOrDefect(record, row, row["request_id"] or "")


#: Members of the metadata with a column of their own, and those that repeat what was asked or answered.
_OF_METADATA = (
    *("user_api_key_alias", "user_api_key_user_email", "user_agent"),
    *("guardrail_information", "mcp_tool_call_metadata", "vector_store_request_metadata"),
)

SOURCE = LiteLLMSpend()
