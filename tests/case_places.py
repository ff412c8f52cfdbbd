"""Files about addresses for the queries' cases: written in their own form, read by the real readers, asked as a case does."""

from __future__ import annotations

from typing import Any

#: Parts of a case that become files about addresses.
ADDRESS_FILES = ("places", "other_places", "tor", "hosting")
_ASKED = "SELECT DISTINCT source_ip FROM activity WHERE source_ip IS NOT NULL ORDER BY source_ip"


def know_addresses(connection: Any, case: dict[str, Any]) -> None:
    """Store what the files of a case say of the addresses in its events.

    `places` gives networks latitude and longitude in degrees, and a radius in km if the database states one, and
    `other_places` is a second database; `tor` and `hosting` are the lines of a list.
    """
    # Loaded where a case needs it: the collector of cases is loaded by every run of the tests.
    from forensics.analysis.addresses.enrich import rows_of_reference
    from forensics.enrichment.facts import LIST_KINDS, Addresses
    from forensics.enrichment.read import read_reference
    from forensics.store.eventstore import EventStore
    from tests.enrichment.files import mmdb

    files = {kind: ("\n".join(case[kind]) + "\n").encode() for kind in LIST_KINDS if kind in case}
    databases = {"places": "city", "other_places": "other"}
    for part in case.keys() & databases.keys():
        names = ("latitude", "longitude", "accuracy_radius")
        networks = {n: {"location": dict(zip(names, at, strict=False))} for n, at in case[part].items()}
        files[databases[part]] = mmdb("Made-City", networks)
    addresses = Addresses(row[0] for row in connection.execute(_ASKED).fetchall())
    store = EventStore(connection)
    for kind, data in sorted(files.items()):
        listed = kind in LIST_KINDS
        name = kind if listed else f"{kind}.mmdb"
        found = read_reference(data, name, kind if listed else "", addresses)
        named = {"file_sha256": f"{kind:0>64}", "file_name": name}
        facts, counted = rows_of_reference(found, named)
        store.insert("address_fact", facts)
        store.insert("address_source", [{**named, "exhibit": "S0001", "source_id": found.source_id, **counted}])
