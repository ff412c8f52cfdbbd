"""The shipped sample: made again to the byte, and what its story promises checked in the files themselves."""

import base64
import csv
import gzip
import hashlib
import json
import subprocess
import sys
import tomllib
import zlib
from collections import Counter
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "sample_logs"
INTRUDER = {"203.0.113.45", "198.51.100.77"}


def make(folder: Path, *more: str) -> str:
    command = [sys.executable, "-m", "forensics.sample", "--output", str(folder), *more]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def log_files() -> list[Path]:
    return sorted((SAMPLE / "aws/AWSLogs/111122223333/CloudTrail").rglob("*.json.gz"))


@lru_cache(maxsize=1)
def records() -> list[dict]:
    return [record for path in log_files() for record in json.loads(gzip.decompress(path.read_bytes()))["Records"]]


def pages(path: Path) -> list[dict]:
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    if ".jsonl" in path.name:
        return [json.loads(line) for line in text.splitlines()]
    value = json.loads(text)
    return value if isinstance(value, list) else [value]


def truth() -> dict:
    return json.loads((SAMPLE / "ground_truth.json").read_text())


def step(name: str) -> list[str]:
    return next(entry["event_ids"] for entry in truth()["steps"] if entry["step"] == name)


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def plain(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: gzip.decompress(raw) if name.endswith(".gz") else raw for name, raw in files.items()}


def test_made_again_it_is_the_same_to_the_byte(tmp_path: Path) -> None:
    make(tmp_path / "again")
    shipped, again = files_of(SAMPLE), files_of(tmp_path / "again")
    assert sorted(shipped) == sorted(again)
    assert [name for name, raw in plain(shipped).items() if plain({name: again[name]})[name] != raw] == []
    if "ng" in zlib.ZLIB_RUNTIME_VERSION:
        pytest.skip("this Python compresses with zlib-ng; the decompressed content was equal")
    assert [name for name, raw in shipped.items() if again[name] != raw] == []


def test_gzip_headers_name_no_time_and_no_system() -> None:
    for path in SAMPLE.rglob("*.gz"):
        assert path.read_bytes()[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", path


def test_counts() -> None:
    ids = Counter(record["eventID"] for record in records())
    assert len(ids) == 20_000
    assert 100 < len(records()) - len(ids) < 300
    assert 400 <= len(log_files()) <= 900
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file()) < 8_000_000


def test_repeated_records_are_equal_except_the_altered_one_which_is_not_repeated() -> None:
    seen: dict[str, str] = {}
    for record in records():
        text = json.dumps(record)
        assert seen.setdefault(record["eventID"], text) == text


def test_every_event_of_the_truth_is_in_the_logs() -> None:
    ids = {record["eventID"] for record in records()}
    for path in (SAMPLE / "customers").rglob("*a*it*.json"):
        ids |= {entry["id"] for page in pages(path) for entry in page.get("data", []) if "id" in entry}
    wanted = {event for entry in truth()["steps"] for event in entry["event_ids"]}
    assert len(wanted) > 800
    assert wanted - ids == set()
    assert [entry["step"] for entry in truth()["steps"] if not entry["event_ids"]] == ["s24_usage_spikes"]


def test_every_call_from_the_intruders_addresses_belongs_to_a_step() -> None:
    wanted = {event for entry in truth()["steps"] for event in entry["event_ids"]}
    found = {record["eventID"] for record in records() if record["sourceIPAddress"] in INTRUDER}
    assert found and found <= wanted


def test_the_quiet_region_has_an_event_in_every_hour() -> None:
    hours = {record["eventTime"][:13] for record in records() if record["awsRegion"] == "eu-central-1"}
    assert len(hours) == 38 * 24


def test_nothing_is_recorded_while_logging_is_off() -> None:
    times = [record["eventTime"] for record in records() if record["awsRegion"] == "us-east-1"]
    assert "2026-05-05T02:50:00Z" in times and "2026-05-05T03:20:00Z" in times
    assert [at for at in times if "2026-05-05T02:50:00Z" < at < "2026-05-05T03:20:00Z"] == []


