"""Steps 09 to 19: traces reduced, model access abused, ways back in prepared, a snapshot given away."""

from __future__ import annotations

from forensics.sample.cloudtrail import denied
from forensics.sample.identities import Record, digits, session_key, user
from forensics.sample.noise_machines import session_token
from forensics.sample.planted import Planted
from forensics.sample.story import (
    ABUSED_MODEL,
    ACCOUNT,
    BEDROCK_LOGGING_REMOVED,
    CI_AGENT,
    FOREIGN_ACCOUNT,
    INTRUDER_FIRST,
    INTRUDER_SECOND,
    LOGGING_STARTED,
    LOGGING_STOPPED,
    SELECTORS_REDUCED,
    TRAIL_US,
    US,
)
from forensics.sample.times import american, iso

BACKDOOR_KEY = "AKIAMETRICSDOOR23456"
TELEMETRY_KEY = "AKIATELEMETRYDOOR234"
BEDROCK_USER = "BedrockAPIKey-k3f9"
_BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0"
_PROBED = (
    "anthropic.claude-opus-4-5-20251101-v1:0",
    "anthropic.claude-opus-4-1-20250805-v1:0",
    "anthropic.claude-sonnet-4-5-20250929-v1:0",
)


def cover_tracks(p: Planted) -> None:
    """02:49 to 03:24: key use no longer recorded, the trail off for half an hour, model logging gone."""
    selector = {
        "readWriteType": "All",
        "includeManagementEvents": True,
        "dataResources": [],
        "excludeManagementEventSources": ["kms.amazonaws.com"],
    }
    p.call(
        "s10_selectors_reduced",
        SELECTORS_REDUCED,
        p.release,
        INTRUDER_FIRST,
        "cloudtrail:PutEventSelectors",
        {"trailName": TRAIL_US, "eventSelectors": [selector]},
        {"trailARN": TRAIL_US, "eventSelectors": [selector]},
        read_only=False,
    )
    for at, name in ((LOGGING_STOPPED, "StopLogging"), (LOGGING_STARTED, "StartLogging")):
        p.call(
            "s09_logging_stopped",
            at,
            p.release,
            INTRUDER_FIRST,
            f"cloudtrail:{name}",
            {"name": TRAIL_US},
            read_only=False,
            resources=[{"accountId": ACCOUNT, "type": "AWS::CloudTrail::Trail", "ARN": TRAIL_US}],
        )
    p.call(
        "s11_bedrock_logging_removed",
        BEDROCK_LOGGING_REMOVED,
        p.release,
        INTRUDER_FIRST,
        "bedrock:DeleteModelInvocationLoggingConfiguration",
        read_only=False,
    )


def probe_models(p: Planted) -> None:
    """03:25: which expensive models answer; malformed calls cost nothing and tell it."""
    step = "s12_bedrock_probe"
    p.call(step, p.minute("03:25", 2), p.ci, INTRUDER_SECOND, "bedrock:ListFoundationModels", {})
    for position, model in enumerate(_PROBED):
        p.call(
            step,
            p.minute("03:25", 11 + 6 * position),
            p.ci,
            INTRUDER_SECOND,
            "bedrock:GetFoundationModelAvailability",
            {"modelId": model},
        )
        p.call(
            step,
            p.minute("03:26", 9 * position),
            p.ci,
            INTRUDER_SECOND,
            "bedrock:InvokeModel",
            {"modelId": model},
            agent=CI_AGENT,
            error=("ValidationException", "max_tokens_to_sample: range: 1..1,000,000"),
        )


def open_models(p: Planted) -> None:
    """03:28: terms accepted and access to the model switched on."""
    step = "s13_model_access"
    p.call(
        step,
        p.minute("03:28", 4),
        p.release,
        INTRUDER_SECOND,
        "bedrock:PutUseCaseForModelAccess",
        {"formData": "HIDDEN_DUE_TO_SECURITY_REASONS"},
        read_only=False,
    )
    p.call(
        step,
        p.minute("03:28", 31),
        p.release,
        INTRUDER_SECOND,
        "bedrock:CreateFoundationModelAgreement",
        {"modelId": ABUSED_MODEL, "offerToken": "HIDDEN_DUE_TO_SECURITY_REASONS"},
        {"modelId": ABUSED_MODEL},
        read_only=False,
    )
    p.call(
        step,
        p.minute("03:28", 50),
        p.release,
        INTRUDER_SECOND,
        "bedrock:PutFoundationModelEntitlement",
        {"modelId": ABUSED_MODEL},
        {"status": "SUCCESS"},
        read_only=False,
    )


