"""The list of query files that were judged when the program was built: to judge them anew at each start takes seconds.

A file is known by its SHA-256, so one that was changed or added since is judged when it is loaded, as is every file where
another engine or store is at hand than the list was written for. `make docs` writes it anew.
"""

from __future__ import annotations

from collections.abc import Iterable

from forensics.model.query import Query
from forensics.queries.queryfile import EmptyStore
from forensics.resources import sound_queries


def listed(queries: Iterable[Query], store: EmptyStore) -> str:
    """Return the list of queries that were loaded with `store`: what they were judged by, then a hash and an id a line."""
    return "\n".join([store.judge, *(f"{q.sha256} {q.id}" for q in queries), ""])


def known_sound(store: EmptyStore) -> frozenset[str]:
    """Return the hashes listed, as hexadecimal text; none when they were judged by another engine or store."""
    try:
        judge, *lines = sound_queries().read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return frozenset()
    return frozenset(line.split(" ", 1)[0] for line in lines) if judge == store.judge else frozenset()
