"""Each form of list and each kind of indicator ends, through the command, as a hit with the record it stands in."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from forensics.cli.main import run
from forensics.ingest.run import IngestOptions, ingest
from tests.building import delivery, event, new_case
from tests.enrichment.files import ASN
from tests.paths import REPOSITORY

ROLE = "arn:aws:iam::444455556666:role/harvest"
SESSION = {
    "type": "AssumedRole",
    "arn": "arn:aws:sts::444455556666:assumed-role/harvest/night-shift",
    "principalId": "AROAHARVEST222222222:night-shift",
    "accountId": "444455556666",
    "accessKeyId": "ASIAHARVEST222222222",
    "sessionContext": {
        "sessionIssuer": {"type": "Role", "arn": ROLE, "userName": "harvest", "accountId": "444455556666"}
    },
}


def stix(address: str) -> str:
    one = {
        "type": "indicator", "spec_version": "2.1", "id": "indicator--1", "pattern": f"[ipv4-addr:value = '{address}']",
        "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    return json.dumps({"type": "bundle", "id": "bundle--1", "objects": [one]})


def misp(address: str) -> str:
    return json.dumps({"Event": {"info": "x", "Attribute": [{"type": "ip-src", "value": address, "to_ids": True}]}})


def openioc(address: str) -> str:
    return (
        '<ioc xmlns="x"><criteria><Indicator operator="OR"><IndicatorItem condition="is"><Context search="PortItem/remoteIP"/>'
        f'<Content type="IP">{address}</Content></IndicatorItem></Indicator></criteria></ioc>'
    )


FORMS: dict[str, Callable[[str], str]] = {
    "list.txt": lambda address: address.replace(".", "[.]") + "\n",
    "list.csv": lambda address: f"type,value\nip,{address}\n",
    "list.yaml": lambda address: f"indicators:\n- {address}\n",
    "list.stix.json": stix,
    "list.misp.json": misp,
    "list.ioc": openioc,
}

#: Kind as a list names it, value, match, and a column in which it must be found.
KINDS_SOUGHT = (
    ("ip", "203.0.113.9", "", "aws_event.source_ip"),
    ("cidr", "203.0.113.8/30", "", "aws_event.source_ip"),
    ("asn", "AS64500", "", "aws_event.source_ip"),
    ("domain", "orchard.example", "", "ai_audit_event.actor_email"),
    ("user_agent", "Reaper/1.0 (night)", "exact", "aws_event.user_agent"),
    ("user_agent", "reaper", "part", "aws_event.user_agent"),
    ("user_agent", "^Reaper/[0-9.]+ .night", "regex", "aws_event.user_agent"),
    ("access_key", "ASIAHARVEST222222222", "", "aws_event.credential_id"),
    ("principal", ROLE, "", "aws_event.actor"),
    ("account", "444455556666", "", "aws_event.actor_account_id"),
    ("session_name", "night-shift", "", "aws_event.session_name"),
    ("role", "harvest", "", "aws_event.issuer_name"),
    ("bucket", "barn-7", "", "aws_event.request_bucket"),
    ("hash", "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b", "", "ai_request.key_hash"),
    ("provider_key", "key_HeronEx1", "", "ai_audit_event.target_key_id"),
    ("key_hint", "sk-proj-...7Ex1", "", "ai_key.hint"),
    ("request_id", "REQ7HARVEST", "", "aws_event.request_id"),
    ("email", "heron@orchard.example", "", "ai_audit_event.actor_email"),
)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("forms")
    case = new_case(folder)
    events = [event(n, sourceIPAddress=f"198.51.100.{n}") for n in range(1, len(FORMS) + 1)]
    events.append(
        event(
            50,
            userIdentity=SESSION,
            sourceIPAddress="203.0.113.9",
            userAgent="Reaper/1.0 (night)",
            eventName="GetObject",
            requestParameters={"bucketName": "barn-7"},
            requestID="REQ7HARVEST",
        )
    )
    logs = folder / "logs"
    logs.mkdir()
    (logs / "trail.json").write_bytes(delivery(events))
    bases = REPOSITORY / "tests" / "base_events"
    shutil.copy(bases / "openai_audit.json", logs / "audit.json")
    spent = json.loads((bases / "litellm_spend.json").read_bytes())
    (logs / "spend.jsonl").write_text(json.dumps(spent) + "\n", encoding="utf-8")
    stated = json.loads((bases / "key_inventory.json").read_bytes())
    (logs / "keys.csv").write_text(f"{','.join(stated)}\n{','.join(stated.values())}\n", encoding="utf-8")
    ingest(case, [logs], IngestOptions())
    (folder / "asn.mmdb").write_bytes(ASN)
    run(["enrich", str(case.root), str(folder / "asn.mmdb")])
    files = []
    for number, (name, form) in enumerate(FORMS.items(), 1):
        files.append(folder / name)
        files[-1].write_text(form(f"198.51.100.{number}"), encoding="utf-8")
    rows = (f'{kind},"{value}",{match}' for kind, value, match, _ in KINDS_SOUGHT)
    files.append(folder / "kinds.csv")
    files[-1].write_text("\n".join(["type,value,match", *rows]) + "\n", encoding="utf-8")
    return told(["ioc", str(case.root), *map(str, files)])


def told(arguments: list[str]) -> list[dict[str, Any]]:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert run([*arguments, "--json"]) == 10
    found = json.loads(printed.getvalue())
    assert found["faults"] == []
    listed: list[dict[str, Any]] = found["indicators"]
    return listed


@pytest.mark.parametrize(("number", "name"), list(enumerate(FORMS, 1)))
def test_each_form(outcomes: list[dict[str, Any]], number: int, name: str) -> None:
    (found,) = (o for o in outcomes if o["files"] == name)
    assert (found["value"], found["state"], found["events"]) == (f"198.51.100.{number}", "hit", 1)
    assert len(found["event_keys"]) == 1 and found["fields"] == "aws_event.source_ip"


@pytest.mark.parametrize(("kind", "value", "match", "field"), KINDS_SOUGHT)
def test_each_kind(outcomes: list[dict[str, Any]], kind: str, value: str, match: str, field: str) -> None:
    (found,) = (
        o for o in outcomes if o["files"] == "kinds.csv" and o["value"] == value and o["match"] == (match or "exact")
    )
    assert found["state"] == "hit" and field in found["fields"].split(", ")
    assert found["event_keys"] and found["searched"] >= found["events"] >= 1