def test_no_key_use_is_recorded_while_it_is_excluded() -> None:
    dark = [
        record
        for record in records()
        if record["eventSource"].startswith("kms.") and record["awsRegion"] == "us-east-1"
        if "2026-05-05T02:49:00Z" <= record["eventTime"] < "2026-05-05T10:36:00Z"
    ]
    assert dark == []


def readers(name: str) -> set[str]:
    """Roles and users that name a place in a read of it."""
    found = set()
    for record in records():
        if name in json.dumps(record["requestParameters"]) and record["readOnly"]:
            identity = record["userIdentity"]
            found.add(identity.get("sessionContext", {}).get("sessionIssuer", {}).get("userName", "other"))
    return found


@pytest.mark.parametrize("place", ["prod/customers/yarrowdene/anthropic", "prod/customers/quillmere/openai"])
def test_the_secrets_not_exposed_were_read_by_their_workload_alone(place: str) -> None:
    assert readers(place) == {"gateway-runtime"}


def test_the_secret_of_dorvalis_was_unlocked_but_not_read_by_the_intruder() -> None:
    taken = [
        record["eventName"]
        for record in records()
        if "customers/dorvalis" in json.dumps(record["requestParameters"])
        and record["userIdentity"]["arn"].endswith("vault-maintenance/vm-1")
    ]
    assert taken == ["Decrypt"]


def test_sessions_use_the_access_keys_their_roles_were_given() -> None:
    issued = {
        record["responseElements"]["credentials"]["accessKeyId"]
        for record in records()
        if record["eventName"] == "AssumeRole"
    }
    chained = {
        record["userIdentity"]["accessKeyId"]
        for record in records()
        if record["userIdentity"].get("arn", "").endswith(("/release-4471", "/vm-1"))
    }
    assert len(chained) == 2 and chained <= issued


def test_bulk_reads_are_sixteen_secrets_and_three_refusals() -> None:
    ids = set(step("s04_secret_reads"))
    reads = {record["eventID"]: record for record in records() if record["eventID"] in ids}.values()
    allowed = {record["requestParameters"]["secretId"] for record in reads if "errorCode" not in record}
    assert (len(allowed), len(reads)) == (16, 19)


def public_key() -> tuple[int, int, bytes]:
    """Modulus and exponent out of the DER form: SEQUENCE of two INTEGERs, lengths in two and one bytes."""
    listed = json.loads((SAMPLE / "aws/public_keys.json").read_text())["PublicKeyList"][0]
    der = base64.b64decode(listed["Value"])
    assert hashlib.md5(der).hexdigest() == listed["Fingerprint"]
    assert der[:2] == b"\x30\x82" and der[4:6] == b"\x02\x82"
    length = int.from_bytes(der[6:8])
    rest = der[8 + length :]
    assert rest[0] == 2 and len(rest) == 2 + rest[1]
    return int.from_bytes(der[8 : 8 + length]), int.from_bytes(rest[2:]), der


def signed(text: str, signature: str) -> bool:
    modulus, exponent, _ = public_key()
    opened = pow(int(signature, 16), exponent, modulus).to_bytes(256)
    info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(text.encode()).digest()
    return opened == b"\x00\x01" + b"\xff" * 202 + b"\x00" + info


def digest_files() -> list[Path]:
    return sorted((SAMPLE / "aws/AWSLogs/111122223333/CloudTrail-Digest").rglob("*.json.gz"))


def test_all_digests_are_signed_and_chained() -> None:
    metadata = json.loads((SAMPLE / "aws/digest_metadata.json").read_text())
    before: tuple[str, str, str] | None = None
    assert len(digest_files()) == 12 == len(metadata)
    for path in digest_files():
        raw = gzip.decompress(path.read_bytes())
        digest = json.loads(raw)
        sha256 = hashlib.sha256(raw).hexdigest()
        name = digest["digestS3Object"]
        assert path.as_posix().endswith(name)
        last = digest["previousDigestSignature"] or "null"
        text = f"{digest['digestEndTime']}\n{digest['digestS3Bucket']}/{name}\n{sha256}\n{last}"
        assert signed(text, metadata[name]["signature"])
        assert not signed(text + " ", metadata[name]["signature"])
        keys = ("previousDigestS3Object", "previousDigestHashValue", "previousDigestSignature")
        assert tuple(digest[key] for key in keys) == (before or (None, None, None))
        before = (name, sha256, metadata[name]["signature"])


