"""Write one piece of work while the next is read: the store's engine works outside of Python's lock."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

#: Seconds after which the thread that holds Python's lock is asked for it. The writing thread needs it for a moment after
#: each statement; with the usual five milliseconds it waits longer for the reading one than some statements take.
_SWITCH = 0.0005


class Committing:
    """Does handed-over work in order, in one thread; at most one piece is under way, which bounds the memory.

    Left by an exception, it still waits for what is under way: a commit is whole or not there.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="commit")
        self._under_way: Future[None] | None = None
        self._switch = sys.getswitchinterval()

    def __enter__(self) -> Committing:
        self._switch = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True)
        sys.setswitchinterval(self._switch)

    def hand_over(self, work: Callable[[], None]) -> None:
        """Wait for the piece before, raising what it raised, and begin this one."""
        self.wait()
        self._under_way = self._pool.submit(work)

    def is_busy(self) -> bool:
        """Whether a piece is under way."""
        return self._under_way is not None and not self._under_way.done()

    def wait(self) -> None:
        """Wait for what is under way; raises what it raised."""
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.result()
