"""All query files below a folder, checked as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from forensics.model.errors import QueryFault, UsageFault
from forensics.model.query import Query, QueryKind
from forensics.queries.queryfile import EmptyStore, load, place_of

#: Most of the time goes to the engine's parser, which leaves the interpreter free.
_THREADS = 2


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Queries in the order of their ids."""

    queries: tuple[Query, ...]

    def __iter__(self) -> Iterator[Query]:
        return iter(self.queries)

    def __len__(self) -> int:
        return len(self.queries)

    def of_kind(self, kind: QueryKind) -> tuple[Query, ...]:
        """Return the queries of one kind."""
        return tuple(query for query in self.queries if query.kind == kind)

    def by_id(self, identity: str) -> Query:
        """Return one query. Raises UsageFault when there is none of that id."""
        return self.select([identity])[0]

    def select(self, identities: Iterable[str]) -> tuple[Query, ...]:
        """Return the queries of these ids; `aws.` stands for all ids that begin so.

        Raises UsageFault for an id that no query has.
        """
        chosen: set[str] = set()
        for wanted in identities:
            found = {q.id for q in self.queries if q.id == wanted or (wanted.endswith(".") and q.id.startswith(wanted))}
            if not found:
                near = sorted(q.id for q in self.queries if q.id.rpartition(".")[2] == wanted.rpartition(".")[2])
                hint = f"is {near[0]} meant?" if near else "keytrail queries lists them"
                raise UsageFault(f"there is no query {wanted!r}", hint=hint)
            chosen |= found
        return tuple(query for query in self.queries if query.id in chosen)


def query_paths(folder: Path) -> list[Path]:
    """Return the query files below `folder`, sorted by their path; hidden files and folders are left out."""
    found = (p for p in folder.rglob("*.sql") if not any(s.startswith(".") for s in p.relative_to(folder).parts))
    return sorted(found, key=lambda p: p.relative_to(folder).as_posix())


def load_catalogue(
    *folders: Path, store: EmptyStore | None = None, portable: bool = True, sound: frozenset[str] = frozenset()
) -> Catalogue:
    """Load every query below `folders`; `store` checks their columns, `portable` their SQL subset.

    `sound`: hashes of files whose statements were judged before, as `queryfile.load` takes them. Raises QueryFault that names every fault of every file, one a line.
    """
    faults: list[str] = []
    queries: dict[str, Query] = {}
    for folder in folders:
        paths = query_paths(folder)
        with ThreadPoolExecutor(_THREADS) as pool:
            loaded = dict(zip(paths, pool.map(partial(_loaded, folder, store, sound), paths), strict=True))
        for path in paths:
            if portable:
                faults += portability_faults(path, folder)
            query = loaded[path]
            if isinstance(query, QueryFault):
                faults += query.message.splitlines()
                continue
            other = queries.setdefault(query.id, query)
            if other is not query:
                faults.append(f"{query.place}:1: id {query.id!r} is also the id of {other.place}")
    if faults:
        raise QueryFault("\n".join(faults))
    return Catalogue(tuple(queries[identity] for identity in sorted(queries)))


def _loaded(folder: Path, store: EmptyStore | None, sound: frozenset[str], path: Path) -> Query | QueryFault:
    try:
        return load(path, root=folder, store=store, sound=sound)
    except QueryFault as error:
        return error


def portability_faults(path: Path, folder: Path) -> list[str]:
    """Return what leaves the portable subset, one `path:line: what` each; none when the header opts out."""
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return []  # the loader says so
    from forensics.queries.portable import lint  # its parser is loaded only where files are linted

    return [f"{place_of(path, folder)}:{fault.line}: {fault.message}" for fault in lint(text)]
