"""Reads that an application logged, by whatever names the key: id, hash, hint, name or place."""

from __future__ import annotations

import json

import pytest

from forensics.analysis.context import catalogue
from forensics.analysis.verdicts import compute, prepare
from forensics.ingest.run import IngestOptions, ingest
from tests.analysis.test_exposure_ledger import ADDRESS, SETTINGS
from tests.building import new_case

MAP = """name = "portal"
provider = "portal"
table = "other_event"
[match]
columns = ["at", "who", "read"]
[time]
column = "at"
[columns]
id = "n"
kind = { constant = "key_read" }
actor = "who"
source_ip = "ip"
customer = "tenant"
key_provider = "read.provider"
key_id = "read.id"
key_sha256 = "read.sha256"
hint = "read.hint"
key_name = "read.name"
location = "read.place"
"""
DIGEST = "ab" * 32
INVENTORY = f"""customer,provider,provider_key_id,key_name,hint,key_sha256,location
Acorn,openai,key_named,main,,,
Acorn,openai,key_twin_1,twin,,,
Acorn,openai,key_twin_2,twin,,,
Acorn,openai,key_over,over,,,
Acorn,anthropic,key_over_there,over,,,
Acorn,openai,key_hint,,sk-proj-...f2Kd,,
Acorn,openai,key_hash,,,{DIGEST},
Birch,openai,key_main_of_birch,main,,,
Birch,openai,key_quiet,quiet,,,
Birch,openai,,nameless,,,
Birch,openai,key_placed,,,,secret:us-east-1:prod/placed
"""
READS = (
    {"name": "main"},
    {"name": "twin"},
    {"name": "over", "provider": "anthropic"},
    {"hint": "...f2Kd"},
    {"sha256": DIGEST.upper()},
    {"name": "quiet"},
    {"name": "main", "tenant": "Nobody"},
    {"name": "nameless", "tenant": "Birch"},
    {"place": "arn:aws:secretsmanager:us-east-1:111122223333:secret:prod/placed-AbCdEf"},
    {"name": "gone"},
)


def _log() -> str:
    lines = []
    for n, read in enumerate(READS):
        told = {k: v for k, v in read.items() if k != "tenant"}
        line = {"n": f"r{n}", "at": f"2026-05-05T03:{n:02}:00Z", "who": "support", "ip": ADDRESS, "read": told}
        lines.append(json.dumps(line | ({"tenant": read["tenant"]} if "tenant" in read else {})))
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("names")
    address = f'[[known]]\nkind = "address"\nvalue = "{ADDRESS}"\nreason = "seen at the portal"\nby = "A. Examiner"\n'
    case = new_case(folder, f"{SETTINGS}\n{address}".encode())
    for name, text in {"keys.csv": INVENTORY, "log.jsonl": _log(), "portal.toml": MAP}.items():
        (folder / name).write_text(text)
    ingest(case, [folder / "keys.csv"], IngestOptions())
    # The application's log is Acorn's: names in it are Acorn's unless a row names its customer.
    ingest(case, [folder / "log.jsonl"], IngestOptions(owner="Acorn", maps=(folder / "portal.toml",)))
    prepare(case)
    return compute(case, catalogue())


def answer(result, key):
    return next(a for a in result.answers if a["key_id"] == key)


@pytest.mark.parametrize(
    ("key", "minute", "why"),
    [
        ("key_named", 0, "named by its name main"),
        ("key_over_there", 2, "named by its name over"),
        ("key_hint", 3, "named by its hint ...f2Kd"),
        ("key_hash", 4, "named by its SHA-256"),
        ("nameless", 7, "named by its name nameless"),
    ],
)
def test_a_read_is_of_the_one_key_that_its_names_fit(result, key, minute, why):
    got = answer(result, key)
    assert got["exposure"] == "read"
    assert [(r["event_time"].minute, r["query_id"]) for r in got["reads"]] == [(minute, "exposure.application_reads")]
    assert why in got["reasons"][0]["text"]


def test_a_read_of_a_place_is_of_the_key_stored_there(result):
    assert answer(result, "key_placed")["exposure"] == "read"


def test_a_name_of_two_keys_is_possibly_of_each_with_all_candidates(result):
    for key in ("key_twin_1", "key_twin_2"):
        got = answer(result, key)
        assert got["exposure"] == "possibly"
        assert "ambiguous: the name twin fits 2 keys: key_twin_1, key_twin_2" in got["reasons"][0]["text"]
    found = [r for r in result.book.remarks if r.kind == "ambiguous"]
    assert [(r.keys, r.provider) for r in found] == [(("key_twin_1", "key_twin_2"), "openai")]


@pytest.mark.parametrize("key", ["key_main_of_birch", "key_quiet", "key_over"])
def test_the_name_of_a_key_of_another_owner_or_provider_is_not_its_name(result, key):
    got = answer(result, key)
    assert got["exposure"] == "not_evaluable" and not got["reads"]


def test_names_that_fit_no_key_are_said(result):
    absent = {r.keys for r in result.book.remarks if r.kind == "not_in_inventory"}
    assert {("gone",), ("quiet",), ("main",)} <= absent


def test_names_of_keys_without_an_id_are_in_the_inventory(result):
    absent = {r.keys for r in result.book.remarks if r.kind == "not_in_inventory"}
    assert ("nameless",) not in absent and ("...f2Kd",) not in absent and (DIGEST,) not in absent
