"""Wrong arguments and broken files: one clear line, the documented exit code, nothing half-written."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time

import filelock
import pytest

from forensics.cli.main import run
from tests.building import delivery, event, new_case, packed


@pytest.fixture
def case(tmp_path):
    return new_case(tmp_path)


def talk(capsys):
    return capsys.readouterr().err.strip().splitlines()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["ingest", "{case}", "{tmp}/absent"], 2, "no such file or folder"),
        (["ingest", "{case}", "{tmp}/empty"], 2, "holds no file"),
        (["ingest", "{tmp}/nocase", "{tmp}"], 2, "no case here"),
        (["status", "{tmp}/nocase"], 2, "no case here"),
        (["hunt", "{case}", "--query", "aws.absent"], 2, "no query"),
        (["hunt", "{case}", "--since", "yesterday"], 2, "no date or time"),
        (["timeline", "{case}", "--since", "2026-05-05 10:00"], 2, "local time without zone"),
        (["timeline", "{case}", "--until", "2026-13-45"], 2, "no date or time"),
        (["timeline", "{case}", "--output", "{tmp}/x.docx"], 2, "unknown format"),
        (["show", "nothing", "--case", "{case}"], 2, "no record has the id"),
        (["exposure", "{case}", "--customer", "Nobody"], 2, ""),
        (["verify", "{tmp}/absent"], 2, ""),
        (["init", "{case}"], 2, "there is a case already"),
        (["init", "{tmp}/new", "--settings", "{tmp}/bad.toml"], 2, "no zone"),
        (["absent-command"], 2, "absent-command"),
        (["hunt", "{case}", "--engine", "spark"], 2, "no engine"),
    ],
)
def test_one_line_and_the_code(tmp_path, case, capsys, arguments, code, words):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.toml").write_text("[times]\nt0 = 2026-05-05T02:11:00\n", encoding="utf-8")
    filled = [a.format(case=case.root, tmp=tmp_path) for a in arguments]
    assert run(filled) == code
    lines = talk(capsys)
    assert words in "\n".join(lines)
    assert len([line for line in lines if line.startswith("keytrail:")]) == 1
    assert not (tmp_path / "new").exists()


def test_folder_without_logs_is_said_not_failed(tmp_path, case, capsys):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text("hello", encoding="utf-8")
    assert run(["ingest", str(case.root), str(tmp_path / "docs")]) == 0
    assert "no log was recognised" in "\n".join(talk(capsys))


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("cut.json.gz", packed(delivery([event(n) for n in range(50)]))[:-40], "cut off"),
        ("broken.json", b'{"Records":[{"eventSource":"a","eventName":"b"},{"eventSource":', "does not end"),
        (
            "half.jsonl",
            json.dumps(event(1)).encode() + b"\n{oops\n" + json.dumps(event(2)).encode(),
            "does not end",
        ),
    ],
)
def test_a_defective_log_gives_4_and_names_the_place(tmp_path, case, capsys, name, data, words):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / name).write_bytes(data)
    assert run(["ingest", str(case.root), str(tmp_path / "logs"), "--json"]) == 4
    out = json.loads(capsys.readouterr().out)
    assert out["files"]["defective"] == 1 and name in out["defective"][0]["path"]
    r = out["records"]
    assert r["seen"] == r["accepted"] + r["duplicate"] + r["defect"] + r["out_of_scope"]
    assert run(["status", str(case.root), "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert any(words in d["reason"] for d in status["defects"])


@pytest.mark.skipif(os.geteuid() == 0 if hasattr(os, "geteuid") else True, reason="root reads every file")
def test_unreadable_file_is_defective(tmp_path, case):
    (tmp_path / "logs").mkdir()
    path = tmp_path / "logs" / "a.json"
    path.write_bytes(delivery([event(1)]))
    path.chmod(0)
    assert run(["ingest", str(case.root), str(tmp_path / "logs")]) == 4


def test_a_file_that_cannot_be_read_is_named(tmp_path, case, capsys, monkeypatch):
    from pathlib import Path

    (tmp_path / "logs").mkdir()
    for number in (1, 2):
        (tmp_path / "logs" / f"{number}.json").write_bytes(delivery([event(number)]))
    real = Path.read_bytes

    def refuse(self: Path) -> bytes:
        if self.name == "1.json":
            raise PermissionError(13, "Permission denied")
        return real(self)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert run(["ingest", str(case.root), str(tmp_path / "logs"), "--json"]) == 4
    out = json.loads(capsys.readouterr().out)
    assert out["defective"] == [{"path": "1.json", "reason": "cannot be read: Permission denied"}]
    assert out["records"]["accepted"] == 1
    assert "could not be read" in case.custody.path.read_text(encoding="utf-8")


def test_dry_runs_write_nothing(tmp_path, case):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.json").write_bytes(delivery([event(1)]))
    assert run(["ingest", str(case.root), str(tmp_path / "logs")]) == 0
    before = {p: p.read_bytes() for p in case.root.rglob("*") if p.is_file()}
    for arguments in (
        ["ingest", "{}", str(tmp_path / "logs"), "--dry-run"],
        ["exposure", "{}", "--dry-run"],
        ["hunt", "{}", "--dry-run"],
        ["report", "{}", "--dry-run"],
    ):
        run([a.format(case.root) for a in arguments])
    after = {p: p.read_bytes() for p in case.root.rglob("*") if p.is_file()}
    assert before.keys() == after.keys()
    assert [p.name for p in before if before[p] != after[p]] == []
    assert run(["init", str(tmp_path / "other"), "--dry-run"]) == 0 and not (tmp_path / "other").exists()
    assert (
        run(["triage", str(tmp_path / "logs"), "--case", str(tmp_path / "t"), "--dry-run"]) == 0
        and not (tmp_path / "t").exists()
    )


def test_a_second_writer_waits_and_names_the_holder(case, capsys, monkeypatch):
    from forensics.store import case_folder

    monkeypatch.setattr(case_folder, "LOCK_SECONDS", 0.2)
    code = f"""
