"""The vendor's secret store: names, ARNs and which workload reads what."""

from __future__ import annotations

from functools import lru_cache

from forensics.sample.identities import digits
from forensics.sample.story import ACCOUNT, CAST, EU, US, Customer

PLATFORM_SECRETS = (
    "prod/platform/database-main",
    "prod/platform/database-replica",
    "prod/platform/session-signing",
    "prod/platform/mail-relay",
    "prod/platform/search-cluster",
    "prod/platform/cache-auth",
    "prod/integrations/ticketing",
    "prod/integrations/chat-webhook",
    "prod/integrations/billing-export",
    "prod/integrations/feature-flags",
    "prod/analytics/warehouse",
    "prod/analytics/event-sink",
    "prod/platform/queue-auth",
    "prod/platform/object-encryption",
    "prod/integrations/status-page",
    "prod/integrations/source-mirror",
    "prod/platform/edge-certificate",
)
GUARDED_SECRETS = (
    "prod/security/root-recovery",
    "prod/security/signing-ceremony",
    "prod/security/backup-vault",
)
EU_SECRETS = (
    "prod/platform/database-eu",
    "prod/platform/session-signing-eu",
    "prod/integrations/tax-service",
)

CALLBACK_OWNERS = ("brindlewick", "oskelund", "pellamore", "tarnhaven", "vexholm", "zephrane")
PELLAMORE_PARAMETER = "/prod/customers/pellamore/openai_api_key"
CUSTOMER_PARAMETERS = (
    PELLAMORE_PARAMETER,
    *(f"/prod/customers/{owner}/callback_secret" for owner in CALLBACK_OWNERS),
    *(f"/prod/customers/{owner}/webhook_token" for owner in CALLBACK_OWNERS),
)
FUNCTIONS = ("grauwacht-sync", "order-worker", "summary-worker", "invoice-render", "tenant-import")


@lru_cache(maxsize=4096)
def secret_arn(region: str, name: str) -> str:
    """Full ARN of a secret, with the six characters the store adds to its name."""
    tail = digits(f"secret/{region}/{name}", 6)
    return f"arn:aws:secretsmanager:{region}:{ACCOUNT}:secret:{name}-{tail[:3]}{tail[3:].lower()}"


def parameter_arn(name: str) -> str:
    """ARN of a Systems Manager parameter of us-east-1."""
    return f"arn:aws:ssm:{US}:{ACCOUNT}:parameter{name}"


def store_key(region: str) -> str:
    """ARN of the KMS key the stores of a region encrypt with."""
    tail = digits(f"kms/{region}", 12).lower()
    return f"arn:aws:kms:{region}:{ACCOUNT}:key/5d0c{tail[:4]}-71be-4a6f-9c02-{tail[4:]}ab17"


def runtime_secrets(region: str, everyone: tuple[Customer, ...]) -> tuple[str, ...]:
    """Name what gateway-runtime reads in a region: every customer secret and some of the platform's."""
    mine = tuple(c.place for c in everyone if c.kind == "secret" and c.region == region)
    return mine + (PLATFORM_SECRETS[:3] if region == US else EU_SECRETS if region == EU else ())


def secret_of(name: str) -> str:
    """ARN of the secret of a customer of the story; KeyError where the customer keeps none."""
    return {c.name: secret_arn(c.region, c.place) for c in CAST if c.kind == "secret"}[name]
