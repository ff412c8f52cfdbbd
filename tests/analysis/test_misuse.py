"""Direct links, expected use and each sign, over facts of one key."""

from __future__ import annotations

import pytest

from forensics.analysis.misuse.sign import Sign, weighed
from forensics.analysis.policy import DEFAULT
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
    usage_rows,
    usual,
)  # fmt: skip

CALM = World()
SPIKE = [bucket(T0.replace(hour=h), 900) for h in range(10, 14)]
SPIKED = World(usage=[*usual(end=T0.replace(hour=10)), *SPIKE, *usual(start=T0.replace(hour=14))])


def signs(world):
    return {s["sign"]: s for s in world.answer()["signs"]}


def test_ordinary_use_after_a_read_is_none_seen():
    assert CALM.axes() == ("read", "none_seen")
    assert not signs(CALM)


def test_a_spike_is_unexplained():
    assert SPIKED.axes() == ("read", "unexplained")
    assert signs(SPIKED)["volume"]["weight"] == 3


@pytest.mark.parametrize("name", ["tainted_address", "tainted_actor"])
def test_an_act_by_the_intruder_establishes(name):
    acts = [act(READ + HOUR, target_key_id="key_a", root=ROOT, **{name: "thief"})]
    got = CALM.but(acts=acts).answer()
    assert got["abuse"] == "established" and got["misuse_path"] == "direct"
    assert "thief" in got["reasons"][1]["root"]
    assert CALM.but(acts=[{**acts[0], "owner": "Other"}]).axes()[1] == "none_seen"
    assert CALM.but(acts=[{**acts[0], "outcome": "failure"}]).axes()[1] == "none_seen"


@pytest.mark.parametrize(
    ("changed", "abuse", "path"),
    [
        ({}, "established", "own_proxy"),
        ({"marked_by": "session", "tainted_address": "user-7"}, "established", "own_proxy"),
        ({"owner": "Vendor", "provider": "product", "marked_by": "session"}, "established", "own_proxy"),
        ({"provider": "openai", "upstream_provider": None, "key_id": "key_a"}, "established", "direct"),
        ({"owner": "Other"}, "none_seen", None),
        ({"key_name": "somebody-else"}, "none_seen", None),
    ],
)
def test_misuse_through_the_own_proxy_is_told_apart(changed, abuse, path):
    got = CALM.but(statements=statement(kind="other"), requests=[request(READ + HOUR, **changed)]).answer()
    assert (got["abuse"], got["misuse_path"]) == (abuse, path)
    assert any("rotating it ends nothing" in n for n in got["notes"]) is (path == "own_proxy")


def _logs(extra=0, **more):
    """The gateway logged all usual use, and `extra` requests in each hour of the spike."""
    hours = {b["bucket_start"]: b["requests"] for b in CALM.usage}
    for b in SPIKE:
        hours[b["bucket_start"]] += extra
    return [gateway_hour(h, n, **more) for h, n in hours.items()]


def test_what_the_own_gateway_logged_is_explained_by_it():
    world = SPIKED.but(statements=statement(), gateway=_logs(860))
    got = world.answer()
    assert got["abuse"] == "explained"
    assert got["alternatives"][2]["tested"] and "litellm" in got["alternatives"][2]["result"]
    # Misuse through that gateway is not explained by its log.
    assert world.but(requests=[request(T0.replace(hour=11))]).axes()[1] == "established"


def test_use_left_over_needs_a_further_sign():
    left = SPIKED.but(statements=statement(), gateway=_logs())
    assert left.axes()[1] == "unexplained" and signs(left)["remainder"]["root"] == "statement of B. Owner"
    newer = [{**b, "model": "gpt-9"} if b["requests"] == 900 else b for b in SPIKED.usage]
    assert left.but(usage=newer).axes()[1] == "established"
    # The gateway logged that model too.
    known = [*_logs(), gateway_hour(SINCE, 1, "gpt-9")]
    assert left.but(usage=newer, gateway=known).axes()[1] == "unexplained"


@pytest.mark.parametrize(
    "stated",
    [
        statement(kind="other"),
        statement(by=""),
        statement(gateway="another"),
        statement(until=T0.replace(hour=10)),
    ],
)
def test_without_somebody_who_declared_the_log_complete_for_those_hours_nothing_is_left_over(stated):
    newer = [{**b, "model": "gpt-9"} if b["requests"] == 900 else b for b in SPIKED.usage]
    world = SPIKED.but(usage=newer, statements=stated, gateway=_logs())
    assert world.axes()[1] == "unexplained" and "remainder" not in signs(world)


