"""Owners that nobody stated: inferred from folders and keys, marked, never over a stated one."""

from __future__ import annotations

import json

import pytest

from forensics.evidence.seal import seal
from forensics.evidence.verify import verify
from forensics.ingest.run import IngestOptions, ingest
from forensics.store.case_folder import init_case
from tests.building import delivery, event
from tests.evidence.sealing import SETTINGS, Ticking
from tests.paths import REPOSITORY

INVENTORY = (
    b"Customer,provider,provider_key_id\nHeron Works,openai,key_heron_01\nHeron Works,openai,key_heron_02\n"
    b"Quillmere,openai,key_quill_01\n"
)


def usage(*keys: str) -> bytes:
    page = json.loads((REPOSITORY / "tests/base_events/openai_usage_page.json").read_text(encoding="utf-8"))
    results = page["data"][0]["results"]
    page["data"][0]["results"] = [results[0] | {"api_key_id": key} for key in keys]
    return json.dumps(page).encode()


@pytest.fixture
def case(tmp_path):
    return init_case(tmp_path / "case", Ticking(), SETTINGS)


def read(case, tmp_path, files, **options):
    for name, data in files.items():
        path = tmp_path / "logs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return ingest(case, [tmp_path / "logs"], IngestOptions(**{"infer": True, **options}))


def owners(case):
    connection = case.reader()
    try:
        return {p: (o, b) for p, o, b in connection.execute("SELECT path, owner, owner_basis FROM receipt").fetchall()}
    finally:
        connection.close()


def test_by_folder_by_keys_and_neither(case, tmp_path):
    read(
        case,
        tmp_path,
        {
            "a_usage.json": usage("key_heron_01", "key_heron_02"),
            "b_two.json": usage("key_heron_01", "key_quill_01"),
            "c_unlisted.json": usage("key_heron_01", "key_other_01"),
            "heron-works/trail.json": delivery([event(1)]),
            "heron-works/quillmere/trail.json": delivery([event(2)]),
            "z_keys.csv": INVENTORY,
        },
    )
    assert owners(case) == {
        "a_usage.json": ("Heron Works", "inferred"),
        "b_two.json": ("", "unassigned"),
        "c_unlisted.json": ("", "unassigned"),
        "heron-works/trail.json": ("Heron Works", "inferred"),
        "heron-works/quillmere/trail.json": ("", "unassigned"),
        "z_keys.csv": ("", "unassigned"),
    }
    connection = case.reader()
    assert connection.execute(
        "SELECT DISTINCT owner FROM ai_usage JOIN receipt r USING (file_sha256, owner) WHERE path = 'a_usage.json'"
    ).fetchall() == [("Heron Works",)]
    connection.close()


def test_a_stated_owner_stays(case, tmp_path):
    files = {"keys.csv": INVENTORY, "quillmere/usage.json": usage("key_heron_01")}
    read(case, tmp_path, files, owner="Pellamore")
    assert set(owners(case).values()) == {("Pellamore", "stated")}


def test_reading_again_adds_nothing(case, tmp_path):
    files = {"a.json": usage("key_heron_01"), "quillmere/t.json": delivery([event(1)])}
    read(case, tmp_path, files)
    assert owners(case)["a.json"] == ("", "unassigned")
    before = len(owners(case))
    assert {s["reason"] for s in read(case, tmp_path, files).skipped} == {"unchanged"}
    result = read(case, tmp_path, {"keys.csv": INVENTORY})
    assert result.accepted == 1
    assert len(owners(case)) == before + 1
    assert owners(case)["a.json"] == ("", "unassigned")


def test_a_package_takes_the_owners_of_its_receipts(case, tmp_path):
    read(case, tmp_path, {"quillmere/t.json": delivery([event(1)]), "u.json": usage("key_heron_01")})
    read(case, tmp_path, {"keys.csv": INVENTORY, "v.json": usage("key_heron_02")})
    assert owners(case)["v.json"] == ("Heron Works", "inferred")
    assert owners(case)["quillmere/t.json"] == ("", "unassigned")
    sealed = seal(case, tmp_path / "package", Ticking())
    assert {c.id: c.detail for c in verify(sealed.path, Ticking()).checks if c.state != "pass"} == {}
