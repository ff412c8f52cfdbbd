"""Whatever is changed in a package is found, at the level that can find it."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forensics.evidence.checks import CheckState
from forensics.evidence.verify import verify
from tests.evidence.sealing import Ticking, copy_of, digest_of, edit_facts, rehash


def failed(package):
    result = verify(package, Ticking())
    assert int(result.exit_code) == 5, [c for c in result.checks if c.state != "pass"]
    return {c.id: c.detail for c in result.checks if c.state is CheckState.FAIL}


def first(package, pattern):
    return sorted(package.glob(pattern))[0]


CLASSES = (
    "bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", "data/package.json",
    "data/START-HERE.html", "data/sources/S0001*", "data/sources/*.txt", "data/inventory/sources.jsonl",
    "data/inventory/ledger.jsonl", "data/inventory/defects.jsonl", "data/queries/*.sql", "data/queries/params.json",
    "data/results/*.jsonl", "data/findings/findings.json", "data/findings/verdicts.json", "data/report/report.html",
    "data/custody/custody.jsonl", "data/settings/case.toml", "data/settings/receipts.jsonl", "data/env/tool.json",
)  # fmt: skip


@pytest.mark.parametrize("pattern", CLASSES)
def test_a_flipped_bit_in_each_kind_of_file(package, pattern):
    path = first(package, pattern)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert any(i.startswith("integrity.") for i in failed(package))


@pytest.mark.parametrize("pattern", CLASSES)
def test_a_dropped_file(package, pattern):
    first(package, pattern).unlink()
    found = failed(package)
    assert any(i.startswith("integrity.") for i in found)
    assert any(i.startswith("completeness.") for i in found)


@pytest.mark.parametrize("pattern", CLASSES[4:])
def test_a_dropped_file_with_all_hashes_made_anew(package, pattern):
    before = digest_of(package)
    first(package, pattern).unlink()
    rehash(package)
    assert failed(package)
    assert digest_of(package) != before


@pytest.mark.parametrize(
    "name",
    [
        "evil.html", "fetch.txt", "attest/key.pem", "manifest-md5.txt", "data/evil.html", "data/sources/S9999.json",
        "data/results/aws.unknown.jsonl", "data/queries/aws.unknown.sql", "data/report/report.pdf",
    ],
)  # fmt: skip
@pytest.mark.parametrize("anew", [False, True])
def test_an_added_file(package, name, anew):
    path = package / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"added")
    if anew:
        rehash(package)
    found = failed(package)
    assert any(i.startswith("completeness.") for i in found)


def test_a_renamed_file(package):
    path = first(package, "data/sources/*.json.gz")
    path.rename(path.with_name("S0999.json.gz"))
    assert {"integrity.payload_manifest", "completeness.files", "completeness.originals"} <= set(failed(package))
    rehash(package)
    assert set(failed(package)) == {"completeness.originals"}


@pytest.mark.parametrize("name", ["data/report/report.html", "data/sources", "data"])
def test_a_link_to_the_same_bytes(package, tmp_path, name):
    path = package / name
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert "a link" in failed(package)["integrity.regular_files"]


def test_an_added_link_and_an_empty_folder(package):
    (package / "data/results/more").symlink_to("/etc")
    (package / "data/empty").mkdir()
    said = failed(package)["integrity.regular_files"]
    assert "data/results/more: a link" in said
    assert "data/empty: an empty folder" in said


def test_a_pipe_is_not_opened(package):
    path = package / "data/report/report.html"
    path.unlink()
    os.mkfifo(path)
    assert "not a regular file" in failed(package)["integrity.regular_files"]


@pytest.mark.parametrize("name", ["data/Report/x", "data/settings/CON", "data/settings/a:b", "data/findings/x."])
def test_names_that_are_not_safe_everywhere(package, name):
    path = package / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x")
    rehash(package)
    assert "integrity.names" in failed(package)


def test_names_that_are_one_on_other_file_systems(package):
    for name in ("e\u0301", "\u00e9"):
        (package / f"data/settings/{name}").write_bytes(b"x")
    assert "NFC" in failed(package)["integrity.names"]


def test_a_shortened_custody_log(package):
    path = package / "data/custody/custody.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    rehash(package)
    assert "pins" in failed(package)["integrity.custody"]


def test_a_changed_act_breaks_the_chain(package):
    path = package / "data/custody/custody.jsonl"
    path.write_bytes(path.read_bytes().replace(b"A. Examiner", b"B. Examiner", 1))
    rehash(package)
    assert "does not follow" in failed(package)["integrity.custody"]


def _records(name, by):
    def change(facts):
        facts["sources"][0]["records"][name] += by

    return change


CHANGES = {
    "records of a source": (_records("accepted", 1), "completeness.account"),
    "total of records": (lambda f: f["records"].update(seen=f["records"]["seen"] + 1), "completeness.account"),
    "rows of a table": (lambda f: f["tables"][-2].update(rows=7), "completeness.tables"),
    "a negative count": (lambda f: f["sources"][0]["records"].update(seen=-1), "completeness.account"),
    "true for a count": (lambda f: f["tables"][0].update(rows=True), "completeness.tables"),
    "a dropped source": (lambda f: f["sources"].pop(), "completeness.sources"),
    "an original's hash": (lambda f: f["sources"][0].update(sha256="0" * 64), "completeness.originals"),
    "an original's name": (lambda f: f["sources"][0].update(original_name="x"), "completeness.sources"),
    "a query not named": (lambda f: f["queries"].pop(0), "completeness.queries"),
    "a query named twice": (lambda f: f["queries"].append(f["queries"][0]), "completeness.queries"),
    "a query of no proper id": (lambda f: f["queries"][0].update(id="../../x"), "completeness.queries"),
    "rows of a result": (lambda f: f["queries"][0].update(rows=99), "completeness.results"),
    "a hash of a result": (lambda f: f["queries"][0].update(logical_sha256="0" * 64), "completeness.results"),
    "a finding not named": (lambda f: f["findings"].pop(), "completeness.findings"),
    "a finding's query": (lambda f: f["findings"][0].update(queries=["aws.other"]), "completeness.findings"),
    "the report's hash": (lambda f: f["report"].update(html_sha256="0" * 64), "completeness.pinned"),
    "the tool": (lambda f: f["tool"].update(duckdb="1.0"), "completeness.pinned"),
    "the schema": (lambda f: f.update(schema="other/9"), "completeness.layout"),
    "the variant": (lambda f: f.update(variant="redacted"), "completeness.originals"),
    "acts in custody": (lambda f: f["custody"].update(records=1), "integrity.custody"),
    "a name taken away": (lambda f: f.pop("records"), "completeness.account"),
    "a list for an object": (lambda f: f.update(custody=[1]), "integrity.custody"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_statement_with_all_hashes_made_anew(package, what):
    change, identity = CHANGES[what]
    before = digest_of(package)
    edit_facts(package, change)
    assert identity in failed(package)
    assert digest_of(package) != before


@pytest.mark.parametrize(
    "text", [b"[]", b"{", b"null", b'{"a":1.5}', b'{"a":1,"a":2}', b"[" * 100_000, b"\xff", b"", b"NaN"]
)
def test_a_package_json_that_is_none(package, text):
    (package / "data/package.json").write_bytes(text + b"\n")
    rehash(package)
    assert "integrity.package_json" in failed(package)


def test_a_replaced_result_with_all_hashes_made_anew(package):
    facts = json.loads((package / "data/package.json").read_bytes())
    identity = next(q["id"] for q in facts["queries"] if q["rows"])
    path = package / f"data/results/{identity}.jsonl"
    path.write_bytes(path.read_bytes().replace(b"111122223333", b"111122224444"))
    rehash(package)
    assert identity in failed(package)["completeness.results"]


def test_a_replaced_finding_with_all_hashes_made_anew(package):
    path = package / "data/findings/findings.json"
    path.write_bytes(path.read_bytes().replace(b'"severity":"', b'"severity":"x', 1))
    rehash(package)
    assert "completeness.findings" in failed(package)


@pytest.fixture(scope="module")
def flipped(made, tmp_path_factory) -> Path:
    return copy_of(made.sealed.path, tmp_path_factory.mktemp("flipped"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_byte_fails(flipped, data):
    files = sorted(p for p in flipped.rglob("*") if p.is_file() and p.stat().st_size)
    path = data.draw(st.sampled_from(files))
    content = path.read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    mask = data.draw(st.integers(1, 255))
    changed = bytearray(content)
    changed[place] ^= mask
    assert sha256(changed).digest() != sha256(content).digest()
    try:
        path.write_bytes(changed)
        assert failed(flipped)
    finally:
        path.write_bytes(content)