def abuse_model(p: Planted) -> None:
    """04:05 to 05:55: 720 calls of one model never asked before, a few throttled."""
    start, span, count = p.minute("04:05"), 110 * 60, 720
    throttled = ("ThrottlingException", "Too many requests, please wait before trying again.")
    for number in range(count):
        at = start + number * span // count + p.rng.randrange(9)
        p.call(
            "s14_bedrock_abuse",
            at,
            p.ci,
            INTRUDER_SECOND,
            "bedrock:InvokeModel",
            {"modelId": ABUSED_MODEL},
            agent=CI_AGENT,
            error=throttled if p.rng.random() < 0.03 else None,
        )


def _new_key(p: Planted, step: str, at: int, name: str, key: str) -> None:
    made = {"accessKey": {"userName": name, "accessKeyId": key, "status": "Active", "createDate": american(at)}}
    p.call(step, at, p.release, INTRUDER_SECOND, "iam:CreateAccessKey", {"userName": name}, made, read_only=False)


def backdoor_key(p: Planted) -> None:
    """03:30: a second key for a forgotten service user, used from 06:20 on."""
    step = "s15_backdoor_key"
    _new_key(p, step, p.minute("03:30", 40), "metrics-exporter", BACKDOOR_KEY)
    who = user(p.seed, "metrics-exporter", BACKDOOR_KEY)
    uses: tuple[tuple[str, str, str | None], ...] = (
        ("06:20", "sts:GetCallerIdentity", None),
        ("06:22", "s3:ListBuckets", "s3:ListAllMyBuckets"),
        ("06:25", "monitoring:DescribeAlarms", None),
        ("07:05", "ec2:DescribeInstances", "ec2:DescribeInstances"),
    )
    for clock, target, refused in uses:
        p.call(
            step,
            p.minute(clock, 13),
            who,
            INTRUDER_SECOND,
            target,
            error=denied(who, refused) if refused else None,
        )


