"""All formats together: found by their modules, one id each, and exactly one for every real file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forensics.ingest.unpack import unpack
from forensics.sources import openai_costs, openai_usage
from forensics.sources.catalogue import by_id, catalogue
from forensics.store.schema import TABLES
from tests.sources.building import claimants, read_text
from tests.sources.real_data import shared_data

FORMATS = {
    *("anthropic_activity", "anthropic_cost", "anthropic_keys", "anthropic_usage", "bedrock_invocation"),
    *(
        "cloudtrail_digest",
        "cloudtrail_insight",
        "cloudtrail_public_keys",
        "digest_metadata",
        "key_inventory",
    ),
    *("litellm_spend", "openai_audit", "openai_costs", "openai_keys", "openai_usage", "receipt_table"),
}
SAMPLES = {
    "anthropic_activity_generated_4.jsonl": "anthropic_activity",
    "anthropic_cost_report.json": "anthropic_cost",
    "anthropic_usage_report_messages_2025.json": "anthropic_usage",
    "cloudtrail_digest_elastic.json": "cloudtrail_digest",
    "cloudtrail_insight_awsdocs.json": "cloudtrail_insight",
    "litellm_spend_log_live_row.json": "litellm_spend",
    "openai_audit_logs_elastic_page.json": "openai_audit",
}
LABELLED = {
    "openai_audit.labelled.jsonl": ("openai_audit", 18),
    "anthropic_activity.labelled.jsonl": ("anthropic_activity", 18),
    "aws_bedrockmodelinvocation.labelled.jsonl": ("bedrock_invocation", 4),
}


def text_of(path: Path) -> str:
    return unpack(path.read_bytes()).data.decode()


def test_every_module_with_a_source_is_found_in_the_order_of_ids() -> None:
    found = catalogue()
    assert found.keys() >= FORMATS
    assert list(found) == sorted(found)
    for name, source in found.items():
        assert source.id == name
        assert source.table in {"", *TABLES}
        assert source.title and source.reference and source.reader_version


def test_two_formats_with_one_id_are_refused() -> None:
    class Twin(openai_costs.OpenAICosts):
        id = "openai_usage"

    with pytest.raises(ValueError, match="'openai_usage'"):
        by_id([openai_usage.SOURCE, Twin()])


@pytest.mark.real_data
@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_real_samples_are_recognised_by_exactly_one_format(name: str) -> None:
    source, reading = read_text(text_of(shared_data() / "ai-provider-samples" / name))
    assert source == SAMPLES[name]
    assert reading.answers
    assert not [answer.defect for answer in reading.answers if answer.defect]


@pytest.mark.real_data
def test_example_pages_of_the_api_are_recognised_by_exactly_one_format() -> None:
    paths = sorted((shared_data() / "openai-openapi").glob("*.json"))
    assert len(paths) == 12
    for path in paths:
        kind = next(k for k in ("usage", "costs", "audit") if f"organization_{k}" in path.name)
        source, reading = read_text(text_of(path))
        assert source == f"openai_{kind}"
        assert all(answer.row for answer in reading.answers)


@pytest.mark.real_data
@pytest.mark.parametrize("name", sorted(LABELLED))
def test_single_events_of_others_tests_are_recognised_and_read(name: str) -> None:
    source, number = LABELLED[name]
    lines = (shared_data() / "panther-analysis" / name).read_text(encoding="utf-8").splitlines()
    events = [json.loads(line)["event"] for line in lines]
    assert len(events) == number
    for event in events:
        found, reading = read_text(json.dumps(event))
        assert found == source
        assert reading.answers[0].row is not None


@pytest.mark.real_data
def test_keys_and_metadata_of_digest_chains_are_named() -> None:
    folder = shared_data() / "digest-kit"
    for path in sorted(folder.glob("*/*.json")):
        expected = {
            "public_keys.json": "cloudtrail_public_keys",
            "s3_object_metadata.json": "digest_metadata",
        }
        assert claimants(text_of(path)) == [expected[path.name]]
    digests = sorted(folder.rglob("*CloudTrail-Digest*.json.gz"))
    assert digests
    assert {tuple(claimants(text_of(path))) for path in digests} == {("cloudtrail_digest",)}


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "format_id"),
    [
        ("anthropic_console_usage_2026.csv", "anthropic_console_usage"),
        ("openai_dashboard_completions_usage_min.csv", "openai_activity_csv"),
        ("openrouter_activity_daily.csv", "openrouter_activity"),
    ],
)
def test_downloads_of_dashboards_have_one_format(name: str, format_id: str) -> None:
    assert claimants(text_of(shared_data() / "ai-provider-samples" / name)) == [format_id]