def test_exactly_one_log_file_differs_from_its_digest() -> None:
    listed = [entry for path in digest_files() for entry in json.loads(gzip.decompress(path.read_bytes()))["logFiles"]]
    assert len(listed) > 5
    altered = [
        entry["s3Object"]
        for entry in listed
        if hashlib.sha256(gzip.decompress((SAMPLE / "aws" / entry["s3Object"]).read_bytes())).hexdigest()
        != entry["hashValue"]
    ]
    assert len(altered) == 1
    ids = {
        r["eventID"]
        for r in json.loads(gzip.decompress((SAMPLE / "aws" / altered[0]).read_bytes()))["Records"]
        if r["sourceIPAddress"] == "192.0.2.27"
    }
    assert len(ids) == 1
    assert not ids & {event for entry in truth()["steps"] for event in entry["event_ids"]}


def test_the_event_history_page_repeats_records_word_for_word() -> None:
    texts = {json.dumps(record, separators=(",", ":")) for record in records()}
    events = json.loads((SAMPLE / "aws/lookup_events_eu-central-1.json").read_text())["Events"]
    assert len(events) >= 10
    assert [event["EventId"] for event in events if event["CloudTrailEvent"] not in texts] == []


def test_model_logs_name_requests_of_the_trail() -> None:
    requests = {record["requestID"]: record["eventTime"] for record in records()}
    rows = []
    for path in (SAMPLE / "aws/bedrock_invocations").glob("*.json.gz"):
        rows += [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
    assert len(rows) > 1000
    assert [row for row in rows if requests.get(row["requestId"]) != row["timestamp"]] == []
    assert [row for row in rows if "2026-05-05T03:24:00Z" <= row["timestamp"] < "2026-05-05T10:41:00Z"] == []


def openai_rows(name: str, pattern: str = "openai_usage*") -> list[tuple[int, dict]]:
    return [
        (bucket["start_time"], row)
        for path in sorted((SAMPLE / "customers" / name).glob(pattern))
        for page in pages(path)
        for bucket in page["data"]
        for row in bucket["results"]
    ]


@pytest.mark.parametrize("path", sorted((SAMPLE / "customers").rglob("*usage*")), ids=lambda path: path.name)
def test_usage_pages_follow_on_without_gap_and_add_up(path: Path) -> None:
    found = pages(path)
    if "_page_" not in path.name:
        assert [page["has_more"] for page in found] == [True] * (len(found) - 1) + [False]
    assert all((page["next_page"] is not None) == page["has_more"] for page in found)
    start, end = ("start_time", "end_time") if "openai" in path.name else ("starting_at", "ending_at")
    buckets = [bucket for page in found for bucket in page["data"]]
    assert [one[end] for one in buckets[:-1]] == [two[start] for two in buckets[1:]]
    assert any(not bucket["results"] for bucket in buckets)
    for bucket in buckets:
        for row in bucket["results"]:
            if "input_tokens" in row:
                parts = ("input_uncached_tokens", "input_cached_tokens", "input_cache_write_tokens")
                assert row["input_tokens"] == sum(row[part] for part in parts) > 0


def test_the_gateway_explains_the_ordinary_use_of_brindlewick_and_nothing_more() -> None:
    logged: Counter[str] = Counter()
    for row in pages(SAMPLE / "customers/brindlewick/litellm_spend.jsonl.gz"):
        logged[row["startTime"][:13]] += row["total_tokens"]
    from datetime import UTC, datetime

    counted: Counter[str] = Counter()
    other: set[str] = set()
    for at, row in openai_rows("brindlewick"):
        hour = datetime.fromtimestamp(at, UTC).isoformat()[:13]
        if row["api_key_id"] == "key_Bw7Qm2XfR4" and hour >= "2026-04-17T00":
            if row["model"] == "gpt-5-mini-2025-08-07":
                counted[hour] += row["input_tokens"] + row["output_tokens"]
            else:
                other.add(hour)
    assert counted == logged
    assert (min(other), max(other), len(other)) == ("2026-05-05T03", "2026-05-05T19", 17)


def test_use_of_the_deleted_key_goes_on_after_its_deletion() -> None:
    deleted = step("s25_use_after_revocation")[0]
    log = [
        entry
        for path in (SAMPLE / "customers/zephrane").glob("openai_audit*")
        for page in pages(path)
        for entry in page["data"]
    ]
    at = next(entry["effective_at"] for entry in log if entry["id"] == deleted)
    after = [begun for begun, row in openai_rows("zephrane") if row["api_key_id"] == "key_Zp1Kd7MvX8" and begun >= at]
    assert len(after) >= 5


def test_the_two_exports_of_dorvalis_agree_until_the_last_hours_of_the_first() -> None:
    one = dict(_requests("openai_usage_2026-05-06*"))
    two = dict(_requests("openai_usage_2026-05-08*"))
    differing = sorted(key for key in one if one[key] != two[key])
    assert len({at for at, _ in differing}) == 5
    assert all(one[key] < two[key] for key in differing)
    assert max(at for at, _ in two) > max(at for at, _ in one)


def _requests(pattern: str) -> list[tuple[tuple[int, str], int]]:
    return [((at, row["api_key_id"]), row["num_model_requests"]) for at, row in openai_rows("dorvalis", pattern)]


def test_costs_are_the_price_of_the_counted_tokens() -> None:
    tokens: Counter[str] = Counter()
    for _, row in openai_rows("oskelund"):
        tokens[f"{row['api_key_id']} {row['model']}, output"] += row["output_tokens"]
    charged: Counter[str] = Counter()
    for page in pages(SAMPLE / "customers/oskelund/openai_costs.json"):
        for bucket in page["data"]:
            for row in bucket["results"]:
                charged[f"{row['api_key_id']} {row['line_item']}"] += row["quantity"]
                assert round(row["amount"]["value"], 6) == row["amount"]["value"]
    assert tokens and all(charged[name] == count for name, count in tokens.items())


def test_papers_name_what_is_there() -> None:
    case = tomllib.loads((SAMPLE / "case.toml").read_text())
    assert case["known"][0]["value"] == "AKIACIDEPLOY2LEAK777"
    with (SAMPLE / "receipts.csv").open(newline="") as stream:
        receipts = list(csv.DictReader(stream))
    for row in receipts:
        path = SAMPLE / row["path"]
        assert path.exists(), row
        if row["sender_sha256"]:
            assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sender_sha256"]
    with (SAMPLE / "key_inventory.csv").open(newline="") as stream:
        keys = {row["provider_key_id"]: row for row in csv.DictReader(stream)}
    assert sorted(keys) == sorted(key["key_id"] for key in truth()["keys"])
    assert len(keys) == 10


def test_another_seed_gives_other_events_and_the_same_verdicts(tmp_path: Path) -> None:
    make(tmp_path, "--seed", "8", "--weeks", "1", "--events", "6000", "--files", "30", "--customers", "12")
    other = json.loads((tmp_path / "ground_truth.json").read_text())
    assert len(other["keys"]) == 12
    assert [key for key in other["keys"] if "Xt" not in key["key_id"]] == truth()["keys"]
    assert other["steps"][0]["event_ids"] != truth()["steps"][0]["event_ids"]


def test_a_large_one_takes_no_more_memory_than_a_small_one(tmp_path: Path) -> None:
    program = (
        "import resource, sys; from forensics.sample.__main__ import main; main(sys.argv[1:]);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = {}
    for events in ("20000", "80000"):
        folder = tmp_path / events
        done = subprocess.run(
            [sys.executable, "-c", program, "--output", str(folder), "--events", events, "--files", "20"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
        peaks[events] = int(done.stdout.split()[-1])
    found = list((tmp_path / "80000/aws/AWSLogs/111122223333/CloudTrail").rglob("*.gz"))
    assert len(found) in (20, 21)
    # 60,000 further events are 75 MB of text; held in memory as objects they would be several times that
    assert peaks["80000"] < peaks["20000"] + 40_000


def test_fewer_events_than_the_story_needs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        make(tmp_path, "--events", "100")
    assert refused.value.returncode == 2
    assert "--events must be at least" in refused.value.stderr
