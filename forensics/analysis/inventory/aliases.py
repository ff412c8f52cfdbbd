"""By which names a key is known: id, name, hint, SHA-256, and the place where it is stored.

An id and a hash name one key of a provider wherever they stand. A name or a hint is chosen by people or cut from the key:
it says something only within one owner and provider, and only if one key alone has it; else the answer is `ambiguous`
with all candidates. Nothing is guessed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from forensics.analysis.inventory.versions import Statement, with_id
from forensics.model.key_place import read_location
from forensics.store.duckdb_engine import rows_of

if TYPE_CHECKING:
    from datetime import datetime

    import duckdb

Place = tuple[str, str, str]

_CUT = re.compile(r"(?:\.{2,}|\u2026|\*{2,})")
#: A tail shorter than this fits too many keys to mean one.
_LEAST_TAIL = 4

_LISTED = """
SELECT * EXCLUDE (place) FROM (
  SELECT provider, coalesce(owner, '') AS owner, coalesce(key_id, '') AS key_id, coalesce(key_name, '') AS key_name,
    coalesce(hint, '') AS hint, coalesce(key_sha256, '') AS key_sha256, coalesce(kind, '') AS kind,
    coalesce(status, '') AS status, created_at, expires_at, last_used_at, received_at, event_key,
    row_number() OVER (
      PARTITION BY provider, owner, coalesce(key_id, key_sha256, key_name, hint)
      ORDER BY received_at DESC NULLS LAST, event_key) AS place
  FROM provider_key)
WHERE place = 1
ORDER BY provider, owner, key_id, key_sha256, key_name, event_key
"""


@dataclass(frozen=True, slots=True)
class Listed:
    """A key as the provider's newest list of its owner has it; empty text where the list does not say."""

    provider: str
    owner: str
    key_id: str
    key_name: str
    hint: str
    sha256: str
    kind: str
    status: str
    created_at: datetime | None
    expires_at: datetime | None
    last_used_at: datetime | None
    received_at: datetime | None
    event_key: str

    @property
    def name(self) -> str:
        """Its id, else its hash or name: gateways have no ids."""
        return self.key_id or (f"sha256:{self.sha256}" if self.sha256 else self.key_name or self.hint)


@dataclass(frozen=True, slots=True)
class Resolution:
    """`state` is one, ambiguous or none; `candidates` are the keys that fit, sorted; `by` names the alias that decided."""

    state: str
    candidates: tuple[str, ...] = ()
    by: str = ""


NONE = Resolution("none")


def read_lists(connection: duckdb.DuckDBPyConnection) -> list[Listed]:
    """Return the keys of the providers' own lists, each as its newest list has it."""
    return [
        Listed(
            row["provider"] or "", row["owner"], row["key_id"], row["key_name"], row["hint"], row["key_sha256"], row["kind"],
            row["status"], row["created_at"], row["expires_at"], row["last_used_at"], row["received_at"], row["event_key"],
        )
        for row in rows_of(connection, _LISTED)
    ]  # fmt: skip


def same_hint(one: str, other: str) -> bool:
    """Whether two redacted forms can be of one key: the shown tails agree, and the shown heads where both show one."""
    heads, tails = [], []
    for hint in (one, other):
        parts = _CUT.split(hint.strip())
        heads.append(parts[0] if len(parts) > 1 else "")
        tails.append(parts[-1])
    if min(len(tail) for tail in tails) < _LEAST_TAIL:
        return False
    short, long = sorted(tails, key=len)
    low, high = sorted(heads, key=len)
    return long.endswith(short) and high.startswith(low)


def _end(hint: str) -> str:
    return _CUT.split(hint.strip())[-1][-_LEAST_TAIL:]


