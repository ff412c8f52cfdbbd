"""Read a file about addresses: its form is found from the content; only the addresses asked about are looked up."""

from __future__ import annotations

from forensics.enrichment.aws_ranges import parsed_ranges, range_spans, ranges_date
from forensics.enrichment.facts import (
    AWS_REGION,
    AWS_SERVICE,
    COUNTRY,
    LIST_KINDS,
    Account,
    Addresses,
    Reference,
    facts_within,
)
from forensics.enrichment.lists import list_date, list_spans
from forensics.enrichment.mmdb import Database, is_mmdb
from forensics.enrichment.registry import is_registry, registry_date, registry_spans
from forensics.model.errors import UsageFault

LARGEST = 512 * 1024**2
_PACKED = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd")


def read_reference(data: bytes, name: str, kind: str, addresses: Addresses) -> Reference:
    """Return what a file says of the addresses. `kind`: what a plain list lists (tor, hosting), empty for other forms.

    Raises UsageFault that names the file when nothing of it can be used.
    """
    try:
        found = _read(data, kind, addresses)
    except UsageFault as fault:
        raise UsageFault(f"the file {fault.message}", place=name, hint=fault.hint) from None
    return found


def _read(data: bytes, kind: str, addresses: Addresses) -> Reference:
    if len(data) > LARGEST:
        raise UsageFault("is larger than 512 MiB")
    if data.startswith(_PACKED):
        raise UsageFault("is compressed", hint="unpack it first, so that its own hash is noted")
    if is_mmdb(data):
        _no_kind(kind, "an MMDB")
        return _of_database(data, addresses)
    text = data.decode("utf-8-sig", "replace")
    account = Account()
    if text.lstrip()[:1] in {"{", "["}:
        parsed = parsed_ranges(text)
        _no_kind(kind, "ip-ranges.json")
        facts = facts_within(range_spans(parsed, account), addresses)
        found = Reference("reference_aws_ranges", ranges_date(parsed), (AWS_SERVICE, AWS_REGION), account, facts)
    elif is_registry(text):
        _no_kind(kind, "delegated statistics")
        facts = facts_within(registry_spans(text, account), addresses)
        found = Reference("reference_registry", registry_date(text), (COUNTRY,), account, facts)
    elif kind in LIST_KINDS:
        facts = facts_within(list_spans(text, kind, account), addresses)
        found = Reference(f"reference_{kind}", list_date(text), (kind,), account, facts)
    else:
        raise UsageFault(
            "is no MMDB, no ip-ranges.json and no delegated statistics",
            hint="a plain list of addresses needs --kind tor or --kind hosting",
        )
    if not account.entries:
        raise UsageFault("holds no entry that can be used", hint=account.first_fault)
    return found


def _no_kind(kind: str, form: str) -> None:
    if kind:
        raise UsageFault(f"is {form}, and --kind is for plain lists", hint="give it without --kind")


def _of_database(data: bytes, addresses: Addresses) -> Reference:
    database, account = Database(data), Account()
    facts = database.facts(addresses, account)
    return Reference("reference_mmdb", database.dated, database.covers(facts), account, facts)
