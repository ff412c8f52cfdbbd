"""The steady hum of an account in many small shapes; the part of the noise that grows with `--events`."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from random import Random

from forensics.sample.cloudtrail import record, uuid
from forensics.sample.identities import Record, assumed, role_arn, role_id, service, session_key, workload
from forensics.sample.noise_machines import session_token
from forensics.sample.noise_stores import inside, kms_decrypt, runtime_name, secret_read
from forensics.sample.secrets_map import EU_SECRETS, PLATFORM_SECRETS, secret_arn, store_key
from forensics.sample.story import ACCOUNT, US
from forensics.sample.times import american

Template = Callable[[Random, int, int, str], Record]

_AGENT = "aws-sdk-go-v2/1.36.3 ua/2.1 os/linux lang/go#1.24.4 md/GOOS#linux md/GOARCH#amd64 api/ec2#1.203.1"
_SSM_AGENT = "aws-sdk-go/1.55.5 (go1.23.8; linux; amd64) amazon-ssm-agent/3.3.1957.0"
_LINKED = {
    "autoscaling": "AWSServiceRoleForAutoScaling",
    "elasticloadbalancing": "AWSServiceRoleForElasticLoadBalancing",
    "config": "AWSServiceRoleForConfig",
    "ecs": "AWSServiceRoleForECS",
}
_BUCKETS = ("lanternfish-assets", "lanternfish-build-cache", "lanternfish-exports", "lanternfish-trail-logs")


def _linked(seed: int, name: str, at: int) -> Record:
    """Give a service acting through its linked role, its session renewed by the hour."""
    return {
        **assumed(seed, _LINKED[name], name.title(), at - at % 3600),
        "invokedBy": f"{name}.amazonaws.com",
    }


def _node(region: str) -> str:
    return "web-node" if region == US else "web-node-eu"


def _worker(region: str) -> str:
    return "order-worker" if region == US else "ledger-worker"


def _instances(rng: Random, at: int, seed: int, region: str) -> Record:
    name = "autoscaling.amazonaws.com"
    items = [{"instanceId": f"i-0{rng.getrandbits(64):016x}"} for _ in range(rng.randrange(1, 5))]
    action = rng.choice(("DescribeInstances", "DescribeInstanceStatus", "DescribeVolumes"))
    return record(
        rng,
        at,
        "ec2",
        action,
        region,
        _linked(seed, "autoscaling", at),
        name,
        name,
        {"maxResults": 1000, "instancesSet": {"items": items}, "filterSet": {}},
    )


def _agent_report(rng: Random, at: int, seed: int, region: str) -> Record:
    return record(
        rng,
        at,
        "ssm",
        "UpdateInstanceInformation",
        region,
        workload(seed, _node(region), at),
        inside(rng, region),
        _SSM_AGENT,
        {
            "instanceId": "i-0a41c7d92be8f3051",
            "agentVersion": "3.3.1957.0",
            "agentStatus": "Active",
            "platformType": "Linux",
            "platformName": "Amazon Linux",
            "platformVersion": "2023",
            "iPAddress": inside(rng, region),
            "computerName": f"node-{rng.randrange(40)}.internal",
            "agentName": "amazon-ssm-agent",
            "availabilityZone": f"{region}a",
        },
        read_only=False,
    )


def _log_stream(rng: Random, at: int, seed: int, region: str) -> Record:
    worker = _worker(region)
    return record(
        rng,
        at,
        "logs",
        "CreateLogStream",
        region,
        workload(seed, worker, at),
        inside(rng, region),
        "awslambda-worker/1.0 rusoto/0.48.0 rust/1.87.0 linux",
        {"logGroupName": f"/aws/lambda/{worker}", "logStreamName": f"[$LATEST]{rng.getrandbits(128):032x}"},
        read_only=False,
    )


def _role_taken(rng: Random, at: int, seed: int, region: str) -> Record:
    role = rng.choice(("backup-runner", "report-mailer", "index-builder", "image-resizer"))
    session, principal = f"{role}-{rng.randrange(9)}", "lambda.amazonaws.com"
    return record(
        rng,
        at,
        "sts",
        "AssumeRole",
        region,
        service(principal),
        principal,
        principal,
        {"roleArn": role_arn(role), "roleSessionName": session, "durationSeconds": 3600},
        {
            "credentials": {
                "accessKeyId": session_key(seed, role, session, at),
                "sessionToken": session_token(rng),
                "expiration": american(at + 3600),
            },
            "assumedRoleUser": {
                "assumedRoleId": f"{role_id(seed, role)}:{session}",
                "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}",
            },
        },
        resources=[{"accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": role_arn(role)}],
        shared=uuid(rng),
    )


def _bucket_settings(rng: Random, at: int, seed: int, region: str) -> Record:
    name, bucket = "config.amazonaws.com", rng.choice(_BUCKETS)
    action = rng.choice(("GetBucketAcl", "GetBucketPolicy", "GetBucketEncryption", "GetBucketTagging"))
    missing = ("NoSuchTagSet", "The TagSet does not exist")
    # live records of bucket settings name the resource without its type now and then
    resource: Record = {"accountId": ACCOUNT, "ARN": f"arn:aws:s3:::{bucket}"}
    if rng.random() < 0.7:
        resource["type"] = "AWS::S3::Bucket"
    return record(
        rng,
        at,
        "s3",
        action,
        region,
        _linked(seed, "config", at),
        name,
        name,
        {"bucketName": bucket, "Host": f"s3.{region}.amazonaws.com"},
        resources=[resource],
        error=missing if action == "GetBucketTagging" and rng.random() < 0.2 else None,
    )


def _target_health(rng: Random, at: int, seed: int, region: str) -> Record:
    group = f"arn:aws:elasticloadbalancing:{region}:{ACCOUNT}:targetgroup/edge/{rng.randrange(8):016x}"
    throttled = ("ThrottlingException", "Rate exceeded")
    return record(
        rng,
        at,
        "elasticloadbalancing",
        "DescribeTargetHealth",
        region,
        _linked(seed, "ecs", at),
        "ecs.amazonaws.com",
        "ecs.amazonaws.com",
        {"targetGroupArn": group},
        error=throttled if rng.random() < 0.01 else None,
    )


def _tasks(rng: Random, at: int, seed: int, region: str) -> Record:
    tasks = [
        f"arn:aws:ecs:{region}:{ACCOUNT}:task/prod/{rng.getrandbits(128):032x}" for _ in range(rng.randrange(1, 4))
    ]
    return record(
        rng,
        at,
        "ecs",
        "DescribeTasks",
        region,
        workload(seed, _node(region), at),
        inside(rng, region),
        _AGENT,
        {"cluster": "prod", "tasks": tasks},
    )


def _queue(rng: Random, at: int, seed: int, region: str) -> Record:
    queue = rng.choice(("orders", "invoices", "webhooks", "dead-letters"))
    gone = ("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
    return record(
        rng,
        at,
        "sqs",
        "GetQueueAttributes",
        region,
        workload(seed, _worker(region), at),
        inside(rng, region),
        _AGENT,
        {
            "queueUrl": f"https://sqs.{region}.amazonaws.com/{ACCOUNT}/{queue}",
            "attributeNames": ["ApproximateNumberOfMessages"],
        },
        error=gone if rng.random() < 0.01 else None,
    )


def _platform_secret(rng: Random, at: int, seed: int, region: str) -> Record:
    return secret_read(rng, at, seed, region, rng.choice(PLATFORM_SECRETS[:3] if region == US else EU_SECRETS))


def _network_interface(rng: Random, at: int, seed: int, region: str) -> Record:
    refused = ("Client.InvalidNetworkInterfaceID.NotFound", "The networkInterface ID does not exist")
    who = workload(seed, _node(region), at)
    return record(
        rng,
        at,
        "ec2",
        "DescribeNetworkInterfaces",
        region,
        who,
        inside(rng, region),
        _AGENT,
        {
            "networkInterfaceIdSet": {"items": [{"networkInterfaceId": f"eni-0{rng.getrandbits(64):016x}"}]},
            "filterSet": {},
        },
        error=refused if rng.random() < 0.02 else None,
    )


def _platform_decrypt(rng: Random, at: int, seed: int, region: str) -> Record:
    name = rng.choice(PLATFORM_SECRETS[:3] if region == US else EU_SECRETS)
    context = {"SecretARN": secret_arn(region, name), "SecretVersionId": uuid(rng)}
    who = workload(seed, runtime_name(region), at)
    return kms_decrypt(rng, at, region, who, "secretsmanager.amazonaws.com", context)


def _data_key(rng: Random, at: int, seed: int, region: str) -> Record:
    bucket = rng.choice(_BUCKETS)
    return record(
        rng,
        at,
        "kms",
        "GenerateDataKey",
        region,
        service("cloudtrail.amazonaws.com"),
        "cloudtrail.amazonaws.com",
        "cloudtrail.amazonaws.com",
        {
            "keySpec": "AES_256",
            "keyId": store_key(region),
            "encryptionContext": {"aws:s3:arn": f"arn:aws:s3:::{bucket}/{rng.getrandbits(64):016x}"},
        },
        resources=[{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": store_key(region)}],
        shared=uuid(rng),
    )


_PLAIN: tuple[tuple[Template, int], ...] = (
    (_instances, 16),
    (_agent_report, 14),
    (_log_stream, 14),
    (_role_taken, 8),
    (_bucket_settings, 12),
    (_target_health, 10),
    (_tasks, 10),
    (_queue, 8),
    (_platform_secret, 4),
    (_network_interface, 8),
)
_OF_KMS: tuple[tuple[Template, int], ...] = ((_platform_decrypt, 4), (_data_key, 8))
_TEMPLATES = tuple(t for t, _ in _PLAIN + _OF_KMS)
_WEIGHTS = list(accumulate(w for _, w in _PLAIN + _OF_KMS))
_KMS_TEMPLATES = frozenset(t for t, _ in _OF_KMS)


def hum(rng: Random, times: list[int], seed: int, region: str, kms_dark: tuple[int, int] | None) -> list[Record]:
    """One event at each of the times; none of KMS inside `kms_dark` (half open, UTC seconds)."""
    events = []
    for at, template in zip(times, rng.choices(_TEMPLATES, cum_weights=_WEIGHTS, k=len(times)), strict=True):
        chosen = template
        if kms_dark and template in _KMS_TEMPLATES and kms_dark[0] <= at < kms_dark[1]:
            chosen = _target_health
        events.append(chosen(rng, at, seed, region))
    return events
