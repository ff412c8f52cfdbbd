"""Check the log files of a case against the digests in it: read every original again, judge, store, note in custody."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from forensics.ingest.archives import members
from forensics.ingest.unpack import COMPRESSED, GZIP, Limits, archive_kind, unpack
from forensics.ingest.unpacking import is_locked, limits_of
from forensics.integrity.chains import DigestVerdict
from forensics.integrity.check import Checked, check
from forensics.integrity.digest import ChainName
from forensics.integrity.log_states import LogVerdict
from forensics.integrity.pieces import FOREIGN, KEYS, Piece, examine, opened, piece_of
from forensics.model.clock import Clock, iso
from forensics.model.errors import UsageFault
from forensics.store.basis import CHECK_PARTS, components, fingerprint
from forensics.store.case_folder import CaseFolder
from forensics.store.duckdb_engine import rows_of
from forensics.store.eventstore import EventStore, text_json

_FILES = """
SELECT f.file_sha256, f.exhibit, f.size_bytes, f.stored_as, f.original_path, arg_min(r.path, r.receipt_id) AS path,
       arg_max(coalesce(r.unpacking, ''), r.receipt_id) AS unpacking
FROM evidence_file AS f JOIN receipt AS r USING (file_sha256)
WHERE f.state <> 'settings' AND f.file_sha256 NOT IN (SELECT file_sha256 FROM withdrawal)
GROUP BY ALL ORDER BY f.file_sha256
"""
_RECEIPTS = """
SELECT file_sha256, max(from_whom) AS from_whom, max(received_at) AS received_at, max(means) AS means FROM receipt
WHERE file_sha256 IN (SELECT file_sha256 FROM evidence_file WHERE source_id = 'cloudtrail_public_keys')
GROUP BY file_sha256 ORDER BY file_sha256
"""
_WITH_EVENTS = "SELECT DISTINCT file_sha256, member_path FROM occurrence WHERE table_name = 'aws_event'"
#: Where the keys that were pinned for a case are kept: the check can be repeated from the package.
PINNED = "pinned_keys.json"
#: What was said of where the pinned keys are from, beside them.
PINNED_ORIGIN = "pinned_keys.origin.txt"
#: Files that one thread takes at once.
_BATCH = 64

Progress = Callable[[int, int, int], None]
"""Called with (files done, bytes done, pieces found)."""


@dataclass(frozen=True, slots=True)
class LogCheck:
    """What was found, and originals that could not be read: (exhibit, path, reason).

    `obtained`: by fingerprint, from whom and when each public key came, as the receipt or the one who pinned it says.
    """

    checked: Checked
    unread: tuple[tuple[str, str, str], ...]
    obtained: dict[str, str] = field(default_factory=dict)


def files_of(connection: Any) -> list[dict[str, Any]]:
    """Return the received files that are read again, each with its first path."""
    return rows_of(connection, _FILES)


def read_pinned(path: Path) -> Piece:
    """Read a file of keys that were obtained apart from the evidence. Raises UsageFault when it holds none."""
    try:
        piece = examine(path.name, path.read_bytes())
    except OSError as error:
        raise UsageFault("the pinned keys cannot be read", place=str(path), hint=str(error.strerror)) from error
    if piece.kind != KEYS:
        raise UsageFault(
            "the file holds no public keys",
            place=str(path),
            hint="save the answer of `aws cloudtrail list-public-keys`",
        )
    return piece


def check_logs(
    folder: CaseFolder,
    clock: Clock,
    by: str = "",
    *,
    pinned: Path | None = None,
    pinned_origin: str = "",
    password: str | None = None,
    progress: Progress = lambda *_: None,
    threads: int = 0,
) -> LogCheck:
    """Check all log files and digests of a case and store what came, with what it rests on.

    `pinned`: keys obtained apart from the evidence; they are kept in the case folder and count until others are given.
    `pinned_origin`: from where and when, in the words of the one who obtained them; kept beside them.
    Raises UsageFault for a file of pinned keys without a key and for a password that is needed, CaseFault when the case is in use.
    """
    keys = read_pinned(pinned) if pinned else None
    connection = folder.reader()
    try:
        files = files_of(connection)
        with_events = {(row[0], row[1]) for row in connection.execute(_WITH_EVENTS).fetchall()}
        receipts = {r["file_sha256"]: r for r in rows_of(connection, _RECEIPTS)}
    finally:
        connection.close()
    if password is None and any(is_locked(row["unpacking"]) for row in files):
        raise UsageFault("a password opened archives of this case", hint="give it again with --ask-password")
    kept, said = folder.root / PINNED, folder.root / PINNED_ORIGIN
    if keys is None and kept.exists():
        keys = read_pinned(kept)
    with _without_collector():
        pieces, unread = _read(folder, files, with_events, password, progress, threads)
        checked = check(pieces, [keys] if keys else [])
        if pinned and keys:
            kept.write_bytes(keys.body)
            said.write_text(pinned_origin, encoding="utf-8")
        _store(folder, clock, by, checked, keys, pinned_origin if pinned else "")
    stated = said.read_text(encoding="utf-8") if said.exists() else ""
    obtained = {
        name: stated if key.origin == "pinned" else _obtained(receipts.get(key.file_sha256))
        for name, key in sorted(checked.keys.keys.items())
    }
    return LogCheck(checked, tuple(unread), obtained)


def _obtained(receipt: dict[str, Any] | None) -> str:
    """Say from whom, when and how a key file came, as its receipt states it."""
    if receipt is None:
        return ""
    when = iso(receipt["received_at"]) if receipt["received_at"] else ""
    parts = (("from ", receipt["from_whom"]), ("received ", when), ("by ", receipt["means"]))
    return ", ".join(f"{word}{text}" for word, text in parts if text)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Leave out Python's search for cycles: a check keeps all its many small objects to its end, and they form none.

    With a hundred thousand files that search took a fifth of the time.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _read(
    folder: CaseFolder,
    files: list[dict[str, Any]],
    with_events: set[tuple[str, str]],
    password: str | None,
    progress: Progress,
    threads: int,
) -> tuple[list[Piece], list[tuple[str, str, str]]]:
    """Read and hash all originals, on all cores: hashing and decompression work outside of Python's lock."""
    pieces: list[Piece] = []
    unread: list[tuple[str, str, str]] = []
    size = 0

    def one(row: dict[str, Any]) -> list[Piece] | str:
        stored = row["stored_as"]
        place = os.path.join(folder.root, stored) if stored else row["original_path"] or ""  # noqa: PTH118 - as below
        try:
            with open(place, "rb", buffering=0) as stream:  # noqa: PTH123 - many small files: Path costs a third of the time
                received = stream.read()
        except OSError as error:
            return f"the original cannot be read: {error.strerror}"
        found = _pieces(row, received, with_events, password)
        own = found[0].received_sha256 if len(found) == 1 and not found[0].member_path else sha256(received).hexdigest()
        if own != row["file_sha256"]:
            return "the original is not the file that was received: its SHA-256 differs"
        return found

    def several(rows: list[dict[str, Any]]) -> list[list[Piece] | str]:
        return [one(row) for row in rows]

    batches = [files[at : at + _BATCH] for at in range(0, len(files), _BATCH)]
    number = 0
    with ThreadPoolExecutor(threads or os.cpu_count() or 1, thread_name_prefix="hash") as pool:
        for rows, answers in zip(batches, pool.map(several, batches), strict=True):
            for row, found in zip(rows, answers, strict=True):
                number, size = number + 1, size + (row["size_bytes"] or 0)
                if isinstance(found, str):
                    unread.append((row["exhibit"], row["path"], found))
                else:
                    pieces += found
            progress(number, size, len(pieces))
    return pieces, unread


