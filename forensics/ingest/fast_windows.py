"""Records of plain files of CloudTrail as windows: one text each, cut at the seams between two records without parsing."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise

import pyarrow as pa

from forensics.ingest.reading import Received
from forensics.ingest.unpack import binary_kind

_HEAD, _TAIL = b'{"Records":[', b"]}"
_SEAM = b'},{"eventVersion":'
_NEXT = b'{"eventVersion":'
#: The same seam with a line feed, which JSON takes for a blank and no JSON text holds within its strings.
_LINES = b'}\n{"eventVersion":'
#: Bytes that are read at once.
WINDOW = 8 * 1024**2
#: Files of at most so many bytes are read together: each step costs its share once a window, not once a file.
SMALL = WINDOW // 8


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive records of one file within a window: `count` from row `row` on.

    `first` is the number of the first one in its file, `offset` its place in the content.
    """

    received: Received
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
    content = received.content
    return len(content.data) <= SMALL and looks_plain(received) and content.data.find(b"\n", 0, _end(content.data)) < 0


def looks_plain(received: Received) -> bool:
    """Whether a file has the form of plain delivery at its beginning and end."""
    data = received.content.data
    begins = not received.content.problem and data.startswith(_HEAD + _NEXT)
    return begins and data.startswith(b"}" + _TAIL, _end(data) - 1) and not binary_kind(data)


def _end(data: bytes) -> int:
    """Return where the list of records ends."""
    return len(data) - data.endswith(b"\n") - len(_TAIL)


def joined(files: Sequence[Received]) -> Window:
    """Return the records of some small files, which hold no line feed, as one window."""
    texts, stretches, rows = [], list[Stretch](), 0
    for received in files:
        data = received.content.data
        text = data[len(_HEAD) : _end(data)].replace(_SEAM, _LINES)
        count = text.count(b"\n") + 1
        texts.append(text)
        stretches.append(Stretch(received, rows, count, 0, len(_HEAD)))
        rows += count
    text = b"\n".join(texts)
    return _window(text, text.split(b"\n"), stretches)


def _window(text: bytes, pieces: list[bytes], stretches: list[Stretch]) -> Window:
    lengths = [*map(len, pieces)]
    return Window(text, pieces, [0, *accumulate(length + 1 for length in lengths[:-1])], lengths, stretches)


def windows(received: Received) -> Iterator[Window]:
    """Yield the records of a file, some megabytes at a time: that bounds the memory."""
    data, number = received.content.data, 0
    start, end = len(_HEAD), _end(data)
    while start < end:
        cut = data.rfind(_SEAM, start, start + WINDOW) if end - start > WINDOW else end - 1
        if cut < 0:  # one record is larger than the window
            cut = data.find(_SEAM, start + WINDOW - len(_SEAM), end)
            cut = cut if cut >= 0 else end - 1
        written = data[start : cut + 1]
        text = written.replace(_SEAM, _LINES)
        pieces = text.split(b"\n")
        if b"\n" in written:  # within a record
            inner = written.split(_SEAM)
            last = len(inner) - 1
            pieces = [_NEXT * (n > 0) + piece + b"}" * (n < last) for n, piece in enumerate(inner)]
        yield _window(text, pieces, [Stretch(received, 0, len(pieces), number, start)])
        number += len(pieces)
        start = cut + 2
