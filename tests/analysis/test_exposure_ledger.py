"""Each class of exposure, over one small case that holds an act of every kind."""

from __future__ import annotations

import pytest

from forensics.analysis.context import catalogue
from forensics.analysis.verdicts import compute, exposure_case
from forensics.ingest.run import IngestOptions, ingest
from tests.building import clock, delivery, event, new_case

THIEF, ADDRESS = "AKIATHIEF22222222222", "203.0.113.50"
KMS_KEY = "arn:aws:kms:us-east-1:111122223333:key/0000aaaa-1111-2222-3333-444455556666"
SETTINGS = f"""
[case]
id = "X-1"
[window]
since = 2026-04-01T00:00:00Z
until = 2026-05-08T00:00:00Z
[times]
t0 = 2026-05-05T02:00:00Z
[own]
accounts = ["111122223333"]
[[known]]
kind = "access_key"
value = "{THIEF}"
reason = "stated by the code host"
by = "A. Examiner"
[[wrapping]]
key = "kms:us-east-1:0000aaaa-1111-2222-3333-444455556666"
covers = ["dynamodb:us-east-1:wrapped_keys*"]
by = "B. Builder"
text = "rows of the table are encrypted with it"
[[wrapping]]
key = "secret:us-east-1:prod/master"
covers = ["app:console"]
by = "B. Builder"
text = "the console decrypts with it"
"""
INVENTORY = """customer,provider,provider_key_id,location,created_at,rotated_at
Batchling,openai,key_listed,secret:us-east-1:prod/batch/listed,,
Batchling,openai,key_single,secret:us-east-1:prod/batch/single,,
Taskford,openai,key_task,ecs:us-east-1:gateway,,
Taskford,openai,key_build,codebuild:us-east-1:release,,
Taskford,openai,key_quiet,codebuild:us-east-1:untouched,,
Rowley,openai,key_shared,rds:us-east-1:tenants,,
Rowley,openai,key_other_db,rds:us-east-1:billing,,
Rowley,openai,key_scanned,dynamodb:us-east-1:provider_keys,,
Objectson,openai,key_object,s3:keys-bucket/prod/.env,,
Acme,openai,key_acme,dynamodb:us-east-1:wrapped_keys/acme,,
Zeta,openai,key_zeta,dynamodb:us-east-1:wrapped_keys/zeta,,
Console,openai,key_console,app:console,,
Turner,openai,key_old,secret:us-east-1:prod/turner,2026-01-01T00:00:00Z,2026-05-05T03:00:00Z
Turner,openai,key_new,secret:us-east-1:prod/turner,2026-05-05T02:58:00Z,
Later,openai,key_after,secret:us-east-1:prod/later,2026-05-06T00:00:00Z,
Plain,openai,key_plain,ssm:us-east-1:/clear/plain,,
Deep,openai,key_deep,ssm:us-east-1:/prod/a/deep,,
Vaulted,openai,key_vault,vault:secret/customers/vaulted,,
Vaulted,openai,key_vault_safe,vault:secret/customers/other,,
Applied,openai,key_app,app:portal,,
"""


def _act(number, source, name, request=None, at="2026-05-05T02:30:00Z", response=None, **changes):
    identity = {
        "type": "IAMUser",
        "arn": "arn:aws:iam::111122223333:user/ci",
        "accountId": "111122223333",
        "accessKeyId": THIEF,
        "userName": "ci",
    }
    record = {
        "userIdentity": identity,
        "sourceIPAddress": ADDRESS,
        "eventTime": at,
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "requestParameters": request,
        "responseElements": response,
    }
    return event(number, **(record | changes))


def _owners(number, source, name, request, at, **changes):
    identity = {
        "type": "IAMUser",
        "arn": "arn:aws:iam::111122223333:user/ops",
        "accountId": "111122223333",
        "accessKeyId": "AKIAOPS2222222222222",
        "userName": "ops",
    }
    return _act(number, source, name, request, at, userIdentity=identity, sourceIPAddress="192.0.2.9", **changes)


