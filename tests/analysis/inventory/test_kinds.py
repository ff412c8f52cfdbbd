"""The kind of a key: as stated, as listed, by its form; and that each kind says what follows and what to do."""

from __future__ import annotations

import pytest

from forensics.analysis.inventory.kinds import KINDS, judge_kind, of_form, read_kind


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("project", "project"), ("Workspace", "project"), ("service account", "service_account"), ("user-wide", "user"), ("Admin", "admin"),
        ("virtual", "gateway_virtual"), ("KEY1", "azure_key_1"), ("key 2", "azure_key_2"), ("Service-Account JSON", "service_account_file"),
        ("bedrock short-term", "bedrock_short"), ("bedrock_long", "bedrock_long"), ("AWS access key", "aws_pair"), ("inference", "inference"),
        ("something else", ""), ("", ""),
    ],
)  # fmt: skip
def test_written_kinds(written, kind):
    assert read_kind(written) == kind


@pytest.mark.parametrize(
    ("provider", "hint", "key_id", "name", "kind"),
    [
        ("openai", "sk-proj-...f2Kd", "key_1", "", "project"),
        ("openai", "sk-svcacct-...f2Kd", "", "", "service_account"),
        ("openai", "sk-admin-...f2Kd", "", "", "admin"),
        ("anthropic", "sk-ant-admin01-...igAA", "", "", "admin"),
        ("anthropic", "sk-ant-api03-...igAA", "", "", "project"),
        ("aws_bedrock", "ABSK...abcd", "", "", "bedrock_long"),
        ("aws_bedrock", "bedrock-api-key-...abcd", "", "", "bedrock_short"),
        ("aws", "", "AKIAEXAMPLE22222222", "", "aws_pair"),
        ("azure_openai", "", "", "Key 2", "azure_key_2"),
        ("litellm", "sk-...abcd", "", "", "gateway_virtual"),
        ("openai", "sk-...abcd", "", "", ""),
    ],
)
def test_visible_forms(provider, hint, key_id, name, kind):
    assert of_form(provider, hint, key_id, name) == kind


def test_what_a_person_states_goes_first_and_a_disagreement_is_named():
    judged = judge_kind("project", "admin", "admin")
    assert (judged.kind.id, judged.basis, judged.differs) == ("project", "stated", "admin (listed)")
    assert judge_kind("", "service_account", "project").kind.id == "service_account"
    assert judge_kind("inference", "project", "").differs == ""
    assert judge_kind("", "", "bedrock_long").basis == "form"


def test_an_unknown_kind_is_taken_for_the_worst():
    judged = judge_kind("whatever", "", "")
    assert (judged.kind.id, judged.kind.makes_keys) == ("unknown", True)


def test_every_kind_has_its_own_consequence_and_action():
    needed = {
        *("inference", "project", "service_account", "user", "admin", "gateway_virtual", "azure_key_1", "azure_key_2"),
        *("service_account_file", "bedrock_short", "bedrock_long", "aws_pair"),
    }
    assert needed <= set(KINDS)
    assert len({kind.action for kind in KINDS.values()}) == len(KINDS)
    assert all(kind.consequence and kind.title for kind in KINDS.values())
    assert KINDS["admin"].makes_keys and not KINDS["inference"].makes_keys
