"""The case on disk: made by `init`, opened by every other command."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import filelock
import tomli_w

from forensics import __version__
from forensics.model.case import Settings, read_settings
from forensics.model.clock import Clock, iso
from forensics.model.errors import CaseFault, ForensicsError
from forensics.store.custody import CustodyLog
from forensics.store.duckdb_engine import first_line, open_reader, open_writer
from forensics.store.eventstore import create
from forensics.store.schema import SCHEMA_VERSION

LOCK_SECONDS = 10
#: Names of a case's own price table; the first that exists is read.
PRICES = ("prices.toml", "prices.csv")
_FOLDERS = ("evidence", "inventory", "out")


@dataclass(frozen=True, slots=True)
class CaseFolder:
    """Paths of a case and ways to open its store."""

    root: Path
    clock: Clock

    @property
    def settings_path(self) -> Path:
        """`case.toml`."""
        return self.root / "case.toml"

    @property
    def store_path(self) -> Path:
        """`case.duckdb`, rebuilt at will, never itself evidence."""
        return self.root / "case.duckdb"

    @property
    def evidence(self) -> Path:
        """Folder of the copied originals."""
        return self.root / "evidence"

    @property
    def out(self) -> Path:
        """Folder of numbered reports, exports and packages."""
        return self.root / "out"

    @property
    def receipts_path(self) -> Path:
        """`receipts.jsonl`."""
        return self.root / "receipts.jsonl"

    @property
    def work_path(self) -> Path:
        """`work.jsonl`: decisions, notes, suppressions."""
        return self.root / "work.jsonl"

    @property
    def prices_path(self) -> Path | None:
        """The case's own price table, or None."""
        return next((self.root / name for name in PRICES if (self.root / name).is_file()), None)

    @property
    def custody(self) -> CustodyLog:
        """The custody log."""
        return CustodyLog(self.root / "custody.jsonl", self.clock)

    def settings(self) -> Settings:
        """Read `case.toml`. Raises UsageFault for its faults, CaseFault when it is gone."""
        try:
            return read_settings(self.settings_path.read_bytes())
        except OSError as error:
            raise CaseFault(
                "case.toml cannot be read", place=self.settings_path.name, hint=str(error.strerror)
            ) from error

    def reader(self) -> duckdb.DuckDBPyConnection:
        """Open the store for queries: read-only and locked."""
        return open_reader(self.store_path)

    @contextmanager
    def writer(self, command: str) -> Iterator[duckdb.DuckDBPyConnection]:
        """Hold the case's lock and open the store for writing.

        Raises CaseFault naming the holder when another command has the lock for more than ten seconds, ForensicsError
        when the store cannot be written, as on a full disk.
        """
        with self.locked(command):
            connection = open_writer(self.store_path)
            try:
                yield connection
            except (duckdb.IOException, duckdb.TransactionException, duckdb.FatalException) as error:
                hint = f"{first_line(error)}; what was committed stays: make room and run the same command again"
                raise ForensicsError("the store cannot be written", place=self.store_path.name, hint=hint) from error
            finally:
                connection.close()

    @contextmanager
    def locked(self, command: str) -> Iterator[None]:
        """Hold the case's lock; waits ten seconds for another command, then names it."""
        holder_path = self.root / "lock.json"
        lock = filelock.FileLock(str(self.root / ".lock"), timeout=LOCK_SECONDS)
        try:
            lock.acquire()
        except filelock.Timeout as error:
            raise CaseFault(
                "the case is in use",
                place=self.root.name,
                hint=f"held by {_holder(holder_path)}; wait for it or stop it",
            ) from error
        try:
            holder_path.write_text(
                json.dumps({"command": command, "pid": os.getpid(), "since": iso(self.clock())}) + "\n",
                encoding="utf-8",
            )
            yield
        finally:
            holder_path.unlink(missing_ok=True)
            lock.release()

    def note_settings(self) -> bool:
        """Log a change of `case.toml` since the last act that looked at it; return whether it changed.

        A case that can only be read stays as it is.
        """
        try:
            return self._note_settings(self.settings().sha256)
        except OSError as error:
            if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
                return False
            raise

    def _note_settings(self, now: str) -> bool:
        with self.writer("settings") as connection:
            row = connection.execute("SELECT value FROM meta WHERE name = 'settings_sha256'").fetchall()
            before = row[0][0] if row else ""
            if before == now:
                return False
            connection.execute("DELETE FROM meta WHERE name = 'settings_sha256'")
            connection.execute("INSERT INTO meta VALUES ('settings_sha256', ?)", [now])
            self.custody.append("settings changed", before=before, after=now)
        return True


@contextmanager
def trial_copy(folder: CaseFolder) -> Iterator[CaseFolder]:
    """Yield a throw-away copy of a case's settings and store, for commands that only say what they would do."""
    with tempfile.TemporaryDirectory(prefix="keytrail-") as name:
        root = Path(name)
        for path in (folder.settings_path, folder.store_path, folder.work_path, folder.prices_path):
            if path is not None:
                shutil.copyfile(path, root / path.name)
        yield CaseFolder(root, folder.clock)


