"""What moves a verdict, and what must not."""

from __future__ import annotations

import json
import re

import pytest

from forensics.analysis.context import catalogue
from forensics.analysis.verdicts import compute, exposure_case
from forensics.ingest.run import IngestOptions, ingest
from forensics.model.verdict import Abuse, Exposure, Verdict, headline
from tests.building import clock, new_case
from tests.paths import SAMPLE


def verdicts(case):
    return axes(compute(case, catalogue()).answers)


@pytest.fixture(scope="module")
def as_made(made_sample_case):
    """What exposure answers on the sample incident as it is."""
    return compute(made_sample_case, catalogue()).answers


def axes(answers):
    return {a["customer"]: (a["exposure"], a["abuse"], str(a["verdict"])) for a in answers}


def edit(case, pattern, replacement):
    text = case.settings_path.read_text(encoding="utf-8")
    changed = re.sub(pattern, replacement, text, flags=re.DOTALL)
    assert changed != text
    case.settings_path.write_text(changed, encoding="utf-8")
    return exposure_case(case, catalogue(), clock).answers


def without(case, customer_path):
    with case.writer("test") as connection:
        keys = (
            f"SELECT event_key FROM occurrence o JOIN receipt r USING (receipt_id) WHERE r.path LIKE '{customer_path}'"
        )
        for table in ("ai_usage", "ai_audit_event", "ai_request", "aws_event"):
            connection.execute(f"DELETE FROM {table} WHERE event_key IN ({keys})")
        connection.execute(
            f"DELETE FROM ai_coverage WHERE file_sha256 IN (SELECT file_sha256 FROM receipt WHERE path LIKE '{customer_path}')"
        )


def test_the_headline_table_is_total():
    table = {(e, a): headline(e, a) for e in Exposure for a in Abuse}
    assert all(
        v in (Verdict.CONFIRMED, Verdict.MISUSED_PATH_NOT_SEEN) for (_, a), v in table.items() if a is Abuse.ESTABLISHED
    )
    assert [k for k, v in table.items() if v is Verdict.NOT_EXPOSED] == [(Exposure.NONE_SEEN, Abuse.NONE_SEEN)]
    assert table[Exposure.READ, Abuse.NOT_EVALUABLE] is Verdict.EXPOSED_NOT_EVALUABLE


def test_without_the_statement_of_completeness_statistics_stay_unexplained(sample_case):
    assert axes(edit(sample_case, r"kind = \"gateway_complete\"", 'kind = "other"'))["Brindlewick"] == (
        "read",
        "unexplained",
        "suspicious",
    )


def test_without_the_stated_launch_the_spike_is_unexplained(sample_case):
    assert axes(edit(sample_case, r"kind = \"launch\"", 'kind = "other"'))["Pellamore"] == (
        "read",
        "unexplained",
        "suspicious",
    )


def test_a_launch_that_ends_early_explains_nothing(sample_case):
    assert (
        axes(edit(sample_case, r"(kind = \"launch\".*?until = )[^\n]+", r"\g<1>2026-05-05T20:00:00Z"))["Pellamore"][1]
        == "unexplained"
    )


def test_without_usage_a_read_key_is_not_evaluable(sample_case):
    without(sample_case, "customers/vexholm/%")
    assert verdicts(sample_case)["Vexholm"] == ("read", "not_evaluable", "exposed_not_evaluable")


def test_without_the_revocation_in_the_providers_log_use_is_only_unexplained(sample_case):
    with sample_case.writer("test") as connection:
        connection.execute("DELETE FROM ai_audit_event WHERE action = 'api_key.deleted'")
    assert verdicts(sample_case)["Zephrane"] == ("read", "unexplained", "suspicious")


