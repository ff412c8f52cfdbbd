"""The collector of the queries' cases: what it passes, what it fails, what it refuses to collect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

# Loaded here, or each inner run would load them anew.
import forensics.ingest.scratch
import forensics.store.casevalues
import forensics.store.duckdb_engine  # noqa: F401
from forensics.store.projecting import Projecting
from forensics.store.schema import TABLES
from tests import case_events
from tests.case_stores import CaseStores
from tests.paths import REPOSITORY
from tests.plugin_cases import cases_of, read_cases
from tests.queries import pack

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Run a pack of one query in a pytest of its own; returns its exit code and what it printed."""

    def run(cases: str, sql: str = pack.SQL, header: str = pack.HEADER) -> tuple[int, str]:
        path = pack.write(pytester.path, header, sql)
        path.with_name("trail_stopped.cases.toml").write_text(cases, encoding="utf-8")
        pytester.makeini("[pytest]\n")
        without = (f"-pno:{name}" for name in ("randomly", "hypothesispytest", "xdist", "syrupy"))
        done = pytester.runpytest_inprocess(
            "-ptests.plugin_cases", *without, "--assert=plain", "-v", str(pytester.path)
        )
        return int(done.ret), "\n".join([*done.outlines, *done.errlines])

    return run


def test_sound_cases_pass_with_the_generic_ones(run: Run) -> None:
    code, said = run(pack.CASES)
    assert code == 0, said
    assert "9 passed" in said
    for name in (
        "portable",
        "must_match: refused",
        "must_not_match: another service",
        "always: events before the window",
        "always: events between baseline and window",
    ):
        assert f"trail_stopped.cases.toml::{name} PASSED" in said


@pytest.mark.parametrize(
    ("old", "new", "failing"),
    [
        (
            "e.event_source = 'cloudtrail.amazonaws.com'",
            "e.event_source <> ''",
            "must_not_match: another service",
        ),
        (
            "e.event_name_base = $verb",
            "e.event_name_base IN ('StartLogging', $verb)",
            "must_not_match: started",
        ),
        (
            "AND e.event_time >= $since",
            "AND (e.event_time >= $since OR true)",
            "always: events before the window",
        ),
        (
            "AND e.event_time < $until",
            "AND (e.event_time < $until OR true)",
            "always: events after the window",
        ),
        (
            "FROM aws_event AS e\n",
            "FROM aws_event AS e\nJOIN case_value AS v ON v.value = e.region\n",
            "must_match: stopped",
        ),
        ("e.user_agent\n", "[e.user_agent] IS NULL AS x\n", "portable"),
    ],
)
def test_a_changed_predicate_fails_its_case(run: Run, old: str, new: str, failing: str) -> None:
    assert old in pack.SQL
    code, said = run(pack.CASES, pack.SQL.replace(old, new))
    assert code == 1 and f"trail_stopped.cases.toml::{failing} FAILED" in said, said


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('outcome = "success"', 'outcome = "denied"', "no row has"),
        ('resource = "org",', 'reason = "x",', "the query has no columns ['reason']"),
        ("expect_count = 1", "expect_count = 2", "2 rows were expected, 1 came"),
        (
            'name = "another service"\n',
            'name = "another service"\nbase = "nobody"\n',
            "no base event 'nobody'",
        ),
        ('name = "stopped"\n', 'name = "stopped"\nparams = { noun = "x" }\n', "has no parameters ['noun']"),
        ('eventName = "StartLogging"', 'eventName = "<absent>"', "was not read"),
    ],
)
def test_a_case_that_does_not_hold_says_why(run: Run, old: str, new: str, says: str) -> None:
    assert old in pack.CASES
    code, said = run(pack.CASES.replace(old, new, 1))
    assert code == 1 and says in said, said


@pytest.mark.parametrize(
    ("cases", "says"),
    [
        (pack.CASES.split("[[must_not_match]]")[0], "at least one [[must_not_match]]"),
        ('base = "iam_user"\n[[must_not_match]]\nname = "x"\nevents = []\n', "at least one [[must_match]]"),
        (pack.CASES.replace("expect_count", "expected"), "unknown keys ['expected']"),
        (pack.CASES.replace('name = "refused"', 'name = "stopped"'), "needs a name of its own"),
        (pack.CASES.replace('base = "iam_user"', 'basis = "iam_user"'), "unknown keys ['basis']"),
        (pack.CASES + "expect_count = 1\n", "expects rows and forbids them"),
        (pack.CASES + "[[", "trail_stopped.cases.toml"),
    ],
)
def test_unsound_case_files_are_not_collected(run: Run, cases: str, says: str) -> None:
    code, said = run(cases)
    assert code == 2 and says in said, said


