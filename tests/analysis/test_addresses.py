"""Files about addresses in a case: facts with their source, what is lacking, later evidence, lost copies, packages."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from forensics.analysis.context import catalogue
from forensics.analysis.refresh import hunt_case
from forensics.cli.main import run
from forensics.evidence.seal import seal
from forensics.evidence.verify import verify
from forensics.ingest.run import IngestOptions, ingest
from forensics.store.case_folder import CaseFolder
from tests.building import delivery, event, new_case
from tests.docs.test_json_page import fields, section
from tests.enrichment.files import ASN, CITY, HOSTING, RANGES, REGISTRY, TOR, mmdb
from tests.evidence.sealing import Ticking

PLACES = ["203.0.113.9", "203.0.113.9", "198.51.100.7", "2001:db8::5", "10.0.0.1", "s3.amazonaws.com"]
FILES: dict[str, bytes] = {"asn.mmdb": ASN, "city.mmdb": CITY} | {
    name: text.encode()
    for name, text in {
        "delegated.txt": REGISTRY, "ip-ranges.json": RANGES, "exits.txt": TOR, "hosting.txt": HOSTING
    }.items()
}  # fmt: skip


def started(folder: Path) -> CaseFolder:
    case = new_case(folder)
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    events = [event(n, sourceIPAddress=place) for n, place in enumerate(PLACES)]
    (folder / "trail.json").write_bytes(delivery(events))
    ingest(case, [folder / "trail.json"], IngestOptions())
    return case


def enriched(case: CaseFolder, capsys: pytest.CaptureFixture[str], code: int, *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["enrich", str(case.root), *arguments, "--json"]) == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def said(found: dict[str, Any], address: str) -> set[tuple[str, str, str]]:
    (row,) = (a for a in found["addresses"] if a["address"] == address)
    return {(f["fact"], f["value"], f["file_name"]) for f in row["facts"]}


def test_facts_come_with_their_source_and_what_is_lacking_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = started(tmp_path)
    found = enriched(case, capsys, 6)
    assert [row["question"] for row in found["lacking"]] == ["country", "asn", "city", "aws", "tor", "hosting"]
    assert [a["facts"] for a in found["addresses"]] == [[], [], []] and found["others"] == 1
    plain = [str(tmp_path / name) for name in ("delegated.txt", "asn.mmdb", "city.mmdb", "ip-ranges.json")]
    found = enriched(case, capsys, 6, *plain)
    assert [row["question"] for row in found["lacking"]] == ["tor", "hosting"]
    enriched(case, capsys, 6, str(tmp_path / "exits.txt"), "--kind", "tor")
    found = enriched(case, capsys, 0, str(tmp_path / "hosting.txt"), "--kind", "hosting")
    assert found["lacking"] == []
    assert said(found, "203.0.113.9") == {
        ("country", "JP", "delegated.txt"), ("asn", "AS64500", "asn.mmdb"), ("as_name", "Heron", "asn.mmdb"),
        ("city", "Wren Town", "city.mmdb"), ("geo_country", "JP", "city.mmdb"), ("aws_service", "AMAZON", "ip-ranges.json"),
        ("aws_service", "EC2", "ip-ranges.json"), ("aws_region", "eu-west-1", "ip-ranges.json"), ("tor", "203.0.113.9", "exits.txt"),
    }  # fmt: skip
    assert said(found, "198.51.100.7") == {("hosting", "198.51.100.0/24", "hosting.txt")}
    assert next((a["address"], a["events"]) for a in found["addresses"]) == ("203.0.113.9", 2)
    files = {f["file_name"]: (f["file_sha256"], f["dated"]) for f in found["files"]}
    assert files["exits.txt"] == (sha256(TOR.encode()).hexdigest(), "2026-05-02T00:00:00Z")
    assert files["hosting.txt"] == (sha256(HOSTING.encode()).hexdigest(), None)
    documented = section("enrich")
    assert sorted(f for f in fields(found) if f"`{f}`" not in documented) == []
    run(["enrich", str(case.root)])
    text = capsys.readouterr().out
    assert "not listed" in text and "its date is not stated" in text and "not known" not in text
    run(["report", str(case.root)])
    (report,) = (case.root / "out").glob("*.html")
    assert "AS64500 Heron" in report.read_text(encoding="utf-8")
    (tmp_path / "list.txt").write_text("203.0.113.9\n", encoding="utf-8")
    assert run(["ioc", str(case.root), str(tmp_path / "list.txt")]) == 10
    sealed = seal(case, tmp_path / "package", Ticking())
    assert {c.id: c.detail for c in verify(sealed.path, Ticking()).checks if c.state != "pass"} == {}


def test_later_evidence_is_asked_about_and_a_lost_copy_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = started(tmp_path)
    enriched(case, capsys, 6, str(tmp_path / "exits.txt"), "--kind", "tor")
    (tmp_path / "more.txt").write_text("203.0.113.77\n", encoding="utf-8")
    enriched(case, capsys, 6, str(tmp_path / "more.txt"), "--kind", "tor")
    (tmp_path / "later.json").write_bytes(delivery([event(50, sourceIPAddress="203.0.113.77")]))
    ingest(case, [tmp_path / "later.json"], IngestOptions())
    assert said(enriched(case, capsys, 6), "203.0.113.77") == {("tor", "203.0.113.77", "more.txt")}
    (copy,) = (p for p in case.evidence.iterdir() if p.read_bytes() == TOR.encode())
    copy.write_bytes(b"198.51.100.7\n")
    (tmp_path / "last.json").write_bytes(delivery([event(51)]))
    ingest(case, [tmp_path / "last.json"], IngestOptions())
    found = enriched(case, capsys, 6)
    assert said(found, "203.0.113.9") == said(found, "198.51.100.7") == set()
    assert {f["file_name"]: f["problem"] for f in found["files"]} == {
        "exits.txt": "its bytes are not those that were taken in", "more.txt": None
    }  # fmt: skip
    copy.unlink()
    (tmp_path / "end.json").write_bytes(delivery([event(52)]))
    ingest(case, [tmp_path / "end.json"], IngestOptions())
    run(["enrich", str(case.root)])
    assert "its copy is gone" in capsys.readouterr().out
    assert run(["withdraw", copy.stem, "--case", str(case.root), "--reason", "wrong list", "--by", "Kim"]) == 0
    assert [f["file_name"] for f in enriched(case, capsys, 6)["files"]] == ["more.txt"]


def test_an_autonomous_system_is_sought_among_the_addresses_whose_system_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = started(tmp_path)
    (tmp_path / "list.csv").write_text("type,value\nasn,AS64500\nasn,64499\n", encoding="utf-8")

    def found(code: int, *arguments: str) -> dict[str, tuple[str, int, int, str]]:
        capsys.readouterr()
        assert run(["ioc", str(case.root), *arguments, "--json"]) == code
        told = json.loads(capsys.readouterr().out)["indicators"]
        return {o["value"]: (o["state"], o["searched"], o["events"], o["fields"]) for o in told}

    nothing = ("not_evaluable", 0, 0, "")
    assert found(6, str(tmp_path / "list.csv")) == {"AS64500": nothing, "AS64499": nothing}
    enriched(case, capsys, 6, str(tmp_path / "asn.mmdb"))
    assert found(10) == {
        "AS64500": ("hit", 2, 2, "aws_event.source_ip"), "AS64499": ("no_hit", 2, 0, "")
    }  # fmt: skip
    (tmp_path / "later.json").write_bytes(delivery([event(50, sourceIPAddress="203.0.113.201")]))
    ingest(case, [tmp_path / "later.json"], IngestOptions())  # the search asks the file about it first
    assert found(10)["AS64500"] == ("hit", 3, 3, "aws_event.source_ip")


def test_a_file_is_what_it_was_taken_in_as(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = started(tmp_path)
    listed = str(tmp_path / "exits.txt")
    ingest(case, [tmp_path / "exits.txt"], IngestOptions())  # by mistake as evidence, where nothing claims it
    assert run(["enrich", str(case.root), listed]) == 2
    assert run(["enrich", str(case.root), listed, "--kind", "vpn"]) == 2
    assert run(["enrich", str(case.root), listed, "--kind", "tor", "--dry-run"]) == 0
    assert enriched(case, capsys, 6)["files"] == []
    found = enriched(case, capsys, 6, listed, "--kind", "tor")
    assert said(found, "203.0.113.9") == {("tor", "203.0.113.9", "exits.txt")}
    assert run(["enrich", str(case.root), listed, "--kind", "hosting"]) == 2
    assert "these very bytes as list of Tor exits" in capsys.readouterr().err
    assert enriched(case, capsys, 6, listed, "--kind", "tor") == found


def test_queries_about_addresses_say_what_they_lack_and_join_what_files_say(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without files not evaluable; with them the hunt asks them first, about evidence that came later too."""
    case = started(tmp_path)
    names = ("aws.impossible_travel", "aws.activity_from_tor_or_hosting")

    def hunted() -> dict[str, tuple[str, str]]:
        hunt_case(case, catalogue(), case.clock)
        connection = case.reader()
        last = "SELECT query_id, state, reason FROM query_run QUALIFY row_number() OVER (PARTITION BY query_id ORDER BY run_id DESC) = 1"
        rows = connection.execute(last).fetchall()
        connection.close()
        return {query: (state, reason) for query, state, reason in rows if query in names}

    lacking = hunted()
    assert {state for state, _ in lacking.values()} == {"not_evaluable"}
    assert "MMDB of cities" in lacking[names[0]][1] and "list of Tor exits" in lacking[names[1]][1]
    enriched(case, capsys, 6, str(tmp_path / "exits.txt"), "--kind", "tor")
    assert hunted()[names[1]][0] == "finding"
    places = mmdb(
        "Made-City",
        {
            n: {"location": {"latitude": at, "longitude": 10.7}}
            for n, at in (("203.0.113.0/24", 59.9), ("198.51.100.0/24", -33.9))
        },
    )
    (tmp_path / "places.mmdb").write_bytes(places)
    enriched(case, capsys, 6, str(tmp_path / "places.mmdb"))
    for what, first in (("addresses", "source_ip"), ("address-files", "file_sha256")):
        assert run(["export", str(case.root), "--what", what, "--json"]) == 0
        rows = json.loads(capsys.readouterr().out)
        assert len(rows) >= 2 and next(iter(rows[0])) == first
    assert hunted()[names[0]][0] == "finding"
    later = event(70, sourceIPAddress="203.0.113.200", eventTime="2026-05-01T00:00:01Z")
    (tmp_path / "later.json").write_bytes(delivery([later]))
    ingest(case, [tmp_path / "later.json"], IngestOptions())
    hunted()
    connection = case.reader()
    assert (
        connection.execute("SELECT count(*) FROM address_fact WHERE source_ip = '203.0.113.200'").fetchall()[0][0] == 4
    )
    connection.close()
