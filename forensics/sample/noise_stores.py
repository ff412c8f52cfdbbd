"""Ordinary reads of the secret stores: workloads fetching their own secrets, parameters and keys."""

from __future__ import annotations

from random import Random

from forensics.sample.cloudtrail import record, uuid
from forensics.sample.identities import Record, on_behalf, workload
from forensics.sample.secrets_map import (
    PELLAMORE_PARAMETER,
    parameter_arn,
    runtime_secrets,
    secret_arn,
    store_key,
)
from forensics.sample.story import ACCOUNT, EU, US, Customer
from forensics.sample.times import HOUR

_AGENT = "aws-sdk-java/2.31.60 md/io#async ua/2.1 os/Linux#6.1 lang/java#21.0.7 exec-env/AWS_ECS_FARGATE"
_ENDPOINTS = {US: "vpce-0c41d97ab25e8f630", EU: "vpce-07fa3be1d46c920b8"}
_NETWORKS = {US: "10.20", EU: "10.40"}


def runtime_name(region: str) -> str:
    """Give the gateway workload of a region."""
    return "gateway-runtime" if region == US else "gateway-runtime-eu"


def inside(rng: Random, region: str) -> str:
    """Give a private address of the region's network."""
    return f"{_NETWORKS[region]}.{rng.randrange(4, 8)}.{rng.randrange(10, 30)}"


def kms_decrypt(rng: Random, at: int, region: str, who: Record, through: str, context: Record) -> Record:
    """KMS unlocking one item for a store that acts for the caller."""
    key = store_key(region)
    return record(
        rng,
        at,
        "kms",
        "Decrypt",
        region,
        on_behalf(who, through),
        through,
        through,
        {"encryptionContext": context, "encryptionAlgorithm": "SYMMETRIC_DEFAULT"},
        resources=[{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": key}],
    )


def secret_read(rng: Random, at: int, seed: int, region: str, name: str) -> Record:
    """gateway-runtime fetching one secret through the private endpoint."""
    who = workload(seed, runtime_name(region), at)
    request = {"secretId": name, "versionStage": "AWSCURRENT"} if rng.random() < 0.3 else {"secretId": name}
    return record(
        rng,
        at,
        "secretsmanager",
        "GetSecretValue",
        region,
        who,
        inside(rng, region),
        _AGENT,
        request,
        endpoint=_ENDPOINTS[region],
    )


def secret_decrypt(rng: Random, at: int, seed: int, region: str, name: str) -> Record:
    """Give the decryption that goes with such a read."""
    context = {"SecretARN": secret_arn(region, name), "SecretVersionId": uuid(rng)}
    who = workload(seed, runtime_name(region), at)
    return kms_decrypt(rng, at, region, who, "secretsmanager.amazonaws.com", context)


def parameter_read(rng: Random, at: int, seed: int) -> list[Record]:
    """gateway-runtime fetching the one provider key that lies in the parameter store."""
    who = workload(seed, "gateway-runtime", at)
    read = record(
        rng,
        at,
        "ssm",
        "GetParameter",
        US,
        who,
        inside(rng, US),
        _AGENT,
        {"name": PELLAMORE_PARAMETER, "withDecryption": True},
        endpoint=_ENDPOINTS[US],
    )
    context = {"PARAMETER_ARN": parameter_arn(PELLAMORE_PARAMETER)}
    return [read, kms_decrypt(rng, at, US, who, "ssm.amazonaws.com", context)]


def store_reads(rng: Random, hour: int, seed: int, region: str, everyone: tuple[Customer, ...]) -> list[Record]:
    """All reads of one hour: each secret every third hour, a third of them with their decryption."""
    events: list[Record] = []
    turn = hour // HOUR % 3
    for index, name in enumerate(runtime_secrets(region, everyone)):
        if index % 3 != turn:
            continue
        at = hour + rng.randrange(HOUR)
        events.append(secret_read(rng, at, seed, region, name))
        if rng.random() < 0.34:
            events.append(secret_decrypt(rng, at, seed, region, name))
    if region == US and turn == 0:
        events += parameter_read(rng, hour + rng.randrange(HOUR), seed)
    return events
