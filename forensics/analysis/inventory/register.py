"""The inventory as a whole: versions, statements with their aliases resolved, the providers' lists; as of any version."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from forensics.analysis.inventory.aliases import Aliases, Listed, read_lists, resolve
from forensics.analysis.inventory.versions import Statement, Version, as_known, read_versions, standing, with_id
from forensics.model.clock import iso

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Register:
    """All versions and statements, those without an id resolved where an alias decides; `standing` are those that count."""

    versions: tuple[Version, ...]
    statements: tuple[Statement, ...]
    standing: tuple[Statement, ...]
    lists: tuple[Listed, ...]
    aliases: Aliases

    def before(self, version: int) -> Register:
        """Return the register as it was before that version came; later names resolve nothing in it."""
        raw = as_known(self.statements, version - 1)
        return make_register(self.versions[: version - 1], [_unresolved(s) for s in raw], self.lists)

    def names(self) -> Aliases:
        """Return what names each key that is judged, those without an id by the name they are judged under."""
        unnamed = [with_id(s, s.name, "") for s in self.standing if not s.key_id]
        return Aliases([*self.statements, *unnamed], self.lists)

    def notes(self) -> list[tuple[str, ...]]:
        """Return for each standing statement what has to be said of it wherever its key is judged."""
        places = Counter((s.identity, s.customer) for s in self.standing)
        latest = {v.author: v.number for v in self.versions}
        return [self._notes(s, places[s.identity, s.customer], latest) for s in self.standing]

    def _notes(self, s: Statement, places: int, latest: dict[str, int]) -> tuple[str, ...]:
        out = []
        if s.resolved_by:
            out.append(f"the inventory gives no provider key id: it was found by its {s.resolved_by}")
        elif s.candidates:
            out.append(
                f"ambiguous: {s.hint or s.key_name or s.location_raw} fits {', '.join(s.candidates)}; usage cannot be joined"
            )
        elif not s.key_id:
            out.append("the inventory gives no provider key id: usage cannot be joined")
        if places > 1:
            out.append(f"the inventory names {places} places of this key; each has a row of its own")
        author = self.versions[s.version - 1].author
        newest, whose = latest[author], "of the same author" if author else "(nobody is named as the author of either)"
        if newest > s.version:
            out.append(
                f"stated in version {s.version} of the inventory, as of {iso(s.stated_at)}; version {newest} {whose} leaves it out"
            )
        return tuple(out)


def _unresolved(s: Statement) -> Statement:
    return replace(s, key_id="" if s.resolved_by else s.key_id, resolved_by="", candidates=())


def make_register(versions: tuple[Version, ...], statements: list[Statement], lists: tuple[Listed, ...]) -> Register:
    """Return the register of some versions and their statements as read."""
    aliases = Aliases(statements, lists)
    resolved = resolve(statements, aliases)
    return Register(versions, tuple(resolved), tuple(standing(resolved)), lists, aliases)


def read_register(connection: duckdb.DuckDBPyConnection) -> Register:
    """Return the register of a case."""
    versions, statements = read_versions(connection)
    return make_register(tuple(versions), statements, tuple(read_lists(connection)))
