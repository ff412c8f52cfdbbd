"""One CloudTrail record and its text.

Fields and their order follow the record contents of version 1.11, times in UTC seconds:
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

import json
from random import Random

from forensics.sample.identities import Record
from forensics.sample.story import ACCOUNT
from forensics.sample.times import iso

# separators fix the bytes; ensure_ascii keeps them the same whatever the locale
encode = json.JSONEncoder(separators=(",", ":")).encode

_VERSIONS = {
    "secretsmanager": "1.11",
    "kms": "1.11",
    "sts": "1.11",
    "bedrock": "1.11",
    "iam": "1.11",
    "lambda": "1.11",
    "ssm": "1.11",
    "signin": "1.11",
    "ec2": "1.10",
    "rds": "1.10",
    "ecs": "1.10",
    "ecr": "1.10",
    "logs": "1.10",
    "config": "1.09",
    "sqs": "1.09",
    "elasticloadbalancing": "1.09",
}


def uuid(rng: Random) -> str:
    """Give a random identifier in the form of a version 4 UUID."""
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def record(
    rng: Random,
    at: int,
    service: str,
    name: str,
    region: str,
    identity: Record,
    ip: str,
    agent: str,
    request: Record | None = None,
    response: Record | None = None,
    *,
    read_only: bool = True,
    error: tuple[str, str | None] | None = None,
    extra: Record | None = None,
    resources: list[Record] | None = None,
    endpoint: str | None = None,
    shared: str | None = None,
    event_type: str = "AwsApiCall",
    console: bool = False,
) -> Record:
    """Build one management event; `service` is the first label of its eventSource."""
    event: Record = {
        "eventVersion": _VERSIONS.get(service, "1.11"),
        "userIdentity": identity,
        "eventTime": iso(at),
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": ip,
        "userAgent": agent,
    }
    if error is not None:
        event["errorCode"] = error[0]
        if error[1] is not None:
            event["errorMessage"] = error[1]
    event["requestParameters"] = request
    event["responseElements"] = response
    if extra is not None:
        event["additionalEventData"] = extra
    event["requestID"] = uuid(rng)
    event["eventID"] = uuid(rng)
    event["readOnly"] = read_only
    if resources is not None:
        event["resources"] = resources
    event["eventType"] = event_type
    event["managementEvent"] = True
    event["recipientAccountId"] = ACCOUNT
    if shared is not None:
        event["sharedEventID"] = shared
    if endpoint is not None:
        event["vpcEndpointId"] = endpoint
        event["vpcEndpointAccountId"] = ACCOUNT
    event["eventCategory"] = "Management"
    if console:
        event["sessionCredentialFromConsole"] = "true"
    if event_type == "AwsApiCall" and "invokedBy" not in identity and not console:
        event["tlsDetails"] = {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": f"{service}.{region}.amazonaws.com",
            "keyExchange": "x25519",
        }
    return event


def denied(identity: Record, action: str, resource: str = "*") -> tuple[str, str]:
    """Give the error pair of a call that the policies of the caller do not allow."""
    who = f"User: {identity['arn']} is not authorized to perform: {action} on resource: {resource}"
    return "AccessDenied", f"{who} because no identity-based policy allows the action"
