"""What really happened, for those who check the tool; never evidence."""

from __future__ import annotations

from forensics.sample.identities import Record
from forensics.sample.story import Settings, customers

STEP_QUERIES: dict[str, tuple[str, ...]] = {
    "s01_key_validation": ("aws.leaked_key_validated", "aws.long_term_key_new_network"),
    "s02_discovery": ("aws.long_term_key_new_network",),
    "s03_role_chain": ("aws.long_term_key_new_network",),
    "s04_secret_reads": (
        "aws.ai_key_secret_read_by_new_principal",
        "aws.secret_read_by_new_principal",
        "aws.secrets_read_in_bulk",
    ),
    "s05_batch_read": (
        "aws.ai_key_secret_read_by_new_principal",
        "aws.secret_read_by_new_principal",
        "aws.secrets_read_in_batch",
    ),
    "s06_parameter_reads": ("aws.parameters_decrypted_in_bulk",),
    "s07_lambda_environment": ("aws.function_configuration_read",),
    "s08_kms_decrypt": ("aws.secret_decrypted_through_kms",),
    "s09_logging_stopped": ("aws.cloudtrail_logging_stopped",),
    "s10_selectors_reduced": ("aws.cloudtrail_selectors_reduced",),
    "s11_bedrock_logging_removed": ("aws.bedrock_invocation_logging_removed",),
    "s12_bedrock_probe": ("aws.bedrock_access_probed",),
    "s13_model_access": ("aws.bedrock_model_access_enabled",),
    "s14_bedrock_abuse": (
        "aws.bedrock_discovered_then_invoked",
        "aws.bedrock_invocation_spike",
        "aws.bedrock_model_first_used",
    ),
    "s15_backdoor_key": ("aws.access_key_created", "aws.long_term_key_new_network"),
    "s16_backdoor_user": (
        "aws.access_key_created",
        "aws.administrator_created",
        "aws.console_login_without_mfa",
        "aws.console_password_set",
    ),
    "s17_bedrock_api_key": ("aws.bedrock_api_key_created", "aws.bedrock_api_key_used"),
    "s18_federation_token": ("aws.federation_session_issued",),
    "s19_snapshot_shared": ("aws.snapshot_shared_outside",),
    "s20_openai_key_created": ("openai.key_lifecycle",),
    "s21_openai_control_weakened": ("openai.control_weakened",),
    "s22_anthropic_key_created": ("anthropic.key_lifecycle",),
    "s23_anthropic_control_weakened": ("anthropic.control_weakened",),
    "s24_usage_spikes": ("usage.volume_spike",),
    "s25_use_after_revocation": ("usage.after_revocation",),
    "s26_new_region": ("aws.region_first_used",),
}


def ground_truth(settings: Settings, steps: dict[str, list[str]]) -> Record:
    """Keys and steps, sorted; usage rows carry no identifier, so s24 lists no event."""
    keys = [
        {
            "provider": c.provider,
            "key_id": c.key_id,
            "customer": c.name,
            "exposure": c.exposure,
            "abuse": c.abuse,
            "verdict": c.verdict,
        }
        for c in sorted(customers(settings), key=lambda customer: (customer.provider, customer.key_id))
    ]
    listed = [
        {"step": step, "query_ids": sorted(queries), "event_ids": sorted(steps.get(step, []))}
        for step, queries in sorted(STEP_QUERIES.items())
    ]
    return {"keys": keys, "steps": listed}
