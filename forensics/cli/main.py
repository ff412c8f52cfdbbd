"""The command line: finds the commands, and is the one place where errors become exit codes."""

from __future__ import annotations

import errno
import importlib
import os
import pkgutil
import signal
import sys
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.main import get_command

from forensics import __version__
from forensics.cli import commands
from forensics.cli.console import out, say
from forensics.model.errors import ExitCode, ForensicsError

#: The base of every fault of arguments; Typer brings its own copy of Click and exports only its leaves.
_WRONG_USE: type[Exception] = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")

#: What a disk or a folder refuses, and what to do.
_OF_THE_DISK = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "make room and run the same command again"),
    **dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), "the case has to be in a folder that can be written"),
}

#: Order of the help: by task, as a case goes. A command that is not named here comes last.
_ORDER = "triage init ingest status hunt exposure keys timeline summary show withdraw purge report package verify queries doctor demo".split()


def _place(name: str) -> int:
    return _ORDER.index(name) if name in _ORDER else len(_ORDER)


def build(only: str = "") -> typer.Typer:
    """Return the app with every command module below `forensics.cli.commands`, or with the command `only` alone."""
    app = typer.Typer(
        name="keytrail",
        no_args_is_help=False,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback(invoke_without_command=True)(_bare)
    for module in sorted(pkgutil.iter_modules(commands.__path__), key=lambda m: (_place(m.name), m.name)):
        if only and module.name != _module_of(only):
            continue
        register = getattr(importlib.import_module(f"{commands.__name__}.{module.name}"), "register", None)
        if register:
            register(app)
    return app


def _module_of(command: str) -> str:
    return command.replace("-", "_")


@cache
def _prepared(only: str) -> Any:
    """Return what reads a command line, made once a process: it looks at the signature of every command it knows."""
    return get_command(build(only))


def _reader_of(arguments: list[str]) -> Any:
    """Return what reads this command line: for the one command that it begins with, else for all, which help names."""
    names = {module.name for module in pkgutil.iter_modules(commands.__path__)}
    return _prepared(arguments[0] if _module_of(arguments[0]) in names else "")


def _bare(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    """Offline forensics of stolen AI-provider keys: what was read in AWS, by whom, and which keys were abused afterwards.

    Start with `keytrail triage FOLDER` or `keytrail demo`. Nothing here opens a network connection.
    """
    if version:
        out(f"keytrail {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        out(context.get_help())


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    signal.signal(signal.SIGTERM, _as_interrupt)
    if not arguments:
        # Bare `keytrail` says where the case stands; outside of a case it says how to start.
        here = Path(os.environ.get("KEYTRAIL_CASE") or ".")
        arguments = ["status"] if (here / "case.toml").is_file() and (here / "case.duckdb").is_file() else ["--help"]
    try:
        result: Any = _reader_of(arguments)(args=arguments, prog_name="keytrail", standalone_mode=False)
    except ForensicsError as error:
        return _tell(error)
    except typer.Exit as error:
        return _interrupted() if error.exit_code == ExitCode.INTERRUPTED else int(error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        return _interrupted()
    except _WRONG_USE as error:
        say(f"keytrail: {error.format_message()}")  # type: ignore[attr-defined]
        return int(ExitCode.USAGE)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.DONE)
    except OSError as error:
        if error.errno not in _OF_THE_DISK:
            raise
        hint = _OF_THE_DISK[error.errno]
        return _tell(ForensicsError(str(error.strerror), place=str(error.filename or ""), hint=hint))
    if result == ExitCode.INTERRUPTED:
        return _interrupted()
    return int(result) if isinstance(result, int) else int(ExitCode.DONE)


def _interrupted() -> int:
    say("keytrail: interrupted; what was committed stays, run the same command again to go on")
    return int(ExitCode.INTERRUPTED)


def _as_interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _tell(error: ForensicsError) -> int:
    lines = str(error).splitlines() or [type(error).__name__]
    for line in lines:
        say(f"keytrail: {line}")
    return int(error.exit_code)


def main() -> None:
    """Entry point of the `keytrail` command."""
    sys.exit(run(sys.argv[1:]))
