"""Each of the 19 attack techniques is found by the query of its behaviour, after every trace of the simulator's name is removed."""

from __future__ import annotations

import json
import re

import pytest

from forensics.analysis.context import catalogue
from forensics.analysis.refresh import compute_hunt, load_case_values
from forensics.ingest.run import IngestOptions, ingest
from forensics.model.outcome import State
from forensics.model.query import Severity
from tests.building import clock, new_case
from tests.paths import shared_data

#: Technique to the query that must name events of it. First sights without a baseline (a new network, a new region) would find
#: all of them and prove nothing.
EXPECTED = {
    "aws.credential-access.ec2-get-password-data": "aws.instance_passwords_requested",
    "aws.credential-access.secretsmanager-batch-retrieve-secrets": "aws.secrets_read_in_batch",
    "aws.credential-access.secretsmanager-retrieve-secrets": "aws.secrets_read_in_bulk",
    "aws.defense-evasion.bedrock-model-invocation-logging-delete": "aws.bedrock_invocation_logging_removed",
    "aws.defense-evasion.cloudtrail-event-selectors": "aws.cloudtrail_selectors_reduced",
    "aws.defense-evasion.cloudtrail-stop": "aws.cloudtrail_logging_stopped",
    "aws.defense-evasion.vpc-remove-flow-logs": "aws.sensitive_api_called",
    "aws.execution.ssm-send-command": "aws.ssm_command_sent",
    "aws.execution.ssm-start-session": "aws.ssm_session_opened",
    "aws.exfiltration.ec2-security-group-open-port-22-ingress": "aws.network_opened_to_all",
    "aws.exfiltration.rds-share-snapshot": "aws.snapshot_shared_outside",
    "aws.impact.bedrock-invoke-model": "aws.bedrock_discovered_then_invoked",
    "aws.lateral-movement.ec2-serial-console-send-ssh-public-key": "aws.ssh_key_pushed_to_instance",
    "aws.persistence.iam-backdoor-user": "aws.access_key_created",
    "aws.persistence.iam-create-admin-user": "aws.administrator_created",
    "aws.persistence.iam-create-backdoor-role": "aws.role_trust_opened",
    "aws.persistence.iam-create-user-login-profile": "aws.console_password_set",
    "aws.persistence.sts-federation-token": "aws.federation_session_issued",
    "aws.privilege-escalation.iam-update-user-login-profile": "aws.console_password_set",
}
_SIMULATOR = re.compile("stratus[-_ ]?red[-_ ]?team", re.IGNORECASE)


def records(technique):
    """Return a technique's events without the simulator's name in any field, and without user agent."""
    text = (shared_data("stratus-red-team") / f"{technique}.json").read_text(encoding="utf-8")
    found = json.loads(_SIMULATOR.sub("orchard", text))
    return [{**record, "userAgent": "-"} for record in (found if isinstance(found, list) else [found])]


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    """The pairs (query, event id) of all findings of medium severity or more over all techniques at once."""
    events = [record for technique in EXPECTED for record in records(technique)]
    assert len(events) == len({event["eventID"] for event in events}) == 182
    folder = tmp_path_factory.mktemp("stratus")
    file = folder / "events.json"
    file.write_text(json.dumps({"Records": events}), encoding="utf-8")
    case = new_case(folder)
    assert ingest(case, [file], IngestOptions()).records["accepted"] == 182
    load_case_values(case)
    hunt, _ = compute_hunt(case, catalogue(), clock)
    assert [o.query_id for o in hunt.outcomes if o.state == State.FAILED] == []
    found = [o for o in hunt.outcomes if o.state == State.FINDING and o.severity.rank >= Severity.MEDIUM.rank]
    return {(outcome.query_id, event_id) for outcome in found for event_id in outcome.event_ids}


def test_no_query_knows_the_simulator():
    assert [query.id for query in catalogue() if "stratus" in query.sql.lower()] == []


@pytest.mark.real_data
def test_every_technique_of_the_collection_is_held():
    labels = json.loads((shared_data("stratus-red-team") / "labels.json").read_text(encoding="utf-8"))
    assert {row["technique"] for row in labels} == EXPECTED.keys()


@pytest.mark.real_data
@pytest.mark.parametrize("technique", sorted(EXPECTED))
def test_technique_is_found(named, technique):
    ids = {record["eventID"] for record in records(technique)}
    assert EXPECTED[technique] in {query_id for query_id, event_id in named if event_id in ids}


def test_queries_that_find_techniques_do_not_read_the_user_agent():
    for query in catalogue():
        if query.id in EXPECTED.values():
            conditions = re.findall(r"(?s)\bWHERE\b(.*?)(?:\n\)|\nORDER|\Z)", query.sql)
            assert not any("user_agent" in text for text in conditions), query.id
