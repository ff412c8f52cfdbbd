"""Records of plain files of CloudTrail as windows: one text each, cut at the seams between two records without parsing."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise

import pyarrow as pa

from forensics.ingest.reading import Received
from forensics.ingest.unpack import binary_kind

_SEAM = b'},{"eventVersion":'
_NEXT = b'{"eventVersion":'
#: The same seam with a line feed, which JSON takes for a blank and no JSON text holds within its strings.
_LINES = b'}\n{"eventVersion":'
#: Bytes in which the first of several lines ends.
_LONGEST_LINE = 1024**2
#: Bytes that are read at once.
WINDOW = 8 * 1024**2
#: Files of at most so many bytes are read together: each step costs its share once a window, not once a file.
SMALL = WINDOW // 8


@dataclass(frozen=True, slots=True)
class Layout:
    """How records stand in a file: what is before them, between two of them (the first byte ends one) and behind them."""

    head: bytes
    seam: bytes
    tail: bytes


#: As delivered to S3, and one record a line.
LIST = Layout(b'{"Records":[', _SEAM, b"]}")
LINES = Layout(b"", b"}\n", b"")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive records of one file within a window: `count` from row `row` on.

    `first` is the number of the first one in its file, `offset` its place in the content.
    """

    received: Received
    layout: Layout
    row: int
    count: int
    first: int
    offset: int


@dataclass(frozen=True, slots=True)
class Window:
    """Records as one text, each on a line of its own: the comma between two became a line feed.

    `pieces` are the records; record `n` stands at `starts[n]` of the text and has `lengths[n]` bytes.
    """

    text: bytes
    pieces: list[bytes]
    starts: list[int]
    lengths: list[int]
    stretches: list[Stretch]

    def repeated(self, values: Sequence[str]) -> pa.Array:
        """Return a column of texts that are one for each stretch."""
        return pa.concat_arrays([pa.repeat(v, s.count) for v, s in zip(values, self.stretches, strict=True)])

    def numbers(self) -> list[int]:
        """Return the numbers of the records in their files."""
        return [*chain.from_iterable(range(s.first, s.first + s.count) for s in self.stretches)]

    def offsets(self) -> list[int]:
        """Return the places of the records in their contents."""
        found: list[int] = []
        for s in self.stretches:
            shift = s.offset - self.starts[s.row]
            found += [start + shift for start in self.starts[s.row : s.row + s.count]]
        return found

    def column(self) -> pa.Array:
        """Return the records as texts without copying them, a line feed behind all but the last."""
        return _texts(self.text, [*self.starts, len(self.text)])

    def column_with(self, changed: dict[int, str]) -> pa.Array:
        """Return the same with other texts in some rows."""
        parts, at = list[bytes](), 0
        lengths = [end - start for start, end in pairwise([*self.starts, len(self.text)])]
        for row, text in sorted(changed.items()):
            written = text.encode("utf-8")
            parts += [self.text[at : self.starts[row]], written]
            at = self.starts[row] + lengths[row]
            lengths[row] = len(written)
        return _texts(b"".join((*parts, self.text[at:])), [0, *accumulate(lengths)])


def _texts(text: bytes, bounds: list[int]) -> pa.Array:
    buffers = [None, pa.py_buffer(array("i", bounds)), pa.py_buffer(text)]
    return pa.Array.from_buffers(pa.string(), len(bounds) - 1, buffers)


def is_small(received: Received) -> bool:
    """Whether a file looks as if it could be read together with others."""
    data, layout = received.content.data, layout_of(received)
    if layout is None or len(data) > SMALL:
        return False
    return layout is LINES or data.find(b"\n", 0, _end(data, layout)) < 0


def layout_of(received: Received) -> Layout | None:
    """Return how a file of plain delivery holds its records, by its beginning and end; None for any other file."""
    data = received.content.data
    if received.content.problem or binary_kind(data):
        return None
    if data.startswith(LIST.head + _NEXT):
        return LIST if data.startswith(b"}" + LIST.tail, _end(data, LIST) - 1) else None
    if not data.startswith(b'{"') or not data.startswith(b"}", _end(data, LINES) - 1):
        return None
    first = data[: data.find(b"\n", 0, _LONGEST_LINE) + 1 or _LONGEST_LINE]
    is_line = first.endswith(b"}\n") or len(first) == len(data)
    return LINES if is_line and b'"eventSource":"' in first and b'"Records":' not in first else None


def _end(data: bytes, layout: Layout) -> int:
    """Return where the records end."""
    return len(data) - data.endswith(b"\n") - len(layout.tail)


def joined(files: Sequence[Received]) -> Window:
    """Return the records of some small files, which hold no line feed, as one window."""
    texts, stretches, rows = [], list[Stretch](), 0
    for received in files:
        data, layout = received.content.data, layout_of(received) or LIST
        text = data[len(layout.head) : _end(data, layout)]
        text = text if layout is LINES else text.replace(_SEAM, _LINES)
        count = text.count(b"\n") + 1
        texts.append(text)
        stretches.append(Stretch(received, layout, rows, count, 0, len(layout.head)))
        rows += count
    text = b"\n".join(texts)
    return _window(text, text.split(b"\n"), stretches)


def _window(text: bytes, pieces: list[bytes], stretches: list[Stretch]) -> Window:
    lengths = [*map(len, pieces)]
    return Window(text, pieces, [0, *accumulate(length + 1 for length in lengths[:-1])], lengths, stretches)


def windows(received: Received, layout: Layout) -> Iterator[Window]:
    """Yield the records of a file, some megabytes at a time: that bounds the memory."""
    data, number, seam = received.content.data, 0, layout.seam
    start, end = len(layout.head), _end(data, layout)
    while start < end:
        cut = data.rfind(seam, start, start + WINDOW) if end - start > WINDOW else end - 1
        if cut < 0:  # one record is larger than the window
            cut = data.find(seam, start + WINDOW - len(seam), end)
            cut = cut if cut >= 0 else end - 1
        written = data[start : cut + 1]
        text = written if layout is LINES else written.replace(_SEAM, _LINES)
        pieces = text.split(b"\n")
        if layout is LIST and b"\n" in written:  # within a record
            inner = written.split(_SEAM)
            last = len(inner) - 1
            pieces = [_NEXT * (n > 0) + piece + b"}" * (n < last) for n, piece in enumerate(inner)]
        yield _window(text, pieces, [Stretch(received, layout, 0, len(pieces), number, start)])
        number += len(pieces)
        start = cut + 2