class Aliases:
    """What names a key, from all versions of the inventory and the providers' lists."""

    def __init__(self, statements: Iterable[Statement], lists: Iterable[Listed]) -> None:
        self._hashes: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._names: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
        #: By provider, owner and the end of the tail, which two forms of one key share.
        self._hints: defaultdict[tuple[str, str, str], set[tuple[str, str]]] = defaultdict(set)
        self._places: defaultdict[Place, set[str]] = defaultdict(set)
        self._stored: defaultdict[tuple[str, str, Place], set[str]] = defaultdict(set)
        self._times: defaultdict[tuple[str, str], list[Statement]] = defaultdict(list)
        self._ids: defaultdict[str, set[str]] = defaultdict(set)
        for s in statements:
            self._add(s.provider, {s.customer, s.holder}, s.key_id, s.key_name, s.hint, s.sha256)
            if s.key_id:
                self._times[s.provider, s.key_id].append(s)
            if s.key_id and s.location:
                self._places[s.place].add(s.key_id)
                for owner in {s.customer, s.holder} - {""}:
                    self._stored[s.provider, owner, s.place].add(s.key_id)
        for k in lists:
            self._add(k.provider, {k.owner}, k.key_id, k.key_name, k.hint, k.sha256)

    def _add(self, provider: str, owners: set[str], key_id: str, name: str, hint: str, digest: str) -> None:
        if not key_id:
            return
        self._ids[provider].add(key_id)
        if digest:
            self._hashes[provider, digest].add(key_id)
        for owner in owners - {""}:
            if name:
                self._names[provider, owner, name].add(key_id)
            if hint:
                self._hints[provider, owner, _end(hint)].add((hint, key_id))

    def by_hash(self, provider: str, digest: str) -> Resolution:
        """Resolve a SHA-256: it names one key of the provider, whoever holds it."""
        return _one_of(self._hashes.get((provider, digest.lower()), set()), "sha256")

    def by_name(self, provider: str, owners: Iterable[str], name: str) -> Resolution:
        """Resolve a name within the owners named and the provider."""
        fits = {key for owner in owners if owner for key in self._names.get((provider, owner, name), ())}
        return _one_of(fits, "name")

    def by_hint(self, provider: str, owners: Iterable[str], hint: str) -> Resolution:
        """Resolve a redacted form within the owners named and the provider."""
        known = {pair for owner in owners if owner for pair in self._hints.get((provider, owner, _end(hint)), ())}
        return _one_of({key for other, key in known if same_hint(hint, other)}, "hint")

    def by_place(self, s: Statement) -> Resolution:
        """Resolve a statement that tells nothing but the place of a key: to one stored there that has not left it.

        A key leaves its place by a stated rotation or revocation, and one made at another time is another key.
        """
        stored = {
            key
            for owner in (s.customer, s.holder)
            if owner
            for key in self._stored.get((s.provider, owner, s.place), ())
        }
        return _one_of({key for key in stored if _same_key(s, self._times[s.provider, key])}, "place")

    def told(self, provider: str, owners: Iterable[str], digest: str, hint: str, name: str) -> Resolution:
        """Resolve what tells a key without its id, "" for what is not told.

        The strongest alias that says anything decides; a weaker one never overrules its `ambiguous`.
        """
        owners = tuple(owners)
        ways = (
            self.by_hash(provider, digest) if digest else NONE,
            self.by_hint(provider, owners, hint) if hint else NONE,
            self.by_name(provider, owners, name) if name else NONE,
        )
        found = [way for way in ways if way.state != "none"]
        if len(found) < 2 or found[0].by == "sha256":
            return found[0] if found else NONE
        # Hint and name are of equal weight: what both leave standing counts.
        fits = set(found[0].candidates).intersection(*(way.candidates for way in found[1:]))
        return _one_of(fits or {key for way in found for key in way.candidates}, " and ".join(w.by for w in found))

    def anywhere(
        self, provider: str, owners: Iterable[str], digest: str, hint: str, name: str
    ) -> list[tuple[str, str]]:
        """Return (provider, id) of all keys that fit, sorted; of every provider where none is told ("").

        A hash that is known anywhere decides before hints and names.
        """
        owners, providers = tuple(owners), (provider,) if provider else tuple(sorted(self._ids))
        found = [(p, k) for p in providers for k in self.by_hash(p, digest).candidates] if digest else []
        return found or [(p, k) for p in providers for k in self.told(p, owners, "", hint, name).candidates]

    def find(self, text: str) -> Resolution:
        """Resolve what a person typed: an id, a SHA-256, an ARN, a place, a name or a hint, over all owners."""
        named = {key for keys in self._ids.values() for key in keys if key == text}
        place = tuple(part or "" for part in read_location(text))
        ways = (
            ("id", named),
            ("sha256", {k for (_, digest), keys in self._hashes.items() if digest == text.lower() for k in keys}),
            ("place", {k for at, keys in self._places.items() if place[0] != "other" and at == place for k in keys}),
            ("path", {k for at, keys in self._places.items() if at[2] == text for k in keys}),
            ("name", {k for (_, _, name), keys in self._names.items() if name == text for k in keys}),
            ("hint", {k for pairs in self._hints.values() for hint, k in pairs if same_hint(text, hint)}),
        )
        return next((_one_of(keys, by) for by, keys in ways if keys), NONE)


def _one_of(keys: set[str], by: str) -> Resolution:
    if not keys:
        return NONE
    return Resolution("one" if len(keys) == 1 else "ambiguous", tuple(sorted(keys)), by)


def _same_key(s: Statement, known: list[Statement]) -> bool:
    made = {k.created_at for k in known} - {None}
    rotated, revoked = {k.rotated_at for k in known} - {None}, {k.revoked_at for k in known} - {None}
    gone = bool(rotated or revoked) and s.rotated_at not in rotated and s.revoked_at not in revoked
    return not gone and (s.created_at is None or not made or s.created_at in made)


def resolve(statements: Iterable[Statement], aliases: Aliases) -> list[Statement]:
    """Return the statements, those without an id with the one that a hash, name, hint or place gives, or with all candidates."""
    return [s if s.key_id else _resolved(s, aliases) for s in statements]


def _resolved(s: Statement, aliases: Aliases) -> Statement:
    if s.sha256 or s.hint or s.key_name:
        found = aliases.told(s.provider, (s.customer, s.holder), s.sha256, s.hint, s.key_name)
    else:
        found = aliases.by_place(s) if s.location else NONE
    if found.state == "one":
        return with_id(s, found.candidates[0], found.by)
    return replace(s, candidates=found.candidates)
