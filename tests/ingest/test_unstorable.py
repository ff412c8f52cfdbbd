"""Names and numbers that no column can hold never stop a run: the file is accounted for and its neighbours are read."""

from __future__ import annotations

import io
import json
import os
import tarfile
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.ingest.account import IngestResult
from forensics.ingest.preview import preview
from forensics.ingest.run import IngestOptions, ingest
from forensics.store.identity import canonical_sha256
from tests.building import delivery, event, new_case
from tests.ingest.test_archives import tarred, zipped

ONE = json.dumps(event(7)).encode()


def with_name(name: bytes) -> bytes:
    return b'{"Records":[' + ONE.replace(b'"eventName"', b'"' + name + b'":1,"eventName"', 1) + b"]}"


def odd_tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        info = tarfile.TarInfo("a\udcff.json")
        data = b'{"\xff":1}'
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def run(tmp_path: Path, data: bytes, *, careful: bool = False) -> IngestResult:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a").write_bytes(data)
    (folder / "z.json").write_bytes(delivery([event(99)]))
    case = new_case(tmp_path)
    result = ingest(case, [folder], IngestOptions(careful=careful))
    account = result.records
    assert account["seen"] == sum(account[n] for n in ("accepted", "duplicate", "defect", "out_of_scope"))
    assert [s["reason"] for s in ingest(case, [folder], IngestOptions()).skipped] == ["unchanged"] * 2
    assert all(row["path"] for row in preview([folder]))
    return result


@pytest.mark.parametrize("careful", [False, True])
@pytest.mark.parametrize("name", [b"x\xff", b"x\xed\xa0\x80", b"x\\ud800", b"x\\u0000"])
def test_an_unknown_field_with_an_unstorable_name(tmp_path: Path, name: bytes, careful: bool):
    assert run(tmp_path, with_name(name), careful=careful).records["accepted"] == 2


@pytest.mark.parametrize(
    "data",
    [
        b'{"\xff":1}',
        b'{"\\ud800":1}',
        b"a\xff,b\xed\xa0\x80\n1,2\n3,4\n",
        zipped({"a": b'{"\xff":1}', "b": b'{"\\ud800":1}'}),
        tarred({"a": b'{"\xff":1}'}),
        odd_tar(),
    ],
)
def test_unknown_content_with_unstorable_names(tmp_path: Path, data: bytes):
    assert run(tmp_path, data).records["accepted"] == 1


def test_a_file_whose_name_is_no_utf8(tmp_path: Path):
    folder = tmp_path / "in"
    folder.mkdir()
    try:
        with open(os.fsencode(str(folder)) + b"/a\xff.json", "wb") as file:
            file.write(delivery([event(1)]))
    except OSError:
        pytest.skip("this file system refuses such names")
    case = new_case(tmp_path)
    assert ingest(case, [folder], IngestOptions()).records["accepted"] == 1
    again = ingest(case, [folder], IngestOptions())
    assert [s["reason"] for s in again.skipped] == ["unchanged"]


@pytest.mark.parametrize("number", ["1E+99999999", "-1E-99999999"])
def test_a_huge_exponent_is_not_written_out(number: str):
    assert canonical_sha256({"n": Decimal(number)}) == sha256(f'{{"n":"{number}"}}'.encode()).hexdigest()


def test_usual_numbers_keep_their_hash():
    assert canonical_sha256({"n": Decimal("1.5E+3")}) == sha256(b'{"n":"1500"}').hexdigest()


#: What a careful reader makes of JSON: any text, whole numbers of any size, fractions as decimals.
PARSED = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.text(st.characters(exclude_categories=()), max_size=6)
    | st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=()), max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(PARSED)
def test_a_record_has_one_hash_by_either_writer(value: Any):
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=lambda n: f"{n:f}")
    assert canonical_sha256(value) == sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def test_a_deep_record_keeps_its_hash():
    value: list[Any] = ["\x7f\u2028/<"]
    for _ in range(400):
        value = [value]
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert canonical_sha256(value) == sha256(text.encode()).hexdigest()