def test_the_product_and_the_gateway_explain_together():
    both = statement() + statement(kind="product_complete", gateway="product", by="V. Vendor")
    product = [
        {**r, "provider": "product", "owner": "Vendor", "requests": 860}
        for r in _logs()
        if r["hour"] in {b["bucket_start"] for b in SPIKE}
    ]
    elsewhere = [
        gateway_hour(h["hour"], 0, provider="product", owner="Vendor")
        for h in _logs()
        if h["hour"] not in {p["hour"] for p in product}
    ]
    world = SPIKED.but(statements=both, gateway=[*_logs(), *product, *elsewhere])
    assert world.axes()[1] == "explained"
    # One of the declared logs is missing: nothing can be said to be left over.
    assert (
        "remainder" not in signs(world.but(gateway=_logs())) and world.but(gateway=_logs()).axes()[1] == "unexplained"
    )


def _days(requests=960, tier="default", before=True, **more):
    end = T0 if before else UNTIL
    start = SINCE if before else T0.replace(hour=0) + DAY
    out = []
    while start + DAY <= end:
        out.append(
            {
                "provider": "openai", "owner": "Acme", "key_id": "key_a", "granularity_s": 3600, "day": start,
                "service_tier": tier, "endpoint": "chat", "is_batch": False, "first_at": start, "last_at": start + DAY,
                "requests": requests, "input_tokens": 900_000, "cached_tokens": 450_000, "output_tokens": 90_000,
                "event_key": f"day-{start.isoformat()}-{tier}", **more,
            }
        )  # fmt: skip
        start += DAY
    return out


@pytest.mark.parametrize(
    ("sign", "world"),
    [
        ("volume", SPIKED),
        ("model", CALM.but(usage=[*CALM.usage, bucket(T0.replace(hour=12), 5, "gpt-9")])),
        ("tier", CALM.but(days=[*_days(), *_days(tier="priority", before=False)])),
        ("token_shape", CALM.but(days=[*_days(), *_days(before=False, cached_tokens=0, output_tokens=800_000)])),
        ("dormant", CALM.but(usage=[*usual(end=SINCE + DAY), *usual(2, start=T0 + 2 * HOUR)])),
        ("off_hours", CALM.but(usage=[*usual(60, end=T0.replace(hour=0), hours=range(8, 18)), *usual(60, start=T0.replace(hour=3), hours=range(3, 7))])),
        ("cost", CALM.but(billed=[*(billed(SINCE + n * DAY, "9.5") for n in range(30)), billed(T0.replace(hour=0) + DAY, "400")])),
        ("address", CALM.but(sources=[source(SINCE, UNTIL, "192.0.2.4"), source(READ + HOUR, UNTIL, "203.0.113.77")])),
        ("agent", CALM.but(sources=[source(SINCE, UNTIL, "192.0.2.4"), source(READ + HOUR, UNTIL, "192.0.2.4", "curl/8")])),
        ("control_plane", CALM.but(acts=[act(READ + HOUR, "invite.sent", actor_key_id="key_a")])),
        ("surroundings", CALM.but(acts=[act(READ + HOUR, "ip_allowlist.deleted", actor="new@acme.example")])),
        ("failures", CALM.but(usage=usual(end=T0), acts=[act(READ + HOUR, "api_key.deleted", target_key_id="key_a"), act(READ + DAY, "x", outcome="failure", actor_key_id="key_a")])),
        ("after_rotation", CALM.but(changes=[{"event_time": READ + HOUR, "event_key": "c", "item_kind": "secret", "location": "prod/acme", "region": "us-east-1"}])),
    ],
)  # fmt: skip
def test_each_sign_is_found_and_weighed(sign, world):
    found = signs(world)
    assert sign in found and found[sign]["weight"] == DEFAULT.weight(sign)
    enough = sum({s["root"]: s["weight"] for s in found.values()}.values()) >= DEFAULT.unexplained_weight
    assert (world.axes()[1] == "unexplained") is enough
    reason = next(r for r in world.answer()["reasons"] if r["text"] == found[sign]["text"])
    assert reason["event_keys"] and reason["query_id"].startswith("exposure.")


@pytest.mark.parametrize(
    "action", ["admin_api_key.created", "invite.sent", "rate_limit.updated", "ip_allowlist.deleted", "user.added"]
)
def test_each_change_of_keys_members_limits_and_allow_lists_is_a_sign(action):
    assert "control_plane" in signs(CALM.but(acts=[act(READ + HOUR, action, actor_key_id="key_a")]))
    assert "surroundings" in signs(CALM.but(acts=[act(READ + HOUR, action, actor="new@acme.example")]))
    assert (
        not {"control_plane", "surroundings"}
        & signs(CALM.but(acts=[act(READ + HOUR, "project.updated", actor_key_id="key_a")])).keys()
    )


def test_signs_of_one_root_count_once():
    assert weighed([Sign("volume", "", "a", ""), Sign("cost", "", "a", "")], DEFAULT) == 3
    assert weighed([Sign("off_hours", "", "a", ""), Sign("token_shape", "", "b", "")], DEFAULT) == 2


