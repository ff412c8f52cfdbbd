"""Whatever JSON stands wherever it likes: one answer a record, storable rows, never an exception."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forensics.ingest.probe import probe_text
from forensics.model.times import parse_time
from forensics.sources.catalogue import catalogue, recognise
from forensics.sources.protocol import Document, Probe, Provenance, RawRecord
from tests.sources.building import check_contract
from tests.sources.test_anthropic_activity import activity
from tests.sources.test_anthropic_cost import cost as anthropic_cost
from tests.sources.test_anthropic_usage import result as anthropic_result
from tests.sources.test_azure_metrics import metric
from tests.sources.test_bedrock_invocation import call
from tests.sources.test_claude_code import cost_result, day, spent
from tests.sources.test_fireworks_cost import RECORD as FIREWORKS
from tests.sources.test_litellm_spend import request
from tests.sources.test_openai_audit import event
from tests.sources.test_openai_costs import cost as openai_cost
from tests.sources.test_openai_legacy import used
from tests.sources.test_openai_usage import result as openai_result
from tests.sources.test_provider_keys import anthropic_key, litellm_key, openrouter_key, project_key

UNIX = {"start_time": 1794614400, "end_time": 1794618000}
ISO = {"starting_at": "2026-11-14T00:00:00Z", "ending_at": "2026-11-14T01:00:00Z"}
INVENTORY = {
    "customer": "A",
    "provider": "openai",
    "key_id": "k",
    "location": "s3:b/k",
    "as_of": "2026-05-06",
}
GOOD: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "openai_usage": (openai_result(), UNIX),
    "openai_costs": (openai_cost(), UNIX),
    "openai_audit": (event(), {}),
    "anthropic_usage": (anthropic_result(), ISO),
    "anthropic_cost": (anthropic_cost(), ISO),
    "anthropic_activity": (activity(), {}),
    "bedrock_invocation": (call(), {}),
    "litellm_spend": (request(), {}),
    "key_inventory": (INVENTORY, {}),
    "openai_legacy_usage": (used(), {}),
    "anthropic_claude_code": (spent(), day()),
    "anthropic_analytics": (cost_result(), ISO),
    "azure_metrics": (metric(), {}),
    "openai_keys": (project_key(), {}),
    "anthropic_keys": (anthropic_key(), {}),
    "openrouter_keys": (openrouter_key(), {}),
    "litellm_keys": (litellm_key(), {}),
    "fireworks_cost": (FIREWORKS, {}),
}
OURS = [name for name in catalogue() if name != "aws_cloudtrail"]

texts = st.one_of(
    st.text(max_size=12),
    st.text(st.characters(categories=["Cs", "Cc", "Nd", "So"]), max_size=6),
    st.sampled_from(["2026-11-14T02:00:00Z", "1794614400", "0001-01-01T00:00:00+23:59", "9" * 30, "NaN", "-1e400"]),
    st.sampled_from(["arn:aws:ssm:::parameter/", "{", "[1", '{"a":' * 30, "203.0.113.5", "999.1.1.1", "fe80::1%\x1b"]),
    st.sampled_from(["api_key.created", "api_key_created", "actor", "organization.usage.x.result", "sk-" + "a" * 40]),
)
numbers = st.one_of(
    st.integers(),
    st.sampled_from([2**63 - 1, -(2**63), 10**400, 10**4000]),
    st.decimals(allow_nan=True),
    st.floats(),
    st.sampled_from([Decimal("1E+999999"), Decimal("-0"), Decimal("sNaN")]),
)
names = st.one_of(
    st.text(max_size=6), st.sampled_from(["id", "type", "value", "user", "api_key", "messages", "object"])
)
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(names, anything, max_size=4)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all members of a value."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for name, member in members for path in places(member, (*at, name)))]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    changed = copy.copy(value)
    changed[path[0]] = put(value[path[0]], path[1:], new)
    return changed


@st.composite
def damaged(draw: st.DrawFn, good: Any) -> Any:
    """A good value with up to three members replaced by anything."""
    for _ in range(draw(st.integers(0, 3))):
        good = put(good, draw(st.sampled_from(places(good))), draw(anything))
    return good


@st.composite
def documents(draw: st.DrawFn, source_id: str) -> Document:
    good, place = GOOD.get(source_id, ({}, {}))
    values = draw(st.lists(damaged(good) | anything, max_size=4))
    contexts = draw(st.lists(damaged(place).filter(lambda c: isinstance(c, dict)) | objects, max_size=2))
    records = [RawRecord(n, 0, 0, "", value, tuple(contexts)) for n, value in enumerate(values)]
    received = draw(st.sampled_from([None, parse_time("2026-11-14T00:30:00Z")]))
    zone = draw(st.sampled_from(["", "UTC", "+02:00", "-99:99", "Europe/Berlin", "../../etc", "\x00", "x" * 300]))
    envelopes = draw(st.lists(objects | st.just({"has_more": True, "next_page": {}}), max_size=2))
    return Document(records, envelopes, contexts, Provenance("o", "g", received, zone))


@pytest.mark.parametrize("source_id", sorted(GOOD))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_record_context_and_envelope_is_answered(source_id: str, data: st.DataObject) -> None:
    document = data.draw(documents(source_id))
    source = catalogue()[source_id]
    check_contract(source, document, source.read(document))


@pytest.fixture(scope="module")
def unknown() -> list[Document]:
    """Documents that start from no good record. Drawing them takes ten times as long as answering them, so it is done once."""
    drawn: list[Document] = []

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(documents(""))
    def draw(document: Document) -> None:
        drawn.append(document)

    draw()
    return drawn


@pytest.mark.parametrize("source_id", [source_id for source_id in OURS if source_id not in GOOD])
def test_any_document_is_answered(source_id: str, unknown: list[Document]) -> None:
    source = catalogue()[source_id]
    assert len(unknown) >= 150
    for document in copy.deepcopy(unknown):
        check_contract(source, document, source.read(document))


@pytest.mark.parametrize("source_id", sorted(GOOD))
def test_the_good_record_gives_a_row_so_that_damage_starts_from_something(source_id: str) -> None:
    good, place = GOOD[source_id]
    document = Document([RawRecord(0, 0, 0, "", good, (place,) if place else ())], [], [], Provenance())
    assert catalogue()[source_id].read(document).answers[0].row is not None


probes = st.builds(
    Probe,
    form=st.sampled_from(["json", "ndjson", "csv", "text", "binary", ""]),
    keys=st.frozensets(names | st.sampled_from(["data", "results", "start_time", "has_more", "object"]), max_size=5),
    container=st.sampled_from(["", "data", "Records", "results", "logFiles"]),
    sample=st.one_of(anything, *(damaged(good) for good, _ in GOOD.values())),
    header=st.lists(names | st.sampled_from(sorted(INVENTORY)), max_size=6).map(tuple),
    text_head=texts,
)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(probes)
def test_recognition_and_path_take_any_probe(probe: Probe) -> None:
    for source_id in OURS:
        source = catalogue()[source_id]
        assert isinstance(source.recognise(probe), str)
        assert all(isinstance(name, str) for name in source.record_path(probe))


@st.composite
def files(draw: st.DrawFn) -> str:
    """JSON text of a damaged page, list or lines of any format."""
    good, place = GOOD[draw(st.sampled_from(sorted(set(GOOD) - {"key_inventory"})))]
    inner = {**place, "results": [good]} if place else good
    shape = draw(st.sampled_from(["page", "list", "bare"]))
    value = {"object": "page", "data": [inner], "has_more": False} if shape == "page" else inner
    return json.dumps(draw(damaged([value] if shape == "list" else value)), default=str)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(files())
def test_no_damage_makes_two_formats_claim_one_file(text: str) -> None:
    assert len(recognise(probe_text(text))) <= 1
