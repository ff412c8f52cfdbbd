"""What the check of digests says of single events: signed, content hash only, not covered or failed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

WORDS = ("signed", "content hash only", "not covered", "failed")
NOT_CHECKED = "not checked"


def marks_of(connection: duckdb.DuckDBPyConnection, event_keys: Iterable[str]) -> dict[str, str]:
    """Return the word of each event; a file that proves it goes before one that failed.

    Empty when `keytrail verify-logs` was not run. Events that are none of CloudTrail have no word.
    """
    rows = connection.execute(
        "SELECT event_key, CASE WHEN in_failed_file AND integrity <> 'signed' THEN 'failed' ELSE integrity END"
        " FROM event_integrity WHERE list_contains($keys, event_key)",
        {"keys": sorted(set(event_keys))},
    ).fetchall()
    return dict(rows)


def counted(marks: dict[str, str], event_keys: Iterable[str]) -> dict[str, int]:
    """Return how many of the events carry each word, in the order of the words."""
    found = [marks[key] for key in set(event_keys) if key in marks]
    return {word: found.count(word) for word in WORDS if word in found}


def in_words(counts: dict[str, int]) -> str:
    """Return the counts as a cell of a table: `3 signed, 1 failed`; a dash for none."""
    return ", ".join(f"{number} {word}" for word, number in counts.items()) or "-"
