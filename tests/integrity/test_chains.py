"""Chains with one fault each: what is said of digests, of the chain and of the log files."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import PublicFormat

from forensics.integrity.check import check
from forensics.integrity.pieces import examine
from tests.integrity.chain_kit import (
    BUCKET,
    START,
    Kit,
    digest_states,
    fingerprint,
    key_list,
    log_content,
    log_key,
    log_states,
    sign,
)

ZIPPED = ("valid",) * 4


def only(checked):
    assert len(checked.chains) == 1
    return checked.chains[0]


def test_a_sound_chain():
    checked = Kit().check()
    assert digest_states(checked) == ["valid"] * 4
    assert log_states(checked) == ["valid"] * 6
    chain = only(checked)
    assert (chain.states, chain.missing, chain.faults) == (["start_of_chain", "complete"], 0, [])
    assert (chain.hours(proven=True), chain.hours(proven=True, empty=True)) == (4, 1)
    assert chain.first == START
    assert chain.last == START + timedelta(hours=4)
    assert "not authenticated offline" in chain.verdicts[0].reason
    assert chain.verdicts[0].key_in_validity is True


def test_without_saved_signatures_the_next_digest_vouches_and_the_last_is_open():
    checked = Kit().check(sidecar=False)
    assert digest_states(checked) == ["valid_via_successor"] * 3 + ["unverified_no_signature"]
    assert only(checked).states == ["start_of_chain", "tail_unverified"]
    assert Counter(log_states(checked)) == {"valid": 4, "listed_by_unverified_digest": 2}


def test_one_digest_alone_without_signature_proves_nothing():
    checked = Kit(hours=1).check(sidecar=False)
    assert digest_states(checked) == ["unverified_no_signature"]
    assert set(log_states(checked)) == {"listed_by_unverified_digest"}


@pytest.mark.parametrize("form", [PublicFormat.PKCS1, PublicFormat.SubjectPublicKeyInfo])
@pytest.mark.parametrize("name", ["PublicKeyList", "publicKeyList"])
def test_keys_in_both_forms_and_both_names(form, name):
    kit = Kit(spki=form is PublicFormat.SubjectPublicKeyInfo)
    assert set(digest_states(kit.check(keys=key_list(0, form=form, name=name)))) == {"valid"}


def test_no_key():
    checked = Kit().check(keys=b"[]")
    assert set(digest_states(checked)) == {"unverified_no_key"}
    assert set(log_states(checked)) == {"listed_by_unverified_digest"}


def test_another_key_of_the_same_fingerprint_is_refused():
    entry = json.loads(key_list(1))
    entry["PublicKeyList"][0]["Fingerprint"] = fingerprint(0)
    checked = Kit().check(keys=json.dumps(entry).encode())
    assert set(digest_states(checked)) == {"bad_key"}
    assert "fingerprint" in checked.keys.problems[0][1]


@pytest.mark.parametrize("value", ["", "!!!", "AAAA", "MIIB"])
def test_a_key_that_cannot_be_read(value):
    entry = {"PublicKeyList": [{"Value": value, "Fingerprint": fingerprint(0), "ValidityStartTime": 1}]}
    assert set(digest_states(Kit().check(keys=json.dumps(entry).encode()))) == {"bad_key"}


def test_a_pinned_key_goes_before_the_one_of_the_evidence():
    kit = Kit()
    pinned = examine("own.json", key_list(0))
    checked = check(kit.pieces(), [pinned])
    assert checked.keys.keys[fingerprint(0)].origin == "pinned"
    assert "a pinned key" in only(checked).verdicts[0].reason
    assert check(kit.pieces(keys=b"[]"), [pinned]).chains[0].verdicts[0].state == "valid"


def test_signed_with_another_key():
    kit = Kit()
    kit.metadata[kit.names[3]]["signature"] = sign(b"anything", 1)
    checked = kit.check()
    assert digest_states(checked) == ["valid"] * 3 + ["invalid_signature"]
    assert only(checked).states == ["start_of_chain", "broken", "tail_unverified"]


@pytest.mark.parametrize("signature", ["", "zz", "00", "0" * 512, "é" * 10])
def test_a_saved_signature_that_is_none(signature):
    kit = Kit()
    kit.metadata[kit.names[3]]["signature"] = signature
    assert digest_states(kit.check())[3] == "invalid_signature"


def test_a_damaged_saved_signature_of_an_older_digest_is_told_from_a_changed_digest():
    kit = Kit()
    kit.metadata[kit.names[1]]["signature"] = sign(b"other")
    verdict = only(kit.check()).verdicts[1]
    assert verdict.state == "invalid_signature"
    assert "the one that the next digest holds is" in verdict.reason


@pytest.mark.parametrize("sidecar", [True, False])
def test_a_changed_digest(sidecar):
    kit = Kit()
    kit.edit(1, newestEventTime="2026-05-05T11:59:00Z")
    checked = kit.check(sidecar=sidecar)
    assert digest_states(checked)[1] == "invalid_signature"
    assert "broken" in only(checked).states
    assert Counter(log_states(checked))["listed_by_invalid_digest"] == 2


def test_a_log_file_taken_out_of_a_digest_is_not_covered():
    kit = Kit()
    kit.edit(0, logFiles=[])
    assert Counter(log_states(kit.check()))["not_covered"] == 2


def test_a_changed_digest_without_saved_signatures_whose_next_is_open_too_is_not_called_false():
    kit = Kit(hours=2)
    kit.edit(0, newestEventTime="x")
    assert digest_states(kit.check(sidecar=False)) == ["unverified_no_signature"] * 2


def test_hash_of_the_next_digest_alone():
    kit = Kit(hours=1)
    said = kit.said_of(0)
    kit.add(1, {"key": said["key"], "sha256": said["sha256"], "signature": None})
    checked = kit.check(sidecar=False)
    assert digest_states(checked) == ["valid_hash_only", "unverified_no_signature"]


def test_a_missing_digest_in_the_middle():
    kit = Kit()
    del kit.digests[kit.names[1]]
    checked = kit.check()
    chain = only(checked)
    assert Counter(digest_states(checked)) == {"valid": 3, "missing": 1}
    assert chain.missing == 1
    assert "broken" in chain.states
    assert Counter(log_states(checked)) == {"valid": 4, "not_covered": 2}


def test_several_missing_digests_are_counted_by_time():
    kit = Kit(hours=7)
    for name in kit.names[1:5]:
        del kit.digests[name]
    checked = kit.check()
    assert only(checked).missing == 4
    assert any("4 digests are missing" in fault for fault in only(checked).faults)


def test_the_oldest_are_missing():
    kit = Kit()
    del kit.digests[kit.names[0]]
    assert only(kit.check()).missing == 1


def test_logging_stopped_and_started_again_is_a_gap():
    kit = Kit(hours=2)
    kit.add(5, None)
    chain = only(kit.check())
    assert chain.states == ["start_of_chain", "gap"]
    assert [v.state for v in chain.verdicts] == ["valid"] * 3


def test_a_time_gap():
    kit = Kit(hours=2)
    kit.add(4, kit.said_of(1))
    chain = only(kit.check())
    assert chain.states == ["start_of_chain", "time_gap"]
    assert chain.missing == 0


def test_the_hash_of_the_previous_digest_is_compared():
    kit = Kit(hours=2)
    said = kit.said_of(1) | {"sha256": "0" * 64}
    kit.add(2, said)
    chain = only(kit.check())
    assert [v.state for v in chain.verdicts] == ["valid"] * 3
    assert "broken" in chain.states
    assert "another hash" in chain.faults[0]


def test_two_digests_after_one_are_a_fork():
    kit = Kit(hours=2)
    kit.add(2, kit.said_of(0))
    assert digest_states(kit.check()) == ["valid", "fork", "fork"]


def test_one_place_with_two_contents():
    kit = Kit()
    other = json.loads(kit.digests[kit.names[1]]) | {"newestEventTime": "2026-01-01T00:00:00Z"}
    rival = examine("copy/" + kit.names[1], gzip.compress(json.dumps(other).encode()))
    states = Counter(digest_states(kit.check(rival)))
    assert states == {"valid": 4, "duplicate_conflict": 1}


def test_the_same_digest_twice_is_one():
    kit = Kit()
    again = examine("copy/" + kit.names[1], gzip.compress(kit.digests[kit.names[1]], mtime=1))
    assert digest_states(kit.check(again)) == ["valid"] * 4


def test_a_digest_under_another_name_was_moved():
    kit = Kit()
    raw = kit.digests.pop(kit.names[3])
    moved = examine(kit.names[3].replace("T140000Z", "T150000Z"), gzip.compress(raw))
    assert digest_states(kit.check(moved))[-1] == "moved"


def test_a_digest_that_says_another_account_than_its_name():
    kit = Kit()
    kit.edit(3, awsAccountId="444455556666")
    assert digest_states(kit.check())[-1] == "moved"


def test_a_digest_whose_end_is_not_the_one_in_its_name():
    kit = Kit()
    kit.edit(3, digestEndTime="2026-05-05T14:30:00Z")
    assert "moved" in digest_states(kit.check())


@pytest.mark.parametrize("algorithm", ["SHA512withRSA", "SHA1withRSA"])
def test_an_algorithm_that_is_not_supported(algorithm):
    kit = Kit(hours=1)
    kit.add(1, kit.said_of(0), digestSignatureAlgorithm=algorithm)
    assert digest_states(kit.check()) == ["valid", "algorithm_unsupported"]


def test_an_algorithm_that_only_the_saved_metadata_names():
    kit = Kit()
    kit.metadata[kit.names[2]]["signature-algorithm"] = "SHA3withRSA"
    assert digest_states(kit.check())[2] == "algorithm_unsupported"


@pytest.mark.parametrize(
    "name", ["digestEndTime", "digestS3Bucket", "digestS3Object", "digestPublicKeyFingerprint", "digestStartTime"]
)
def test_a_digest_that_lacks_a_part(name):
    kit = Kit(hours=1)
    key = kit.names[0]
    value = json.loads(kit.digests[key])
    del value[name]
    kit.digests[key] = json.dumps(value).encode()
    assert digest_states(kit.check()) == ["invalid_format"]
    assert set(log_states(kit.check())) == {"not_covered"}


@pytest.mark.parametrize("content", [b"", b"[]", b"nonsense", b'{"a":', b"7", b'"digestEndTime"', b"\xff\xfe{"])
def test_a_digest_that_is_none(content):
    kit = Kit(hours=1)
    kit.digests[kit.names[0]] = content
    assert digest_states(kit.check()) == ["invalid_format"]


@pytest.mark.parametrize(
    "times", [{"digestEndTime": "soon"}, {"digestStartTime": ""}, {"logFiles": None}, {"logFiles": "x"}]
)
def test_a_digest_with_times_or_lists_that_are_none(times):
    kit = Kit(hours=1)
    kit.edit(0, **times)
    assert digest_states(kit.check()) == ["invalid_format"]


def test_a_digest_with_bytes_behind_its_member_and_one_cut_off():
    kit = Kit()
    last, raw = kit.names[3], gzip.compress(kit.digests.pop(kit.names[3]))
    assert digest_states(kit.check(examine(last, raw + gzip.compress(b"{}"))))[0] == "trailing_data"
    assert digest_states(kit.check(examine(last, raw[:-9])))[0] == "invalid_format"


def test_backfill_digests_are_a_chain_apart():
    kit = Kit()
    late = Kit(hours=2, backfill=True, first=0)
    kit.digests |= late.digests
    kit.metadata |= late.metadata
    chains = kit.check().chains
    assert [(c.name.backfill, len(c.verdicts)) for c in chains] == [(False, 4), (True, 2)]
    assert "backfill" in chains[1].states
    assert "other_trail" not in chains[0].states


@pytest.mark.parametrize(
    ("generated", "within"), [("2026-05-20T00:00:00Z", True), ("2026-07-01T00:00:00Z", False), (None, None)]
)
def test_the_key_of_a_backfill_digest_is_held_to_when_it_was_made(generated, within):
    kit = Kit(hours=1, backfill=True)
    if generated:
        kit.metadata[kit.names[0]]["backfill-generation-timestamp"] = generated
    (verdict,) = only(kit.check()).verdicts
    assert (verdict.state, verdict.key_in_validity) == ("valid", within)


def test_a_digest_that_names_one_of_another_trail_before_it():
    kit, other = Kit(hours=2), Kit(hours=1, trail="audit")
    kit.digests |= other.digests
    kit.metadata |= other.metadata
    kit.add(1, other.said_of(0))
    chain = next(c for c in kit.check().chains if c.name.trail == "main")
    assert "broken" in chain.states
    assert any("another account, region or trail" in fault for fault in chain.faults)


def test_a_trail_that_became_one_of_an_organisation_keeps_its_chain():
    kit = Kit(hours=2)
    kit.prefix = "AWSLogs/o-exampleorg1/"
    kit.add(2, kit.said_of(1))
    checked = kit.check()
    assert digest_states(checked) == ["valid"] * 3
    assert not any("broken" in c.states for c in checked.chains)


def test_two_trails_and_two_regions_each_with_its_key():
    one, two, far = Kit(), Kit(trail="audit"), Kit(region="us-east-2", key=1)
    for kit in (two, far):
        one.digests |= kit.digests
        one.metadata |= kit.metadata
        one.logs |= kit.logs
    checked = one.check(keys=key_list(0, 1))
    assert len(checked.chains) == 3
    assert set(digest_states(checked)) == {"valid"}
    assert [("other_trail" in c.states) for c in checked.chains] == [True, True, False]
    assert set(log_states(checked)) == {"valid"}
    assert set(digest_states(one.check(keys=key_list(0)))) == {"valid", "unverified_no_key"}


def test_an_organisation_trail_and_a_prefix():
    kit = Kit(prefix="logs/")
    assert only(kit.check()).name.organisation == ""
    kit = Kit(hours=2, prefix="logs/AWSLogs/o-exampleorg1/")
    checked = kit.check()
    assert only(checked).name.organisation == "o-exampleorg1"
    assert set(digest_states(checked)) == {"valid"}


def test_a_chain_over_two_buckets():
    kit = Kit(hours=2)
    kit.add(2, kit.said_of(1), digestS3Bucket="second-bucket")
    assert digest_states(kit.check()) == ["valid"] * 3
    assert "complete" in only(kit.check()).states


# Log files


def test_a_changed_log_file():
    kit = Kit()
    kit.logs[log_key(0)] += b" "
    checked = kit.check()
    assert Counter(log_states(checked)) == {"valid": 5, "hash_mismatch": 1}
    assert {v.word for v in checked.logs} == {"signed", "failed"}


def test_a_missing_log_file():
    kit = Kit()
    del kit.logs[log_key(0)]
    assert Counter(log_states(kit.check())) == {"valid": 5, "missing": 1}


def test_a_log_file_that_no_digest_lists():
    kit = Kit()
    kit.logs[log_key(9)] = log_content(9)
    verdict = next(v for v in kit.check().logs if v.state == "not_covered")
    assert verdict.word == "not covered"


def taken_out(kit):
    return kit.logs.pop(log_key(0))


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        (log_key(0).removesuffix(".gz"), False),
        ("S0001.json", False),
        ("renamed.json.gz", True),
        ("other/folder/" + log_key(0).rpartition("/")[2].removesuffix(".gz"), False),
    ],
)
def test_a_renamed_or_unzipped_copy_verifies_and_says_so(name, packed):
    kit = Kit()
    raw = taken_out(kit)
    checked = kit.check(examine(name, gzip.compress(raw) if packed else raw))
    assert Counter(log_states(checked)) == {"valid": 5, "verified_content_container_changed": 1}
    assert {v.word for v in checked.logs} == {"signed"}


def test_a_file_in_another_folder_under_its_own_name_is_the_delivered_one():
    kit = Kit()
    checked = kit.check(examine("copy/" + log_key(0).rpartition("/")[2], gzip.compress(taken_out(kit))))
    assert set(log_states(checked)) == {"valid"}


def test_packed_otherwise_verifies_by_content():
    kit = Kit()
    raw = taken_out(kit)
    checked = kit.check(examine("logs.json.xz", b"packed", raw))
    assert Counter(log_states(checked))["verified_content_container_changed"] == 1


def test_pretty_printed_is_another_content():
    kit = Kit()
    kit.logs[log_key(0)] = json.dumps(json.loads(kit.logs[log_key(0)]), indent=1).encode()
    assert Counter(log_states(kit.check()))["hash_mismatch"] == 1


def test_a_log_file_with_bytes_behind_its_member():
    kit = Kit()
    packed = gzip.compress(taken_out(kit)) + gzip.compress(b'{"Records":[]}')
    assert Counter(log_states(kit.check(examine(log_key(0), packed)))) == {"valid": 5, "trailing_data": 1}


def test_a_log_file_that_is_cut_off():
    kit = Kit()
    packed = gzip.compress(taken_out(kit))
    assert Counter(log_states(kit.check(examine(log_key(0), packed[:-12])))) == {"valid": 5, "invalid_format": 1}


def test_a_true_copy_beside_a_false_one():
    kit = Kit()
    rival = examine("other/" + log_key(0), gzip.compress(b'{"Records":[]}'))
    assert Counter(log_states(kit.check(rival))) == {"valid": 6, "hash_mismatch": 1}


def test_equal_copies_are_all_judged():
    kit = Kit()
    copy = examine("copy/" + log_key(0), gzip.compress(kit.logs[log_key(0)]))
    assert log_states(kit.check(copy)) == ["valid"] * 7


def test_a_file_listed_twice_in_one_chain():
    kit = Kit(hours=1)
    listed = json.loads(kit.digests[kit.names[0]])["logFiles"]
    kit.add(1, kit.said_of(0), logFiles=listed)
    assert "duplicate_listing" in log_states(kit.check())


def test_a_file_whose_digest_is_false_in_one_trail_and_sound_in_another():
    kit, other = Kit(), Kit(trail="audit")
    kit.digests |= other.digests
    kit.metadata |= other.metadata
    kit.edit(0, newestEventTime="x")
    checked = kit.check()
    assert Counter(log_states(checked))["covered_by_other_trail"] == 2


@pytest.mark.parametrize("entry", [{"hashValue": "abc"}, {"hashValue": None}, {"hashAlgorithm": "MD5"}])
def test_a_listing_without_a_usable_hash(entry):
    kit = Kit(hours=1)
    listed = json.loads(kit.digests[kit.names[0]])["logFiles"]
    kit.add(1, kit.said_of(0), logFiles=[listed[0] | {"s3Object": log_key(1)} | entry])
    kit.logs[log_key(1)] = log_content(1)
    assert "invalid_format" in log_states(kit.check())


def test_capital_letters_in_a_hash_are_the_same_hash():
    kit = Kit(hours=1)
    listed = json.loads(kit.digests[kit.names[0]])["logFiles"]
    kit = Kit(hours=0)
    kit.logs = {log_key(0, n): log_content(0, n) for n in range(2)}
    kit.add(0, None, logFiles=[e | {"hashValue": e["hashValue"].upper()} for e in listed])
    assert set(log_states(kit.check())) == {"valid"}


def test_events_in_another_form_can_have_no_digest():
    piece = examine("events.csv", b"Event time,User name\n", source_id="aws_cloudtrail")
    checked = Kit().check(piece)
    assert Counter(log_states(checked)) == {"valid": 6, "not_applicable": 1}
    assert next(v for v in checked.logs if v.state == "not_applicable").word == "not covered"


def test_hostile_lists_of_logs_raise_nothing():
    kit = Kit(hours=1)
    kit.add(
        1, kit.said_of(0), logFiles=[None, 7, {}, {"s3Object": 7, "hashValue": []}, {"s3Object": "../../etc/passwd"}]
    )
    assert digest_states(kit.check()) == ["valid", "valid"]


def test_the_order_of_files_does_not_matter():
    kit = Kit(hours=5)
    del kit.digests[kit.names[2]]
    kit.logs[log_key(0)] += b" "
    pieces = kit.pieces()
    forward, back = check(pieces), check(pieces[::-1])
    assert digest_states(forward) == digest_states(back)
    assert [(v.key, v.state) for v in forward.logs] == [(v.key, v.state) for v in back.logs]


# Saved signatures


def forms(kit):
    name = kit.names[3]
    entry = kit.metadata[name]
    base = name.rpartition("/")[2]
    head = {"ETag": '"x"', "Metadata": entry, "LastModified": "2026-05-05T14:01:00+00:00"}
    return {
        "by_key.json": json.dumps({name: entry}),
        "lines.jsonl": "\n".join(json.dumps({"bucket": BUCKET, "key": k, **v}) for k, v in kit.metadata.items()),
        "list.json": json.dumps([{"bucket": BUCKET, "key": name, **entry}]),
        "prefixed.json": json.dumps({"key": name, "x-amz-meta-signature": entry["signature"]}),
        "uri.json": json.dumps({f"s3://{BUCKET}/{name}": entry}),
        f"{base}.head.json": json.dumps(head),
        f"{base.removesuffix('.json.gz')}.metadata.json": json.dumps({"Metadata": entry}),
        f"{base}.headers.txt": f"HTTP/1.1 200 OK\r\nx-amz-meta-signature: {entry['signature']}\r\nETag: x\r\n",
        "rclone.json": json.dumps([{"Path": name, "Metadata": entry}]),
        "rclone_of_a_folder.json": json.dumps(
            [
                {
                    "Path": "/".join(name.split("/")[-4:]),
                    "Name": base,
                    "IsDir": False,
                    "Metadata": {**entry, "mtime": "x"},
                }
            ]
        ),
    }


@pytest.mark.parametrize("number", range(10))
def test_every_form_of_saved_metadata(number):
    kit = Kit()
    name, text = list(forms(kit).items())[number]
    checked = kit.check(examine(name, text.encode()), sidecar=False)
    assert digest_states(checked)[3] == "valid", name


@pytest.mark.parametrize("place", [{"bucket": "other-bucket"}, {"key": "elsewhere/{base}"}])
def test_a_saved_signature_of_another_bucket_or_folder_is_not_used(place):
    kit = Kit()
    name = kit.names[3]
    place = {n: v.format(base=name.rpartition("/")[2]) for n, v in place.items()}
    text = json.dumps({"key": name, "signature": kit.metadata[name]["signature"]} | place)
    assert digest_states(kit.check(examine("m.json", text.encode()), sidecar=False))[3] == "unverified_no_signature"
