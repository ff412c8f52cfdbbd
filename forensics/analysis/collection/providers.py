"""What to collect at AI providers, gateways and secret stores."""

from __future__ import annotations

from forensics.analysis.collection.step import Step

_OPENAI = "https://api.openai.com/v1/organization"
_ANTHROPIC = "https://api.anthropic.com/v1/organizations"
#: Kinds of usage that can be grouped by key and model, and those that name a project only.
_BY_KEY = "completions embeddings moderations images audio_speeches audio_transcriptions"
_BY_PROJECT = "vector_stores code_interpreter_sessions file_search_calls web_search_calls"


def _pages(url: str, name: str, key: str, fields: tuple[str, ...], cursor: str, answer: str, more: str = "") -> str:
    """Return a loop that follows every page; it stops with an error, never silently, when a page does not come."""
    data = " ".join(f"--data-urlencode {field}" for field in fields)
    has_more = f'[ "$(jq -r {more} "{name}_${{n}}.json")" = true ] || break; ' if more else ""
    return (
        f'page=; n=0; while :; do n=$((n+1)); curl --fail --silent --show-error --get "{url}" {key} {data}'
        f' ${{page:+--data-urlencode "{cursor}=$page"}} --output "{name}_${{n}}.json"'
        f' || {{ echo "page ${{n}} of {name} did not come: the export is not complete" >&2; break; }}; {has_more}'
        f'page=$(jq -r {answer} "{name}_${{n}}.json"); [ -n "$page" ] || break; done'
    )


_BEARER = '--header "Authorization: Bearer $OPENAI_ADMIN_KEY"'
_ADMIN = '--header "x-api-key: $ANTHROPIC_ADMIN_KEY" --header "anthropic-version: 2023-06-01"'
_NEXT = "'.next_page // empty'"
_LAST = "'.last_id // empty'"
_MORE = "'.has_more'"

