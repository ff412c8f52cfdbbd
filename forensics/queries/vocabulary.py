"""The words a query header may use: ids of log formats and names of facts about the evidence."""

from __future__ import annotations

#: Log formats a query can search. Variants of a format (`<id>_<form>`) count as the format itself.
SOURCES = frozenset(
    {
        "aws_cloudtrail",
        "openai_usage",
        "openai_costs",
        "openai_audit",
        "anthropic_usage",
        "anthropic_cost",
        "anthropic_activity",
        "bedrock_invocation",
        "litellm_spend",
        "litellm_audit",
        "portkey_audit",
        "azure_openai",
        "key_inventory",
        "vault_audit",
    }
)

#: What the evidence must hold for a query to be able to answer at all (`needs`).
FACTS: dict[str, str] = {
    "aws_events": "CloudTrail events",
    "s3_data_events": "CloudTrail data events of S3 objects",
    "kms_events": "CloudTrail events of KMS",
    "bedrock_events": "CloudTrail events of Bedrock",
    "secrets_events": "CloudTrail events of Secrets Manager or Parameter Store",
    "usage_by_key": "provider usage grouped by API key",
    "costs": "billed costs of a provider",
    "openai_audit": "OpenAI audit log",
    "anthropic_activity": "Anthropic activity feed",
    "request_addresses": "single model requests with the caller's address",
    "key_inventory": "inventory of provider keys",
    "address_places": "places of addresses, which an MMDB of cities given to keytrail enrich tells",
    "address_lists": "list of Tor exits or hosting networks given to keytrail enrich",
    "own_accounts": "list of the organisation's own accounts",
}
