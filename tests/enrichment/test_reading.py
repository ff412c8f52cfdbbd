"""Each form of file says of an address what stands in it; hostile files give only a usage fault."""

from __future__ import annotations

from datetime import datetime
from math import acos, cos, radians, sin, sqrt
from typing import Any

import pytest

from forensics.enrichment.facts import Addresses
from forensics.enrichment.read import read_reference
from forensics.model.errors import UsageFault
from tests.enrichment.files import ASN, CITY, HOSTING, RANGES, REGISTRY, TOR, mmdb

ASKED = Addresses(["203.0.113.9", "203.0.113.24", "198.51.100.7", "2001:db8::5", "10.0.0.1", "s3.amazonaws.com"])


def read(data: bytes | str, kind: str = "") -> Any:
    return read_reference(data.encode() if isinstance(data, str) else data, "file", kind, ASKED)


@pytest.mark.parametrize(
    ("data", "kind", "dated", "facts"),
    [
        (
            REGISTRY, "", datetime(2026, 4, 30),
            {("203.0.113.9", "country", "JP"), ("203.0.113.24", "country", "AU"), ("2001:db8::5", "country", "NZ")},
        ),
        (
            RANGES, "", datetime(2026, 5, 1, 0, 0, 7),
            {
                ("203.0.113.9", "aws_service", "AMAZON"), ("203.0.113.9", "aws_service", "EC2"),
                ("203.0.113.9", "aws_region", "eu-west-1"), ("203.0.113.24", "aws_service", "AMAZON"),
                ("203.0.113.24", "aws_region", "eu-west-1"), ("2001:db8::5", "aws_service", "S3"),
                ("2001:db8::5", "aws_region", "us-east-1"),
            },
        ),
        (TOR, "tor", datetime(2026, 5, 2), {("203.0.113.9", "tor", "203.0.113.9")}),
        (
            HOSTING, "hosting", None,
            {("198.51.100.7", "hosting", "198.51.100.0/24"), ("2001:db8::5", "hosting", "2001:db8::/32")},
        ),
        (
            ASN, "", datetime(2026, 5, 1),
            {(a, f, v) for a in ("203.0.113.9", "203.0.113.24") for f, v in (("asn", "AS64500"), ("as_name", "Heron"))},
        ),
        (
            CITY, "", datetime(2026, 5, 1),
            {(a, f, v) for a in ("203.0.113.9", "203.0.113.24") for f, v in (("city", "Wren Town"), ("geo_country", "JP"))},
        ),
    ],
    ids=["registry", "aws", "tor", "hosting", "asn", "city"],
)  # fmt: skip
def test_a_file_says_what_stands_in_it(data: Any, kind: str, dated: datetime | None, facts: set[Any]) -> None:
    found = read(data, kind)
    assert set(found.facts) == facts and len(found.facts) == len(facts)
    assert found.dated == dated
    assert {fact for _, fact, _ in facts} <= set(found.covers)


def test_the_ends_of_a_block_belong_to_it_and_no_more() -> None:
    ends = Addresses(["203.0.112.255", "203.0.113.0", "203.0.113.23", "203.0.113.255", "203.0.114.0"])
    found = read_reference(REGISTRY.encode(), "file", "", ends).facts
    assert [(a, v) for a, _, v in found] == [("203.0.113.0", "JP"), ("203.0.113.23", "JP"), ("203.0.113.255", "AU")]


@pytest.mark.parametrize(
    ("data", "kind", "faults", "first"),
    [
        (REGISTRY, "", 1, "line 9 has no address"),
        (RANGES, "", 1, "prefixes 3 has no prefix, service and region"),
        (TOR, "tor", 1, "line 3 is no address, network or range, or one too wide to say anything"),
        (HOSTING, "hosting", 1, "line 3 is no address, network or range, or one too wide to say anything"),
        (ASN, "", 1, "2001:db8::5 is an IPv6 address, and the database holds none"),
    ],
)
def test_what_cannot_be_used_is_counted(data: Any, kind: str, faults: int, first: str) -> None:
    account = read(data, kind).account
    assert (account.faults, account.first_fault) == (faults, first)


@pytest.mark.parametrize(
    ("header", "dated"),
    [
        ("2|ripencc|1777593600|1|19830705|20260430|+0100", datetime(2026, 4, 30)),
        ("2|afrinic|20260429|1|00000000|00000000|00000", datetime(2026, 4, 29)),
        ("2|lacnic|20261350|1|19830705|20260231|+0000", None),
    ],
)
def test_the_day_of_a_registry_is_the_one_it_states(header: str, dated: datetime | None) -> None:
    text = f"{header}\nripencc|DE|ipv4|203.0.113.0|256|20110811|allocated\n"
    assert read(text).dated == dated


@pytest.mark.parametrize(
    "text",
    [
        "# list 2026-05-02\n",
        "# updated: 2026-02-31\n",
        "# updated 2026-05-02T10:00:00+09:00\n",
        "203.0.113.1 # date: 2026-05-02\n",
    ],
)
def test_a_date_that_no_remark_states_is_not_guessed(text: str) -> None:
    assert read(text + "203.0.113.9\n", "tor").dated is None


