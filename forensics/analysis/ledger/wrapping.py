"""Keys and secrets that protect others: a decryption with one puts every key below it at risk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.analysis.ledger.places import Place, covers, read_place

if TYPE_CHECKING:
    from forensics.analysis.facts import Facts, Row
    from forensics.analysis.keys import Key
    from forensics.model.case import Wrapping


def wrapped_acts(key: Key, place: Place, facts: Facts) -> list[Row]:
    """Return the intruder's decryptions with what is stated to protect a key's place, as rows of the ledger.

    A context that names the key or its customer makes it `decrypted`; one that names another customer leaves it out;
    without a name it is `possibly`, with the number of keys that share its fate.
    """
    out: list[Row] = []
    for wrapping in facts.settings.wrappings:
        if any(covers(pattern, place) for pattern in wrapping.covers):
            out += _acts(key, wrapping, facts)
    return out


def _acts(key: Key, wrapping: Wrapping, facts: Facts) -> list[Row]:
    count, customers = _counted(wrapping, facts)
    below = f"{wrapping.key} protects {count} keys of {customers} customers here ({wrapping.by or 'stated'})"
    if not wrapping.key.startswith("kms:"):
        inner = read_place(wrapping.key)
        rows = facts.register.touching(inner) if inner else []
        return [{**r, "access": "possibly", "why": below} for r in rows if facts.root_of(r)]
    region, _, name = wrapping.key.removeprefix("kms:").partition(":")
    name = name.rpartition("/")[2].rpartition(":")[2]
    out = []
    for row in facts.wrapping_decrypts:
        if row["location"] != name or row["region"] != region or not facts.root_of(row):
            continue
        named = _named_in(row["context"], key, facts)
        if named is None or named:
            out.append({**row, "access": "decrypted" if named else "possibly", "why": below if not named else ""})
    return out


def _counted(wrapping: Wrapping, facts: Facts) -> tuple[int, int]:
    """Return how many keys, of how many customers, a wrapping key protects; counted once."""
    if wrapping in facts.counted:
        return facts.counted[wrapping]
    below = [
        k
        for k in facts.holdings.keys
        if (place := facts.holdings.places[id(k)]) is not None and any(covers(p, place) for p in wrapping.covers)
    ]
    facts.counted[wrapping] = len(below), len({k.customer for k in below})
    return facts.counted[wrapping]


def _named_in(context: str, key: Key, facts: Facts) -> bool | None:
    """Whether an encryption context names the key or its customer; None when it names nobody that is known."""
    words = {w.strip('"').lower() for w in context.replace("{", ",").replace("}", ",").replace(":", ",").split(",")}
    if {key.customer.lower(), key.key_id.lower()} & (words - {""}):
        return True
    return False if words & facts.holdings.names else None
