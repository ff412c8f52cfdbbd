"""Indicators of a STIX 2.1 bundle: https://docs.oasis-open.org/cti/stix/v2.1/os/stix-v2.1-os.html

Of a pattern we take the comparisons of kinds we match; AND, OR and FOLLOWEDBY become single indicators, and the entry
says so. NOT, <, > and other operators are refused, for taking them apart would turn them round.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from forensics.indicators.lists import moment
from forensics.model.errors import UsageFault
from forensics.model.indicator import EXACT, PART, REGEX, Entry

_PATHS = {
    "ipv4-addr:value": "address",
    "ipv6-addr:value": "address",
    "network-traffic:src_ref.value": "address",
    "network-traffic:dst_ref.value": "address",
    "domain-name:value": "domain",
    "url:value": "url",
    "email-addr:value": "email",
    "email-message:from_ref.value": "email",
    "autonomous-system:number": "asn",
    "file:hashes.md5": "hash",
    "file:hashes.'md5'": "hash",
    "file:hashes.'sha-1'": "hash",
    "file:hashes.'sha-256'": "hash",
    "user-account:user_id": "principal",
    "user-account:account_login": "principal",
    "network-traffic:extensions.'http-request-ext'.request_header.'user-agent'": "user_agent",
    "x-keytrail:access_key": "access_key",
    "x-keytrail:principal": "principal",
    "x-keytrail:account": "account",
    "x-keytrail:provider_key": "provider_key",
}
_COMPARISON = re.compile(
    r"([a-zA-Z0-9-]+:(?:[\w.\[\]*-]|'(?:[^'\\]|\\.)*')+)\s*(NOT\s+)?(=|!=|<=|>=|<|>|IN|LIKE|MATCHES|ISSUBSET|ISSUPERSET)\s*"
    r"(\((?:[^()']|'(?:[^'\\]|\\.)*')*\)|'(?:[^'\\]|\\.)*'|-?\d+)",
)
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'|(-?\d+)")
#: Markings of TLP 1.0 (in the standard) and of TLP 2.0 (its extension).
TLP_MARKINGS = {
    "613f2e26-407d-48c7-9eca-b8e91df99dc9": "TLP:CLEAR",
    "34098fce-860f-48ae-8e50-ebd3cc5e41da": "TLP:GREEN",
    "f88d31f6-486f-44da-b317-01333bde0b82": "TLP:AMBER",
    "5e57c739-391a-4eb3-b6be-7d15ca92d5ed": "TLP:RED",
    "94868c89-83c2-464b-929b-a1a8aa3c8487": "TLP:CLEAR",
    "bab4a63c-aed9-4cf5-a766-dfca5abac2bb": "TLP:GREEN",
    "55d920b0-5e8b-4f79-9ee9-91f868d9b421": "TLP:AMBER",
    "939a9414-2ddd-4d32-a0cd-375ea402b003": "TLP:AMBER+STRICT",
    "e828b379-4e03-4974-9ac4-e53a884c97c1": "TLP:RED",
}
DERIVED_LABEL = "keytrail:derived"


def is_bundle(data: Any) -> bool:
    """Whether parsed JSON is a bundle."""
    return isinstance(data, dict) and data.get("type") == "bundle" and isinstance(data.get("objects"), list)


def stix_entries(data: dict[str, Any]) -> Iterator[Entry]:
    """Yield the entries of the indicators of a bundle; one that cannot be taken gives an entry of kind `!` with the reason."""
    for number, each in enumerate(data["objects"], 1):
        if not isinstance(each, dict) or each.get("type") != "indicator":
            continue
        place = f"object {number}"
        pattern = each.get("pattern")
        if each.get("pattern_type", "stix") != "stix" or not isinstance(pattern, str) or each.get("revoked") is True:
            yield Entry(str(pattern)[:500], place, "!a pattern of another language, or a revoked indicator")
            continue
        yield from _of_pattern(each, pattern, place)


def _of_pattern(each: dict[str, Any], pattern: str, place: str) -> Iterator[Entry]:
    found = list(_COMPARISON.finditer(pattern))
    joined = len(found) > 1
    for match in found:
        path, negated, operator, value = match[1], match[2], match[3].upper(), match[4]
        kind = _PATHS.get(path.lower().replace('"', "'"))
        usable = operator in {"=", "IN", "LIKE", "MATCHES", "ISSUBSET"} and not negated and kind
        if not usable:
            yield Entry(match[0][:500], place, f"!the comparison {path} {operator} is not one that is matched")
            continue
        for text in (_unquoted(m) for m in _QUOTED.finditer(value)):
            how = {"MATCHES": REGEX, "LIKE": PART}.get(operator, EXACT)
            yield Entry(text.strip("%") if how == PART else text, place, kind or "", how, **_facts(each, joined=joined))
    if not found:
        yield Entry(pattern[:500], place, "!a pattern without a comparison that is matched")


def _unquoted(match: re.Match[str]) -> str:
    return re.sub(r"\\(.)", r"\1", match[1]) if match[1] is not None else match[2]


def _facts(each: dict[str, Any], *, joined: bool) -> dict[str, Any]:
    words = [str(each.get("name") or ""), str(each.get("description") or "")]
    note = "; ".join(w for w in words if w)[:1_900]
    markings = [str(ref).rpartition("--")[2] for ref in each.get("object_marking_refs") or []]
    confidence = each.get("confidence")
    return {
        "note": note + (" (one of several comparisons of a pattern)" if joined else ""),
        "tlp": next((TLP_MARKINGS[m] for m in markings if m in TLP_MARKINGS), ""),
        "dated": moment(each.get("created")),
        "valid_from": moment(each.get("valid_from")),
        "valid_until": moment(each.get("valid_until")),
        "confidence": confidence if isinstance(confidence, int) and 0 <= confidence <= 100 else None,
        "derived": DERIVED_LABEL in (each.get("labels") or []),
    }


def parsed_json(text: str) -> Any:
    """Return parsed JSON. Raises UsageFault when it is none or nested too deep."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageFault("is no JSON that can be read", hint=str(error).splitlines()[0]) from None
