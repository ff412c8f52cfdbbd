"""Key material: found at ingest, counted with its places, and in full nowhere but in the evidence itself."""

from __future__ import annotations

import csv
import io
import json

import pyarrow as pa
import pytest

from forensics.cli.main import run
from forensics.ingest.material import TOO_SHORT, find_material, mask_rows, mask_text, masked_json, suspects_of
from forensics.model.masking import SECRET_FIELDS
from tests.building import delivery, event, new_case
from tests.case_events import BASES

BODY = "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA"
#: One key of each form in forensics/model/masking.py.
KEYS = [
    *(f"{head}{BODY}" for head in ("sk-ant-api03-", "sk-proj-", "sk-svcacct-", "sk-or-v1-", "sk-helicone-", "sk-")),
    *(f"{head}{BODY}" for head in ("pk-lf-", "sk_", "bedrock-api-key-", "AIza", "gsk_", "xai-", "hf_", "api_org_")),
    *(f"{head}{BODY}" for head in ("pplx-", "r8_", "nvapi-", "dapi", "lsv2_pt_", "lsv2_sk_", "ghp_", "github_pat_")),
    f"ABSK{BODY}{BODY}",
]
SECRET = "wJalr/XUtnFEMI+K7MDENG/bPxRfiCYinventedkey"


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(c):04x}" for c in text)


@pytest.mark.parametrize("key", KEYS)
def test_each_form_is_masked_also_behind_escapes(key):
    for text in (f'{{"a":"x {key} y"}}', f'{{"a":"{escaped(key)}"}}', json.dumps({"a": json.dumps({"b": key})})):
        masked = masked_json(text)
        assert BODY not in masked
        assert BODY not in json.dumps(json.loads(masked))
        assert [m.kind for m in find_material(text)] == ["provider_key"]
        suspects = suspects_of(pa.array(["{}", text]))
        assert suspects == {1: text}
        changed, found = mask_rows(suspects)
        assert changed == {1: masked}
        assert [row for row, _ in found] == [1]


def test_secrets_by_name_in_every_notation():
    nested = json.dumps({"m": json.dumps({"credentials": {"secretAccessKey": SECRET, "sessionToken": SECRET * 3}})})
    for text, kinds in (
        (nested, ["aws_secret_key", "aws_session_token"]),
        (nested.replace("/", "\\/"), ["aws_secret_key", "aws_session_token"]),
        (f"{{accesskeyid=AKIAADA, secretaccesskey={SECRET}, x=1}}", ["aws_secret_key"]),
        (f"{{'secretAccessKey': '{SECRET}'}}", ["aws_secret_key"]),
        (f'{{"Authorization":"Bearer {SECRET}"}}', ["secret_field"]),
        (f"curl -H 'x: bearer {SECRET}'", ["bearer_token"]),
    ):
        assert [m.kind for m in find_material(text)] == kinds, text
        assert "bPxRfiCYinvented" not in masked_json(text)
        assert masked_json(masked_json(text)) == masked_json(text)


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("MISTRAL_API_KEY", BODY, True),
        ("api_key", BODY, True),
        ("TOGETHER_API_KEY", "0123456789abcdef" * 4, True),
        ("api_key", "0123456789abcdef" * 4, False),
        ("user_api_key", "0123456789abcdef" * 4, False),
        ("api_key", "prod-backend-2026-eu-west-1", False),
        ("api_key", "key_9QxT0aB3dE5gH7jK9mN1pQ2rS4", False),
        ("api_key", "averylongnamewithoutanynumber", False),
        ("api_key_id", BODY, False),
    ],
)
def test_a_key_without_a_prefix_is_known_by_its_name(name, value, found):
    for text in (json.dumps({name: value}), json.dumps({"variables": json.dumps({name: value})})):
        masked = masked_json(text)
        assert (value in masked) is not found
        assert [m.kind for m in find_material(text)] == ["secret_field"] * found
        assert mask_rows(suspects_of(pa.array(["{}", text])))[0] == ({1: masked} if found else {})
        assert masked_json(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        '{"eventName":"GetSessionToken","userAgent":"task-runner disk-usage-of-some-long-name/1.0"}',
        '{"requestParameters":{"password":"HIDDEN_DUE_TO_SECURITY_REASONS","secret":"****"}}',
        '{"responseElements":{"sessionToken":null},"hint":"sk-proj-...abcd"}',
        '{"note":"basic authentication-configuration of the site"}',
        '{"accessKeyId":"AKIAADA2222222222222"}',
    ],
)
def test_what_is_no_secret_stays(text):
    assert find_material(text) == []
    assert mask_text(text) == text
    assert masked_json(text) is text