def test_a_faulty_query_stops_the_collection_of_its_cases(run: Run) -> None:
    code, said = run(pack.CASES, header=pack.header_with("severity", 'severity = "grave"'))
    assert code == 2 and "unknown severity 'grave'" in said


def test_patches_nest_count_step_and_remove() -> None:
    (export,) = case_events.exports(
        "iam_user",
        [
            {
                "repeat": 3,
                "every": 60,
                "eventName": "Get{n:02}",
                "userAgent": "<absent>",
                "userIdentity": {"userName": "u{n}"},
            }
        ],
    )
    import json

    records = json.loads(export.data)["Records"]
    assert [r["eventName"] for r in records] == ["Get00", "Get01", "Get02"]
    assert [r["eventTime"] for r in records] == [
        "2026-05-05T03:00:00Z",
        "2026-05-05T03:01:00Z",
        "2026-05-05T03:02:00Z",
    ]
    assert [r["userIdentity"]["userName"] for r in records] == ["u0", "u1", "u2"]
    assert all("userAgent" not in r and r["userIdentity"]["type"] == "IAMUser" for r in records)
    assert len({r["eventID"] for r in records}) == 3 == export.events


def test_buckets_keep_their_width_and_audit_details_follow_the_type() -> None:
    import json

    usage, audit = case_events.exports(
        "openai_usage_page",
        [
            {"start_time": "2026-05-06T00:00:00Z", "model": "m"},
            {"base": "openai_audit", "type": "api_key.deleted", "api_key.deleted": {"id": "k"}},
        ],
    )[::-1]
    (bucket,) = json.loads(usage.data)["data"]
    assert (bucket["end_time"] - bucket["start_time"], bucket["results"][0]["model"]) == (3600, "m")
    (event,) = json.loads(audit.data)["data"]
    assert event["api_key.deleted"] == {"id": "k"} and "api_key.created" not in event


def test_events_of_other_owners_make_files_of_their_own() -> None:
    files = case_events.exports(
        "openai_usage_page", [{"owner": "A"}, {"owner": "B"}, {"owner": "A", "organisation": "org"}]
    )
    assert [(f.owner, f.organisation, f.events) for f in files] == [
        ("A", "", 1),
        ("A", "org", 1),
        ("B", "", 1),
    ]


@pytest.mark.parametrize("base", sorted(p.stem for p in case_events.BASES.glob("*.json")))
def test_every_base_event_is_read_by_exactly_one_format(base: str) -> None:
    from forensics.ingest.scratch import read_bytes
    from tests.stores import new_store

    (export,) = case_events.exports(base, [{}])
    connection = new_store()
    try:
        reading, account = read_bytes(
            connection, export.name, export.data, "Orchard", "org-1", maps=case_events.maps_of(base)
        )
        assert (account["seen"], account["accepted"]) == (1, 1), (reading, account)
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("file", "table"),
    [
        ("aws/access_key_created", "credential"),
        ("aws/secrets_read_in_bulk", "aws_event_item"),
        ("correlation/inventory_key_read", "ai_key"),
    ],
)
def test_cases_read_together_hold_what_each_holds_by_itself(file: str, table: str) -> None:
    path = REPOSITORY / "queries" / "detections" / f"{file}.cases.toml"
    cases = [case for _, _, case in cases_of(*read_cases(path))]
    together, alone = CaseStores(), CaseStores()
    filled = 0
    for case in cases:
        rows = _rows(together.holding(case, cases, keep=False))
        assert rows == _rows(alone.holding(case, (), keep=False))
        filled += bool(rows[table])
    assert filled


def test_the_records_of_all_cases_of_a_file_are_projected_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    path = REPOSITORY / "queries/detections/aws/secrets_read_in_bulk.cases.toml"
    cases = [case for _, _, case in cases_of(*read_cases(path))]
    numbers: list[int] = []
    keep = Projecting.keep

    def counted(self: Projecting, incoming: Any, lines: Any) -> None:
        numbers.append(len(lines))
        keep(self, incoming, lines)

    monkeypatch.setattr(Projecting, "keep", counted)
    stores = CaseStores()
    for case in cases:
        stores.holding(case, cases, keep=False)
    assert len(numbers) == 1 and numbers[0] > len(cases)


def _rows(connection: Any) -> dict[str, list[str]]:
    return {t: sorted(map(repr, connection.execute(f"SELECT * FROM {t}").fetchall())) for t in TABLES}
