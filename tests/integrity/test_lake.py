"""Signed results of CloudTrail Lake queries."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from hashlib import sha256

import pytest

from forensics.integrity.check import check
from forensics.integrity.pieces import examine
from tests.integrity.chain_kit import fingerprint, key_list, sign

FILES = {f"q/result_{n}.csv.gz": gzip.compress(f"eventID\n{n}\n".encode(), mtime=0) for n in (1, 2, 3)}


def signature(results=FILES, **changes):
    hashes = [sha256(data).hexdigest() for data in results.values()]
    return json.dumps(
        {
            "version": "1.0",
            "region": "eu-west-1",
            "files": [
                {"fileHashValue": h, "fileName": n.rpartition("/")[2]} for n, h in zip(results, hashes, strict=True)
            ],
            "hashAlgorithm": "SHA-256",
            "signatureAlgorithm": "SHA256withRSA",
            "queryCompleteTime": "2026-05-10T00:00:00Z",
            "hashSignature": sign(" ".join(hashes).encode()),
            "publicKeyFingerprint": fingerprint(),
        }
        | changes
    ).encode()


def judged(sign_file, files=FILES, keys=None):
    pieces = [examine(name, data) for name, data in files.items()]
    pieces += [examine("q/result_sign.json", sign_file), examine("keys.json", key_list(0) if keys is None else keys)]
    return check(pieces)


def states(checked):
    return Counter(v.state for v in checked.lake)


def test_a_sound_result():
    checked = judged(signature())
    assert states(checked) == {"valid": 4}
    assert "names are not signed" in next(v.reason for v in checked.lake if v.name.endswith("sign.json"))
    assert checked.logs == []


def test_a_changed_a_missing_and_an_added_result():
    name = "q/result_2.csv.gz"
    assert states(judged(signature(), FILES | {name: gzip.compress(b"eventID\n9\n")})) == {
        "valid": 3,
        "hash_mismatch": 1,
    }
    fewer = {n: d for n, d in FILES.items() if n != name}
    assert states(judged(signature(), fewer)) == {"valid": 3, "missing": 1}
    assert states(judged(signature(), FILES | {"q/result_4.csv.gz": gzip.compress(b"x")})) == {
        "valid": 4,
        "not_covered": 1,
    }


def test_packed_again_is_another_file():
    again = {n: gzip.compress(gzip.decompress(d), 1, mtime=7) for n, d in FILES.items()}
    assert states(judged(signature(), again)) == {"valid": 1, "hash_mismatch": 3}


def test_a_renamed_result_verifies_by_its_bytes():
    renamed = {n.replace("result", "S000"): d for n, d in FILES.items()}
    assert states(judged(signature(), renamed)) == {"valid": 4}


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"files": []}, "invalid_format"),
        ({"files": [{"fileHashValue": "x"}]}, "invalid_format"),
        ({"files": 7}, "invalid_format"),
        ({"hashSignature": "00"}, "invalid_signature"),
        ({"signatureAlgorithm": "SHA1withRSA"}, "algorithm_unsupported"),
        ({"hashAlgorithm": "MD5"}, "algorithm_unsupported"),
        ({"publicKeyFingerprint": "0" * 32}, "unverified_no_key"),
    ],
)
def test_a_signature_file_that_is_no_proof(changes, state):
    checked = judged(signature(**changes))
    assert next(v.state for v in checked.lake if v.name.endswith("sign.json")) == state
    assert "valid" not in states(checked)


def test_the_order_of_hashes_is_signed():
    value = json.loads(signature())
    value["files"].reverse()
    assert states(judged(json.dumps(value).encode()))["invalid_signature"] == 1


def test_no_key_is_said():
    assert states(judged(signature(), keys=b"[]")) == {"unverified_no_key": 1, "listed_by_unverified_digest": 3}