def test_an_address_that_others_used_before_proves_nothing(sample_case):
    with sample_case.writer("test") as connection:
        connection.execute("""UPDATE aws_event SET source_ip = '198.51.100.77' WHERE event_key =
            (SELECT min(event_key) FROM aws_event WHERE actor LIKE '%posture-scanner%' AND event_time < TIMESTAMP '2026-04-20')""")
    got = axes(exposure_case(sample_case, catalogue(), clock).answers)
    assert got["Tarnhaven"][1] == "unexplained" and got["Quillmere"][2] == "suspicious"


@pytest.mark.parametrize("gap", ["region", "trail"])
def test_not_exposed_needs_the_whole_log(sample_case, gap):
    with sample_case.writer("test") as connection:
        if gap == "region":
            connection.execute(
                "DELETE FROM aws_event WHERE region = 'eu-central-1' AND hour(event_time) BETWEEN 2 AND 9 AND CAST(event_time AS DATE) = DATE '2026-04-20'"
            )
        else:
            connection.execute(
                """UPDATE aws_event SET request_parameters = '{"name":"vendor-eu"}' WHERE event_name = 'StopLogging'"""
            )
    assert verdicts(sample_case)["Yarrowdene"] == ("not_evaluable", "none_seen", "not_evaluable")


def test_without_an_inventory_names_and_ids_are_judged_and_a_template_is_offered(tmp_path):
    case = new_case(tmp_path, (SAMPLE / "case.toml").read_bytes())
    ingest(
        case,
        [
            SAMPLE / "aws" / "AWSLogs" / "111122223333" / "CloudTrail" / "us-east-1" / "2026" / "05",
            SAMPLE / "customers" / "vexholm",
        ],
        IngestOptions(),
    )
    result = exposure_case(case, catalogue(), clock)
    by_name = {a["key_id"]: a for a in result.answers}
    assert by_name["prod/customers/brindlewick/openai"]["exposure"] == "read"
    assert by_name["prod/customers/brindlewick/openai"]["abuse"] == "not_evaluable"
    assert by_name["apikey_01VexHm4Rt9"]["exposure"] == "not_evaluable"
    assert "secret:us-east-1:prod/customers/brindlewick/openai" in result.template
    assert "apikey_01VexHm4Rt9" in result.template


def test_no_baseline_is_said(tmp_path, sample_case):
    answers = edit(sample_case, r"t0 = [^\n]+", "t0 = 2026-04-03T00:00:00Z")
    answer = next(a for a in answers if a["customer"] == "Vexholm")
    assert answer["abuse"] == "not_evaluable"
    assert any("no baseline" in r["text"] for r in answer["reasons"])


def test_another_customers_log_says_nothing_about_a_key(sample_case):
    with sample_case.writer("test") as connection:
        connection.execute("UPDATE ai_audit_event SET owner = 'Somebody else' WHERE owner = 'Tarnhaven'")
    assert verdicts(sample_case)["Tarnhaven"][1] == "unexplained"


def test_a_failed_attempt_from_the_intruders_address_is_no_misuse(sample_case):
    with sample_case.writer("test") as connection:
        connection.execute("UPDATE ai_audit_event SET outcome = 'failure' WHERE source_ip = '198.51.100.77'")
    assert verdicts(sample_case)["Quillmere"][1] == "unexplained"


def test_an_address_a_customer_used_before_proves_nothing(sample_case):
    with sample_case.writer("test") as connection:
        connection.execute("""UPDATE ai_audit_event SET source_ip = '198.51.100.77' WHERE event_key =
            (SELECT min(event_key) FROM ai_audit_event WHERE owner = 'Zephrane' AND event_time < TIMESTAMP '2026-04-20')""")
    assert axes(exposure_case(sample_case, catalogue(), clock).answers)["Tarnhaven"][1] == "unexplained"


@pytest.mark.parametrize(("value", "ends"), [("inactive", True), ("active", False)])
def test_only_a_status_that_is_over_revokes(value, ends):
    from forensics.analysis.misuse.links import ends_key

    update = {"type": "status", "previous_value": "inactive", "current_value": value}
    details = json.dumps({"updates": [update]})
    assert ends_key({"action": "platform_api_key_updated", "details": details}) is ends
    assert ends_key({"action": "api_key_deleted", "details": None})
    assert not ends_key({"action": "platform_api_key_updated", "details": "[]"})


