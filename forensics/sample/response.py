"""What the vendor's responders did at containment and after; no step of the intruder."""

from __future__ import annotations

from forensics.sample.identities import RESPONDER, RESPONDER_ROLE, Record, role_arn
from forensics.sample.intrusion_hold import BACKDOOR_KEY, BEDROCK_USER, TELEMETRY_KEY
from forensics.sample.planted import Planted
from forensics.sample.secrets_map import secret_arn, secret_of
from forensics.sample.story import (
    BEDROCK_LOGGING_RESTORED,
    CI_KEY,
    CI_KEY_NEW,
    CONTAINED,
    DOMAIN,
    SELECTORS_RESTORED,
    TARNHAVEN_ROTATED,
    TRAIL_US,
    US,
)
from forensics.sample.times import american

ADDRESS = "192.0.2.26"
_DENY = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}'


def contain(p: Planted) -> None:
    """10:30 to 11:40: keys off, roles denied, logging restored, secrets replaced."""
    begun = CONTAINED - 240
    who = p.responder(begun)
    p.call(
        None,
        begun,
        {"type": "SAMLUser", "principalId": f"{RESPONDER}@{DOMAIN}", "userName": f"{RESPONDER}@{DOMAIN}"},
        ADDRESS,
        "sts:AssumeRoleWithSAML",
        {"roleArn": role_arn(RESPONDER_ROLE), "roleSessionName": f"{RESPONDER}@{DOMAIN}"},
        {"credentials": {"accessKeyId": who["accessKeyId"], "expiration": american(begun + 28800)}},
    )

    acts: list[tuple[int, str, Record]] = [
        (
            CONTAINED,
            "iam:UpdateAccessKey",
            {"userName": "ci-deploy", "accessKeyId": CI_KEY, "status": "Inactive"},
        ),
        (
            CONTAINED + 50,
            "iam:DeleteAccessKey",
            {"userName": "metrics-exporter", "accessKeyId": BACKDOOR_KEY},
        ),
        (CONTAINED + 95, "iam:DeleteAccessKey", {"userName": "svc-telemetry", "accessKeyId": TELEMETRY_KEY}),
        (CONTAINED + 120, "iam:DeleteLoginProfile", {"userName": "svc-telemetry"}),
        (
            CONTAINED + 160,
            "iam:UpdateServiceSpecificCredential",
            {"userName": BEDROCK_USER, "status": "Inactive"},
        ),
        (
            CONTAINED + 200,
            "iam:PutRolePolicy",
            {"roleName": "release-admin", "policyName": "containment", "policyDocument": _DENY},
        ),
        (
            CONTAINED + 230,
            "iam:PutRolePolicy",
            {"roleName": "vault-maintenance", "policyName": "containment", "policyDocument": _DENY},
        ),
        (CONTAINED + 300, "cloudtrail:StartLogging", {"name": TRAIL_US}),
        (
            SELECTORS_RESTORED,
            "cloudtrail:PutEventSelectors",
            {
                "trailName": TRAIL_US,
                "eventSelectors": [
                    {
                        "readWriteType": "All",
                        "includeManagementEvents": True,
                        "excludeManagementEventSources": [],
                    }
                ],
            },
        ),
        (
            BEDROCK_LOGGING_RESTORED,
            "bedrock:PutModelInvocationLoggingConfiguration",
            {
                "loggingConfig": {
                    "s3Config": {"bucketName": "lanternfish-model-logs"},
                    "textDataDeliveryEnabled": False,
                }
            },
        ),
        (
            CONTAINED + 900,
            "rds:ModifyDBSnapshotAttribute",
            {
                "dBSnapshotIdentifier": "tenant-settings-2026-05-04",
                "attributeName": "restore",
                "valuesToRemove": ["444455556666"],
            },
        ),
        (TARNHAVEN_ROTATED, "secretsmanager:PutSecretValue", {"secretId": secret_of("Tarnhaven")}),
    ]
    for number, name in enumerate(("prod/platform/database-main", "prod/platform/session-signing")):
        acts.append(
            (
                TARNHAVEN_ROTATED + 600 * (number + 1),
                "secretsmanager:RotateSecret",
                {"secretId": secret_arn(US, name), "rotateImmediately": True},
            )
        )
    for at, target, request in acts:
        p.call(None, at, who, ADDRESS, target, request, read_only=False)

    at = CONTAINED + 1200
    p.call(
        None,
        at,
        who,
        ADDRESS,
        "iam:CreateAccessKey",
        {"userName": "ci-deploy"},
        {
            "accessKey": {
                "userName": "ci-deploy",
                "accessKeyId": CI_KEY_NEW,
                "status": "Active",
                "createDate": american(at),
            }
        },
        read_only=False,
    )
