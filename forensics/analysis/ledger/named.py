"""Reads that tell which key they read: by its id, SHA-256, hint or name, whatever the place.

An id or a hash names a key wherever it stands; a hint or a name within its owner and provider, and only if one key alone
has it. One that several keys have is `possibly` a read of each, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from forensics.model.verdict import Exposure

if TYPE_CHECKING:
    from forensics.analysis.inventory.aliases import Aliases

Row = dict[str, Any]
Named = tuple[str, str]

#: Columns that name a key, with what they are called.
ALIASES = (("key_sha256", "SHA-256"), ("hint", "hint"), ("key_name", "name"))


def tells(row: Row) -> bool:
    """Whether an act tells which key it is about."""
    return any(row.get(column) for column in ("key_id", *(column for column, _ in ALIASES)))


def keys_of(row: Row, known: Iterable[Named], aliases: Aliases | None) -> list[tuple[Named, Row]]:
    """Return the keys of (provider, id) that an act names, each with the act as it counts for it; none when none fits."""
    provider = row.get("key_provider") or ""
    if row.get("key_id"):
        return [(key, row) for key in known if key[1] == row["key_id"] and provider in ("", key[0])]
    if aliases is None:
        return []
    fits = aliases.anywhere(
        provider, (row.get("customer") or row.get("owner") or "",), row.get("key_sha256") or "", row.get("hint") or "",
        row.get("key_name") or "",
    )  # fmt: skip
    words = "; ".join(
        what if what == "SHA-256" else f"{what} {row[column]}" for column, what in ALIASES if row.get(column)
    )
    if len(fits) == 1:
        return [(fits[0], {**row, "why": f"named by its {words}"})]
    why = f"ambiguous: the {words} fits {len(fits)} keys: {', '.join(key for _, key in fits)}"
    return [(key, {**row, "access": Exposure.POSSIBLY.value, "why": why}) for key in fits]
