"""Several versions of an inventory: all kept, the newest that names a key stands, and what a correction moves."""

from __future__ import annotations

import shutil

import pytest

from forensics.analysis.context import catalogue
from forensics.analysis.handling import withdraw
from forensics.analysis.keys import from_inventory
from forensics.analysis.verdicts import exposure_case
from forensics.ingest.run import IngestOptions, ingest
from forensics.store.case_folder import CaseFolder
from tests.analysis.inventory.building import EVENTS, FIRST, SECOND, book_of, make_case, secret_event, texts
from tests.building import clock

RECEIPTS = "path,owner,from_whom,received_at\nPATH,Vendor,S. Nakagawa,2026-05-07T10:00:00Z\n"


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return make_case(tmp_path_factory.mktemp("versions"), {"v1.csv": FIRST, "v2.csv": SECOND}, RECEIPTS)


@pytest.fixture(scope="module")
def book(case):
    return book_of(case)


def keys(case):
    connection = case.reader()
    try:
        return {(k.key_id, k.customer, k.location) for k in from_inventory(connection)}
    finally:
        connection.close()


def test_every_version_is_a_statement_with_author_and_time(case, book):
    assert [(v.number, v.author, v.holder, v.as_of.isoformat(), v.as_of_basis, v.rows) for v in book.versions] == [
        (1, "S. Nakagawa", "Vendor", "2026-05-06T09:00:00", "rows", 3),
        (2, "S. Nakagawa", "Vendor", "2026-05-07T09:00:00", "rows", 2),
    ]
    kept = sorted((case.root / "inventory").glob("S*.csv"))
    assert [path.read_text(encoding="utf-8").splitlines()[1:] for path in kept] == [list(FIRST), list(SECOND)]


def test_the_newest_version_that_names_a_key_stands_and_none_is_lost(case):
    assert keys(case) == {("key_A", "Aspen", "prod/a"), ("key_B", "Birch", "prod/b"), ("key_C", "Cedar", "prod/a")}


def test_what_a_later_version_says_otherwise_or_leaves_out_is_listed(book):
    changed = texts(book, "statements_differ")
    assert any("customer Acorn -> Aspen" in text for text in changed)
    assert any("place secret:us-east-1:prod/c -> secret:us-east-1:prod/a" in text for text in changed)
    assert len(changed) == 2
    (left_out,) = [r for r in book.remarks if r.kind == "left_out"]
    assert left_out.keys == ("key_B",) and left_out.rows == ((1, 1),)
    notes = {life.key.key_id: " ".join(life.key.notes) for life in book.lives}
    assert "version 2 of the same author leaves it out" in notes["key_B"] and "leaves it out" not in notes["key_A"]


def test_a_correction_shows_which_verdicts_it_moves(book):
    moved = {m.key_id: (m.version, m.before, m.after) for m in book.moves}
    assert set(moved) == {"key_A", "key_C"}
    version, before, after = moved["key_C"]
    assert version == 2
    assert (before["exposure"], after["exposure"]) == ("possibly", "read")
    assert (before["location"], after["location"]) == ("secret:us-east-1:prod/c", "secret:us-east-1:prod/a")
    assert (moved["key_A"][1]["customer"], moved["key_A"][2]["customer"]) == ("Acorn", "Aspen")


def test_versions_are_ordered_by_their_time_not_by_the_order_of_reading(tmp_path, book):
    other = book_of(make_case(tmp_path, {"v2.csv": SECOND, "v1.csv": FIRST}, RECEIPTS))
    mine, theirs = book.as_json(), other.as_json()
    for version in (*mine["versions"], *theirs["versions"]):
        version["exhibit"] = ""
    assert mine == theirs


def test_a_withdrawn_version_no_longer_speaks(case, book, tmp_path):
    root = tmp_path / "case"
    shutil.copytree(case.root, root)
    copy = CaseFolder(root, clock)
    withdraw(copy, book.versions[1].exhibit, "replaced", "R. Lind")
    found = book_of(copy)
    assert len(found.versions) == 1 and not found.moves
    assert keys(copy) == {("key_A", "Acorn", "prod/a"), ("key_B", "Birch", "prod/b"), ("key_C", "Cedar", "prod/c")}


def test_without_any_stated_time_the_receipt_and_then_the_reading_date_a_version(tmp_path):
    header = "customer,provider,key_id,location"
    line = ("Acorn,openai,key_A,secret:us-east-1:prod/a",)
    stated = make_case(tmp_path / "a", {"v.csv": line}, RECEIPTS, header=header)
    assert [(v.as_of_basis, v.as_of.isoformat()) for v in book_of(stated).versions] == [
        ("receipt", "2026-05-07T10:00:00")
    ]
    bare = make_case(tmp_path / "b", {"v.csv": line}, header=header)
    assert [(v.as_of_basis, v.author) for v in book_of(bare).versions] == [("reading", "")]