def planted(value, number=0):
    """Every text of a value with a key in it; numbers of keys go round."""
    if isinstance(value, dict):
        return {
            name: member if name in KEPT else planted(member, number + n)
            for n, (name, member) in enumerate(value.items())
        }
    if isinstance(value, list):
        return [planted(member, number + n) for n, member in enumerate(value)]
    return f"{value} {KEYS[number % len(KEYS)]}" if isinstance(value, str) else value


#: Fields by which a format is recognised, times and numbers written as text.
KEPT = {
    *("object", "eventTime", "schemaType", "schemaVersion", "startTime", "endTime", "timestamp", "type", "created_at"),
    *("starting_at", "ending_at", "start_time_iso", "amount", "currency", "creationDate", "eventVersion"),
}


def of_other_formats():
    """Keys where gateways, observability, stores and lists of keys may hold them."""
    vault = {
        "time": "2026-11-14T02:00:00Z",
        "type": "response",
        "request": {"id": "r", "operation": "read", "path": "p"},
    }
    vault |= {"auth": {"client_token": f"hvs.{BODY}"}, "response": {"data": {"data": {"key": KEYS[1]}}}}
    attributes = [
        {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "1"}},
        {"key": "http.request.header.authorization", "value": {"stringValue": f"Bearer {KEYS[9]}"}},
    ]
    span = {"traceId": "t", "spanId": "s", "startTimeUnixNano": "1794614400000000000", "attributes": attributes}
    asked = {
        "request_id": "q",
        "request_created_at": "2026-11-14T02:00:00Z",
        "response_status": 200,
        "prompt_tokens": 1,
    }
    asked["request_properties"] = {"auth": KEYS[11], "password": SECRET, "MISTRAL_API_KEY": BODY}
    listed = {"object": "organization.project.api_key", "id": "key_1", "name": KEYS[1], "redacted_value": KEYS[1]}
    files = {
        "vault.json": vault,
        "otel.json": {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": [span]}]}]},
        "helicone.json": [asked],
        "openai_keys.json": {"object": "list", "data": [listed], "has_more": False},
    }
    sheets = {
        "deepseek.csv": f"user_id,utc_date,model,api_key_name,api_key,type,price,amount\nu,20261114,m,n,{KEYS[5]},output_tokens,1,3\n",
        "fireworks.csv": "start_time,model,model_tier,api_key_id,user_id,subtotal_units,subtotal_nanos,subtotal_currency_code\n"
        f"2026-11-14T00:00:00Z,m,t,{KEYS[10]},u,1,0,USD\n",
    }
    return {n: json.dumps(v).encode() for n, v in files.items()} | {n: v.encode() for n, v in sheets.items()}


def exports():
    cloudtrail = [planted(event(n), n) for n in range(len(KEYS))]
    cloudtrail[0]["responseElements"] = {"credentials": {"accessKeyId": "ASIAX", "secretAccessKey": SECRET}}
    cloudtrail[1][KEYS[0]] = KEYS[1]
    files = {"trail.json": delivery(cloudtrail)}
    quick = [planted(event(n), n) for n in (70, 71)]
    quick[0]["newField"] = KEYS[6]
    quick[1]["responseElements"] = {"credentials": {"sessionToken": SECRET * 2}}
    # Without blanks, as S3 delivers: the fast reader takes it.
    files["plain.json"] = json.dumps({"Records": quick}, separators=(",", ":"), ensure_ascii=False).encode()
    files["escaped.json"] = delivery([event(90, userAgent="curl")]).replace(b"curl", escaped(KEYS[3]).encode())
    for name in ("openai_audit", "litellm_spend", "bedrock_invocation", "anthropic_activity", "openai_usage_page"):
        value = json.loads((BASES / f"{name}.json").read_text(encoding="utf-8"))
        files[f"{name}.json"] = json.dumps(planted(value)).encode()
    rows = json.loads((BASES / "key_inventory.json").read_text(encoding="utf-8"))
    sheet = io.StringIO()
    row = rows[0] if isinstance(rows, list) else rows
    writer = csv.DictWriter(sheet, fieldnames=list(row))
    writer.writeheader()
    writer.writerow({name: planted(value, n) if value else "" for n, (name, value) in enumerate(row.items())})
    files["keys.csv"] = sheet.getvalue().encode()
    files |= of_other_formats()
    files["notes.txt"] = f"the key is {KEYS[2]}".encode()
    files["unknown.csv"] = f"{KEYS[4]},b\n1,2\n".encode()
    files["broken.json"] = delivery([event(91)])[:-30] + b" " + KEYS[5].encode()
    return files


@pytest.fixture
def case(tmp_path):
    folder = new_case(tmp_path)
    (tmp_path / "logs").mkdir()
    for name, data in exports().items():
        (tmp_path / "logs" / name).write_bytes(data)
    return folder


def secrets_in(text: str) -> list[str]:
    return [s for s in (BODY, SECRET[:30]) if s in text]


def dump(folder) -> str:
    connection = folder.reader()
    try:
        names = [r[0] for r in connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()]
        return "\n".join(repr(connection.execute(f"SELECT * FROM {n}").fetchall()) for n in names)
    finally:
        connection.close()


def test_no_full_key_reaches_a_table_a_log_or_the_terminal(case, tmp_path, capsys):
    root = str(case.root)
    commands = [
        ["ingest", root, str(tmp_path / "logs"), "--dry-run"],
        ["ingest", root, str(tmp_path / "logs"), "--owner", "tarnhaven"],
        ["status", root],
        ["status", root, "--json"],
        ["hunt", root],
        ["exposure", root],
        ["timeline", root, "--json"],
        ["report", root],
        *(["export", root, "--what", what, "--json"] for what in ("exhibits", "findings", "defects")),
    ]
    for command in commands:
        run(command)
        captured = capsys.readouterr()
        assert secrets_in(captured.out + captured.err) == [], command
    assert secrets_in(dump(case)) == []
    for path in sorted(case.root.rglob("*")):
        if path.is_file() and path.parent.name not in {"evidence", "inventory"}:
            assert secrets_in(path.read_bytes().decode("latin-1")) == [], path.name
    connection = case.reader()
    try:
        rows = connection.execute("SELECT event_key FROM aws_event ORDER BY event_key").fetchall()
        held = dict(
            connection.execute(
                "SELECT r.path, count(*) FROM key_material k JOIN receipt r USING (file_sha256) GROUP BY r.path"
            ).fetchall()
        )
        records = connection.execute(
            "SELECT count(DISTINCT record_no) FROM key_material k JOIN receipt r USING (file_sha256)"
            " WHERE r.path = 'trail.json' AND byte_offset IS NOT NULL"
        ).fetchall()[0][0]
    finally:
        connection.close()
    assert len(rows) == len(KEYS) + 3
    assert set(held) == set(exports())
    assert records == len(KEYS)
    for (key,) in rows[:5]:
        run(["show", key, "--case", root])
        run(["show", key, "--case", root, "--json"])
        captured = capsys.readouterr()
        assert captured.out
        assert secrets_in(captured.out + captured.err) == []
    assert run(["show", rows[0][0], "--case", root, "--reveal", "--by", "ada"]) == 0
    assert secrets_in(capsys.readouterr().out) != []
    last = json.loads((case.root / "custody.jsonl").read_bytes().splitlines()[-1])
    assert (last["act"], last["event_key"], last["by"]) == ("revealed", rows[0][0], "ada")
    assert secrets_in(json.dumps(last)) == []


def test_prompts_mark_the_exhibit_and_are_not_shown(tmp_path, capsys):
    folder = new_case(tmp_path)
    value = json.loads((BASES / "bedrock_invocation.json").read_text(encoding="utf-8"))
    record = value[0] if isinstance(value, list) else value
    record.setdefault("input", {})["inputBodyJson"] = {"messages": [{"role": "user", "content": "a private question"}]}
    (tmp_path / "b.json").write_text(json.dumps(record), encoding="utf-8")
    assert run(["ingest", str(folder.root), str(tmp_path / "b.json")]) == 0
    capsys.readouterr()
    run(["status", str(folder.root), "--json"])
    exhibit = json.loads(capsys.readouterr().out)["exhibits"][0]
    assert (exhibit["tlp"], exhibit["key_material"], exhibit["contents"]) == ("TLP:RED", 0, 1)
    connection = folder.reader()
    try:
        assert connection.execute("SELECT kind, record_no, places FROM key_material").fetchall() == [("content", 0, 1)]
        key = connection.execute("SELECT event_key FROM ai_request").fetchall()[0][0]
    finally:
        connection.close()
    run(["show", key, "--case", str(folder.root)])
    assert "private question" not in capsys.readouterr().out
    run(["show", key, "--case", str(folder.root), "--reveal"])
    assert "private question" in capsys.readouterr().out


def test_nothing_is_found_in_what_is_too_short():
    shortest = min(SECRET_FIELDS, key=len)
    assert len(f'"{shortest}":"x"') > TOO_SHORT
    assert find_material(f'"{shortest}":"x"')
    assert not any(
        find_material(text[:TOO_SHORT]) for text in ("sk-ant-x", "AKIAAAAA", "bearer x", f'"{shortest}":"x"')
    )