DEEP = "[" * 100_000
HUGE = "apnic|JP|ipv4|203.0.113.0|" + "9" * 6_000 + "|20110811|allocated\n"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "tor"), ("203.0.113.9\n", ""), ("<html>\n", "hosting"), ("0.0.0.0/0\n", "tor"), (HUGE, ""), (DEEP, ""),
        ("{}", ""), ('{"prefixes": 5, "ipv6_prefixes": {}}', ""), ('{"prefixes": [null, 3, {"ip_prefix": 1}]}', ""),
        ('{"prefixes": [{"ip_prefix": "203.0.113.0/24", "service": "\\ud800", "region": "x"}]}', ""),
        ("apnic|JP|ipv4|255.255.255.0|512|20110811|allocated\n", ""), ("apnic|JP|ipv6|2001:db8::|129|20110811|allocated\n", ""),
        ("apnic|JP|ipv4|203.0.113.0|0|20110811|allocated\n", ""), ("apnic|JP|ipv4|203.0.113.0|٣|20110811|allocated\n", ""),
        (b"\x1f\x8b\x08", "tor"), (TOR, "vpn"), (REGISTRY, "tor"), (RANGES, "tor"), (ASN, "tor"),
        (b"\xab\xcd\xefMaxMind.com", ""), (b"\xab\xcd\xefMaxMind.com\xff\xff\xff", ""), (ASN.replace(b"node_count\xc4\x00\x00", b"node_count\xc4\x00\x7f"), ""),
        (b"\xab\xcd\xefMaxMind.com" + b"\xe1\x41a" * 400, ""), (mmdb("x", {"203.0.113.0/24": "x"}).replace(b"record_size", b"record_sizf"), ""),
    ],
)  # fmt: skip
def test_hostile_files_give_a_usage_fault(data: Any, kind: str) -> None:
    with pytest.raises(UsageFault):
        read(data, kind)


def test_a_damaged_record_is_counted_and_the_rest_is_used() -> None:
    whole = mmdb("Made-ASN", {"203.0.113.0/28": {"asn": 64_500}, "203.0.113.16/28": {"asn": 64_501}})
    broken = whole.replace(
        b"\x43asn\xc4" + (64_500).to_bytes(4, "big"), b"\xff\xff\xff\xff\xff" + (64_500).to_bytes(4, "big")
    )
    assert broken != whole
    found = read(broken)
    assert found.facts == (("203.0.113.24", "asn", "AS64501"),)
    assert found.account.faults == 2 and "record that cannot be read" in found.account.first_fault


def test_any_single_byte_of_a_database_may_be_wrong() -> None:
    for place in range(0, len(CITY), 3):
        for value in (0, 255, CITY[place] ^ 0x20):
            try:
                found = read(CITY[:place] + bytes([value]) + CITY[place + 1 :])
            except UsageFault:
                continue
            for _, _, said in found.facts:
                said.encode("utf-8")


def test_places_are_whole_kilometres_from_the_centre_of_the_earth() -> None:
    places = {
        "203.0.113.0/25": {"location": {"latitude": 59.9, "longitude": 10.7, "accuracy_radius": 20}},
        "198.51.100.0/24": {"location": {"latitude": -33.9, "longitude": 18.4, "accuracy_radius": 0}},
    }
    said = read(mmdb("Made-City", places)).facts
    found = {a: {f: int(v) for x, f, v in said if x == a} for a in ("203.0.113.9", "198.51.100.7")}
    assert [len(f) for f in found.values()] == [4, 4] and {a for a, _, _ in said} == {"203.0.113.24", *found}
    assert [f["radius_km"] for f in found.values()] == [20, 50]
    here, there = found.values()
    for each in (here, there):  # on the sphere
        assert abs(sqrt(sum(each[f"earth_{axis}_km"] ** 2 for axis in "xyz")) - 6371) < 1
    line = sqrt(sum((here[f"earth_{axis}_km"] - there[f"earth_{axis}_km"]) ** 2 for axis in "xyz"))
    north, south, apart = radians(59.9), radians(-33.9), radians(18.4 - 10.7)
    way = acos(sin(north) * sin(south) + cos(north) * cos(south) * cos(apart))  # by the law of cosines on the sphere
    assert abs(line - 2 * 6371 * sin(way / 2)) < 2


@pytest.mark.parametrize(
    "location",
    ["here", {}, {"latitude": 1.0}, {"latitude": 1.0, "longitude": 181.0}, {"latitude": "1", "longitude": "2"}],
)
def test_what_is_no_place_gives_none(location: Any) -> None:
    record = {"city": {"names": {"en": "Wren"}}, "location": location}
    assert {f for _, f, _ in read(mmdb("Made-City", {"203.0.113.0/24": record})).facts} == {"city"}
