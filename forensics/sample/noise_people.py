"""Ordinary people's work: the build pipeline on working days, engineers in office hours, sign-ins."""

from __future__ import annotations

from random import Random

from forensics.sample.cloudtrail import denied, record
from forensics.sample.identities import (
    ENGINEER_ROLE,
    ENGINEERS,
    Record,
    assumed,
    ci_user,
    role_arn,
    role_id,
    session_key,
    user,
)
from forensics.sample.noise_machines import session_token
from forensics.sample.story import (
    ACCOUNT,
    CI_AGENT,
    CI_EGRESS,
    CI_KEY_NEW,
    CLI_AGENT,
    CONTAINED,
    DOMAIN,
    EU,
    US,
)
from forensics.sample.times import HOUR, american, hour_of_day, weekday

_BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:139.0) Gecko/20100101 Firefox/139.0"
_IMAGES = ("edge", "orders", "ledger", "gateway")
_SIGN_IN = "https://console.aws.amazon.com/console/home"


def build_run(rng: Random, start: int, seed: int) -> list[Record]:
    """One pipeline run of ci-deploy: images, a service, functions, a bucket, a parameter of the build."""
    if CONTAINED - 180 <= start < CONTAINED + 1300:
        start += 1500  # the pipeline waits for its new key
    who = ci_user(seed) if start < CONTAINED else user(seed, "ci-deploy", CI_KEY_NEW)
    image = rng.choice(_IMAGES)
    tag = f"{rng.getrandbits(40):010x}"
    calls: tuple[tuple[str, str, Record | None, Record | None, bool], ...] = (
        ("sts", "GetCallerIdentity", None, None, True),
        ("ecr", "GetAuthorizationToken", {}, None, True),
        ("ecr", "BatchCheckLayerAvailability", {"repositoryName": image, "registryId": ACCOUNT}, None, True),
        (
            "ecr",
            "PutImage",
            {"repositoryName": image, "imageTag": tag},
            {"image": {"registryId": ACCOUNT}},
            False,
        ),
        ("s3", "GetBucketLocation", {"bucketName": "lanternfish-build-cache", "location": ""}, None, True),
        ("ecs", "RegisterTaskDefinition", {"family": image, "networkMode": "awsvpc"}, None, False),
        (
            "ecs",
            "UpdateService",
            {"cluster": "prod", "service": image, "taskDefinition": f"{image}:{tag[:3]}"},
            None,
            False,
        ),
        ("ecs", "DescribeServices", {"cluster": "prod", "services": [image]}, None, True),
        (
            "lambda",
            "UpdateFunctionCode20150331v2",
            {"functionName": "order-worker", "publish": False},
            {"functionName": "order-worker", "codeSize": rng.randrange(900_000, 1_400_000)},
            False,
        ),
    )
    return [
        record(
            rng,
            start + step * rng.randrange(2, 9),
            name,
            action,
            US,
            who,
            CI_EGRESS,
            CI_AGENT,
            request,
            response,
            read_only=read,
        )
        for step, (name, action, request, response, read) in enumerate(calls)
    ]


def engineer_login(rng: Random, at: int, seed: int, person: str, address: str) -> list[Record]:
    """Single sign-on: the assertion taken, then the console sign-in; the second factor is the IdP's."""
    session = f"{person}@{DOMAIN}"
    role = role_arn(ENGINEER_ROLE)
    provider = f"arn:aws:iam::{ACCOUNT}:saml-provider/AWSSSO_2c7e_DO_NOT_DELETE"
    taken = record(
        rng,
        at,
        "sts",
        "AssumeRoleWithSAML",
        US,
        {
            "type": "SAMLUser",
            "principalId": f"{seed}:{session}",
            "userName": session,
            "identityProvider": provider,
        },
        address,
        _BROWSER,
        {"roleArn": role, "principalArn": provider, "roleSessionName": session, "durationSeconds": 28800},
        {
            "credentials": {
                "accessKeyId": session_key(seed, ENGINEER_ROLE, session, at),
                "sessionToken": session_token(rng),
                "expiration": american(at + 28800),
            },
            "assumedRoleUser": {
                "assumedRoleId": f"{role_id(seed, ENGINEER_ROLE)}:{session}",
                "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{ENGINEER_ROLE}/{session}",
            },
        },
        resources=[{"accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": role}],
    )
    who = {k: v for k, v in assumed(seed, ENGINEER_ROLE, session, at).items() if k != "accessKeyId"}
    login = record(
        rng,
        at + 4,
        "signin",
        "ConsoleLogin",
        US,
        who,
        address,
        _BROWSER,
        None,
        {"ConsoleLogin": "Success"},
        extra={"LoginTo": _SIGN_IN, "MobileVersion": "No", "MFAUsed": "No"},
        read_only=False,
        event_type="AwsConsoleSignIn",
    )
    return [taken, login]