def backdoor_user(p: Planted) -> None:
    """03:33: an administrator of the intruder's own, signed in at 03:41 without a second factor."""
    step, name = "s16_backdoor_user", "svc-telemetry"
    made = {
        "user": {
            "path": "/",
            "userName": name,
            "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
            "userId": user(p.seed, name, None)["principalId"],
            "createDate": american(p.minute("03:33")),
        }
    }
    p.call(
        step,
        p.minute("03:33", 5),
        p.release,
        INTRUDER_SECOND,
        "iam:CreateUser",
        {"userName": name},
        made,
        read_only=False,
    )
    p.call(
        step,
        p.minute("03:34", 2),
        p.release,
        INTRUDER_SECOND,
        "iam:AttachUserPolicy",
        {"userName": name, "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
        read_only=False,
    )
    _new_key(p, step, p.minute("03:35", 9), name, TELEMETRY_KEY)
    p.call(
        step,
        p.minute("03:36", 30),
        p.release,
        INTRUDER_SECOND,
        "iam:CreateLoginProfile",
        {"userName": name, "passwordResetRequired": False},
        {
            "loginProfile": {
                "userName": name,
                "createDate": american(p.minute("03:36", 30)),
                "passwordResetRequired": False,
            }
        },
        read_only=False,
    )
    p.call(
        step,
        p.minute("03:41", 18),
        user(p.seed, name, None),
        INTRUDER_SECOND,
        "signin:ConsoleLogin",
        None,
        {"ConsoleLogin": "Success"},
        agent=_BROWSER,
        read_only=False,
        event_type="AwsConsoleSignIn",
        extra={
            "LoginTo": "https://console.aws.amazon.com/console/home",
            "MobileVersion": "No",
            "MFAUsed": "No",
        },
    )
    key = session_key(p.seed, name, "console", p.minute("03:41"))
    for clock, target in (("03:42", "cloudtrail:DescribeTrails"), ("03:43", "ec2:DescribeRegions")):
        p.call(
            step,
            p.minute(clock, 7),
            user(p.seed, name, key),
            INTRUDER_SECOND,
            target,
            agent=_BROWSER,
            console=True,
        )


def bedrock_key(p: Planted) -> None:
    """03:45: a long-term model key for a user made for it, spent as bearer token from 06:10 on."""
    step = "s17_bedrock_api_key"
    p.call(
        step,
        p.minute("03:45", 3),
        p.release,
        INTRUDER_SECOND,
        "iam:CreateUser",
        {"userName": BEDROCK_USER},
        {
            "user": {
                "path": "/",
                "userName": BEDROCK_USER,
                "arn": f"arn:aws:iam::{ACCOUNT}:user/{BEDROCK_USER}",
            }
        },
        read_only=False,
    )
    p.call(
        step,
        p.minute("03:45", 20),
        p.release,
        INTRUDER_SECOND,
        "iam:AttachUserPolicy",
        {"userName": BEDROCK_USER, "policyArn": "arn:aws:iam::aws:policy/AmazonBedrockLimitedAccess"},
        read_only=False,
    )
    p.call(
        step,
        p.minute("03:45", 44),
        p.release,
        INTRUDER_SECOND,
        "iam:CreateServiceSpecificCredential",
        {"userName": BEDROCK_USER, "serviceName": "bedrock.amazonaws.com"},
        {
            "serviceSpecificCredential": {
                "userName": BEDROCK_USER,
                "serviceName": "bedrock.amazonaws.com",
                "status": "Active",
                "serviceSpecificCredentialId": "ACCA" + digits(f"{p.seed}/bedrock", 16),
                "createDate": american(p.minute("03:45", 44)),
            }
        },
        read_only=False,
    )
    who: Record = {**user(p.seed, BEDROCK_USER, None), "accessKeyId": ""}
    for number in range(14):
        p.call(
            step,
            p.minute("06:10", 95 * number),
            who,
            INTRUDER_SECOND,
            "bedrock:Converse",
            {"modelId": ABUSED_MODEL},
            agent="python-requests/2.32.4",
            extra={"callWithBearerToken": True},
        )


def federation_token(p: Planted) -> None:
    """03:50: a token that outlives the deletion of the key it came from, tried twice."""
    step, at = "s18_federation_token", p.minute("03:50", 16)
    key = session_key(p.seed, "federated", "sync", at)
    p.call(
        step,
        at,
        p.ci,
        INTRUDER_SECOND,
        "sts:GetFederationToken",
        {
            "name": "sync",
            "durationSeconds": 129600,
            "policy": '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
        },
        {
            "credentials": {
                "accessKeyId": key,
                "sessionToken": session_token(p.rng),
                "expiration": american(at + 129600),
            },
            "federatedUser": {
                "federatedUserId": f"{ACCOUNT}:sync",
                "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/sync",
            },
            "packedPolicySize": 4,
        },
    )
    who: Record = {
        "type": "FederatedUser",
        "principalId": f"{ACCOUNT}:sync",
        "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/sync",
        "accountId": ACCOUNT,
        "accessKeyId": key,
        "sessionContext": {
            "sessionIssuer": {
                "type": "IAMUser",
                "principalId": p.ci["principalId"],
                "arn": p.ci["arn"],
                "accountId": ACCOUNT,
                "userName": "ci-deploy",
            },
            "attributes": {"creationDate": iso(at), "mfaAuthenticated": "false"},
        },
    }
    for clock, target in (("03:52", "s3:ListBuckets"), ("03:53", "ecr:DescribeRepositories")):
        p.call(step, p.minute(clock, 8), who, INTRUDER_SECOND, target)


def share_snapshot(p: Planted) -> None:
    """04:00: the database snapshot opened to an account outside."""
    snapshot = "tenant-settings-2026-05-04"
    p.call(
        "s19_snapshot_shared",
        p.minute("04:00", 33),
        p.release,
        INTRUDER_SECOND,
        "rds:ModifyDBSnapshotAttribute",
        {"dBSnapshotIdentifier": snapshot, "attributeName": "restore", "valuesToAdd": [FOREIGN_ACCOUNT]},
        {
            "dBSnapshotIdentifier": snapshot,
            "dBSnapshotAttributes": [{"attributeName": "restore", "attributeValues": [FOREIGN_ACCOUNT]}],
        },
        read_only=False,
        region=US,
    )


def hold(p: Planted) -> None:
    """All steps after the theft in their order."""
    for act in (
        cover_tracks,
        probe_models,
        open_models,
        backdoor_key,
        backdoor_user,
        bedrock_key,
        federation_token,
        share_snapshot,
        abuse_model,
    ):
        act(p)
