"""Real logs go through ingest with the counts their collection states."""

from __future__ import annotations

import pytest

from forensics.ingest.run import IngestOptions, ingest
from tests.building import new_case
from tests.paths import shared_data

COUNTS = [
    ("stratus-red-team", 182, 182),
    ("traildiscover", 284, 163),
    ("trailscraper", 7, 3),
    ("permiso", 4505, 3453),
    ("SANS-504-S3-ransomware-lab", 18609, 14585),
]


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "seen", "distinct"), COUNTS, ids=[c[0] for c in COUNTS])
def test_records_seen_and_distinct(tmp_path, name, seen, distinct):
    case = new_case(tmp_path)
    result = ingest(case, [shared_data(name)], IngestOptions(copy=False))
    r = result.records
    assert r["seen"] == seen == r["accepted"] + r["duplicate"] + r["defect"] + r["out_of_scope"]
    assert not result.defective
    connection = case.reader()
    ids, contents, untimed = connection.execute(
        "SELECT count(DISTINCT event_id), count(*), count(*) FILTER (WHERE event_time IS NULL) FROM aws_event"
    ).fetchall()[0]
    conflicts = connection.execute("SELECT count(DISTINCT event_id) FROM aws_event WHERE id_conflict").fetchall()[0][0]
    connection.close()
    assert (ids, untimed) == (distinct, 0)
    if name == "permiso":
        assert (contents, conflicts) == (3569, 116)


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["openai-openapi", "ai-provider-samples"])
def test_provider_samples_are_read_or_named(tmp_path, name):
    case = new_case(tmp_path)
    result = ingest(case, [shared_data(name)], IngestOptions())
    r = result.records
    assert r["seen"] == r["accepted"] + r["duplicate"] + r["defect"] + r["out_of_scope"] > 0
    assert not result.defective
    assert all(s["reason"] for s in result.skipped)
    if name == "openai-openapi":
        assert result.accepted == 12
