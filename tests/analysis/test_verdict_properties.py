"""What holds for every verdict, whatever the evidence: what may move one, and what never does."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forensics.analysis.lineage import taints
from forensics.model.case import read_settings
from forensics.store.schema import statements
from tests.analysis.verdict_facts import (
    DAY,
    HOUR,
    KEY,
    READ,
    ROOT,
    SINCE,
    T0,
    UNTIL,
    World,
    act,
    billed,
    bucket,
    gateway_hour,
    read,
    request,
    source,
    statement,
    usual,
)  # fmt: skip

QUICK = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MIDNIGHT = T0.replace(hour=0)
#: From the weakest to the strongest; `not_evaluable` is off this scale.
SCALE = ("none_seen", "explained", "unexplained", "established")


@st.composite
def statistics(draw: st.DrawFn) -> World:
    """A world with any mixture of signs, and no link."""
    usage = usual(draw(st.integers(0, 80)), hours=range(draw(st.integers(0, 8)), 24))
    for hour in draw(st.lists(st.integers(3, 60), max_size=12, unique=True)):
        model = draw(st.sampled_from(["gpt-5-mini", "gpt-9", "gpt-9-pro"]))
        usage.append(bucket(T0 + hour * HOUR, draw(st.integers(1, 5000)), model))
    acts = [act(SINCE, "x")]
    for hour in draw(st.lists(st.integers(1, 60), max_size=4, unique=True)):
        name = draw(
            st.sampled_from(["admin_api_key.created", "invite.sent", "rate_limit.deleted", "ip_allowlist.deleted"])
        )
        who = draw(st.sampled_from([{"actor_key_id": "key_a"}, {"actor": "new@acme.example"}, {}]))
        acts.append(act(READ + hour * HOUR, name, **who, outcome=draw(st.sampled_from(["success", "failure"]))))
    sources = [source(SINCE, UNTIL, "192.0.2.4")]
    sources += [source(READ + HOUR, UNTIL, f"203.0.113.{n}", f"agent/{n}") for n in range(draw(st.integers(0, 3)))]
    costs = [billed(SINCE + n * DAY, "10") for n in range(33)] + [
        billed(MIDNIGHT + DAY, str(draw(st.integers(0, 900))))
    ]
    changes = [
        {
            "event_time": READ + 2 * HOUR,
            "event_key": "c",
            "item_kind": "secret",
            "location": "prod/acme",
            "region": "us-east-1",
        }
    ]
    return World(
        usage=usage, acts=acts, sources=sources, billed=costs, changes=draw(st.sampled_from([[], changes])),
        key=replace(KEY, kind=draw(st.sampled_from(["project", "admin"]))),
    )  # fmt: skip


@QUICK
@given(statistics())
def test_signs_alone_never_establish_misuse(world):
    got = world.answer()
    assert got["abuse"] in {"none_seen", "unexplained", "not_evaluable"}
    assert got["misuse_path"] is None


@QUICK
@given(statistics(), st.sampled_from(["launch", "other"]))
def test_statements_may_only_lower_what_signs_say(world, kind):
    stated = world.but(statements=statement(kind=kind))
    before, after = world.axes()[1], stated.axes()[1]
    assert after == before or (before, after) == ("unexplained", "explained")


def test_without_an_event_of_the_service_nothing_is_ruled_out():
    from forensics.analysis.exposure import judge

    facts = World(reads=[]).facts()
    facts.services = {("us-east-1", "s3.amazonaws.com")}
    got = judge([KEY], facts)[0]
    assert got["exposure"] == "not_evaluable" and "no Secrets Manager event of us-east-1" in got["reasons"][0]["text"]


_PARTS = ("usage", "acts", "requests", "gateway", "sources", "billed", "statements")


def _rich() -> World:
    """A world in which everything speaks: a link by address, one by request, a remainder and signs."""
    usage = [
        *usual(end=T0 + 3 * HOUR),
        *(bucket(T0 + h * HOUR, 900, "gpt-9") for h in range(3, 9)),
        *usual(start=T0 + 9 * HOUR),
    ]
    return World(
        usage=usage,
        statements=statement(),
        acts=[act(SINCE, "x"), act(READ + HOUR, target_key_id="key_a", root=ROOT, tainted_address="203.0.113.9")],
        requests=[request(READ + HOUR)],
        gateway=[gateway_hour(b["bucket_start"], 40) for b in usual()],
        sources=[source(SINCE, UNTIL, "192.0.2.4"), source(READ + HOUR, UNTIL, "203.0.113.7")],
        billed=[billed(SINCE + n * DAY, "10") for n in range(33)],
    )


@QUICK
@given(st.sets(st.sampled_from(_PARTS)))
def test_dropping_a_source_never_strengthens_abuse_nor_clears_it(dropped):
    world = _rich().but(**{name: "" if name == "statements" else [] for name in dropped})
    got = world.answer()
    links = {"acts", "requests"} - dropped
    if "requests" in links and "statements" in dropped:
        links -= {"requests"}
    remainder = not {"usage", "gateway", "statements"} & dropped
    assert (got["abuse"] == "established") == bool(links or remainder)
    if not links and not remainder:
        # What was established is never cleared by sending less: signs that are left, or no answer.
        assert got["abuse"] in {"unexplained", "not_evaluable"}
        assert got["abuse"] == "unexplained" or "usage" in dropped


def test_when_only_an_act_showed_misuse_its_log_is_named_as_missing():
    world = World(acts=[act(READ + HOUR, target_key_id="key_a", root=ROOT, tainted_address="203.0.113.9")])
    assert world.axes()[1] == "established"
    got = world.but(acts=[]).answer()
    assert got["abuse"] == "none_seen" and any("no audit log" in n for n in got["notes"])


@QUICK
@given(st.sampled_from(["read", "usual", "none"]), st.booleans())
def test_dropping_the_logs_never_clears_an_exposure(kind, logged):
    reads = {"read": [read()], "usual": [read(suspect=False)], "none": []}[kind]
    world = World(reads=reads, logged=logged)
    exposure = world.axes()[0]
    assert exposure == ("read" if kind == "read" else "none_seen" if logged else "not_evaluable")
    assert world.but(reads=[], logged=False).axes()[0] == "not_evaluable"


@QUICK
@given(statistics(), st.integers(-20, 2), st.booleans())
def test_moving_t0_moves_the_baseline_only(world, days, linked):
    if linked:
        world = world.but(
            acts=[*world.acts, act(READ + HOUR, target_key_id="key_a", root=ROOT, tainted_address="203.0.113.9")]
        )
    moved = world.but(t0=T0 + days * DAY)
    assert moved.axes()[0] == world.axes()[0] == "read"
    assert (moved.axes()[1] == "established") is linked
    assert (world.axes()[1] == "established") is linked


@QUICK
@given(statistics(), st.integers(1, 34))
def test_a_shorter_baseline_gives_no_more_than_signs_and_says_when_it_is_none(world, days):
    start = SINCE + days * DAY
    cut = world.but(usage=[b for b in world.usage if b["bucket_start"] >= start], covered=(start, UNTIL))
    got = cut.answer()
    assert got["abuse"] != "established"
    short = (T0 - DAY - start).days < 7
    if short:
        # These compare with earlier use, of which there is too little.
        assert not {s["sign"] for s in got["signs"]} & {"volume", "model", "off_hours"}
    if short and not any(s["weight"] > 1 for s in got["signs"]):
        assert got["abuse"] == "not_evaluable" and any("no baseline" in r["text"] for r in got["reasons"])


@QUICK
@given(st.integers(1, 34), st.integers(1, 80))
def test_ordinary_use_is_cleared_by_a_baseline_that_is_long_enough_and_only_by_one(days, requests):
    start = SINCE + days * DAY
    world = World(usage=[b for b in usual(requests) if b["bucket_start"] >= start], covered=(start, UNTIL))
    got = world.answer()
    if (T0 - DAY - start).days < 7:
        assert got["abuse"] == "not_evaluable" and any("no baseline" in r["text"] for r in got["reasons"])
    else:
        assert got["abuse"] == "none_seen"


@QUICK
@given(statistics(), st.booleans())
def test_correcting_the_place_moves_exposure_and_never_what_is_established(world, linked):
    if linked:
        world = world.but(
            acts=[*world.acts, act(READ + HOUR, target_key_id="key_a", root=ROOT, tainted_address="203.0.113.9")]
        )
    moved = world.but(key=replace(world.key, location="prod/elsewhere"))
    assert moved.axes()[0] == "none_seen"
    got = moved.answer()
    assert (got["abuse"] == "established") is linked
    assert not linked or str(got["verdict"]) == "misused_path_not_seen"


@QUICK
@given(statistics())
def test_correcting_the_key_id_leaves_its_usage_behind(world):
    got = world.but(key=replace(world.key, key_id="key_b"), acts=[], sources=[]).answer()
    assert got["abuse"] == "not_evaluable" and not got["signs"]


@QUICK
@given(st.integers(0, 1439), st.integers(0, 10**6), st.booleans())
def test_a_day_that_straddles_the_read_is_neither_before_nor_after(minute, requests, revoked):
    """Whatever lies in the day of the read, or of the revocation, moves nothing."""
    at = MIDNIGHT + timedelta(minutes=minute + 1) if minute < 1439 else MIDNIGHT + timedelta(minutes=1)
    acts = [act(at, "api_key.deleted", target_key_id="key_a")] if revoked else []
    end = MIDNIGHT + DAY if revoked else UNTIL
    calm = World(usage=usual(960, DAY, end=end), width=DAY, reads=[read(at)], acts=acts)
    loud = calm.but(
        usage=[b if b["bucket_start"] != MIDNIGHT else bucket(MIDNIGHT, requests, "gpt-9", DAY) for b in calm.usage]
    )
    assert loud.axes()[1] == calm.axes()[1] != "established"
    assert [s for s in loud.answer()["signs"] if s["from"]] == [s for s in calm.answer()["signs"] if s["from"]]


@cache
def _store() -> duckdb.DuckDBPyConnection:
    """An empty store; each example removes what the last one left."""
    connection = duckdb.connect()
    for sql in statements():
        connection.execute(sql)
    return connection


_NAMES = [f"ASIA{n}" for n in range(6)]
_ADDRESSES = [f"203.0.113.{n}" for n in range(6)]


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["AKIATHIEF", *_NAMES]), st.sampled_from(_NAMES), st.sampled_from(_ADDRESSES)),
        max_size=12,
    ),
    st.lists(st.sampled_from(_ADDRESSES), max_size=3),
    st.booleans(),
)
def test_taint_comes_from_a_statement_by_a_chain_and_never_from_the_provider(issued, at_provider, known):
    """No derived address supports what it was derived from: each chain ends at a statement, and no provider row starts one."""
    text = '[case]\nid = "X"\n[times]\nt0 = 2026-05-05T00:00:00Z\n'
    text += '[[known]]\nkind = "access_key"\nvalue = "AKIATHIEF"\nreason = "r"\nby = "b"\n' if known else ""
    made = read_settings(text.encode())
    connection = _store()
    connection.execute("DELETE FROM aws_event")
    connection.execute("DELETE FROM ai_audit_event")
    for n, (parent, child, address) in enumerate(issued):
        connection.execute(
            "INSERT INTO aws_event (event_key, event_time, credential_id, actor, source_ip, source_class, event_name_base,"
            " outcome, issued_credential_id) VALUES (?, ?, ?, 'role', ?, 'public', 'AssumeRole', 'success', ?)",
            [f"{n:04d}", datetime(2026, 5, 5, 1, n), parent, address, child],
        )
    before = taints(connection, made)
    for n, address in enumerate(at_provider):
        connection.execute(
            "INSERT INTO ai_audit_event (event_key, event_time, source_ip, provider) VALUES (?, ?, ?, 'openai')",
            [f"p{n}", datetime(2026, 5, 5, 3, n), address],
        )
    after = taints(connection, made)
    assert after == before
    held = {t.value: t for t in after}
    assert bool(after) is known
    for taint in after:
        assert taint.root.startswith("settings: access_key AKIATHIEF")
        seen = set()
        while taint.parent:
            assert taint.value not in seen
            seen.add(taint.value)
            taint = held[taint.parent]
        assert taint.method == "known"
