"""Every verdict and every planted step of the sample incident, against its ground truth."""

from __future__ import annotations

import json
from collections import defaultdict

from forensics.analysis.context import catalogue
from forensics.analysis.verdicts import compute
from tests.paths import SAMPLE

TRUTH = json.loads((SAMPLE / "ground_truth.json").read_text(encoding="utf-8"))
#: Buckets of usage carry no id of their own: the steps that show in them are found by query and key.
ID_LESS = {"s24_usage_spikes"}


def answers(case):
    return compute(case, catalogue()).answers


def test_every_key_on_both_axes(made_sample_case):
    got = {
        (a["provider"], a["key_id"]): (a["customer"], a["exposure"], a["abuse"], str(a["verdict"]))
        for a in answers(made_sample_case)
    }
    expected = {
        (k["provider"], k["key_id"]): (k["customer"], k["exposure"], k["abuse"], k["verdict"]) for k in TRUTH["keys"]
    }
    assert got == expected


def test_every_reason_has_root_query_and_rows(made_sample_case):
    known = {q.id for q in catalogue()}
    for answer in answers(made_sample_case):
        assert {r["axis"] for r in answer["reasons"]} == {"exposure", "abuse"}
        for reason in answer["reasons"]:
            assert reason["root"] and reason["query_id"] in known
            assert reason["event_keys"] or reason["root"] in {"coverage", "usage volume"}
        if answer["abuse"] in {"established", "unexplained", "explained"}:
            assert answer["alternatives"]


def test_every_planted_step_is_found_by_a_query_named_for_it(made_sample_case):
    connection = made_sample_case.reader()
    rows = connection.execute("""
        SELECT f.query_id, coalesce(a.event_id, u.event_id, r.request_id, e.event_key), e.credential_id
        FROM finding_event e JOIN finding f USING (finding_id)
        LEFT JOIN aws_event a USING (event_key) LEFT JOIN ai_audit_event u USING (event_key) LEFT JOIN ai_request r USING (event_key)
    """).fetchall()
    connection.close()
    found = defaultdict(set)
    for query_id, event_id, _ in rows:
        found[query_id].add(event_id)
    missed = {}
    for step in TRUTH["steps"]:
        hits = {q for q in step["query_ids"] if found[q] & set(step["event_ids"])}
        if step["step"] in ID_LESS:
            hits = {q for q in step["query_ids"] if found[q]}
        if not hits:
            missed[step["step"]] = step["query_ids"]
    assert not missed


def test_summed_overlap_would_be_a_spike_and_is_not_one(made_sample_case):
    connection = made_sample_case.reader()
    doubled, counted = connection.execute("""
        SELECT (SELECT count(*) FROM ai_usage WHERE key_id = 'key_Dv6Fc3GhW2'), (SELECT count(*) FROM ai_usage_current WHERE key_id = 'key_Dv6Fc3GhW2')
    """).fetchall()[0]
    connection.close()
    assert doubled > counted
    answer = next(a for a in answers(made_sample_case) if a["customer"] == "Dorvalis")
    assert answer["abuse"] == "none_seen"


def test_keys_not_in_the_inventory_are_listed(made_sample_case):
    result = compute(made_sample_case, catalogue())
    ids = {u["key_id"] for u in result.unlisted}
    assert "key_Qn4Ev1LxZ8" in ids and not ids & {k["key_id"] for k in TRUTH["keys"]}
