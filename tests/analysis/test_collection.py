"""The collection guide: commands that only read, quoted, and complete over all pages."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess

import pytest

from forensics.analysis.collection.guide import STEPS, lines_of, page, step
from forensics.analysis.collection.step import PARAMETERS, filled, in_order
from forensics.cli.main import run
from forensics.model.errors import UsageFault
from tests.paths import REPOSITORY

COMMANDS = [(s.id, c) for s in STEPS for c in s.commands]
HOSTILE = "x'; rm -rf / #\n$(touch gone)`id`\"&|"
#: Verbs of the AWS command line that only read; generate-credential-report only asks for a report.
READING = re.compile(r"(?:list|get|describe|lookup|head|filter)-[a-z0-9-]+|sync|generate-credential-report")


def test_the_page_is_written_from_the_steps():
    assert (REPOSITORY / "docs/collection.md").read_text(encoding="utf-8") == page()


def test_ids_are_unique_and_facts_have_an_address():
    assert len({s.id for s in STEPS}) == len(STEPS)
    assert all(s.fact.startswith("https://") and s.gives and s.kept for s in STEPS)


def test_what_is_lost_first_comes_first():
    days = [s.kept_days for s in in_order(STEPS) if s.kept_days is not None and s.kept_days < 3000]
    assert days == sorted(days)
    assert days[0] == 0


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not here")
@pytest.mark.parametrize("given", [{}, {n: HOSTILE for n in PARAMETERS if n not in ("start", "end")}])
def test_every_command_is_sound_shell(given):
    for name, command in COMMANDS:
        text = filled(command, given)
        done = subprocess.run(["bash", "-n", "-c", text], check=False, capture_output=True, text=True)
        assert done.returncode == 0, (name, text, done.stderr)


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not here")
def test_hostile_values_stay_one_word(tmp_path):
    given = {n: HOSTILE for n in PARAMETERS if n not in ("start", "end")}
    for name, command in COMMANDS:
        used = [n for n in given if re.search(rf"(?<!\$)\{{(?:s3:)?{n}\b|<{n}>", command)]
        if not used:
            continue
        words = shlex.split(filled(command, given), comments=False)
        assert any(HOSTILE in word for word in words), (name, command)
    stubs = tmp_path / "bin"
    stubs.mkdir()
    for tool in ("aws", "curl", "jq", "az", "gcloud", "psql", "gzip", "grep", "base64"):
        (stubs / tool).write_text("#!/bin/bash\ncat >/dev/null </dev/null\nexit 0\n", encoding="utf-8")
        (stubs / tool).chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()
    for _, command in COMMANDS:
        subprocess.run(
            ["/bin/bash", "-c", filled(command, given)], check=False, cwd=work, capture_output=True, timeout=20,
            env={"PATH": f"{stubs}:/usr/bin:/bin"},
        )  # fmt: skip
    assert not (work / "gone").exists()


def test_commands_only_read():
    for name, command in COMMANDS:
        for service, verb in re.findall(r"\baws ([a-z0-9]+) ([a-z0-9-]+)", command):
            assert READING.fullmatch(verb), (name, service, verb)
        assert not re.search(r"--request|-X |--data |--delete|POST|PUT|DELETE", command), name
        assert (
            "aws s3 sync 's3" in filled(command, {}) or "s3 sync" not in command or "sync s3://" in filled(command, {})
        )
        assert "get-secret-value" not in command
        assert not re.search(r"(?i)\b(insert|update|drop|alter)\b", command), name


def test_every_provider_page_is_followed_and_a_failure_is_said():
    for name, command in COMMANDS:
        if "api.openai.com" in command or "api.anthropic.com" in command:
            assert "while :; do" in command, name
            assert "the export is not complete" in command, name
            assert "_KEY" in command, name


def test_usage_is_grouped_by_key():
    for name in ("openai_usage", "anthropic_usage"):
        assert "group_by[]=api_key_id" in step(name).commands[0]
        assert "bucket_width=1h" in step(name).commands[0]


@pytest.mark.skipif(not shutil.which("bash") or not shutil.which("jq"), reason="bash and jq are not here")
def test_a_loop_takes_three_pages_and_stops(tmp_path):
    pages = [{"next_page": "p2"}, {"next_page": "p3"}, {"next_page": None}]
    for number, value in enumerate(pages, start=1):
        (tmp_path / f"answer{number}").write_text(json.dumps(value), encoding="utf-8")
    stub = tmp_path / "curl"
    stub.write_text(
        '#!/bin/bash\nn=$(cat count 2>/dev/null || echo 0); n=$((n+1)); echo $n > count; printf "%s\\n" "$*" >> calls\n'
        'while [ $# -gt 0 ]; do [ "$1" = --output ] && cp "answer$n" "$2"; shift; done\n',
        encoding="utf-8",
    )
    stub.chmod(0o755)
    command = filled(step("openai_costs").commands[0], {"start": "2026-05-05T00:00:00Z", "end": "2026-05-06T00:00:00Z"})
    subprocess.run(
        ["/bin/bash", "-c", command], check=True, cwd=tmp_path, timeout=20,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin:{shutil.which('jq').rpartition('/')[0]}", "OPENAI_ADMIN_KEY": "x"},
    )  # fmt: skip
    assert sorted(p.name for p in tmp_path.glob("openai_costs_*")) == [f"openai_costs_{n}.json" for n in (1, 2, 3)]
    calls = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert "start_time=1777939200" in calls[0]
    assert "page=p3" in calls[2]


def test_times_become_what_each_source_takes():
    given = {"start": "2026-05-05T00:00:00Z", "end": "2026-05-06T02:00:00+02:00"}
    text = filled("a {start:e} {end:m} {start}", given)
    assert text == "a 1777939200 1778025600000 2026-05-05T00:00:00Z"
    assert filled("a {start:e} {end:m}", {}) == "a START_EPOCH END_MS"
    with pytest.raises(UsageFault):
        lines_of(STEPS[0], {"start": "yesterday"})
    with pytest.raises(UsageFault):
        lines_of(STEPS[0], {"colour": "red"})


def test_the_command(capsys):
    assert run(["guide"]) == 0
    assert "event_history" in capsys.readouterr().out
    assert run(["guide", "trail_files", "--set", "bucket=b; rm -rf /"]) == 0
    assert "'s3://b; rm -rf //AWSLogs/'" in capsys.readouterr().out
    assert run(["guide", "nothing"]) == 2
    assert run(["guide", "trail_files", "--set", "bucket"]) == 2
    capsys.readouterr()
    assert run(["guide", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    text = (REPOSITORY / "docs/json.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in found[0])