def test_a_row_that_two_versions_share_belongs_to_both(tmp_path):
    found = book_of(make_case(tmp_path, {"v1.csv": FIRST[:2], "v2.csv": (FIRST[0],)}))
    assert [v.rows for v in found.versions] == [2, 1]
    assert not texts(found, "statements_differ")
    assert {r.keys for r in found.remarks if r.kind == "left_out"} == {("key_B",)}


def test_the_book_is_stored_with_the_verdicts(case, book):
    exposure_case(case, catalogue(), clock)
    connection = case.reader()
    rows = connection.execute("SELECT kind, count(*) FROM key_book GROUP BY kind ORDER BY kind").fetchall()
    connection.close()
    assert rows == [("life", 3), ("move", 2), ("remark", len(book.remarks)), ("version", 2)]


@pytest.mark.parametrize("form", ["whole", "lines", "list"])
def test_an_inventory_in_json_is_the_same_statement(tmp_path, form):
    row = '{"customer":"Acorn","provider":"openai","provider_key_id":"key_A","location":"secret:us-east-1:prod/a"%s}'
    own = ',"as_of":"2026-05-06T09:00:00Z","author":"S. Nakagawa"'
    text = {
        "whole": '{"as_of":"2026-05-06T09:00:00Z","author":"S. Nakagawa","keys":[' + row % "" + "]}",
        "lines": row % own + "\n" + row.replace("key_A", "key_B") % own + "\n",
        "list": "[" + row % own + "]",
    }[form]
    case = make_case(tmp_path, {})
    (tmp_path / "inventory.json").write_text(text, encoding="utf-8")
    ingest(case, [tmp_path / "inventory.json"], IngestOptions())
    (version,) = book_of(case).versions
    assert (version.author, version.as_of.isoformat()) == ("S. Nakagawa", "2026-05-06T09:00:00")
    assert ("key_A", "Acorn", "prod/a") in keys(case)
    assert [p.suffix for p in (case.root / "inventory").glob("S*")] == [".json"]


def test_an_inventory_by_column_map_is_a_version_like_any_other(tmp_path):
    case = make_case(tmp_path, {"v1.csv": FIRST})
    (tmp_path / "map.toml").write_text(
        'name = "ours"\nprovider = "openai"\ntable = "ai_key"\n[match]\ncolumns = ["Kunde", "Ort"]\n'
        '[time]\ncolumn = "Stand"\nformat = "%d.%m.%Y"\nzone = "Europe/Berlin"\n[columns]\ncustomer = "Kunde"\nkey_id = "Id"\n'
        'location = "Ort"\nauthor = { constant = "H. Meyer" }\n',
        encoding="utf-8",
    )
    (tmp_path / "liste.csv").write_text(
        "Kunde,Id,Ort,Stand\nAspen,key_A,secret:us-east-1:prod/a,07.05.2026\n,key_X,secret:us-east-1:prod/x,07.05.2026\n",
        encoding="utf-8",
    )
    result = ingest(case, [tmp_path / "liste.csv"], IngestOptions(maps=(tmp_path / "map.toml",)))
    assert (result.records["accepted"], result.records["defect"]) == (1, 1)
    found = book_of(case)
    assert [(v.author, v.as_of.isoformat(), v.rows) for v in found.versions][1] == (
        "H. Meyer",
        "2026-05-06T22:00:00",
        1,
    )
    assert ("key_A", "Aspen", "prod/a") in keys(case)
    assert [m.key_id for m in found.moves] == ["key_A"]
    assert len(list((case.root / "inventory").glob("S*"))) == 2


def test_what_a_correction_moves_is_judged_with_the_stores_and_counts_of_each_version(tmp_path):
    """A copy of a store that only the earlier version names is one of its keys, and of no key afterwards."""
    share = secret_event(9, "02:40:00", "ModifyDBSnapshotAttribute", "", intruder=True)
    share |= {
        "eventSource": "rds.amazonaws.com",
        "requestParameters": {
            "dBSnapshotIdentifier": "rds:tenants-2026-05-05-03-10",
            "attributeName": "restore",
            "valuesToAdd": ["444455556666"],
        },
    }
    lines = {
        "one.csv": ("Acorn,openai,key_A,,,rds:us-east-1:tenants,,,,2026-05-06T09:00:00Z",),
        "two.csv": ("Acorn,openai,key_A,,,secret:us-east-1:prod/z,,,,2026-05-07T09:00:00Z",),
    }
    (moved,) = book_of(make_case(tmp_path, lines, events=(*EVENTS, share))).moves
    assert (moved.before["exposure"], moved.after["exposure"]) == ("store_copied", "not_evaluable")


def test_two_inventories_of_nobody_named_are_of_no_same_author(tmp_path):
    book = book_of(make_case(tmp_path, {"one.csv": FIRST, "two.csv": SECOND}))
    (said,) = texts(book, "left_out")
    assert "nobody is named as the author of either" in said and "same author" not in said
