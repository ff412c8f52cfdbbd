"""Labelled events of OpenAI's audit log, Anthropic's activity feed and Bedrock's invocation log: what is called an alert is found."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from forensics.analysis.context import Window, catalogue
from forensics.analysis.hunt import run_hunt
from forensics.ingest.scratch import read_bytes
from forensics.store.duckdb_engine import DuckDBEngine
from tests.building import clock
from tests.paths import shared_data
from tests.stores import new_store

#: Rules whose events are no finding by themselves, with the reason.
NOT_FOUND = {
    "OpenAI.CredentialStuffing": "one failed login; openai.login_guessed wants several in a row or of several users",
    "OpenAI.Login.Success": "an ordinary login; summary.logins lists them all",
    "Anthropic.Activity.SSO.Login.Failed": "one failed login; anthropic.login_guessed wants several",
    "Anthropic.Activity.MCP.Server.Deleted": "taking a tool away opens nothing",
    "AWS.BedrockModelInvocation.AbnormalTokenUsage": "a refused conversation with no counted tokens; its body is not stored",
}
FILES = {
    "openai_audit": "openai.",
    "anthropic_activity": "anthropic.",
    "aws_bedrockmodelinvocation": "aws.",
}


def _export(kind: str, events: list[dict[str, object]]) -> bytes:
    if kind == "aws_bedrockmodelinvocation":
        return b"".join(json.dumps(event).encode() + b"\n" for event in events)
    ends = {"first_id": events[0]["id"], "last_id": events[-1]["id"], "has_more": False}
    return json.dumps({"object": "list", "data": events, **ends}).encode()


@pytest.mark.real_data
@pytest.mark.parametrize("kind", FILES)
def test_expected_alerts_are_findings(kind):
    path = shared_data("panther-analysis") / f"{kind}.labelled.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    # Some rows share an id: each gets one of its own, in the order of the file.
    name = "requestId" if kind == "aws_bedrockmodelinvocation" else "id"
    for place, row in enumerate(rows):
        row["event"][name] = f"row-{place:03d}"
    connection = new_store()
    _, account = read_bytes(connection, f"{kind}.json", _export(kind, [row["event"] for row in rows]))
    assert account["accepted"] == len(rows)
    window = Window(datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2100-01-01"), None, False, True)
    queries = [query for query in catalogue() if query.id.startswith(FILES[kind]) and not query.baseline_days]
    result = run_hunt(DuckDBEngine(connection), queries, window, clock)
    connection.close()
    found = {event_id for outcome in result.outcomes for event_id in outcome.event_ids}
    missed = {row["rule_id"] for row in rows if row["expected"] and row["event"][name] not in found}
    assert missed == {rule for rule in NOT_FOUND if any(row["rule_id"] == rule and row["expected"] for row in rows)}