_ENGINEER_CALLS: tuple[tuple[str, str, Record | None], ...] = (
    ("ec2", "DescribeInstances", {"instancesSet": {}, "filterSet": {}}),
    ("ecs", "ListClusters", {"maxResults": 100}),
    ("logs", "DescribeLogGroups", {"limit": 50}),
    ("monitoring", "DescribeAlarms", {"maxRecords": 100}),
    ("cloudformation", "DescribeStacks", None),
    ("rds", "DescribeDBInstances", {"maxRecords": 100}),
    ("ec2", "DescribeVpcs", {"vpcSet": {}, "filterSet": {}}),
    ("health", "DescribeEventAggregates", {"aggregateField": "eventTypeCategory"}),
    ("s3", "GetBucketVersioning", {"bucketName": "lanternfish-assets", "versioning": ""}),
)


def engineer_day(rng: Random, day: int, seed: int, person: int, region: str) -> list[Record]:
    """One engineer's calls of one day; quirks as live logs have them (prefixed codes, empty key ids)."""
    name = ENGINEERS[person]
    address = f"192.0.2.{20 + 2 * person}"
    start = day + (7 + person % 2) * HOUR + rng.randrange(1800)
    events = engineer_login(rng, start, seed, name, address) if region == US else []
    session = assumed(seed, ENGINEER_ROLE, f"{name}@{DOMAIN}", start)
    for _ in range(rng.randrange(12, 20) if region == US else rng.randrange(3, 6)):
        at = start + 30 + rng.randrange(7 * HOUR)
        source, action, request = rng.choice(_ENGINEER_CALLS)
        who, roll = session, rng.random()
        error: tuple[str, str | None] | None = None
        if roll < 0.03:
            error = ("Client.UnauthorizedOperation", "You are not authorized to perform this operation.")
        elif roll < 0.05:
            error = ("ThrottlingException", None)
        elif roll < 0.08:
            who = {**session, "accessKeyId": ""}
        elif roll < 0.1 and source in ("rds", "health", "monitoring"):
            error = denied(session, f"{source}:{action}")
        events.append(
            record(
                rng,
                at,
                source,
                action,
                region,
                who,
                address,
                _BROWSER,
                request,
                error=error,
                console=roll > 0.2,
            )
        )
    return events


def viewer_login(rng: Random, at: int, seed: int) -> list[Record]:
    """Give an IAM user with an own password and a second factor; now and then a mistyped password first."""
    who = user(seed, "finance-viewer", None)
    extra = {
        "LoginTo": _SIGN_IN,
        "MobileVersion": "No",
        "MFAUsed": "Yes",
        "MFAIdentifier": f"arn:aws:iam::{ACCOUNT}:mfa/finance-viewer",
    }
    events = []
    if rng.random() < 0.15:
        event = record(
            rng,
            at - 25,
            "signin",
            "ConsoleLogin",
            US,
            who,
            "192.0.2.28",
            _BROWSER,
            None,
            {"ConsoleLogin": "Failure"},
            extra=extra,
            read_only=False,
            event_type="AwsConsoleSignIn",
        )
        event["errorMessage"] = "Failed authentication"
        events.append(event)
    events.append(
        record(
            rng,
            at,
            "signin",
            "ConsoleLogin",
            US,
            who,
            "192.0.2.28",
            _BROWSER,
            None,
            {"ConsoleLogin": "Success"},
            extra=extra,
            read_only=False,
            event_type="AwsConsoleSignIn",
        )
    )
    return events


def people_day(rng: Random, day: int, seed: int, region: str) -> list[Record]:
    """Everything people and their pipeline do on one day in a region, in no order."""
    if weekday(day) >= 5:
        return []
    events: list[Record] = []
    if region in (US, EU):
        for person in range(len(ENGINEERS)):
            if region == US or person < 2:
                events += engineer_day(rng, day, seed, person, region)
    if region == US:
        for _ in range(rng.randrange(3, 6)):
            events += build_run(rng, day + 7 * HOUR + rng.randrange(9 * HOUR), seed)
        if weekday(day) in (0, 3):
            events += viewer_login(rng, day + 9 * HOUR + rng.randrange(HOUR), seed)
    return events


def cli_quota_check(rng: Random, at: int, seed: int, region: str) -> Record:
    """Make a small scheduled call that keeps every hour of a region from being empty."""
    who = user(seed, "stack-operator", None)
    source = ("servicequotas", "ListServiceQuotas") if hour_of_day(at) % 2 else ("tagging", "GetResources")
    return record(rng, at, source[0], source[1], region, {**who, "accessKeyId": ""}, "192.0.2.42", CLI_AGENT)
