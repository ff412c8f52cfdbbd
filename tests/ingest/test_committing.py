"""Pieces of work are done in order while the next is made; few are there at a time, and none is begun after a failure."""

from __future__ import annotations

import threading

import pytest

from forensics.ingest.committing import Committing


def test_pieces_are_done_in_order_and_few_are_there_at_a_time() -> None:
    may_end, handed, done = threading.Semaphore(0), list[int](), list[int]()

    def hand_over(committing: Committing) -> None:
        for number in range(5):

            def work(number: int = number) -> None:
                assert may_end.acquire(timeout=30)
                done.append(number)

            committing.hand_over(work)
            handed.append(number)

    with Committing() as committing:
        reader = threading.Thread(target=hand_over, args=[committing])
        reader.start()
        while len(handed) < 2 and reader.is_alive():
            reader.join(0.01)
        reader.join(0.2)
        assert (handed, done, committing.is_busy()) == ([0, 1], [], True)
        may_end.release(5)
        reader.join(30)
        committing.wait()
        assert done == [0, 1, 2, 3, 4]
        assert not committing.is_busy()


def test_after_a_failure_nothing_that_waits_is_begun() -> None:
    begun, may_fail = list[str](), threading.Event()

    def fail() -> None:
        may_fail.wait(30)
        raise OSError("no room")

    with Committing() as committing:
        committing.hand_over(fail)
        committing.hand_over(lambda: begun.append("waited"))
        may_fail.set()
        with pytest.raises(OSError, match="no room"):
            committing.hand_over(lambda: begun.append("handed over later"))
        committing.wait()
        committing.hand_over(lambda: begun.append("handed over at last"))
    assert begun == []
