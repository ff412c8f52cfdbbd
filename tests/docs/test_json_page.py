"""docs/json.md names every field that the commands print."""

from __future__ import annotations

import json
import re

import pytest

from forensics.cli.main import run
from tests.building import event, new_case, packed
from tests.paths import REPOSITORY

PAGE = (REPOSITORY / "docs" / "json.md").read_text(encoding="utf-8")

#: Objects whose names are data, not fields.
_OPEN = {"tables", "stale", "parts"}


def section(title: str) -> str:
    return re.split(rf"(?m)^## (?:[\w, ]*\b)?{title}\b[^\n]*$", PAGE)[1].split("\n## ", 1)[0]


def fields(value: object, under: str = "") -> set[str]:
    if isinstance(value, list):
        return set().union(*(fields(part, under) for part in value)) if value else set()
    if not isinstance(value, dict) or under in _OPEN:
        return set()
    return set(value).union(*(fields(part, name) for name, part in value.items()))


def printed(capsys, arguments: list[str]) -> object:
    run(arguments)
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", ["status", "hunt", "exposure", "keys"])
def test_commands_on_the_sample(made_sample_case, capsys, name):
    arguments = [name, str(made_sample_case.root), "--json", *(["--dry-run"] if name != "status" else [])]
    found = fields(printed(capsys, arguments))
    documented = section(name) + (section("ingest") if name == "status" else "")
    assert found
    assert sorted(f for f in found if f"`{f}`" not in documented) == []


def test_show(made_sample_case, capsys):
    connection = made_sample_case.reader()
    key = connection.execute("SELECT min(event_key) FROM aws_event").fetchall()[0][0]
    connection.close()
    found = fields(printed(capsys, ["show", key, "--case", str(made_sample_case.root), "--json"]))
    assert sorted(f for f in found if f"`{f}`" not in section("show")) == []


def test_ingest_with_a_defect(tmp_path, capsys):
    case = new_case(tmp_path)
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "good.json.gz").write_bytes(packed(json.dumps({"Records": [event(1)]}).encode()))
    (logs / "cut.json.gz").write_bytes(packed(json.dumps({"Records": [event(2), event(3)]}).encode())[:-40])
    (logs / "notes.txt").write_text("nothing", encoding="utf-8")
    result = printed(capsys, ["ingest", str(case.root), str(logs), "--json"])
    assert result["skipped"] and result["defective"]
    assert sorted(f for f in fields(result) if f"`{f}`" not in section("ingest")) == []


def test_triage(tmp_path, capsys):
    logs = tmp_path / "events.json"
    logs.write_text(json.dumps({"Records": [event(n) for n in range(3)]}), encoding="utf-8")
    result = printed(capsys, ["triage", str(logs), "--case", str(tmp_path / "case"), "--json"])
    found = fields(result) | set(result["sections"][0])
    assert sorted(f for f in found if f"`{f}`" not in section("triage") + section("ingest")) == []