def _events():
    secret = "secretsmanager"
    arn = "arn:aws:secretsmanager:us-east-1:111122223333:secret:"
    return [
        _act(1, secret, "BatchGetSecretValue", {"secretIdList": ["prod/batch/listed", "prod/batch/single"]}),
        _act(2, secret, "GetSecretValue", {"secretId": arn + "prod/batch/single-AbCdEf"}, at="2026-05-05T02:30:01Z"),
        _act(3, "ecs", "DescribeTaskDefinition", {"taskDefinition": "gateway:17"}),
        _act(4, "codebuild", "BatchGetProjects", {"names": ["lint", "release"]}),
        _owners(
            5, "rds", "CreateDBSnapshot", {"dBInstanceIdentifier": "tenants", "dBSnapshotIdentifier": "snap-of-tenants"},
            "2026-04-20T01:00:00Z",
        ),
        _act(
            6, "rds", "ModifyDBSnapshotAttribute",
            {"dBSnapshotIdentifier": "snap-of-tenants", "attributeName": "restore", "valuesToAdd": ["444455556666"]},
        ),
        _act(7, "rds", "CopyDBSnapshot", {"sourceDBSnapshotIdentifier": "from-before-the-logs", "targetDBSnapshotIdentifier": "x"}),
        _act(8, "dynamodb", "Scan", {"tableName": "provider_keys"}, eventCategory="Data"),
        _act(9, "s3", "GetObject", {"bucketName": "keys-bucket", "key": "prod/.env"}, eventCategory="Data"),
        _act(10, "kms", "Decrypt", {"encryptionContext": {"tenant": "acme"}}, resources=[{"ARN": KMS_KEY}]),
        _act(11, secret, "GetSecretValue", {"secretId": "prod/master"}),
        _act(12, secret, "GetSecretValue", {"secretId": "prod/turner"}, at="2026-05-05T02:20:00Z"),
        _owners(13, secret, "PutSecretValue", {"secretId": "prod/turner"}, "2026-05-05T03:00:00Z"),
        _act(14, secret, "GetSecretValue", {"secretId": "prod/turner"}, at="2026-05-05T04:00:00Z"),
        _act(15, secret, "GetSecretValue", {"secretId": "prod/later"}),
        _owners(16, secret, "PutSecretValue", {"secretId": "prod/later"}, "2026-05-06T00:10:00Z"),
        _act(17, "ssm", "GetParameter", {"name": "/clear/plain", "withDecryption": False}),
        _act(18, "ssm", "GetParametersByPath", {"path": "/prod", "recursive": False, "withDecryption": True}),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def ledger_case(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ledger")
    case = new_case(folder, SETTINGS.encode())
    (folder / "log.json").write_bytes(delivery(_events()))
    (folder / "keys.csv").write_text(INVENTORY)
    result = ingest(case, [folder / "log.json", folder / "keys.csv"], IngestOptions())
    assert result.records["accepted"] == 38
    with case.writer("test") as connection:
        for n, (path, address) in enumerate(
            [("secret/data/customers/vaulted", ADDRESS), ("secret/data/customers/other", "192.0.2.9")]
        ):
            connection.execute(
                "INSERT INTO vault_event (event_key, source_id, event_time, kind, request_id, operation, path, source_ip, principal)"
                " VALUES (?, 'vault_audit', ?, 'response', ?, 'read', ?, ?, 'approle')",
                [f"v{n}", "2026-05-05 02:40:00" if n == 0 else "2026-04-02 02:40:00", f"r{n}", path, address],
            )
        connection.execute(
            "INSERT INTO other_event (event_key, source_id, provider, event_time, kind, outcome, actor, key_id, source_ip)"
            " VALUES ('o1', 'map_portal', 'portal', '2026-05-05 02:41:00', 'key_read', 'success', 'support', 'key_app', ?)",
            [ADDRESS],
        )
    return case


@pytest.fixture(scope="module")
def answers(ledger_case):
    return {a["key_id"]: a for a in exposure_case(ledger_case, catalogue(), clock).answers}


@pytest.mark.parametrize(
    ("key", "exposure", "query"),
    [
        ("key_single", "read", "exposure.location_reads"),
        ("key_listed", "possibly", "exposure.batch_reads"),
        ("key_task", "configuration_read", "exposure.runtime_reads"),
        ("key_build", "configuration_read", "exposure.runtime_reads"),
        ("key_quiet", "not_evaluable", "exposure.region_hours"),
        ("key_shared", "store_copied", "exposure.store_copies"),
        ("key_other_db", "possibly", "exposure.store_copies"),
        ("key_scanned", "store_copied", "exposure.store_copies"),
        ("key_object", "read", "exposure.object_reads"),
        ("key_acme", "decrypted", "exposure.wrapping_decrypts"),
        ("key_zeta", "not_evaluable", "exposure.region_hours"),
        ("key_console", "possibly", "exposure.location_reads"),
        ("key_old", "read", "exposure.location_reads"),
        ("key_new", "read", "exposure.location_reads"),
        ("key_after", "not_evaluable", "exposure.region_hours"),
        ("key_plain", "possibly", "exposure.location_reads"),
        ("key_deep", "not_evaluable", "exposure.region_hours"),
        ("key_vault", "read", "exposure.vault_reads"),
        ("key_vault_safe", "not_evaluable", "exposure.region_hours"),
        ("key_app", "read", "exposure.application_reads"),
    ],
)
def test_each_class_of_evidence(answers, key, exposure, query):
    answer = answers[key]
    assert (answer["exposure"], answer["reasons"][0]["query_id"]) == (exposure, query)
    if exposure not in {"not_evaluable", "none_seen"}:
        assert answer["reasons"][0]["root"].startswith(f"settings: access_key {THIEF}")
        assert answer["reasons"][0]["event_keys"] and answer["exposed_at"]["from"]


def test_a_batch_read_is_counted_once(answers):
    assert [r["action"] for r in answers["key_single"]["reads"]] == ["GetSecretValue"]
    assert "read once by the intruder" in answers["key_single"]["reasons"][0]["text"]


def test_reads_are_of_the_value_of_their_time(answers):
    old, new, after = answers["key_old"], answers["key_new"], answers["key_after"]
    assert [str(r["event_time"]) for r in old["reads"] if r["value"] == "this"] == ["2026-05-05 02:20:00"]
    assert str(old["exposed_again"]["from"]) == "2026-05-05 04:00:00"
    assert any("exposed again" in n for n in old["notes"])
    assert [str(r["event_time"]) for r in new["reads"]] == ["2026-05-05 04:00:00"] and new["exposed_again"] is None
    assert any("earlier value" in n for n in after["notes"]) and not after["reads"]


def test_what_a_wrapping_key_protects_is_counted(answers):
    assert "protects 1 keys of 1 customers" in answers["key_console"]["reasons"][0]["text"]


def test_each_read_says_who_how_and_whether_usually(answers):
    read = answers["key_object"]["reads"][0]
    assert read["chain"] == [THIEF] and read["usual_reads"] == 0 and read["source_ip"] == ADDRESS
    assert read["location"] == "keys-bucket/prod/.env" and read["root"].startswith("settings:")


def test_a_context_that_names_nobody_puts_every_key_below_at_risk(ledger_case, answers):
    assert answers["key_acme"]["exposure"] == "decrypted"
    with ledger_case.writer("test") as connection:
        connection.execute("UPDATE aws_event SET request_parameters = '{}' WHERE event_name = 'Decrypt'")
    try:
        got = {a["key_id"]: a for a in compute(ledger_case, catalogue()).answers}
        assert {got[k]["exposure"] for k in ("key_acme", "key_zeta")} == {"possibly"}
        assert "protects 2 keys of 2 customers" in got["key_zeta"]["reasons"][0]["text"]
    finally:
        with ledger_case.writer("test") as connection:
            context = '{"encryptionContext":{"tenant":"acme"}}'
            connection.execute("UPDATE aws_event SET request_parameters = ? WHERE event_name = 'Decrypt'", [context])


def test_the_vault_of_somebody_else_says_nothing(ledger_case, answers):
    """Two owners may have the same path."""
    settings = ledger_case.settings_path.read_text(encoding="utf-8")
    try:
        ledger_case.settings_path.write_text(
            settings.replace('id = "X-1"', 'id = "X-1"\norganisation = "Vendor"'), encoding="utf-8"
        )
        for owner, exposure in (("Vendor", "read"), ("Somebody", "not_evaluable")):
            with ledger_case.writer("test") as connection:
                connection.execute("UPDATE vault_event SET owner = ?", [owner])
            got = {a["key_id"]: a for a in compute(ledger_case, catalogue()).answers}
            assert got["key_vault"]["exposure"] == exposure
    finally:
        ledger_case.settings_path.write_text(settings, encoding="utf-8")
        with ledger_case.writer("test") as connection:
            connection.execute("UPDATE vault_event SET owner = NULL")


def test_a_place_nobody_describes_or_that_no_log_shows_is_never_none_seen(answers):
    lacking = {k: answers[k]["reasons"][-2]["text"] for k in ("key_quiet", "key_vault_safe", "key_zeta")}
    assert "us-east-1 has no event from" in lacking["key_quiet"]
    assert "Vault audit log has no record from" in lacking["key_vault_safe"]
    assert "no data event of wrapped_keys" in lacking["key_zeta"]
