"""Write one piece of work while the next is read: the store's engine works outside of Python's lock."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

#: Seconds after which the thread that holds Python's lock is asked for it. The writing thread needs it for a moment after
#: each statement; with the usual five milliseconds it waits longer for the reading one than some statements take.
_SWITCH = 0.0005
#: Pieces that may be under way or wait: with one that waits, neither thread stands still when their shares differ.
_MOST = 2


class Committing:
    """Does handed-over work in order, in one thread; few pieces are there at a time, which bounds the memory.

    Left by an exception, it still waits for what is under way: a commit is whole or not there. After a piece that raised,
    none that waits is begun.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="commit")
        self._under_way: deque[Future[None]] = deque()
        self._failed = False
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
        """Wait until few pieces are there, raising what one raised, and add this one."""
        while len(self._under_way) >= _MOST:
            self._under_way.popleft().result()
        self._under_way.append(self._pool.submit(self._do, work))

    def is_busy(self) -> bool:
        """Whether a piece is under way."""
        return bool(self._under_way) and not self._under_way[-1].done()

    def wait(self) -> None:
        """Wait for all pieces; raises what one raised."""
        while self._under_way:
            self._under_way.popleft().result()

    def _do(self, work: Callable[[], None]) -> None:
        if self._failed:
            return
        try:
            work()
        except BaseException:
            self._failed = True
            raise
