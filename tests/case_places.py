"""Files about addresses for the queries' cases: written in their own form, read by the real readers, asked as a case does."""

from __future__ import annotations

from typing import Any

#: Parts of a case that become files about addresses.
ADDRESS_FILES = ("places", "tor", "hosting")
_ASKED = "SELECT DISTINCT source_ip FROM activity WHERE source_ip IS NOT NULL ORDER BY source_ip"


def know_addresses(connection: Any, case: dict[str, Any]) -> None:
    """Store what the files of a case say of the addresses in its events.

    `places` gives networks latitude and longitude in degrees, and a radius in km if the database states one; `tor` and
    `hosting` are the lines of a list.
    """
    # Loaded where a case needs it: the collector of cases is loaded by every run of the tests.
    from forensics.analysis.addresses.enrich import rows_of_reference
    from forensics.enrichment.facts import LIST_KINDS, Addresses
    from forensics.enrichment.read import read_reference
    from forensics.store.eventstore import EventStore
    from tests.enrichment.files import mmdb

    files = {kind: ("\n".join(case[kind]) + "\n").encode() for kind in LIST_KINDS if kind in case}
    if "places" in case:
        names = ("latitude", "longitude", "accuracy_radius")
        networks = {n: {"location": dict(zip(names, at, strict=False))} for n, at in case["places"].items()}
        files[""] = mmdb("Made-City", networks)
    addresses = Addresses(row[0] for row in connection.execute(_ASKED).fetchall())
    store = EventStore(connection)
    for kind, data in sorted(files.items()):
        found = read_reference(data, kind or "city.mmdb", kind, addresses)
        named = {"file_sha256": f"{kind or 'city':0>64}", "file_name": kind or "city.mmdb"}
        facts, counted = rows_of_reference(found, named)
        store.insert("address_fact", facts)
        store.insert("address_source", [{**named, "exhibit": "S0001", "source_id": found.source_id, **counted}])