def _pieces(
    row: dict[str, Any], received: bytes, with_events: set[tuple[str, str]], password: str | None
) -> list[Piece]:
    limits = limits_of(row["unpacking"])
    content, container = _opened(received, limits)
    if not _is_archive(content):
        return [_piece(row, row["path"], received, "", content, container, with_events)]
    return [
        _piece(row, m.path.rpartition("!")[2], m.data, m.path, *_opened(m.data, limits), with_events)
        for m in members(received, limits, password)
        if m.data is not None
    ]


def _piece(
    row: dict[str, Any],
    name: str,
    data: bytes,
    member_path: str,
    content: bytes,
    container: str,
    with_events: set[tuple[str, str]],
) -> Piece:
    file_sha256 = row["file_sha256"]
    source_id = "aws_cloudtrail" if (file_sha256, member_path) in with_events else ""
    return piece_of(
        name, data, content, container, exhibit=row["exhibit"], member_path=member_path, file_sha256=file_sha256,
        source_id=source_id,
    )  # fmt: skip


def _opened(received: bytes, limits: Limits) -> tuple[bytes, str]:
    foreign = received.startswith(COMPRESSED) and not received.startswith(GZIP)
    return (unpack(received, limits).data, FOREIGN) if foreign else opened(received)


def _is_archive(content: bytes) -> bool:
    """Whether it is an archive, or compressed once more, as an archive perhaps is. JSON is neither, and is told first."""
    return content[:1] not in (b"{", b"[") and (bool(archive_kind(content)) or content.startswith(COMPRESSED))


