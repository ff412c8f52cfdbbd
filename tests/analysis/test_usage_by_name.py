"""Usage that tells the name of a key and no id: it counts for the key that alone has the name, else for none."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from forensics.analysis.context import catalogue
from forensics.analysis.verdicts import compute, prepare
from forensics.ingest.run import IngestOptions, ingest
from forensics.store.eventstore import EventStore
from tests.analysis.test_exposure_ledger import SETTINGS
from tests.building import new_case

INVENTORY = """customer,provider,provider_key_id,key_name,location
Acorn,openai,key_one,prod,
Acorn,openai,key_two,shared,
Acorn,openai,key_three,shared,
Birch,openai,key_four,prod,
"""
START, HOUR = datetime(2026, 4, 1), timedelta(hours=1)
SPIKE = datetime(2026, 5, 6)


def usage(owner, name, hours, requests=40, key_id=None, source="openai_activity_csv"):
    for n in range(hours):
        at = START + n * HOUR
        yield {
            "event_key": f"{source[7]}{owner}{name}{n}".encode().hex().zfill(32)[-32:], "source_id": source, "provider": "openai",
            "owner": owner, "bucket_start": at, "bucket_end": at + HOUR, "granularity_s": 3600, "endpoint": "chat", "key_id": key_id,
            "key_name": name, "model": "m", "requests": 1000 if SPIKE <= at < SPIKE + 3 * HOUR else requests, "input_tokens_total": 0,
            "output_tokens": 1000 * requests, "grouped_by": "key,model" if key_id is None else "api_key_id,model",
            "native_id": f"{source}{owner}{name}{n}", "received_at": datetime(2026, 5, 9),
        }  # fmt: skip


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("names")
    case = new_case(folder, SETTINGS.encode())
    (folder / "keys.csv").write_text(INVENTORY)
    ingest(case, [folder / "keys.csv"], IngestOptions())
    hours = 37 * 24
    with case.writer("test") as connection:
        store = EventStore(connection)
        rows = [*usage("Acorn", "prod", hours), *usage("Acorn", "shared", hours), *usage("", "prod", 24)]
        # The provider's interface tells the same hours by id: they are not added.
        rows += [*usage("Birch", "prod", 48), *usage("Birch", "prod", 24, key_id="key_four", source="openai_usage")]
        store.insert("ai_usage", rows)
        store.insert(
            "ai_coverage",
            [
                {
                    "source_id": source, "provider": "openai", "owner": owner, "endpoint": "chat", "granularity_s": 3600, "grouped_by": by,
                    "covered_from": START, "covered_until": START + 37 * 24 * HOUR, "truncated": False, "received_at": datetime(2026, 5, 9),
                }
                for owner, source, by in (
                    ("Acorn", "openai_activity_csv", "key,model"), ("Birch", "openai_usage", "api_key_id,model"),
                )
            ],
        )  # fmt: skip
    prepare(case)
    return case, compute(case, catalogue())


def answer(result, key):
    return next(a for a in result[1].answers if a["key_id"] == key)


def test_a_name_that_one_key_has_brings_its_usage_into_the_verdict(result):
    got = answer(result, "key_one")
    assert got["abuse"] == "unexplained" and got["last_use"] == datetime(2026, 5, 8)
    assert any("by the name prod, which no other key of its owner" in n for n in got["notes"])
    assert got["first_use_unexplained"]["from"] == SPIKE


def test_a_name_that_several_keys_have_counts_for_none_and_lists_all(result):
    for key in ("key_two", "key_three"):
        got = answer(result, key)
        assert got["abuse"] == "not_evaluable" and got["last_use"] is None
        assert any("the name shared" in n and "key_three, key_two" in n for n in got["notes"])
    assert [r.keys for r in result[1].book.remarks if r.kind == "ambiguous"] == [("key_three", "key_two")]


def test_usage_by_id_and_by_name_is_one_usage_and_nobodys_is_nobodys(result):
    connection = result[0].reader()
    try:
        found = connection.execute(
            "SELECT owner, key_id, named_by, source_id, count(*) FROM ai_usage_series GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    finally:
        connection.close()
    assert found == [
        ("Acorn", "key_one", "prod", "openai_activity_csv", 888),
        ("Birch", "key_four", "prod", "openai_activity_csv", 24),
        ("Birch", "key_four", None, "openai_usage", 24),
    ]
