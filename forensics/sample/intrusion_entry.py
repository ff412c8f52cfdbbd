"""Steps 01 to 08 and 26: the leaked key tried, the account explored, roles chained, secrets taken."""

from __future__ import annotations

from forensics.sample.cloudtrail import denied, uuid
from forensics.sample.identities import Record
from forensics.sample.planted import CHAIN_AT, RELEASE_ADMIN, VAULT, VAULT_AT, Planted
from forensics.sample.secrets_map import (
    CUSTOMER_PARAMETERS,
    FUNCTIONS,
    GUARDED_SECRETS,
    PLATFORM_SECRETS,
    parameter_arn,
    secret_arn,
    secret_of,
    store_key,
)
from forensics.sample.story import ACCOUNT, AP, CI_AGENT, INTRUDER_FIRST, US

_DIRECT = ("Brindlewick", "Oskelund", "Vexholm", "Zephrane")


def validate_key(p: Planted) -> None:
    """02:11: whose key is it, and what may it do."""
    calls: tuple[tuple[int, str, Record | None, str | None], ...] = (
        (0, "sts:GetCallerIdentity", None, None),
        (41, "iam:ListUsers", {"maxItems": 100}, "iam:ListUsers"),
        (58, "iam:ListRoles", {"maxItems": 100}, None),
        (93, "iam:ListAttachedUserPolicies", {"userName": "ci-deploy"}, None),
        (
            127,
            "iam:ListAttachedRolePolicies",
            {"roleName": "vault-maintenance"},
            "iam:ListAttachedRolePolicies",
        ),
        (180, "cloudtrail:DescribeTrails", {"includeShadowTrails": True}, None),
        (246, "s3:ListBuckets", None, None),
    )
    for second, target, request, refused in calls:
        error = denied(p.ci, refused) if refused else None
        p.call(
            "s01_key_validation",
            p.minute("02:11", second),
            p.ci,
            INTRUDER_FIRST,
            target,
            request,
            error=error,
        )


def discover(p: Planted) -> None:
    """02:16: what is worth taking."""
    calls: tuple[tuple[int, str, Record], ...] = (
        (5, "secretsmanager:ListSecrets", {"maxResults": 100}),
        (38, "ssm:DescribeParameters", {"maxResults": 50}),
        (71, "lambda:ListFunctions20150331", {"maxItems": 50}),
        (120, "bedrock:ListFoundationModels", {}),
    )
    for second, target, request in calls:
        p.call("s02_discovery", p.minute("02:16", second), p.ci, INTRUDER_FIRST, target, request, agent=CI_AGENT)


def chain_roles(p: Planted) -> None:
    """02:21 and 02:23: from the build key to the release role, from there to the vault role."""
    p.take_role("s03_role_chain", CHAIN_AT, p.ci, INTRUDER_FIRST, *RELEASE_ADMIN)
    p.take_role("s03_role_chain", VAULT_AT, p.release, INTRUDER_FIRST, *VAULT)


def _get_secret(p: Planted, step: str, at: int, arn: str, *, refused: bool = False) -> None:
    error = denied(p.vault, "secretsmanager:GetSecretValue", arn) if refused else None
    p.call(
        step,
        at,
        p.vault,
        INTRUDER_FIRST,
        "secretsmanager:GetSecretValue",
        {"secretId": arn},
        agent=CI_AGENT,
        error=error,
    )


def read_secrets(p: Planted) -> None:
    """02:26: sixteen secrets within four minutes, and three the vault role may not read."""
    arns = [secret_of(name) for name in _DIRECT] + [secret_arn(US, name) for name in PLATFORM_SECRETS[:12]]
    at = p.minute("02:26")
    for position, arn in enumerate(arns):
        _get_secret(p, "s04_secret_reads", at + 12 * position, arn)
    for position, name in enumerate(GUARDED_SECRETS):
        _get_secret(p, "s04_secret_reads", at + 195 + 11 * position, secret_arn(US, name), refused=True)


