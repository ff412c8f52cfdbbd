"""How far a reading is: files, bytes, events a second and the time that is left, judged by bytes.

On a terminal it is one line that moves; elsewhere a plain line every ten seconds, so that a log of the run shows that
it lives. It goes to stderr and never into a result.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from forensics.cli.console import say, talk_console
from forensics.ingest.discover import Found

_EVERY = 10.0
#: Before this many seconds a rate says nothing.
_SETTLED = 2.0
Clock = Callable[[], float]
Update = Callable[[int, int, int], None]


class Pace:
    """Words for a moment of a reading of `files` files of `size` bytes in all; `counted`: whether records are counted."""

    def __init__(self, files: int, size: int, clock: Clock = time.monotonic, *, counted: bool = True) -> None:
        self.files, self.size, self.counted = files, size, counted
        self._clock, self._started = clock, clock()

    def words(self, files: int, size: int, records: int) -> str:
        """Return how far it is: files, MiB, events a second and, once it can be told, the time left."""
        gone = self._clock() - self._started
        parts = [f"{files} of {self.files} files", f"{size >> 20} of {self.size >> 20} MiB"]
        parts += [f"{records} records"] if self.counted else []
        if gone >= _SETTLED:
            parts += [f"{int(records / gone)} events/s"] if self.counted else []
            if 0 < size < self.size:
                parts.append(f"about {span(gone * (self.size - size) / size)} left")
        return ", ".join(parts)


def span(seconds: float) -> str:
    """Return a length of time as people say it: 45 s, 3 min 20 s, 2 h 5 min."""
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def bytes_of(found: list[Found]) -> int:
    """Return the bytes of all files that can be read; one that is gone counts as nothing."""
    total = 0
    for each in found:
        if each.problem:
            continue
        try:
            total += each.path.stat().st_size
        except OSError:
            continue
    return total


@contextmanager
def reading_progress(
    found: list[Found], console: Console | None = None, clock: Clock = time.monotonic, *, counted: bool = True
) -> Iterator[Update]:
    """Yield `update(files done, bytes done, records seen)` for the reading of the files found.

    `counted`: False where files are only looked at, and the number of records is not known.
    """
    with count_progress(len(found), bytes_of(found), console, clock, counted=counted) as update:
        yield update


@contextmanager
def count_progress(
    files: int, size: int, console: Console | None = None, clock: Clock = time.monotonic, *, counted: bool = True
) -> Iterator[Update]:
    """Yield the same for a known number of files and bytes."""
    console = console or talk_console()
    pace = Pace(files, size, clock, counted=counted)
    if not console.is_terminal:
        yield _lines(pace, clock)
        return
    with Progress(BarColumn(), TextColumn("{task.description}"), console=console, transient=True) as bar:
        task = bar.add_task(pace.words(0, 0, 0), total=pace.size or 1)
        yield lambda files, size, records: bar.update(
            task, completed=size, description=pace.words(files, size, records)
        )


def _lines(pace: Pace, clock: Clock) -> Update:
    last = clock()

    def update(files: int, size: int, records: int) -> None:
        nonlocal last
        if clock() - last >= _EVERY:
            last = clock()
            say(pace.words(files, size, records))

    return update