def test_exports_that_come_again_without_their_owner_move_no_verdict_and_no_cost(sample_case, as_made):
    def figures(answers):
        return {a["customer"]: (a["exposure"], a["abuse"], str(a["verdict"]), a["excess_cost"]) for a in answers}

    again = ingest(sample_case, [SAMPLE / "customers"], IngestOptions())
    assert again.records["accepted"] > 10_000
    assert figures(exposure_case(sample_case, catalogue(), clock).answers) == figures(as_made)


def test_an_export_that_never_names_the_key_proves_nothing_about_it(sample_case):
    with sample_case.writer("test") as connection:
        connection.execute("DELETE FROM ai_usage WHERE key_id = 'apikey_01VexHm4Rt9'")
    assert verdicts(sample_case)["Vexholm"] == ("read", "not_evaluable", "exposed_not_evaluable")


@pytest.mark.parametrize(
    ("column", "row"),
    [
        ("log_integrity", "('AWSLogs/1/CloudTrail/{region}/x.json.gz', 'b', 'hash_mismatch', 'failed')"),
        ("log_integrity", "('AWSLogs/1/CloudTrail/{region}/x.json.gz', 'b', 'missing', 'not covered')"),
        ("log_integrity", "('renamed.json', 'b', 'trailing_data', 'failed')"),
    ],
)
def test_a_failed_or_missing_log_file_of_the_region_leaves_no_none_seen(sample_case, as_made, column, row):
    assert axes(as_made)["Yarrowdene"] == ("none_seen", "none_seen", "not_exposed")
    reasons = json.dumps([a for a in as_made if a["customer"] == "Yarrowdene"], default=str)
    assert "The log files were not checked against digests" in reasons
    with sample_case.writer("test") as connection:
        region = connection.execute("SELECT any_value(region) FROM aws_event WHERE region LIKE 'us-%'").fetchall()[0][0]
        for each in {"us-east-1", "eu-west-1", "us-west-2", "eu-central-1", region}:
            connection.execute(
                f"INSERT INTO {column} (object, bucket, state, integrity) VALUES {row.format(region=each)}"
            )
    assert verdicts(sample_case)["Yarrowdene"] == ("not_evaluable", "none_seen", "not_evaluable")


def test_a_failed_log_file_of_another_region_or_hour_moves_nothing(sample_case):
    with sample_case.writer("test") as connection:
        connection.execute(
            "INSERT INTO log_integrity (object, bucket, state, integrity) VALUES"
            " ('AWSLogs/1/CloudTrail/sa-east-1/x.json.gz', 'b', 'hash_mismatch', 'failed')"
        )
        connection.execute(
            "INSERT INTO log_digest (object, state, start_at, end_at) VALUES ('d', 'valid', '2020-01-01', '2020-01-01 01:00:00')"
        )
        connection.execute(
            "INSERT INTO log_integrity (object, bucket, state, integrity, digest_object) VALUES"
            " ('AWSLogs/1/CloudTrail/us-east-1/x.json.gz', 'b', 'hash_mismatch', 'failed', 'd')"
        )
    assert verdicts(sample_case)["Yarrowdene"] == ("none_seen", "none_seen", "not_exposed")


def test_a_missing_digest_of_the_region_leaves_no_none_seen(sample_case):
    with sample_case.writer("test") as connection:
        for region in ("us-east-1", "eu-west-1", "us-west-2", "eu-central-1"):
            connection.execute(
                "INSERT INTO log_chain (region, trail, backfill, missing, first_start, last_end) VALUES"
                f" ('{region}', 't', false, 2, '2026-05-01', '2026-05-20')"
            )
    assert verdicts(sample_case)["Yarrowdene"] == ("not_evaluable", "none_seen", "not_evaluable")
