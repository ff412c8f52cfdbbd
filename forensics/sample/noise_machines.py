"""Ordinary machine work besides secret reads: services taking roles, scans, summaries, stack updates."""

from __future__ import annotations

from random import Random

from forensics.sample.cloudtrail import record, uuid
from forensics.sample.identities import (
    SESSION_SECONDS,
    WORKLOADS,
    Record,
    digits,
    on_behalf,
    role_arn,
    role_id,
    role_name,
    service,
    session_key,
    user,
    workload,
)
from forensics.sample.story import ACCOUNT, CHEAP_MODEL, CLI_AGENT, EXPORTER_EGRESS, SCANNER_EGRESS, US
from forensics.sample.times import HOUR, american, hour_of_day

EXPORTER_KEY = "AKIA" + "METRICSEXPORT234"
_SCANNER_AGENT = "Boto3/1.39.4 md/Botocore#1.39.4 ua/2.1 os/linux#6.1.0 lang/python#3.12.9"


def session_token(rng: Random) -> str:
    """Give an invented session token: recognisable as one, opening nothing."""
    return f"FwoGZXIvYXdzEXAMPLE{rng.getrandbits(192):048x}"


def role_taken(rng: Random, at: int, seed: int, name: str) -> Record:
    """Give an AWS service assuming the role of a workload; a few responses lack assumedRoleUser."""
    session, principal, region = WORKLOADS[name]
    role = role_name(name)
    response: Record = {
        "credentials": {
            "accessKeyId": session_key(seed, role, session, at),
            "sessionToken": session_token(rng),
            "expiration": american(at + SESSION_SECONDS),
        }
    }
    if rng.random() < 0.8:
        response["assumedRoleUser"] = {
            "assumedRoleId": f"{role_id(seed, role)}:{session}",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}",
        }
    return record(
        rng,
        at,
        "sts",
        "AssumeRole",
        region,
        service(principal),
        principal,
        principal,
        {"roleArn": role_arn(role), "roleSessionName": session, "durationSeconds": SESSION_SECONDS},
        response,
        resources=[{"accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": role_arn(role)}],
        shared=uuid(rng),
    )


def summary_call(rng: Random, at: int, seed: int) -> Record:
    """summary-worker asking the one cheap model it always asks."""
    failed = ("ThrottlingException", "Too many tokens, please wait before trying again.")
    return record(
        rng,
        at,
        "bedrock",
        "InvokeModel",
        US,
        workload(seed, "summary-worker", at),
        f"10.20.9.{rng.randrange(10, 20)}",
        _SCANNER_AGENT,
        {"modelId": CHEAP_MODEL},
        error=failed if rng.random() < 0.02 else None,
    )


def posture_scan(rng: Random, hour: int, seed: int, region: str) -> list[Record]:
    """Give the daily scan of settings by posture-scanner."""
    calls: list[tuple[str, str, Record | None]] = [
        ("secretsmanager", "ListSecrets", {"maxResults": 100}),
        ("cloudtrail", "DescribeTrails", {"includeShadowTrails": True}),
        ("bedrock", "GetModelInvocationLoggingConfiguration", None),
        ("lambda", "ListFunctions20150331", {"maxItems": 50}),
        ("s3", "ListBuckets", None),
        ("ec2", "DescribeSecurityGroups", {"maxResults": 1000, "filterSet": {}}),
        ("rds", "DescribeDBSnapshots", {"includeShared": False, "includePublic": False}),
        ("kms", "ListKeys", {"limit": 1000}),
    ]
    if region == US:
        calls += [("iam", "ListUsers", {"maxItems": 100}), ("iam", "GetAccountSummary", None)]
    start, events = hour + rng.randrange(1800), []
    for step, (name, action, request) in enumerate(calls):
        who = workload(seed, "posture-scanner", start)
        events.append(record(rng, start + step * 3, name, action, region, who, SCANNER_EGRESS, _SCANNER_AGENT, request))
    return events


def exporter_round(rng: Random, hour: int, seed: int) -> list[Record]:
    """metrics-exporter reading figures with its long-lived key, twice a day."""
    who = user(seed, "metrics-exporter", EXPORTER_KEY)
    calls = (("monitoring", "ListMetrics"), ("monitoring", "DescribeAlarms"))
    at = hour + rng.randrange(HOUR)
    return [record(rng, at, name, action, US, who, EXPORTER_EGRESS, CLI_AGENT) for name, action in calls]


def stack_update(rng: Random, at: int, seed: int) -> list[Record]:
    """CloudFormation acting for the build user: described in full, called by the service."""
    who = on_behalf(user(seed, "stack-operator", "AKIA" + digits(f"{seed}/stack", 16)), "cloudformation.amazonaws.com")
    name = "cloudformation.amazonaws.com"
    stack = rng.choice(("edge", "orders", "ledger", "telemetry"))
    calls: tuple[tuple[str, str, Record, bool], ...] = (
        ("ec2", "DescribeSubnets", {"subnetSet": {}, "filterSet": {}}, True),
        ("logs", "PutRetentionPolicy", {"logGroupName": f"/stack/{stack}", "retentionInDays": 90}, False),
        (
            "sqs",
            "SetQueueAttributes",
            {
                "queueUrl": f"https://sqs.{US}.amazonaws.com/{ACCOUNT}/{stack}",
                "attributes": {"VisibilityTimeout": "60"},
            },
            False,
        ),
    )
    return [
        record(rng, at + step, source, action, US, who, name, name, request, read_only=read)
        for step, (source, action, request, read) in enumerate(calls)
    ]


def machine_hour(rng: Random, hour: int, seed: int, region: str) -> list[Record]:
    """Give the machine work of one hour in a region."""
    events: list[Record] = []
    for name, (_, _, home) in WORKLOADS.items():
        if home == region and hour % SESSION_SECONDS == 0:
            events.append(role_taken(rng, hour, seed, name))
    clock = hour_of_day(hour)
    if clock == 4:
        events += posture_scan(rng, hour, seed, region)
    if region == US:
        events += [summary_call(rng, hour + rng.randrange(HOUR), seed) for _ in range(rng.choice((1, 2, 2, 3)))]
        if clock in (6, 18):
            events += exporter_round(rng, hour, seed)
        if clock in (1, 13, 22) and rng.random() < 0.6:
            events += stack_update(rng, hour + rng.randrange(3500), seed)
    return events
