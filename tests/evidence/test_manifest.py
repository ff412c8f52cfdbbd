"""The text files of a bag: written in one form, read in no other."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.evidence.custody import extract
from forensics.evidence.manifest import (
    Entry,
    bag_info,
    canonical,
    manifest,
    read_json,
    read_lines,
    read_manifest,
    read_oxum,
)
from forensics.evidence.structure import collisions, is_allowed, is_query_id, name_fault
from forensics.model.errors import VerificationFault
from forensics.store.custody import CustodyLog, check_chain
from tests.evidence.sealing import START

HASH = "ab" * 32


@given(
    st.dictionaries(
        st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1),
        st.binary(min_size=32, max_size=32),
        min_size=1,
    )
)
def test_a_manifest_is_read_as_written(files):
    entries = {name: Entry(digest.hex(), 1) for name, digest in files.items()}
    assert read_manifest(manifest(entries)) == {name: entry.sha256 for name, entry in entries.items()}


@pytest.mark.parametrize(
    "text",
    [
        "", f"{HASH}  a", f"{HASH} a\n", f"{HASH}   a\n", f"{HASH}  a b\n", f"{HASH.upper()}  a\n", f"{HASH[:-1]}  a\n",
        f"{HASH}  b\n{HASH}  a\n", f"{HASH}  a\n{HASH}  a\n", f"{HASH}  a\r\n", f"\ufeff{HASH}  a\n", f"{HASH}  a\n\n",
        f"{HASH}  \u00e9\n", f"{HASH} *a\n",
    ],
)  # fmt: skip
def test_no_other_form_is_read(text):
    with pytest.raises(ValueError, match="line"):
        read_manifest(text.encode())


def test_text_of_the_case_cannot_add_a_label():
    content = bag_info(
        package_id="x\nPayload-Oxum: 1.1",
        organisation="y\r\nBagging-Date: 1999-01-01\u202e",
        created=START,
        size=5,
        files=2,
    )
    assert read_oxum(content) == (5, 2)
    assert content.decode().count("\n") == 5
    assert b"\nBagging-Date: 2026-06-01\n" in content


@pytest.mark.parametrize("text", [b"1.5", b'{"a":1,"a":1}', b"NaN", b"\xff", b"{", b"[" * 200_000])
def test_json_is_strict(text):
    with pytest.raises(ValueError, match=r".*"):
        read_json(text)


def test_json_lines_need_their_last_line_end():
    assert read_lines(b'{"a":1}\n{}\n') == [{"a": 1}, {}]
    assert read_lines(b"") == []
    for text in (b'{"a":1}', b"[]\n", b"\n"):
        with pytest.raises(ValueError, match="line"):
            read_lines(text)


def test_canonical_json_sorts_and_keeps_large_numbers_whole():
    value = {"b": [datetime(2026, 1, 2, tzinfo=UTC), None], "a": 2**60, "\u00e9": "\u2028"}
    assert (
        canonical(value) == '{"a":"1152921504606846976","b":["2026-01-02T00:00:00Z",null],"\u00e9":"\u2028"}\n'.encode()
    )


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/a",
        "a/../b",
        "a//b",
        "./a",
        "a\\b",
        "c:a",
        "a/nul",
        "a/COM1.txt",
        "a.",
        "a /b",
        " a",
        "a\x00",
        "a\x9b",
        "x" * 241,
    ],
)
def test_unsafe_names(path):
    assert name_fault(path)


@pytest.mark.parametrize("path", ["data/package.json", "data/sources/S0001.json.gz", "data/nulls/console.txt"])
def test_safe_names(path):
    assert name_fault(path) == ""


def test_collisions_in_case_and_normal_form():
    assert collisions(["a", "A", "b"]) == ["A"]
    assert collisions(["\u00e9", "e\u0301"]) == ["e\u0301"]
    assert collisions(["stra\u00dfe", "STRASSE"]) == ["STRASSE"]


def test_layout():
    assert is_allowed("data/sources/S12345")
    assert not is_allowed("data/sources/S0001.exe")
    assert not is_allowed("data/sources/../package.json")
    assert not is_allowed("data/package.json\n")
    assert is_query_id("aws.root_activity")
    assert not is_query_id("con.txt")
    assert not is_query_id("aws.x/../y")


def test_an_extract_ends_with_the_last_act_on_the_evidence(tmp_path):
    log = CustodyLog(tmp_path / "custody.jsonl", lambda: START)
    for act in ("case opened", "received", "reported", "hunt"):
        log.append(act)
    whole = log.path.read_bytes()
    for act in ("reported", "packaged", "package failed", "verified"):
        log.append(act)
    found = extract(log.path.read_bytes())
    assert found.content == whole
    assert found.head == check_chain(whole)[0]
    assert found.head.records == 4
    assert found.at == START.replace(tzinfo=None)


@pytest.mark.parametrize("content", [b"", b"{}\n", b"not json\n", b'{"seq":1'])
def test_no_extract_of_a_log_that_does_not_hold(content):
    with pytest.raises(VerificationFault):
        extract(content)
