"""The buckets of one key over all its models, held as numbers; a bucket with its models and records is made when asked for."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import add
from typing import overload

from forensics.analysis.facts import Row

_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00")
_MILLISECOND = timedelta(milliseconds=1)

#: Values of a bucket in the text of a row.
_VALUES = 5
#: Of a bucket: its models that were used, and a record of each model.
_Told = tuple[set[str], list[str]]


@dataclass(frozen=True, slots=True)
class Bucket:
    """A time bucket of a key over all models; end exclusive."""

    start: datetime
    end: datetime
    requests: int
    tokens: int
    models: tuple[str, ...]
    event_keys: tuple[str, ...]


def moment_of(milliseconds: int) -> datetime:
    """Return the naive UTC time of milliseconds since 1970."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def at_or_after(moment: datetime) -> int:
    """Return the first whole millisecond since 1970 that is not before a time."""
    return -((_EPOCH - moment) // _MILLISECOND)


def at_or_before(moment: datetime) -> int:
    """Return the last whole millisecond since 1970 that is not after a time."""
    return (moment - _EPOCH) // _MILLISECOND


class Buckets(Sequence[Bucket]):
    """Buckets in order of time. `starts` and `ends` are milliseconds since 1970."""

    __slots__ = ("_first_used", "_rows", "_told", "_uneven", "ends", "requests", "starts", "tokens")

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        """Take rows of exposure.usage_buckets of one key and one bucket width, in their order."""
        self._rows = tuple(rows)
        self._told: dict[int, _Told] | None = None
        self._first_used: dict[str, int] = {}
        widths_met: set[int] = set()
        ends: dict[int, int] = {}
        requests: dict[int, int] = {}
        tokens: dict[int, int] = {}
        for row in self._rows:
            starts, widths, used, spent = _numbers(row["buckets"].split(","))
            self._note_first(row["model"], starts, used, spent)
            widths_met.update(widths)
            ends = dict(zip(starts, map(add, starts, widths), strict=True)) | ends
            requests = _added(requests, starts, used)
            tokens = _added(tokens, starts, spent)
        self._uneven = len(widths_met) > 1
        order = sorted(ends)
        self.starts = array("q", order)
        self.ends = array("q", map(ends.__getitem__, order))
        self.requests = array("q", map(requests.__getitem__, order))
        self.tokens = array("q", map(tokens.__getitem__, order))

    def _note_first(self, model: str | None, starts: list[int], used: list[int], spent: list[int]) -> None:
        if starts[0] > starts[-1]:  # ordered as text, which is not in time where the numbers of digits differ
            starts, used, spent = map(list, zip(*sorted(zip(starts, used, spent, strict=True)), strict=True))
        first = next((s for s, n, t in zip(starts, used, spent, strict=True) if n or t), None)
        if model and first is not None:
            self._first_used[model] = min(first, self._first_used.get(model, first))

    def __len__(self) -> int:
        return len(self.starts)

    @overload
    def __getitem__(self, place: int) -> Bucket: ...
    @overload
    def __getitem__(self, place: slice) -> list[Bucket]: ...
    def __getitem__(self, place: int | slice) -> Bucket | list[Bucket]:
        if isinstance(place, slice):
            return [self[n] for n in range(*place.indices(len(self)))]
        start = self.starts[place]
        models, records = self._details()[start]
        return Bucket(
            moment_of(start), moment_of(self.ends[place]), self.requests[place], self.tokens[place],
            tuple(sorted(models)), tuple(sorted(records)),
        )  # fmt: skip

    def __iter__(self) -> Iterator[Bucket]:
        return (self[n] for n in range(len(self)))

    def used_since(self, moment: datetime) -> list[Bucket]:
        """Return the buckets that begin at or after a time and hold requests or tokens."""
        first = bisect_left(self.starts, at_or_after(moment))
        return [self[n] for n in range(first, len(self)) if self.requests[n] or self.tokens[n]]

    def last_used(self) -> tuple[datetime, datetime] | None:
        """Return the last begin and the last end of buckets that hold requests or tokens; None without any."""
        used = (n for n in range(len(self) - 1, -1, -1) if self.requests[n] or self.tokens[n])
        last = next(used, None)
        if last is None:
            return None
        # Buckets of one width end in the order in which they begin.
        end = max((self.ends[last], *(self.ends[n] for n in used))) if self._uneven else self.ends[last]
        return moment_of(self.starts[last]), moment_of(end)

    def first_used(self) -> dict[str, int]:
        """Return the begin of the first bucket in which each model was used."""
        return self._first_used

    def _details(self) -> dict[int, _Told]:
        """Return models and records by begin, read once when the first bucket is asked for."""
        if self._told is None:
            told: defaultdict[int, _Told] = defaultdict(lambda: (set(), []))
            for row in self._rows:
                parts = row["buckets"].split(",")
                starts, _, used, spent = _numbers(parts)
                for start, count, amount, record in zip(starts, used, spent, parts[4::_VALUES], strict=True):
                    told[start][1].append(record)
                    if row["model"] and (count or amount):
                        told[start][0].add(row["model"])
            self._told = dict(told)
        return self._told


def _numbers(parts: list[str]) -> tuple[list[int], list[int], list[int], list[int]]:
    """Return begins, widths, requests and tokens of the buckets of a row."""
    starts, widths, used, spent = (list(map(int, parts[n::_VALUES])) for n in range(4))
    return starts, widths, used, spent


def _added(known: dict[int, int], starts: list[int], amounts: list[int]) -> dict[int, int]:
    """Return the amounts by begin, with those of another row added; several rows of one have the same begin seldom."""
    if len(set(starts)) < len(starts):
        for start, amount in zip(starts, amounts, strict=True):
            known[start] = known.get(start, 0) + amount
        return known
    get = known.get
    return known | {s: n + get(s, 0) for s, n in zip(starts, amounts, strict=True)}