import sys, time
from pathlib import Path
from forensics.store.case_folder import open_case
from forensics.model.clock import system_clock
with open_case(Path({str(case.root)!r}), system_clock).locked("ingest"):
    print("held", flush=True)
    time.sleep(20)
"""
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        case.settings_path.write_bytes(case.settings_path.read_bytes() + b"\n")
        assert run(["status", str(case.root)]) == 2
        assert "held by `keytrail ingest`" in "\n".join(talk(capsys))
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


def test_interrupt_leaves_a_case_the_next_command_can_use(tmp_path, case):
    logs = tmp_path / "logs"
    logs.mkdir()
    for n in range(1000):  # four groups of files
        (logs / f"{n:04d}.json").write_bytes(delivery([event(n * 4 + i) for i in range(4)]))
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from forensics.cli.main import main; main()",
            "ingest",
            str(case.root),
            str(logs),
        ],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while b'"received"' not in case.custody.path.read_bytes() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode in (130, 0)
    if process.returncode == 130:
        assert b"interrupted" in errors
    assert run(["ingest", str(case.root), str(logs)]) == 0
    connection = case.reader()
    try:
        assert connection.execute("SELECT count(*), count(DISTINCT event_id) FROM aws_event").fetchall() == [
            (4000, 4000)
        ]
    finally:
        connection.close()


def test_a_full_disk_is_one_clear_line_and_the_next_run_goes_on(tmp_path, case):
    resource = pytest.importorskip("resource", reason="no limits of processes there")
    assert resource
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.json").write_bytes(delivery([event(n, requestID=os.urandom(40).hex()) for n in range(4000)]))
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (1_400_000, 1_400_000));"
        "from forensics.cli.main import main; main()"
    )
    command = [sys.executable, "-c", limited, "ingest", str(case.root), str(logs), "--no-copy"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert "the store cannot be written" in ended.stderr
    assert "make room" in ended.stderr
    assert run(["ingest", str(case.root), str(logs), "--no-copy"]) == 0
    connection = case.reader()
    try:
        assert connection.execute("SELECT count(*) FROM aws_event").fetchall() == [(4000,)]
    finally:
        connection.close()


def test_a_case_that_can_only_be_read_is_read_and_not_written(tmp_path, case, capsys, monkeypatch):
    (tmp_path / "a.json").write_bytes(delivery([event(1)]))

    def refused(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system", ".lock")

    monkeypatch.setattr(filelock.FileLock, "acquire", refused)
    assert run(["status", str(case.root)]) == 0
    capsys.readouterr()
    assert run(["ingest", str(case.root), str(tmp_path / "a.json")]) == 1
    assert talk(capsys) == [
        "keytrail: .lock: Read-only file system; the case has to be in a folder that can be written"
    ]
