"""Files of indicators: every form, refanged and typed; what cannot be used is said."""

from __future__ import annotations

import contextlib
import json
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.indicators.read import read_indicators
from forensics.model.errors import UsageFault
from forensics.model.indicator import KINDS, NotUsable, defang, guess, refang

WHOLE_KEY = "sk-proj-" + "Zx9" * 16


def kinds(data: bytes, name: str = "list.txt") -> list[tuple[str, str, str]]:
    return [(r["kind"], r["match"], r["value"]) for r in read_indicators(data, name).rows]


@pytest.mark.parametrize(
    ("written", "kind", "value"),
    [
        ("203[.]0[.]113[.]9", "address", "203.0.113.9"),
        ("203.0.113(dot)9", "address", "203.0.113.9"),
        ("203\\.0\\.113\\.9", "address", "203.0.113.9"),
        ("203.0.113.9:443", "address", "203.0.113.9"),
        ("2001:DB8::1", "address", "2001:db8::1"),
        ("2001[:]db8[:][:]1", "address", "2001:db8::1"),
        ("::ffff:203.0.113.9", "address", "203.0.113.9"),
        ("\u200b203.0.113.9\u200b,", "address", "203.0.113.9"),
        ("203.0.113.0/25", "network", "203.0.113.0/25"),
        ("203.0.113.5/24", "network", "203.0.113.0/24"),
        ("203.0.113.4 - 203.0.113.9", "network", "203.0.113.4-203.0.113.9"),
        ("AS64496", "asn", "AS64496"),
        ("hxxps[:]//Bad[.]Example/Path", "url", "https://bad.example/Path"),
        ("evil [dot] example", "domain", "evil.example"),
        ("*.evil.example.", "domain", "evil.example"),
        ("Eve [at] Evil[.]example", "email", "eve@evil.example"),
        ("AKIAEXAMPLE234567890", "access_key", "AKIAEXAMPLE234567890"),
        ("arn:aws:iam::111122223333:user/eve", "principal", "arn:aws:iam::111122223333:user/eve"),
        ("111122223333", "account", "111122223333"),
        ("D41D8CD98F00B204E9800998ECF8427E", "hash", "d41d8cd98f00b204e9800998ecf8427e"),
        ("6f1c5a3e-0000-4000-8000-00000000abcd", "request_id", "6f1c5a3e-0000-4000-8000-00000000abcd"),
        ("key_Ab12Cd34Ef", "provider_key", "key_Ab12Cd34Ef"),
        ("sk-ant-api03-R2D...igAA", "key_hint", "sk-ant-api03-R2D...igAA"),
    ],
)
def test_a_line_is_refanged_and_typed(written: str, kind: str, value: str) -> None:
    assert kinds(written.encode()) == [(kind, "exact", value)]


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("perhaps this", "of no plain kind"),
        ("0.0.0.0/0", "of no plain kind"),
        (f"see {WHOLE_KEY} there", "key material inside other text"),
    ],
)
def test_what_cannot_be_used_is_said_with_its_line(written: str, reason: str) -> None:
    found = read_indicators(f"# remark\n\n{written}\n".encode(), "list.txt")
    assert not found.rows and [f["place"] for f in found.faults] == ["line 3"] and reason in found.faults[0]["reason"]
    assert WHOLE_KEY not in json.dumps(found.faults)


def test_a_whole_key_becomes_its_hash() -> None:
    from hashlib import sha256

    (row,) = read_indicators(WHOLE_KEY.encode(), "list.txt").rows
    assert (row["kind"], row["value"]) == ("hash", sha256(WHOLE_KEY.encode()).hexdigest())
    assert WHOLE_KEY not in str(row)


def test_remarks_are_no_part_of_values() -> None:
    text = b"203.0.113.9 # seen by A\nhttps://bad.example/x//y // remark\n// nothing\n#also\n"
    assert [v for _, _, v in kinds(text)] == ["203.0.113.9", "https://bad.example/x//y"]


def test_a_table_by_names_of_others() -> None:
    text = (
        "\ufeffioc_type;Indicator;Match Mode;Comment;TLP;valid_until;confidence;to_ids\r\n"
        'User-Agent;python-requests;contains;"two\r\nlines";tlp:amber;2026-06-01;80;1\r\n'
        "ua;^curl/;regex;;white;;;1\r\n"
        "ip-src;203.0.113.9;;;;;;0\r\n"
        "AWS account;1234;;;;;;\r\n"
        "floppy;x;;;;;;\r\n"
    )
    found = read_indicators(text.encode(), "a.csv")
    assert [(r["kind"], r["match"], r["value"], r["tlp"], r["context"]) for r in found.rows] == [
        ("user_agent", "part", "python-requests", "TLP:AMBER", False),
        ("user_agent", "regex", "^curl/", "TLP:CLEAR", False),
        ("address", "exact", "203.0.113.9", None, True),
        ("account", "exact", "000000001234", None, False),
    ]
    assert found.rows[0]["valid_until"] == datetime(2026, 6, 1) and found.rows[0]["confidence"] == 80
    assert "floppy" in found.faults[0]["reason"]
    with pytest.raises(UsageFault, match="no column is called value"):
        read_indicators(b"a,b\n1,2\n", "a.csv")


def test_yaml_shares_what_stands_beside_the_list() -> None:
    text = "tlp: TLP:RED\nvalid_until: 2026-07-01\nindicators:\n- 203.0.113.9\n- {type: role, value: vault, tlp: TLP:GREEN}\n"
    found = read_indicators(text.encode(), "a.yaml").rows
    assert [(r["kind"], r["tlp"], r["valid_until"]) for r in found] == [
        ("address", "TLP:RED", datetime(2026, 7, 1)),
        ("role", "TLP:GREEN", datetime(2026, 7, 1)),
    ]
    for bomb in ("a: &x [1]\nindicators: *x\n", "indicators: {}", "indicators: [", "x: 1"):
        with pytest.raises(UsageFault):
            read_indicators(bomb.encode(), "a.yaml")


