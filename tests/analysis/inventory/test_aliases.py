"""Names of keys: ids and hashes name one; names and hints only within owner and provider, and only if unique."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from forensics.analysis.inventory.aliases import Aliases, Listed, resolve, same_hint
from forensics.analysis.inventory.in_use import Seen, missing
from forensics.analysis.inventory.versions import Statement, standing

DIGEST = "ab" * 32
BASE = Statement(
    1, 0, "openai", "", "", "", "", "Acorn", "", "", "Vendor", "", "secret", "us-east-1", "prod/a",
    "arn:aws:secretsmanager:us-east-1:111122223333:secret:prod/a-AbCdEf", None, None, None, None, datetime(2026, 5, 6), "e1",
)  # fmt: skip


def listed(key_id, owner="Acorn", **more):
    base = Listed("openai", owner, key_id, "", "", "", "project", "active", None, None, None, None, f"l-{key_id}")
    return replace(base, **more)


def solved(statement, *lists, also=()):
    statements = [statement, *also]
    return resolve(statements, Aliases(statements, lists))[0]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("sk-proj-...f2Kd", "sk-proj-...f2Kd", True),
        ("sk-proj-...f2Kd", "...f2Kd", True),
        ("f2Kd", "sk-proj-\u2026f2Kd", True),
        ("sk-ant-api03-R2D...igAA", "sk-ant-api03-...igAA", True),
        ("sk-***f2Kd", "sk-proj-...f2Kd", True),
        ("sk-proj-...f2Kd", "sk-proj-...F2Kd", False),
        ("sk-ant-...f2Kd", "sk-proj-...f2Kd", False),
        ("...2Kd", "sk-proj-...f2Kd", False),
        ("sk-proj-", "sk-proj-...f2Kd", False),
    ],
)
def test_redacted_forms(one, other, same):
    assert same_hint(one, other) is same
    assert same_hint(other, one) is same


def test_a_hash_names_a_key_of_any_owner():
    found = solved(replace(BASE, sha256=DIGEST), listed("key_1", owner="Other", sha256=DIGEST))
    assert (found.key_id, found.resolved_by) == ("key_1", "sha256")


def test_a_hash_of_another_provider_names_nothing():
    found = solved(replace(BASE, sha256=DIGEST), listed("key_1", provider="anthropic", sha256=DIGEST))
    assert (found.key_id, found.candidates) == ("", ())


@pytest.mark.parametrize(("alias", "how"), [({"hint": "sk-proj-...f2Kd"}, "hint"), ({"key_name": "prod"}, "name")])
def test_a_hint_or_name_matches_within_owner_and_provider_only(alias, how):
    statement = replace(BASE, **alias)
    assert solved(statement, listed("key_1", **alias)).resolved_by == how
    assert solved(statement, listed("key_1", owner="Vendor", **alias)).key_id == "key_1"
    for away in ({"owner": "Birch"}, {"owner": ""}, {"provider": "anthropic"}):
        found = solved(statement, listed("key_1", **{**alias, **away}))
        assert (found.key_id, found.candidates) == ("", ())


@pytest.mark.parametrize("alias", [{"hint": "sk-proj-...f2Kd"}, {"key_name": "prod"}])
def test_two_that_fit_are_ambiguous_with_all_candidates(alias):
    found = solved(replace(BASE, **alias), listed("key_2", **alias), listed("key_1", **alias))
    assert (found.key_id, found.candidates) == ("", ("key_1", "key_2"))


def test_hint_and_name_together_decide_what_each_alone_leaves_open():
    both = {"hint": "sk-proj-...f2Kd", "key_name": "prod"}
    found = solved(
        replace(BASE, **both),
        listed("key_1", **both),
        listed("key_2", hint=both["hint"]),
        listed("key_3", key_name="prod"),
    )
    assert (found.key_id, found.resolved_by) == ("key_1", "hint and name")


def test_hint_and_name_that_disagree_decide_nothing():
    both = {"hint": "sk-proj-...f2Kd", "key_name": "prod"}
    found = solved(replace(BASE, **both), listed("key_1", hint=both["hint"]), listed("key_2", key_name="prod"))
    assert (found.key_id, found.candidates) == ("", ("key_1", "key_2"))


def test_another_version_of_the_inventory_can_name_the_id():
    other = replace(BASE, version=2, key_id="key_1", hint="sk-proj-...f2Kd")
    found = solved(replace(BASE, hint="sk-proj-...f2Kd"), also=(other,))
    assert found.key_id == "key_1"
    assert len(standing([found, other])) == 1


@pytest.mark.parametrize(
    ("text", "by"),
    [
        ("key_1", "id"),
        (DIGEST.upper(), "sha256"),
        ("arn:aws:secretsmanager:us-east-1:111122223333:secret:prod/a-AbCdEf", "place"),
        ("secret:us-east-1:prod/a", "place"),
        ("prod/a", "path"),
        ("prod", "name"),
        ("...f2Kd", "hint"),
    ],
)
def test_a_key_is_found_by_each_of_its_names(text, by):
    statement = replace(BASE, key_id="key_1", key_name="prod", hint="sk-proj-...f2Kd", sha256=DIGEST)
    found = Aliases([statement], []).find(text)
    assert (found.state, found.candidates, found.by) == ("one", ("key_1",), by)


def test_one_secret_with_two_keys_is_ambiguous_by_its_place():
    found = Aliases([replace(BASE, key_id=k) for k in ("key_2", "key_1")], []).find("prod/a")
    assert (found.state, found.candidates) == ("ambiguous", ("key_1", "key_2"))


def seen(value, how="id", owner="Acorn", provider="openai", label=""):
    return Seen(provider, owner, how, value, "usage", label, None, None, "e")


def test_keys_that_no_inventory_names_are_missing():
    statement = replace(BASE, key_id="key_1", key_name="prod", sha256=DIGEST)
    aliases = Aliases([statement], [listed("key_1", sha256="cd" * 32)])
    known = [seen("key_1"), seen("prod", "name"), seen(DIGEST, "sha256"), seen("cd" * 32, "sha256")]
    unknown = [
        seen("key_9"),
        seen("prod", "name", owner="Birch"),
        seen("ef" * 32, "sha256"),
        seen("key_1", provider="anthropic"),
    ]
    absent, unsure = missing([*known, *unknown], [statement], aliases, {})
    assert (absent, unsure) == (unknown, [])


def test_a_gateways_key_is_known_when_the_settings_state_its_name():
    gateway = seen("ef" * 32, "sha256", label="acorn-prod")
    assert missing([gateway], [BASE], Aliases([], []), {"Acorn": {"acorn-prod"}})[0] == []
    assert missing([gateway], [BASE], Aliases([], []), {"Birch": {"acorn-prod"}})[0] == [gateway]


def test_a_name_that_two_keys_have_is_unsure_with_both():
    statements = [replace(BASE, key_id=k, key_name="prod") for k in ("key_1", "key_2")]
    absent, ((_, found),) = missing([seen("prod", "name")], statements, Aliases(statements, []), {})
    assert absent == [] and found == [("openai", "key_1"), ("openai", "key_2")]
