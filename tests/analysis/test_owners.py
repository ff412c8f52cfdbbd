"""Owners that nobody stated: inferred from keys and folders, said with the reason, and no figure rests on them."""

from __future__ import annotations

import json

import pytest

from forensics.analysis.account import account, exhibits
from forensics.ingest.run import IngestOptions, ingest
from tests.building import delivery, event, new_case
from tests.evidence.sealing import SETTINGS, Ticking
from tests.paths import REPOSITORY

INVENTORY = (
    b"Customer,provider,provider_key_id\nHeron Works,openai,key_heron_01\nHeron Works,openai,key_heron_02\n"
    b"Quillmere,openai,key_quill_01\nTarn,openai,key_shared_1\nQuillmere,openai,key_shared_1\n"
)


def usage(*keys: str) -> bytes:
    page = json.loads((REPOSITORY / "tests/base_events/openai_usage_page.json").read_text(encoding="utf-8"))
    results = page["data"][0]["results"]
    page["data"][0]["results"] = [results[0] | {"api_key_id": key} for key in keys]
    return json.dumps(page).encode()


@pytest.fixture
def case(tmp_path):
    return new_case(tmp_path, SETTINGS, Ticking)


def read(case, tmp_path, files, **options):
    for name, data in files.items():
        path = tmp_path / "logs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    ingest(case, [tmp_path / "logs"], IngestOptions(**options))
    connection = case.reader()
    try:
        rows = {row["path"]: row for row in exhibits(connection)}
        return rows, account(connection)
    finally:
        connection.close()


def test_by_keys_by_folder_and_neither(case, tmp_path):
    rows, facts = read(
        case,
        tmp_path,
        {
            "keys.csv": INVENTORY,
            "a_usage.json": usage("key_heron_01", "key_heron_02"),
            "b_two.json": usage("key_heron_01", "key_quill_01"),
            "c_unlisted.json": usage("key_heron_01", "key_other_01"),
            "d_shared.json": usage("key_shared_1"),
            "e_nothing.json": usage("key_other_02"),
            "heron-works/trail.json": delivery([event(1)]),
            "heron-works/quillmere/trail.json": delivery([event(2)]),
            "quillmere/usage.json": usage("key_heron_02"),
        },
    )
    said = {
        path: (row["inferred_owner"], row["owner_candidates"], row["owner_basis"])
        for path, row in rows.items()
        if path != "keys.csv"
    }
    assert said == {
        "a_usage.json": ("Heron Works", ["Heron Works"], "inferred"),
        "b_two.json": ("", ["Heron Works", "Quillmere"], "unassigned"),
        "c_unlisted.json": ("", ["Heron Works"], "unassigned"),
        "d_shared.json": ("", ["Quillmere", "Tarn"], "unassigned"),
        "e_nothing.json": ("", [], "unassigned"),
        "heron-works/trail.json": ("Heron Works", ["Heron Works"], "inferred"),
        "heron-works/quillmere/trail.json": ("", ["Heron Works", "Quillmere"], "unassigned"),
        "quillmere/usage.json": ("", ["Heron Works", "Quillmere"], "unassigned"),
    }
    assert rows["a_usage.json"]["inferred_why"] == "the 2 keys it names"
    assert rows["c_unlisted.json"]["inferred_why"] == "the key it names; 1 more is in no inventory"
    assert rows["heron-works/trail.json"]["inferred_why"] == "the folder's name"
    assert all(row["owner"] == "" for row in rows.values())
    assert (facts["inferred_files"], facts["unassigned_files"]) == (2, 9)


def test_a_stated_owner_is_never_inferred(case, tmp_path):
    rows, facts = read(
        case, tmp_path, {"keys.csv": INVENTORY, "quillmere/usage.json": usage("key_heron_01")}, owner="Pellamore"
    )
    assert {(row["owner"], row["inferred_owner"]) for row in rows.values()} == {("Pellamore", "")}
    assert facts["inferred_files"] == 0


def test_the_order_of_files_does_not_matter(case, tmp_path):
    first, _ = read(case, tmp_path, {"a_usage.json": usage("key_heron_01")})
    assert first["a_usage.json"]["inferred_owner"] == ""
    then, _ = read(case, tmp_path, {"keys.csv": INVENTORY})
    assert then["a_usage.json"]["inferred_owner"] == "Heron Works"


def test_without_an_inventory_nothing_is_said(case, tmp_path):
    rows, _ = read(case, tmp_path, {"heron-works/a.json": usage("key_heron_01")})
    assert rows["heron-works/a.json"]["owner_candidates"] == []