def _holder(path: Path) -> str:
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
        return f"`keytrail {holder['command']}` (process {holder['pid']}, since {holder['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another command"


def default_settings(name: str) -> bytes:
    """Return a `case.toml` to fill in, with every setting explained."""
    head = tomli_w.dumps(
        {
            "case": {
                "id": name,
                "title": "",
                "organisation": "",
                "examiner": "",
                "tlp": "TLP:AMBER",
                "legal_hold": False,
            }
        }
    )
    return (
        head
        + """
# Times need a zone: 2026-05-05T02:11:00Z
[window]
# since = 2026-03-31T00:00:00Z
# until = 2026-05-08T00:00:00Z

[times]
# t0 = 2026-05-05T02:11:00Z         first act of the intruder; ends the baseline 24 hours before
# detected = 2026-05-05T08:40:00Z
# contained = 2026-05-05T10:30:00Z

[own]
accounts = []                       # "111122223333"
egress = []                         # "192.0.2.0/24"

# [[known]]                         # known from outside this case: access_key, address, principal or provider_actor
# kind = "access_key"
# value = ""
# reason = ""
# by = ""

# [[wrapping]]                      # a key or secret that protects stored keys
# key = ""                          # "kms:us-east-1:KEY-ID", "secret:us-east-1:NAME"
# covers = []                       # "dynamodb:us-east-1:TABLE*", "app:NAME"
# by = ""

# [[statement]]                     # what a named person declared: launch, gateway_complete, product_complete
# kind = "launch"
# customer = ""
# provider = ""
# key_id = ""
# from = 2026-05-05T14:00:00Z
# until = 2026-05-06T02:00:00Z
# by = ""
# text = ""

# [[roster.trail]]                  # trails that should exist
# name = ""
# account = ""
# regions = []
"""
    ).encode()


def init_case(root: Path, clock: Clock, settings: bytes | None = None, by: str = "") -> CaseFolder:
    """Make a new case in `root` (which must not exist or be empty).

    Raises CaseFault when something is there, UsageFault for faulty settings. Nothing half-made stays.
    """
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        what = "there is a case already" if (root / "case.toml").exists() else "the folder is not empty"
        raise CaseFault(what, place=str(root), hint="choose another folder; nothing is overwritten")
    content = settings if settings is not None else default_settings(root.name)
    parsed = read_settings(content)
    try:
        root.mkdir(parents=True, exist_ok=True)
        for name in _FOLDERS:
            (root / name).mkdir()
        (root / "case.toml").write_bytes(content)
    except OSError as error:
        raise CaseFault("the case cannot be made", place=str(root), hint=str(error.strerror)) from error
    folder = CaseFolder(root, clock)
    connection = open_writer(folder.store_path)
    try:
        create(connection)
        rows = {
            "schema": SCHEMA_VERSION,
            "tool": f"keytrail {__version__}",
            "engine": f"duckdb {duckdb.__version__}",
            "settings_sha256": parsed.sha256,
            "created_at": iso(clock()),
        }
        connection.executemany("INSERT INTO meta VALUES (?, ?)", sorted(rows.items()))
    finally:
        connection.close()
    for name in ("receipts.jsonl", "work.jsonl"):
        (root / name).touch()
    folder.custody.append(
        "case opened", by or parsed.examiner, case=parsed.id, tool=rows["tool"], settings_sha256=parsed.sha256
    )
    return folder


def open_case(root: Path, clock: Clock) -> CaseFolder:
    """Open an existing case.

    Raises CaseFault when it is no case or its store has another schema version.
    """
    return _opened(root, clock)[0]


def open_noting_settings(root: Path, clock: Clock) -> tuple[CaseFolder, bool]:
    """Open an existing case and log a change of its settings, as `note_settings` does; return whether they changed.

    What did not change is told by the one look at the store that opening takes. Raises CaseFault as `open_case` does.
    """
    folder, meta = _opened(root, clock)
    changed = folder.settings().sha256 != meta.get("settings_sha256", "")
    return folder, changed and folder.note_settings()


def _opened(root: Path, clock: Clock) -> tuple[CaseFolder, dict[str, str]]:
    if not (root / "case.toml").is_file():
        raise CaseFault("no case here", place=str(root), hint="make one with `keytrail init CASE`")
    folder = CaseFolder(root, clock)
    if not folder.store_path.exists():
        raise CaseFault(
            "the case has no store",
            place=str(root),
            hint="make a new case and ingest the evidence folder again",
        )
    connection = folder.reader()
    try:
        meta = dict(connection.execute("SELECT name, value FROM meta ORDER BY name").fetchall())
    except duckdb.Error as error:
        raise CaseFault("the store is not one of ours", place=folder.store_path.name) from error
    finally:
        connection.close()
    if meta.get("schema") != SCHEMA_VERSION:
        raise CaseFault(
            f"the store has schema {meta.get('schema', '?')}, this version reads {SCHEMA_VERSION}",
            place=str(root),
            hint="make a new case and ingest its evidence",
        )
    return folder, meta
