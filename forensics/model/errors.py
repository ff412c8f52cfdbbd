"""The one family of errors that users see: what happened, where, and what to do."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes that scripts rely on."""

    DONE = 0
    UNEXPECTED = 1
    USAGE = 2
    BAD_QUERY = 3
    UNREADABLE = 4
    NOT_VERIFIED = 5
    UNDECIDED = 6
    FINDINGS = 10
    INTERRUPTED = 130


#: When several conditions hold, the first of this order is the exit code.
PRECEDENCE: tuple[ExitCode, ...] = (
    ExitCode.INTERRUPTED,
    ExitCode.UNEXPECTED,
    ExitCode.USAGE,
    ExitCode.BAD_QUERY,
    ExitCode.NOT_VERIFIED,
    ExitCode.FINDINGS,
    ExitCode.UNREADABLE,
    ExitCode.UNDECIDED,
    ExitCode.DONE,
)


def first_of(conditions: set[ExitCode]) -> ExitCode:
    """Return the exit code that stands for all `conditions` (`DONE` for none)."""
    return next((code for code in PRECEDENCE if code in conditions), ExitCode.DONE)


class ForensicsError(Exception):
    """A fault that a user can act on.

    `message` says what happened, `place` where (a path, path:line or exhibit), `hint` what to do.
    """

    exit_code = ExitCode.UNEXPECTED

    def __init__(self, message: str, *, place: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.hint = hint

    def __str__(self) -> str:
        """One line: place, message, hint."""
        text = f"{self.place}: {self.message}" if self.place else self.message
        return f"{text}; {self.hint}" if self.hint else text


class UsageFault(ForensicsError):
    """A wrong argument, path or setting."""

    exit_code = ExitCode.USAGE


class CaseFault(UsageFault):
    """The case folder is missing, broken, of another version, or locked by another command."""


class QueryFault(ForensicsError):
    """A query file that the loader or the engine refuses."""

    exit_code = ExitCode.BAD_QUERY


class UnreadableEvidence(ForensicsError):
    """A file of a known kind that could not be read whole."""

    exit_code = ExitCode.UNREADABLE


class VerificationFault(ForensicsError):
    """Something that does not verify."""

    exit_code = ExitCode.NOT_VERIFIED