def test_an_admin_key_answers_for_changes_by_newcomers():
    from dataclasses import replace

    acts = [act(SINCE, "x"), act(READ + HOUR, "admin_api_key.created", actor="new@acme.example")]
    assert CALM.but(acts=acts).axes()[1] == "none_seen"
    assert CALM.but(acts=acts, key=replace(KEY, kind="admin")).axes()[1] == "unexplained"
    regular = [act(SINCE, "x"), act(READ + HOUR, "admin_api_key.created")]
    assert CALM.but(acts=regular, key=replace(KEY, kind="admin")).axes()[1] == "none_seen"


OLD, NEW = "198.51.100.4", "203.0.113.77"


@pytest.mark.parametrize(
    ("old", "new", "kind", "abuse", "words"),
    [
        ("64500", "64511", "network", "unexplained", "203.0.113.77 (AS64511)"),
        ("64500", "64500", "near_address", "none_seen", "that it came from before"),
        ("64500", None, "address", "unexplained", "the autonomous system of 1 of them is not known"),
        (None, "64511", "address", "unexplained", "that of 1 earlier addresses is not known"),
        (None, None, "address", "unexplained", "is not known"),
    ],
)
def test_a_new_autonomous_system_weighs_more_than_a_new_address_within_a_known_one(old, new, kind, abuse, words):
    before = [source(SINCE, UNTIL, OLD, asn=old), source(SINCE, UNTIL, "10.0.0.9")]
    world = CALM.but(sources=[*before, source(READ + HOUR, UNTIL, NEW, asn=new)])
    found = signs(world)
    assert set(found) == {kind} and words in found[kind]["text"]
    assert world.axes()[1] == abuse
    # The same logs twice are one root: the heaviest counts.
    both = world.but(sources=[*world.sources, source(READ + HOUR, UNTIL, NEW, "curl/8", asn=new)])
    assert {s["root"] for s in both.answer()["signs"]} == {"request sources"}
    assert both.axes()[1] == abuse


def test_weights_of_addresses_are_ordered():
    assert DEFAULT.weight("network") > DEFAULT.weight("address") > DEFAULT.weight("near_address") > 0


def test_the_own_egress_is_no_new_address():
    own = [source(SINCE, UNTIL, "192.0.2.4"), source(READ + HOUR, UNTIL, "192.0.2.5", is_own=True)]
    assert "address" not in signs(CALM.but(sources=own))


def test_a_launch_explains_use_and_nothing_else():
    launch = statement(kind="launch", **{"from": T0.replace(hour=9), "until": T0.replace(hour=15)})
    assert SPIKED.but(statements=launch).axes()[1] == "explained"
    keyed = SPIKED.but(statements=launch, acts=[act(READ + HOUR, "invite.sent", actor_key_id="key_a")])
    assert keyed.axes()[1] == "unexplained"


def test_several_customers_at_once_are_told_and_weigh_nothing():
    from dataclasses import replace

    from forensics.analysis.exposure import judge

    facts, keys = SPIKED.facts(), [KEY]
    for name in ("Beta", "Gamma"):
        keys.append(replace(KEY, key_id=f"key_{name}", customer=name, location=f"prod/{name}"))
        facts.register.add(
            [{**read(), "event_key": f"read-{name}", "location": f"prod/{name}"}], "exposure.location_reads"
        )
        facts.usage |= usage_rows(
            {**b, "owner": name, "key_id": f"key_{name}", "event_key": name + b["event_key"]} for b in SPIKED.usage
        )
        facts.coverage.append({**facts.coverage[0], "owner": name})
    answers = {a["customer"]: a for a in judge(keys, facts)}
    assert all(any(s["sign"] == "together" and s["weight"] == 0 for s in a["signs"]) for a in answers.values())
    shared = next(r for r in answers["Acme"]["reasons"] if r["root"] == "usage of other customers")
    assert shared["event_keys"] and all(k.startswith(("Beta", "Gamma")) for k in shared["event_keys"])


def test_a_rotation_while_the_intruder_still_acted_is_told():
    from forensics.analysis.exposure import judge

    changed = CALM.but(
        changes=[
            {
                "event_time": READ + HOUR,
                "event_key": "c",
                "item_kind": "secret",
                "location": "prod/acme",
                "region": "us-east-1",
            }
        ]
    )
    for at, told in ((READ + 2 * HOUR, True), (READ + HOUR / 2, False)):
        facts = changed.facts()
        facts.suspects["later"] = {"root": ROOT, "event_time": at, "outcome": "success"}
        assert any("had not been shut out" in n for n in judge([KEY], facts)[0]["notes"]) is told


def test_what_exports_cannot_show_is_said():
    notes = " ".join(CALM.answer()["notes"])
    for words in ("no address", "service tier", "no billed cost", "no audit log"):
        assert words in notes
    by_day = World(usage=usual(960, DAY), width=DAY)
    assert "by day or longer" in " ".join(by_day.answer()["notes"])
    ungrouped = CALM.facts()
    ungrouped.usage = {}
    ungrouped.coverage = [{**c, "grouped_by": "model"} for c in ungrouped.coverage]
    from forensics.analysis.exposure import judge

    assert "not grouped by key" in " ".join(judge([KEY], ungrouped)[0]["notes"])