STEPS = (
    Step(
        "openai_usage", "OpenAI usage by key, model and hour", "OpenAI organisation",
        "requests and tokens of each key by hour; no address and no content",
        "not published for how long", None, "https://platform.openai.com/docs/api-reference/usage", False,
        (
            f"for kind in {_BY_KEY}; do "
            + _pages(f"{_OPENAI}/usage/${{kind}}", "openai_usage_${kind}", _BEARER,
                     ("start_time={start:e}", "end_time={end:e}", "bucket_width=1h", "limit=168", "'group_by[]=api_key_id'",
                      "'group_by[]=model'", "'group_by[]=project_id'"), "page", _NEXT)
            + "; done",
            f"for kind in {_BY_PROJECT}; do "
            + _pages(f"{_OPENAI}/usage/${{kind}}", "openai_usage_${kind}", _BEARER,
                     ("start_time={start:e}", "end_time={end:e}", "bucket_width=1h", "limit=168", "'group_by[]=project_id'"),
                     "page", _NEXT)
            + "; done",
        ),
        ("Put an admin key into the variable OPENAI_ADMIN_KEY; it is not written anywhere. The commands need curl and jq.",
         "Without group_by the export names no key and cannot decide anything."),
    ),
    Step(
        "openai_costs", "OpenAI costs by key and day", "OpenAI organisation", "amounts billed by day, key and line item",
        "not published for how long", None, "https://platform.openai.com/docs/api-reference/usage/costs", False,
        (
            _pages(f"{_OPENAI}/costs", "openai_costs", _BEARER,
                   ("start_time={start:e}", "end_time={end:e}", "bucket_width=1d", "limit=180", "'group_by[]=api_key_id'",
                    "'group_by[]=line_item'", "'group_by[]=project_id'"), "page", _NEXT),
        ),
    ),
    Step(
        "openai_audit", "OpenAI audit log", "OpenAI organisation",
        "keys made and deleted, members invited, logins, limits raised, with addresses",
        "not published for how long; it must have been switched on by an owner and does not reach back", None,
        "https://platform.openai.com/docs/api-reference/audit-logs", False,
        (
            _pages(f"{_OPENAI}/audit_logs", "openai_audit", _BEARER,
                   ("limit=100", "'effective_at[gte]='{start:e}", "'effective_at[lt]='{end:e}"), "after", _LAST, _MORE),
        ),
    ),
    Step(
        "openai_keys", "OpenAI lists of keys", "OpenAI organisation", "ids, names, hints and last use of keys; never the keys",
        "a state of the moment: deleted keys are gone", 0, "https://platform.openai.com/docs/api-reference/admin-api-keys", False,
        (
            _pages(f"{_OPENAI}/projects", "openai_projects", _BEARER, ("limit=100", "include_archived=true"), "after", _LAST, _MORE),
            "for project in $(jq -r '.data[].id' openai_projects_*.json); do "
            + _pages(f"{_OPENAI}/projects/${{project}}/api_keys", "openai_keys_${project}", _BEARER, ("limit=100",), "after", _LAST, _MORE)
            + "; done",
            _pages(f"{_OPENAI}/admin_api_keys", "openai_admin_keys", _BEARER, ("limit=100",), "after", _LAST, _MORE),
        ),
    ),
    Step(
        "openai_dashboard", "OpenAI downloads of the dashboard", "OpenAI organisation", "costs and activity as CSV, for owners",
        "up to 60 days in one download, in UTC", 60, "https://help.openai.com/en/articles/8554956", True, (),
        ("In the dashboard under Usage, Export. Only where the interface above is not to be had: it names fewer dimensions.",),
    ),
    Step(
        "anthropic_usage", "Anthropic usage by key, model and hour", "Anthropic organisation",
        "tokens of each key by hour; no requests, no address, no content",
        "not published for how long", None, "https://platform.claude.com/docs/en/api/admin/usage_report/retrieve_messages", True,
        (
            _pages(f"{_ANTHROPIC}/usage_report/messages", "anthropic_usage", _ADMIN,
                   ("starting_at={start}", "ending_at={end}", "bucket_width=1h", "limit=168", "'group_by[]=api_key_id'",
                    "'group_by[]=model'", "'group_by[]=workspace_id'"), "page", _NEXT),
        ),
        ("Put an admin key into the variable ANTHROPIC_ADMIN_KEY; it is not written anywhere. The commands need curl and jq.",),
    ),
    Step(
        "anthropic_costs", "Anthropic costs by day", "Anthropic organisation", "amounts by day and workspace; they name no key",
        "not published for how long", None, "https://platform.claude.com/docs/en/api/admin/cost_report/retrieve", True,
        (
            _pages(f"{_ANTHROPIC}/cost_report", "anthropic_costs", _ADMIN,
                   ("starting_at={start}", "ending_at={end}", "bucket_width=1d", "limit=31", "'group_by[]=workspace_id'",
                    "'group_by[]=description'"), "page", _NEXT),
        ),
    ),
    Step(
        "anthropic_activity", "Anthropic activity feed", "Anthropic organisation",
        "keys made and deleted, members invited, logins, exports, with addresses",
        "six years, from the day it was switched on", 6 * 365, "https://platform.claude.com/docs/en/api/compliance", False,
        (
            _pages("https://api.anthropic.com/v1/compliance/activities", "anthropic_activity", _ADMIN,
                   ("limit=100",), "after_id", _LAST, _MORE),
        ),
    ),
    Step(
        "anthropic_keys", "Anthropic lists of keys and workspaces", "Anthropic organisation",
        "ids, names, hints and states of keys; never the keys", "a state of the moment: deleted keys are gone", 0,
        "https://platform.claude.com/docs/en/api/admin/api_keys/list", True,
        (
            _pages(f"{_ANTHROPIC}/api_keys", "anthropic_keys", _ADMIN, ("limit=100",), "after_id", _LAST, _MORE),
            _pages(f"{_ANTHROPIC}/workspaces", "anthropic_workspaces", _ADMIN, ("limit=100", "include_archived=true"), "after_id",
                   _LAST, _MORE),
        ),
    ),
    Step(
        "openrouter_activity", "OpenRouter activity by day", "OpenRouter account", "requests, tokens and costs by day, model and key",
        "the last 30 complete days in UTC", 30, "https://openrouter.ai/docs/api-reference", True,
        (
            ('curl --fail --silent --show-error "https://openrouter.ai/api/v1/activity" --header "Authorization: Bearer'
            ' $OPENROUTER_MANAGEMENT_KEY" --output openrouter_activity.json'),
            ('curl --fail --silent --show-error "https://openrouter.ai/api/v1/keys" --header "Authorization: Bearer'
            ' $OPENROUTER_MANAGEMENT_KEY" --output openrouter_keys.json'),
        ),
    ),
    Step(
        "azure_openai", "Azure OpenAI diagnostics", "Azure subscription", "single requests with masked addresses",
        "30 days in a workspace unless somebody set it otherwise; nothing unless diagnostics were switched on", 30,
        "https://learn.microsoft.com/en-us/azure/azure-monitor/logs/data-retention-configure", False,
        (
            ("az monitor log-analytics query --workspace {workspace} --analytics-query"
            " 'AzureDiagnostics | where ResourceProvider == \"MICROSOFT.COGNITIVESERVICES\"' --timespan {start}/{end} --output json"
            " > azure_openai.json"),
        ),
    ),
    Step(
        "vertex_audit", "Vertex AI audit logs", "Google Cloud project", "who called which model, from where",
        "30 days for data access in the default bucket, 400 days for admin activity; data access is off by default", 30,
        "https://cloud.google.com/logging/quotas", False,
        (
            ("gcloud logging read 'protoPayload.serviceName=\"aiplatform.googleapis.com\" AND timestamp>=\"'{start}'\" AND"
            " timestamp<\"'{end}'\"' --project {project} --format json > vertex_audit.json"),
        ),
    ),
    Step(
        "litellm", "LiteLLM spend and audit logs", "gateway", "every request of each virtual key, with addresses",
        "as the gateway was set up", None, "https://docs.litellm.ai/docs/proxy/db_info", False,
        (
            ("psql \"$DATABASE_URL\" --no-psqlrc --tuples-only --no-align --command"
            " 'SELECT row_to_json(t) FROM \"LiteLLM_SpendLogs\" AS t' > litellm_spend.jsonl"),
            ("psql \"$DATABASE_URL\" --no-psqlrc --tuples-only --no-align --command"
            " 'SELECT row_to_json(t) FROM \"LiteLLM_AuditLog\" AS t' > litellm_audit.jsonl"),
        ),
    ),
    Step(
        "vault_audit", "Vault audit log", "Vault", "every read of a secret, with hashed values",
        "as the host rotates its files", None, "https://developer.hashicorp.com/vault/docs/audit", True,
        ("gzip --stdout -- {vault_log} > vault_audit.json.gz",),
    ),
)  # fmt: skip
