"""What is known of each address, from which file, and what cannot be said for lack of one."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from forensics.enrichment.facts import QUESTIONS, REFERENCE_SOURCES
from forensics.model.address import read_address
from forensics.store.duckdb_engine import rows_of

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]
_SEEN = """
SELECT source_ip, count(DISTINCT event_key) AS events, min(event_time) AS first, max(event_time) AS last
FROM activity WHERE source_ip IS NOT NULL GROUP BY source_ip ORDER BY events DESC, source_ip
"""
_FACTS = "SELECT * FROM address_fact ORDER BY source_ip, fact, value, file_name, file_sha256"
_SOURCES = "SELECT * FROM address_source ORDER BY exhibit, file_sha256"


@dataclass(frozen=True, slots=True)
class Known:
    """An address of the evidence: its events, and what files say of it. Times are naive UTC."""

    address: str
    events: int
    first: datetime | None
    last: datetime | None
    facts: tuple[Row, ...]

    def answer(self, question: str) -> str:
        """Return the values that answer a question, empty when no file lists the address."""
        wanted = QUESTIONS[question][0]
        values = {name: sorted({f["value"] for f in self.facts if f["fact"] == name}) for name in wanted}
        return " ".join(", ".join(found) for found in values.values() if found)


@dataclass(frozen=True, slots=True)
class AddressFacts:
    """All addresses, those with most events first. `others`: values that are no public address.

    `lacking`: question -> what file would answer it. `sources`: rows of address_source with `form` in words and `covers` as list.
    """

    known: tuple[Known, ...]
    others: int
    sources: tuple[Row, ...]
    lacking: dict[str, str]


def address_facts(connection: duckdb.DuckDBPyConnection) -> AddressFacts:
    """Return what the last computation gave, over the addresses of the evidence."""
    facts: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows_of(connection, _FACTS):
        facts[row.pop("source_ip")].append(row)
    seen: dict[str, Row] = {}
    others = 0
    for row in rows_of(connection, _SEEN):
        address = read_address(row["source_ip"])
        if address.kind != "public" or address.text is None:
            others += 1
        elif (before := seen.get(address.text)) is None:
            seen[address.text] = row
        else:  # written in two ways
            before["events"] += row["events"]
            before["first"] = min((t for t in (before["first"], row["first"]) if t), default=None)
            before["last"] = max((t for t in (before["last"], row["last"]) if t), default=None)
    known = [
        Known(text, row["events"], row["first"], row["last"], tuple(facts.get(text, ()))) for text, row in seen.items()
    ]
    sources = tuple(
        row | {"form": REFERENCE_SOURCES[row["source_id"]], "covers": json.loads(row["covers"])}
        for row in rows_of(connection, _SOURCES)
    )
    covered = {fact for row in sources for fact in row["covers"]}
    lacking = {name: needs for name, (answers, needs) in QUESTIONS.items() if answers[0] not in covered}
    return AddressFacts(tuple(sorted(known, key=lambda k: (-k.events, k.address))), others, sources, lacking)
