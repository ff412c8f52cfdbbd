"""Every attack technique of the collection that a detection group covers is found, and never by the user agent."""

from __future__ import annotations

import json

import pytest

from forensics.analysis.context import catalogue
from forensics.analysis.refresh import compute_hunt
from forensics.ingest.run import IngestOptions, ingest
from forensics.model.query import Severity
from tests.building import clock, new_case
from tests.paths import shared_data

#: Techniques of groups that these queries cover: secret exposure, AI abuse, credential access, persistence,
#: defence evasion, initial access. The other techniques belong to groups without queries yet.
COVERED = {
    "aws.credential-access.secretsmanager-batch-retrieve-secrets",
    "aws.credential-access.secretsmanager-retrieve-secrets",
    "aws.defense-evasion.bedrock-model-invocation-logging-delete",
    "aws.defense-evasion.cloudtrail-event-selectors",
    "aws.defense-evasion.cloudtrail-stop",
    "aws.defense-evasion.vpc-remove-flow-logs",
    "aws.exfiltration.rds-share-snapshot",
    "aws.impact.bedrock-invoke-model",
    "aws.persistence.iam-backdoor-user",
    "aws.persistence.iam-create-admin-user",
    "aws.persistence.iam-create-backdoor-role",
    "aws.persistence.iam-create-user-login-profile",
    "aws.persistence.sts-federation-token",
    "aws.privilege-escalation.iam-update-user-login-profile",
    "aws.lateral-movement.ec2-serial-console-send-ssh-public-key",
}


@pytest.mark.real_data
def test_no_query_looks_at_the_user_agent_alone():
    for query in catalogue():
        where = query.sql.lower().split("where", 1)[-1]
        assert "user_agent like" not in where and "stratus" not in query.sql.lower(), query.id


@pytest.mark.real_data
@pytest.mark.parametrize("technique", sorted(COVERED))
def test_technique_is_found(tmp_path, technique):
    folder = shared_data("stratus-red-team")
    labels = {row["technique"] for row in json.loads((folder / "labels.json").read_text(encoding="utf-8"))}
    assert technique in labels
    records = json.loads((folder / f"{technique}.json").read_text(encoding="utf-8"))
    for record in records if isinstance(records, list) else [records]:
        record["userAgent"] = "-"  # found without it
    case = new_case(tmp_path)
    file = tmp_path / "events.json"
    file.write_text(json.dumps(records), encoding="utf-8")
    ingest(case, [file], IngestOptions())
    result, _ = compute_hunt(case, catalogue(), clock)
    assert [f.query_id for f in result.findings if f.severity.rank >= Severity.MEDIUM.rank], technique
