"""Exports that a column map reads enter verdicts as any other: usage and costs by id or by name."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from forensics.analysis.context import catalogue
from forensics.analysis.verdicts import compute, prepare
from forensics.ingest.run import IngestOptions, ingest
from tests.analysis.test_exposure_ledger import SETTINGS
from tests.building import new_case

INVENTORY = """customer,provider,provider_key_id,key_name
Acorn,groq,key_one,prod
Acorn,groq,key_two,shared
Acorn,groq,key_three,shared
Acorn,groq,key_four,unused
"""
MAPS = {
    "hours.toml": """name = "hours"
provider = "groq"
table = "ai_usage"
[match]
columns = ["t", "key", "n"]
[time]
column = "t"
seconds = 3600
[columns]
key_id = "key"
requests = "n"
[coverage]
complete = true
""",
    "bills.toml": """name = "bills"
provider = "groq"
table = "ai_cost"
[match]
columns = ["day", "name", "usd"]
[time]
column = "day"
seconds = 86400
[columns]
key_name = "name"
amount = "usd"
currency = { constant = "USD" }
[coverage]
complete = true
""",
}
START, HOURS = datetime(2026, 4, 1), 37 * 24
SPIKE = datetime(2026, 5, 6)


def _usage() -> str:
    rows = []
    for n in range(HOURS):
        at = START + timedelta(hours=n)
        rows.append(f"{at:%Y-%m-%dT%H:%M:%SZ},key_one,{1000 if SPIKE <= at < SPIKE + timedelta(hours=3) else 40}")
    return "\n".join(["t,key,n", *rows, ""])


def _bills() -> str:
    rows = []
    for n in range(HOURS // 24):
        day = START + timedelta(days=n)
        rows += [f"{day:%Y-%m-%dT%H:%M:%SZ},{name},{90 if day == SPIKE else 2}" for name in ("prod", "shared")]
    return "\n".join(["day,name,usd", *rows, ""])


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mapped")
    case = new_case(folder, SETTINGS.encode())
    for name, text in {"keys.csv": INVENTORY, "usage.csv": _usage(), "bills.csv": _bills(), **MAPS}.items():
        (folder / name).write_text(text)
    files = [folder / "keys.csv", folder / "usage.csv", folder / "bills.csv"]
    ingest(case, files, IngestOptions(owner="Acorn", maps=tuple(folder / name for name in MAPS)))
    prepare(case)
    return compute(case, catalogue())


def answer(result, key):
    return next(a for a in result.answers if a["key_id"] == key)


def test_usage_by_a_mapped_column_of_ids_is_a_series(result):
    got = answer(result, "key_one")
    assert got["abuse"] == "unexplained" and got["first_use_unexplained"]["from"] == SPIKE
    assert got["last_use"] == datetime(2026, 5, 8)
    assert not any("not grouped by key" in note for note in got["notes"])


def test_an_export_that_never_names_a_key_in_such_a_column_proves_nothing_about_it(result):
    got = answer(result, "key_four")
    assert got["abuse"] == "not_evaluable" and got["last_use"] is None


def test_costs_by_a_name_that_one_key_has_are_its_costs(result):
    billed = [c for c in answer(result, "key_one")["costs"] if c["kind"] == "billed"]
    # Without an exposure the excess counts from T0, 5 May 02:00: 6 May above the highest day, 5 and 7 May are usual.
    assert [(c["low"], c["mid"], c["high"], c["currency"]) for c in billed] == [
        (Decimal(88), Decimal(88), Decimal(94), "USD")
    ]
    assert "joined by the name prod, which no other key of its owner at the provider has" in billed[0]["basis"]
    assert any(s["sign"] == "cost" for s in answer(result, "key_one")["signs"])


def test_costs_by_a_name_of_several_keys_are_of_none_and_all_are_shown(result):
    for key in ("key_two", "key_three"):
        got = answer(result, key)
        assert got["costs"] == [] and "no billed cost names this key: cost is not judged" in got["notes"]
        assert any("the name shared in costs" in n and "key_three, key_two" in n for n in got["notes"])
