"""Who calls: users, roles, sessions and the access keys they hold, all derived from the seed."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from typing import Any

from forensics.sample.story import ACCOUNT, CI_KEY
from forensics.sample.times import iso

Record = dict[str, Any]

SESSION_SECONDS = 6 * 3600
ENGINEERS = ("a.fontaine", "b.lindqvist", "c.abara", "d.okafor")
RESPONDER = "r.okonjo-lind"
ENGINEER_ROLE = "AWSReservedSSO_Engineer_4f1c09ab72de3c85"
RESPONDER_ROLE = "AWSReservedSSO_IncidentResponder_9b27d3e6a01f4c58"

# workload role -> (its session name, the service that assumes it, the region it works in)
WORKLOADS: dict[str, tuple[str, str, str]] = {
    "gateway-runtime": ("gateway-7d9f", "ecs-tasks.amazonaws.com", "us-east-1"),
    "gateway-runtime-eu": ("gateway-5c2b", "ecs-tasks.amazonaws.com", "eu-central-1"),
    "summary-worker": ("summary-worker", "lambda.amazonaws.com", "us-east-1"),
    "posture-scanner": ("posture", "ec2.amazonaws.com", "us-east-1"),
    "web-node": ("i-0a41c7d92be8f3051", "ec2.amazonaws.com", "us-east-1"),
    "web-node-eu": ("i-0f62b19ce7a4d8830", "ec2.amazonaws.com", "eu-central-1"),
    "order-worker": ("order-worker", "lambda.amazonaws.com", "us-east-1"),
    "ledger-worker": ("ledger-worker", "lambda.amazonaws.com", "eu-central-1"),
}


def digits(text: str, length: int) -> str:
    """Give the first characters of a base32 hash of `text`: the alphabet A to Z and 2 to 7."""
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode()[:length]


def role_name(workload: str) -> str:
    """Give the IAM role behind a workload: the two regions of a service share one role."""
    return workload.removesuffix("-eu")


def role_arn(role: str) -> str:
    """ARN of a role of the account, with the path single sign-on gives its roles."""
    path = "aws-reserved/sso.amazonaws.com/" if role.startswith("AWSReservedSSO_") else ""
    return f"arn:aws:iam::{ACCOUNT}:role/{path}{role}"


def session_key(seed: int, role: str, session: str, created: int) -> str:
    """Give the temporary access key id of one session."""
    return "ASIA" + digits(f"{seed}/{role}/{session}/{created}", 16)


@lru_cache(maxsize=64)
def role_id(seed: int, role: str) -> str:
    """Give the unique id of a role, `AROA` and 17 characters."""
    return "AROA" + digits(f"{seed}/role/{role}", 17)


@lru_cache(maxsize=2048)
def assumed(seed: int, role: str, session: str, created: int, *, mfa: bool = False) -> Record:
    """`userIdentity` of a role session that began at `created`; shared, so it must not be changed."""
    return {
        "type": "AssumedRole",
        "principalId": f"{role_id(seed, role)}:{session}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}",
        "accountId": ACCOUNT,
        "accessKeyId": session_key(seed, role, session, created),
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": role_id(seed, role),
                "arn": role_arn(role),
                "accountId": ACCOUNT,
                "userName": role,
            },
            "attributes": {"creationDate": iso(created), "mfaAuthenticated": "true" if mfa else "false"},
        },
    }


def workload(seed: int, name: str, at: int) -> Record:
    """`userIdentity` of a workload role; its session is renewed every six hours."""
    session = WORKLOADS[name][0]
    return assumed(seed, role_name(name), session, at - at % SESSION_SECONDS)


@lru_cache(maxsize=64)
def user(seed: int, name: str, access_key: str | None) -> Record:
    """`userIdentity` of an IAM user; without a key for sign-ins and bearer tokens."""
    identity: Record = {
        "type": "IAMUser",
        "principalId": "AIDA" + digits(f"{seed}/user/{name}", 17),
        "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
        "accountId": ACCOUNT,
        "userName": name,
    }
    if access_key is not None:
        identity["accessKeyId"] = access_key
    return identity


def ci_user(seed: int) -> Record:
    """Give the build user with the key that leaked."""
    return user(seed, "ci-deploy", CI_KEY)


def service(name: str) -> Record:
    """`userIdentity` of a call made by an AWS service for itself."""
    return {"type": "AWSService", "invokedBy": name}


def on_behalf(identity: Record, name: str) -> Record:
    """Give the same caller with a service acting for it."""
    return {**identity, "invokedBy": name}