def read_batch(p: Planted) -> None:
    """02:31: six secrets in one batch call; the store writes one read for each beside it."""
    arns = [secret_of("Tarnhaven")] + [secret_arn(US, name) for name in PLATFORM_SECRETS[12:17]]
    at = p.minute("02:31", 8)
    p.call(
        "s05_batch_read",
        at,
        p.vault,
        INTRUDER_FIRST,
        "secretsmanager:BatchGetSecretValue",
        {"secretIdList": arns},
        agent=CI_AGENT,
    )
    for arn in arns:
        _get_secret(p, "s05_batch_read", at, arn)


def _decrypt(p: Planted, step: str, at: int, context: dict[str, str], through: str | None) -> None:
    who = {**p.vault, "invokedBy": through} if through else p.vault
    p.call(
        step,
        at,
        who,
        through or INTRUDER_FIRST,
        "kms:Decrypt",
        {"encryptionContext": context, "encryptionAlgorithm": "SYMMETRIC_DEFAULT"},
        agent=through or CI_AGENT,
        resources=[{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": store_key(US)}],
    )


def read_parameters(p: Planted) -> None:
    """02:34: the customers' branch of the parameter store, decrypted."""
    step, at = "s06_parameter_reads", p.minute("02:34", 3)
    p.call(
        step,
        at,
        p.vault,
        INTRUDER_FIRST,
        "ssm:GetParametersByPath",
        {"path": "/prod/customers/", "recursive": True, "withDecryption": True, "maxResults": 10},
        agent=CI_AGENT,
    )
    for start in range(0, len(CUSTOMER_PARAMETERS), 10):
        names = list(CUSTOMER_PARAMETERS[start : start + 10])
        p.call(
            step,
            at + 20 + start,
            p.vault,
            INTRUDER_FIRST,
            "ssm:GetParameters",
            {"names": names, "withDecryption": True},
            agent=CI_AGENT,
        )
        for name in names:
            _decrypt(p, step, at + 20 + start, {"PARAMETER_ARN": parameter_arn(name)}, "ssm.amazonaws.com")


def read_functions(p: Planted) -> None:
    """02:37: the settings of functions, environment variables with them."""
    for position, name in enumerate(FUNCTIONS):
        p.call(
            "s07_lambda_environment",
            p.minute("02:37", 9 * position),
            p.release,
            INTRUDER_FIRST,
            "lambda:GetFunctionConfiguration20150331v2",
            {"functionName": name},
        )


def unlock_secret(p: Planted) -> None:
    """02:40: KMS called directly for the secret of Dorvalis; the store itself shows no read."""
    context = {"SecretARN": secret_of("Dorvalis"), "SecretVersionId": uuid(p.rng)}
    _decrypt(p, "s08_kms_decrypt", p.minute("02:40", 22), context, None)


def look_elsewhere(p: Planted) -> None:
    """02:43: a region the vendor never used."""
    calls: tuple[tuple[str, Record], ...] = (
        ("ec2:DescribeInstances", {"maxResults": 1000, "instancesSet": {}, "filterSet": {}}),
        ("ec2:DescribeVpcs", {"vpcSet": {}, "filterSet": {}}),
        ("bedrock:ListFoundationModels", {}),
        ("servicequotas:ListServiceQuotas", {"serviceCode": "bedrock"}),
    )
    for position, (target, request) in enumerate(calls):
        p.call(
            "s26_new_region",
            p.minute("02:43", 17 * position),
            p.ci,
            INTRUDER_FIRST,
            target,
            request,
            region=AP,
        )


def enter(p: Planted) -> None:
    """All steps of entry and theft in their order."""
    for act in (
        validate_key,
        discover,
        chain_roles,
        read_secrets,
        read_batch,
        read_parameters,
        read_functions,
        unlock_secret,
        look_elsewhere,
    ):
        act(p)
