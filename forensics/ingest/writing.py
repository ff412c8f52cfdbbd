"""Write groups of records in order, in transactions that may hold several of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from types import TracebackType

from forensics.ingest.committing import Committing
from forensics.store.eventstore import EventStore, Group
from forensics.store.shaping import Shaping

#: Records by (receipt id, "accepted" | "duplicate").
Counts = Counter[tuple[int, str]]


class Writing:
    """Shapes groups and hands them to the thread that writes; what is not committed when it is left is given up."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._committing = Committing()
        self._shaping = Shaping()
        self._is_open = False
        self._counted: Counts = Counter()

    def __enter__(self) -> Writing:
        # Row groups that are not full would be joined with full ones beside them, which writes all of them anew.
        self._store.connection.execute("SET max_vacuum_tasks = 0")
        self._committing.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._committing.__exit__(kind, error, trace)
        self._shaping.close()
        self._roll_back()

    def write(self, group: Group) -> None:
        """Write a group in the transaction that is open, or a new one, which stays open."""
        self._hand_over(group, lambda: None)

    def commit(self, group: Group, before: Callable[[Counts], None], after: Callable[[], None]) -> None:
        """Write a group and commit; `before` gets the counts of all that is committed with it and runs in the transaction."""

        def work() -> None:
            before(self._counted)
            self._store.connection.execute("COMMIT")
            self._is_open, self._counted = False, Counter()
            after()

        self._hand_over(group, work)

    def give_up(self) -> None:
        """Undo what was written since the last commit."""
        self._committing.wait()
        self._roll_back()

    def wait(self) -> None:
        """Wait for what is under way; raises what it raised."""
        self._committing.wait()

    def _hand_over(self, group: Group, then: Callable[[], None]) -> None:
        def work() -> None:
            if not self._is_open:
                self._store.connection.execute("BEGIN")
                self._is_open = True
            self._counted.update(self._store.write(group))
            then()

        if self._committing.is_busy():  # else the thread that writes would wait for it, and shapes them itself
            self._shaping.shape(group)
        self._committing.hand_over(work)

    def _roll_back(self) -> None:
        if self._is_open:
            self._store.roll_back()
        self._is_open, self._counted = False, Counter()
