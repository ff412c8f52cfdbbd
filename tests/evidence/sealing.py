"""A small case, its package, and what somebody without any key could do to it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from forensics.evidence.manifest import canonical
from forensics.ingest.run import IngestOptions, ingest
from forensics.store.case_folder import CaseFolder
from tests.building import delivery, event, new_case, packed
from tests.paths import REPOSITORY

SETTINGS = b"""
[case]
id = "HERON-1"
title = "A <b>small</b> case"
organisation = "Heron Works"
examiner = "A. Examiner"
[own]
accounts = ["111122223333"]
[times]
t0 = 2026-04-20T00:00:00Z
"""
START = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


class Ticking:
    """A clock that goes on by a second and a bit whenever it is read."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1, microseconds=17)
        return self.now


def usage_page(tokens: int) -> bytes:
    """A page of OpenAI usage whose one bucket every export of it repeats."""
    page = json.loads((REPOSITORY / "tests/base_events/openai_usage_page.json").read_text())
    page["data"][0]["results"][0]["output_tokens"] = tokens
    return json.dumps(page).encode()


def write_logs(folder: Path) -> Path:
    """Logs of every kind that a package must carry: read, double, broken, unknown, empty, a link, with receipts."""
    (folder / "usage").mkdir(parents=True)
    root = {"type": "Root", "arn": "arn:aws:iam::111122223333:root", "accountId": "111122223333"}
    events = [event(n) for n in range(30)] + [event(40, userIdentity=root, eventName="ConsoleLogin")]
    (folder / "trail.json.gz").write_bytes(packed(delivery(events)))
    (folder / "again.json").write_bytes(delivery(events[5:15]))
    broken = delivery([event(50), event(51)])[:-40]
    (folder / "broken.json").write_bytes(broken)
    (folder / "notes <b>.txt").write_bytes(b"call the customer\n")
    (folder / "empty.json").write_bytes(b"")
    (folder / "link.json").symlink_to(folder / "again.json")
    # Neither states when it was received: the one that is read last counts.
    (folder / "usage/a.json").write_bytes(usage_page(400))
    (folder / "usage/b.json").write_bytes(usage_page(900))
    (folder / "receipts.csv").write_text(
        "path,owner,from_whom,received_at,zone\n,Heron Works,A. Sender,,\ntrail.json.gz,Heron Works,A. Sender,2026-05-30T08:00:00Z,\n"
    )
    return folder


def make_case(folder: Path, *, copy: bool = True) -> CaseFolder:
    """A case over those logs."""
    case = new_case(folder, SETTINGS, Ticking)
    ingest(case, [write_logs(folder / "logs")], IngestOptions(copy=copy, by="A. Examiner"))
    return case


def rehash(package: Path) -> None:
    """Write both manifests and the payload's size anew, as anybody can."""
    files = sorted(p.relative_to(package).as_posix() for p in (package / "data").rglob("*") if p.is_file())
    digest = {name: sha256((package / name).read_bytes()).hexdigest() for name in files}
    (package / "manifest-sha256.txt").write_text("".join(f"{digest[n]}  {n}\n" for n in files))
    size = sum((package / name).stat().st_size for name in files)
    info = [
        line if not line.startswith("Payload-Oxum") else f"Payload-Oxum: {size}.{len(files)}"
        for line in (package / "bag-info.txt").read_text().splitlines()
    ]
    (package / "bag-info.txt").write_text("\n".join(info) + "\n")
    tags = ("bag-info.txt", "bagit.txt", "manifest-sha256.txt")
    lines = (f"{sha256((package / n).read_bytes()).hexdigest()}  {n}\n" for n in tags)
    (package / "tagmanifest-sha256.txt").write_text("".join(lines))


def edit_facts(package: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change package.json and rehash: every hash agrees again."""
    path = package / "data/package.json"
    facts = json.loads(path.read_bytes())
    change(facts)
    path.write_bytes(canonical(facts))
    rehash(package)


def digest_of(package: Path) -> str:
    """The package digest as a receiver computes it."""
    return sha256((package / "tagmanifest-sha256.txt").read_bytes()).hexdigest()


def copy_of(package: Path, folder: Path) -> Path:
    """A copy that a test may change."""
    shutil.copytree(package, folder / "package", symlinks=True)
    return folder / "package"