def stix(pattern: str, **changes: object) -> bytes:
    each = {
        "type": "indicator", "spec_version": "2.1", "id": "indicator--1", "pattern": pattern, "pattern_type": "stix",
        "valid_from": "2026-05-01T00:00:00Z", "name": "n",
    }  # fmt: skip
    return json.dumps({"type": "bundle", "id": "bundle--1", "objects": [each | changes, {"type": "malware"}]}).encode()


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("[ipv4-addr:value = '203.0.113.9']", [("address", "exact", "203.0.113.9")]),
        ("[ipv4-addr:value ISSUBSET '203.0.113.0/24']", [("network", "exact", "203.0.113.0/24")]),
        (
            "[domain-name:value IN ('a.example', 'b.example') OR url:value = 'http://c.example/']",
            [("domain", "exact", "a.example"), ("domain", "exact", "b.example"), ("url", "exact", "http://c.example/")],
        ),
        ("[file:hashes.'SHA-256' = '" + "a" * 64 + "']", [("hash", "exact", "a" * 64)]),
        ("[autonomous-system:number = 64496]", [("asn", "exact", "AS64496")]),
        (
            "[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' MATCHES '^curl']",
            [("user_agent", "regex", "^curl")],
        ),
        ("[user-account:user_id = 'it\\'s']", [("principal", "exact", "it's")]),
    ],
)
def test_patterns_of_stix(pattern: str, expected: list[tuple[str, str, str]]) -> None:
    assert kinds(stix(pattern), "b.json") == expected


@pytest.mark.parametrize(
    "pattern", ["[ipv4-addr:value != '203.0.113.9']", "[ipv4-addr:value NOT = '203.0.113.9']", "[process:pid = 4]", "x"]
)
def test_patterns_that_cannot_be_taken_apart_are_refused(pattern: str) -> None:
    found = read_indicators(stix(pattern), "b.json")
    assert not found.rows and len(found.faults) == 1


def test_facts_of_stix() -> None:
    refs = ["marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"]
    (row,) = read_indicators(
        stix("[ipv4-addr:value = '203.0.113.9']", confidence=70, object_marking_refs=refs, labels=["keytrail:derived"]),
        "b.json",
    ).rows
    assert (row["tlp"], row["confidence"], row["valid_from"], row["derived"]) == (
        "TLP:RED",
        70,
        datetime(2026, 5, 1),
        True,
    )


def test_events_of_misp() -> None:
    event = {
        "info": "case", "Tag": [{"name": "tlp:green"}],
        "Attribute": [
            {"type": "ip-src|port", "value": "203.0.113.9|443", "to_ids": True},
            {"type": "filename|sha256", "value": "x.exe|" + "b" * 64},
            {"type": "text", "comment": "access_key: made", "value": "AKIAEXAMPLE234567890"},
            {"type": "domain", "value": "old.example", "deleted": True},
            {"type": "email-src", "value": "eve@evil.example", "to_ids": False},
        ],
        "Object": [{"Attribute": [{"type": "user-agent", "value": "curl/8"}]}],
    }  # fmt: skip
    found = read_indicators(json.dumps({"response": [{"Event": event}]}).encode(), "m.json")
    assert [(r["kind"], r["value"], r["context"]) for r in found.rows] == [
        ("address", "203.0.113.9", False),
        ("hash", "b" * 64, False),
        ("access_key", "AKIAEXAMPLE234567890", False),
        ("email", "eve@evil.example", True),
        ("user_agent", "curl/8", False),
    ]
    assert {r["tlp"] for r in found.rows} == {"TLP:GREEN"}
    assert [f["place"] for f in found.faults] == ["event 1 attribute 2"]


def test_openioc_and_what_xml_must_not_do() -> None:
    body = (
        '<ioc xmlns="x"><criteria><Indicator operator="OR"><IndicatorItem condition="is"><Context search="PortItem/remoteIP"/>'
        '<Content type="IP">203.0.113.9</Content></IndicatorItem><IndicatorItem condition="contains"><Context search="Network/UserAgent"/>'
        '<Content type="string">curl</Content></IndicatorItem><IndicatorItem condition="is"><Context search="FileItem/Size"/>'
        "<Content>5</Content></IndicatorItem></Indicator></criteria></ioc>"
    )
    found = read_indicators(body.encode(), "a.ioc")
    assert [(r["kind"], r["match"], r["value"]) for r in found.rows] == [
        ("address", "exact", "203.0.113.9"),
        ("user_agent", "part", "curl"),
    ]
    assert len(found.faults) == 1
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]><ioc>&a;</ioc>'
    for text in (bomb, "<ioc>", "<a>" * 500):
        with pytest.raises(UsageFault):
            read_indicators(text.encode(), "a.ioc")


@given(st.binary(max_size=300), st.sampled_from(["a.txt", "a.csv", "a.json", "a.yaml", "a.ioc"]))
def test_nothing_but_our_own_error_comes_out(data: bytes, name: str) -> None:
    with contextlib.suppress(UsageFault):
        read_indicators(data, name)


@given(st.ip_addresses().map(str) | st.emails() | st.from_regex(r"\A[a-z]{3,10}\.example\Z"))
def test_what_is_defanged_is_refanged(value: str) -> None:
    value = refang(value)  # as every entry is first: marks around a value are no part of it
    try:
        kind = guess(value)
        normal = KINDS[kind](value)
    except NotUsable:
        return
    assert KINDS[kind](refang(defang(kind, normal))) == normal