def _store(
    folder: CaseFolder, clock: Clock, by: str, checked: Checked, pinned: Piece | None, pinned_origin: str
) -> None:
    rows = stored_rows(checked)
    with folder.writer("verify-logs") as connection:
        store, now = EventStore(connection), clock().replace(tzinfo=None)
        parts = components(connection, folder, "")
        basis = {name: parts[name] for name in CHECK_PARTS} | {"keys": pinned.content_sha256 if pinned else ""}

        def work() -> None:
            for table, found in rows.items():
                store.replace(table, found)
            store.rest_on("verify-logs", fingerprint(basis), basis, now)

        store.transact(work)
        folder.custody.append(
            "logs verified",
            by or folder.settings().examiner,
            fingerprint=fingerprint(basis),
            **({"pinned_origin": pinned_origin} if pinned_origin else {}),
            digests=_counted(row["state"] for row in rows["log_digest"]),
            log_files=_counted(row["state"] for row in rows["log_integrity"]),
        )


def _counted(states: Iterable[str]) -> dict[str, int]:
    out: dict[str, int] = {}
    for state in sorted(states):
        out[state] = out.get(state, 0) + 1
    return out


def stored_rows(checked: Checked) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of log_chain, log_digest and log_integrity."""
    return {
        "log_chain": [
            {
                **_name(chain.name),
                "states": ",".join(chain.states),
                "digests": sum(v.digest is not None for v in chain.verdicts),
                "missing": chain.missing,
                "first_start": chain.first,
                "last_end": chain.last,
                "hours": chain.hours(proven=False),
                "hours_proven": chain.hours(proven=True),
                "hours_empty": chain.hours(proven=True, empty=True),
                "faults": text_json(chain.faults),
            }
            for chain in checked.chains
        ],
        "log_digest": [_digest(v) for chain in checked.chains for v in chain.verdicts],
        "log_integrity": [_log(v) for v in checked.logs]
        + [
            {
                **_place(v.piece),
                "object": v.name,
                "state": v.state,
                "integrity": _lake_word(v.state),
                "reason": v.reason,
            }
            for v in checked.lake
        ],
    }


def _lake_word(state: str) -> str:
    return {"valid": "signed", "listed_by_unverified_digest": "content hash only", "hash_mismatch": "failed"}.get(
        state, "not covered"
    )


def _name(name: ChainName) -> dict[str, Any]:
    return {
        "account": name.account,
        "organisation": name.organisation,
        "region": name.region,
        "trail": name.trail,
        "home_region": name.home_region,
        "backfill": name.backfill,
    }


def _place(piece: Piece | None) -> dict[str, Any]:
    if piece is None:
        return {}
    return {
        "exhibit": piece.exhibit,
        "file_sha256": piece.file_sha256,
        "member_path": piece.member_path,
        "content_sha256": piece.content_sha256,
    }


def _digest(verdict: DigestVerdict) -> dict[str, Any]:
    digest, key = verdict.digest, verdict.public_key
    return {
        **_name(verdict.chain),
        **_place(digest.piece if digest else None),
        "object": verdict.key,
        "bucket": verdict.bucket,
        "start_at": digest.start if digest else None,
        "end_at": digest.end if digest else None,
        "state": verdict.state,
        "reason": verdict.reason,
        "log_files": len(digest.logs) if digest else None,
        "fingerprint": digest.fingerprint if digest else None,
        "key_origin": key.origin if key else None,
        "key_file": key.file if key else None,
        "key_in_validity": verdict.key_in_validity,
    }


def _log(verdict: LogVerdict) -> dict[str, Any]:
    return {
        **_place(verdict.piece),
        "object": verdict.key,
        "bucket": verdict.bucket,
        "state": verdict.state,
        "integrity": verdict.word,
        "reason": verdict.reason,
        "digest_object": verdict.digest.key if verdict.digest else None,
    }
