"""Records of megabytes are projected few at a time, in their order, and with memory by their size."""

from __future__ import annotations

import pyarrow as pa
import pytest

from forensics.ingest.scratch import new_store
from forensics.store.large_records import bounded, room_for

MIB = 1024**2


def records(*sizes: int) -> pa.Table:
    return pa.table({"n": list(range(len(sizes))), "raw": pa.array(["x" * size for size in sizes], pa.string())})


@pytest.mark.parametrize(
    ("sizes", "pieces"),
    [
        ((), [[]]),
        ((1000,) * 3000, [list(range(3000))]),
        ((MIB,) * 9, [[0, 1, 2, 3], [4, 5, 6, 7], [8]]),
        ((10, 9 * MIB, 10, 10), [[0], [1], [2, 3]]),
        ((9 * MIB, 9 * MIB), [[0], [1]]),
    ],
)
def test_pieces_hold_all_records_in_order(sizes: tuple[int, ...], pieces: list[list[int]]) -> None:
    assert [piece.column("n").to_pylist() for piece in bounded(records(*sizes))] == pieces


def test_memory_grows_for_a_large_record_and_goes_back() -> None:
    connection = new_store()

    def limit() -> str:
        return str(connection.execute("SELECT current_setting('memory_limit')").fetchall()[0][0])

    usual = limit()
    with room_for(connection, records(MIB, MIB)):
        assert limit() == usual
    with room_for(connection, records(5 * MIB)):
        assert limit() == "712.0 MiB"
    assert limit() == usual
