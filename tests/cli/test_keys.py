"""keytrail keys: the sample incident's lives, the hashes that customers make, and what a case without keys says."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from hashlib import sha256

import pytest

from forensics.analysis.inventory.hashing import HASH_COMMANDS
from forensics.cli.main import run
from forensics.ingest.run import IngestOptions, ingest
from forensics.model.masking import mask_keys
from tests.analysis.inventory.building import book_of, listed, make_case
from tests.paths import SAMPLE

TRUTH = json.loads((SAMPLE / "ground_truth.json").read_text(encoding="utf-8"))
KEYS = ("sk-proj-invented" + "Ab3" * 8 + "f2Kd", "plain key with spaces", "sk-ant-api03-" + "x9" * 20)
LINES = {command.shell: command.line for command in HASH_COMMANDS}


@pytest.fixture(scope="module")
def printed(made_sample_case, tmp_path_factory):
    """What `keys --json` prints of the sample, and its exit code."""
    target = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", target)
        code = run(["keys", str(made_sample_case.root), "--dry-run", "--json"])
    return code, json.loads(target.getvalue())


def test_every_key_of_the_sample_has_a_life(printed):
    code, found = printed
    assert code == 10
    assert sorted((k["provider"], k["key_id"], k["customer"], k["verdict"]) for k in found["keys"]) == sorted(
        (k["provider"], k["key_id"], k["customer"], k["verdict"]) for k in TRUTH["keys"]
    )


def test_rotation_of_the_sample(printed):
    check = {k["customer"]: k["rotation"] for k in printed[1]["keys"]}
    tarnhaven, zephrane = check["Tarnhaven"], check["Zephrane"]
    assert (tarnhaven["state"], tarnhaven["rotated_at"], tarnhaven["rotated_basis"]) == (
        "not_effective",
        "2026-05-05T11:05:00Z",
        "store log",
    )
    assert (
        tarnhaven["latency_seconds"]["exposed_to_rotated"] == 30832
        and tarnhaven["used_after_rotation"]["from"] == "2026-05-05T12:00:00Z"
    )
    assert tarnhaven["access_until"] == "2026-05-05T10:30:00Z"
    assert (zephrane["state"], zephrane["revoked_basis"], zephrane["used_after_revocation"]["buckets"]) == (
        "not_effective",
        "provider log",
        7,
    )
    assert check["Yarrowdene"]["state"] == "not_needed" and check["Oskelund"]["state"] == "not_done"


def test_what_the_samples_intruder_made_with_a_key(printed):
    made = {k["customer"]: [m["target"] for m in k["made_with"]] for k in printed[1]["keys"] if k["made_with"]}
    assert made["Tarnhaven"] == ["apikey_01TarnZz6Pc1"]


def test_the_samples_time_that_logs_contradict(printed):
    said = [r for r in printed[1]["remarks"] if r["kind"] == "time_contradicted"]
    assert [r["keys"] for r in said] == [["key_Zp1Kd7MvX8"]] and "use was counted until 2026-05-05T20:00:00Z" in said[
        0
    ]["text"]


@pytest.mark.parametrize(
    "name",
    ["key_Zp1Kd7MvX8", "lanternfish-zephrane", "sk-proj-...y7Gi", "secret:us-east-1:prod/customers/zephrane/openai"],
)
def test_one_key_by_any_of_its_names(made_sample_case, capsys, name):
    assert run(["keys", str(made_sample_case.root), "--dry-run", "--key", name]) == 10
    text = capsys.readouterr().out
    assert "Zephrane" in text and "Oskelund" not in text and "Known by" in text


@pytest.mark.parametrize("option", [["--key", "key_nowhere"], ["--customer", "Nobody"]])
def test_an_unknown_key_or_customer_is_wrong_use(tmp_path, option, capsys):
    case = make_case(tmp_path, {})
    assert run(["keys", str(case.root), *option]) == 2


def test_without_keys_it_says_what_to_ingest(tmp_path, capsys):
    case = make_case(tmp_path, {})
    run(["keys", str(case.root)])
    assert "prod/a" not in capsys.readouterr().out


def test_the_command_that_makes_hashes_prints_without_a_case(capsys):
    assert run(["keys", "--hash-command"]) == 0
    text = capsys.readouterr().out
    assert all(line in text for line in LINES.values())
    assert run(["keys", "--hash-command", "--json"]) == 0
    assert {c["shell"]: c["line"] for c in json.loads(capsys.readouterr().out)["hash_commands"]} == LINES


def _runner(shell):
    if shell == "python":
        return ["sh", "-c", LINES["python"].replace("python3", f"'{sys.executable}'")]
    if shell == "sh" and shutil.which("openssl"):
        return ["sh", "-c", LINES["sh"]]
    if shell == "powershell" and shutil.which("pwsh"):
        return ["pwsh", "-NoProfile", "-Command", LINES["powershell"]]
    return None


@pytest.mark.parametrize("shell", sorted(LINES))
def test_hashes_of_keys_in_a_file_are_a_key_inventory(tmp_path, shell):
    command = _runner(shell)
    if command is None:
        pytest.skip(f"no program here runs the line for {shell}")
    (tmp_path / "keys.txt").write_bytes(f"{KEYS[0]}\r\n\r\n{KEYS[1]}\n{KEYS[2]}".encode())
    assert not any(key in " ".join(command) for key in KEYS), "no key is an argument"
    subprocess.run(command, cwd=tmp_path, check=True)
    text = (tmp_path / "key_hashes.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(r["key_sha256"], r["hint"]) for r in rows] == [
        (sha256(k.encode()).hexdigest(), f"...{k[-4:]}") for k in KEYS
    ]
    assert mask_keys(text) == text and not any(key in text for key in KEYS)


def test_a_customers_hash_finds_its_key_in_the_providers_list(tmp_path):
    digest = sha256(KEYS[0].encode()).hexdigest()
    known = listed("key_H", "Acorn", key_sha256=digest)
    case = make_case(tmp_path, {}, provider_key=[known])
    (tmp_path / "key_hashes.csv").write_text(
        f"customer,provider,hint,key_sha256\nAcorn,openai,...f2Kd,{digest}\n", encoding="utf-8"
    )
    ingest(case, [tmp_path / "key_hashes.csv"], IngestOptions())
    (life,) = book_of(case).lives
    assert (life.key.key_id, life.statement.resolved_by) == ("key_H", "sha256")
