"""`make bench`: ratios within one run, medians of interleaved rounds. Nothing here is asserted by a test.

The same events lie in many small and in a few large files. Each ingest, and each other reader it is compared with, runs
in a process of its own, so that its peak memory and its processor time are its own:

- `read_json` of DuckDB into a table of a database file;
- chdb, `JSONAsString` into a MergeTree table, where it is installed (`pip install chdb`; it has no wheel for Windows);
- orjson, which only decompresses and parses, and keeps nothing.

`--doubled` ingests every record twice, `--large N` measures the memory of N events in files of the usual size.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import orjson

from forensics.analysis.context import catalogue
from forensics.analysis.verdicts import exposure_case
from forensics.evidence.log_integrity import check_logs
from forensics.ingest.run import IngestOptions, ingest
from forensics.model.clock import system_clock
from forensics.store.case_folder import CaseFolder, init_case
from tests.bench_exposure import bench_exposure
from tests.bench_hunt import bench_hunt, trail_of
from tests.integrity.chain_kit import Kit, key_list, log_key

LARGEST_OBJECT = {"many": 100_000_000, "few": 1_000_000_000}


def timed(work: Callable[[], object]) -> float:
    """Seconds a piece of work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def by_read_json(trail: Path, target: Path, largest: int) -> Path:
    """Read into a table of a DuckDB database file; returns the file."""
    database = target.with_suffix(".duckdb")
    with duckdb.connect(str(database), config={"threads": "2"}) as connection:
        names = f"'{trail}/**/*.json.gz', maximum_object_size={largest}"
        connection.execute(f"CREATE TABLE t AS SELECT unnest(Records) FROM read_json({names})")
    return database


def by_chdb(trail: Path, target: Path, _: int) -> None:
    """Read each file as one text and its records as rows of a MergeTree table."""
    session = import_module("chdb.session").Session(str(target.with_suffix(".chdb")))
    session.query("CREATE DATABASE b")
    session.query("CREATE TABLE b.t (record String) ENGINE = MergeTree ORDER BY tuple()")
    session.query(
        "INSERT INTO b.t SELECT arrayJoin(JSONExtractArrayRaw(json, 'Records'))"
        f" FROM file('{trail}/**/*.json.gz', 'JSONAsString', 'json String')"
        " SETTINGS input_format_allow_errors_num = 0, max_threads = 2"
    )
    session.close()


def by_orjson(trail: Path, _: Path, __: int) -> None:
    """Decompress and parse each file."""
    for path in sorted(trail.rglob("*.json.gz")):
        orjson.loads(gzip.decompress(path.read_bytes()))


def by_ingest(trail: Path, target: Path, _: int) -> Path:
    """Ingest into a case, which is made when there is none; returns its store."""
    if not target.exists():
        init_case(target, system_clock)
    ingest(CaseFolder(target, system_clock), [trail], IngestOptions(copy=False))
    return target / "case.duckdb"


READERS: dict[str, Callable[[Path, Path, int], Path | None]] = {
    "ingest": by_ingest, "read_json": by_read_json, "chdb": by_chdb, "orjson": by_orjson,
}  # fmt: skip


def measure(kind: str, trail: Path, target: Path, largest: int) -> None:
    """Do one piece of work in this process and print seconds, CPU seconds, peak MiB and blocks of the database."""
    before = processor_seconds()
    made: list[Path | None] = []
    seconds = timed(lambda: made.append(READERS[kind](trail, target, largest)))
    found = {"seconds": seconds, "cpu": processor_seconds() - before, "used": 0, "free": 0}
    found["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    if made[0]:
        with duckdb.connect(str(made[0]), read_only=True) as connection:
            sql = "SELECT block_size * used_blocks, block_size * free_blocks FROM pragma_database_size()"
            found["used"], found["free"] = connection.execute(sql).fetchall()[0]
    sys.stdout.write("\n" + json.dumps(found))


def processor_seconds() -> float:
    """CPU seconds of this process so far, those of the system for it included."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def child(kind: str, trail: Path, target: Path, largest: int = 0) -> dict[str, float]:
    """Measure in a new process."""
    command = [sys.executable, "-m", "tests.bench", "--measure", kind, str(trail), str(target), str(largest)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.stdout.write(f"  {kind} failed: {done.stderr.strip().splitlines()[-1:]}\n")
        return dict.fromkeys(("seconds", "cpu", "peak", "used", "free"), float("nan"))
    return dict(json.loads(done.stdout.splitlines()[-1]))


def sample(base: Path, events: int, files: int) -> Path:
    """Write the sample incident; returns the folder of its trail."""
    size = ["--events", str(events), "--files", str(files)]
    subprocess.run([sys.executable, "-m", "forensics.sample", "--output", str(base), *size], check=True)
    return base / "aws" / "AWSLogs" / "111122223333" / "CloudTrail"


def compare(base: Path, name: str, events: int, files: int, rounds: int) -> Path:
    """Compare ingest with the other readers over one set of files; returns the last case."""
    trail = sample(base / name, events, files)
    packed = size_of(trail)
    others = ["read_json", "orjson", *(["chdb"] if find_spec("chdb") else [])]
    runs: dict[str, list[dict[str, float]]] = {kind: [] for kind in ("ingest", *others)}
    for number in range(rounds):
        for kind, found in runs.items():
            target = base / (f"{name}{number}" if kind == "ingest" else f"{name}-{kind}{number}")
            found.append(child(kind, trail, target, LARGEST_OBJECT[name]))
    case = base / f"{name}{rounds - 1}"
    again = child("ingest", trail, case)
    middle = {k: {n: statistics.median(r[n] for r in found) for n in found[0]} for k, found in runs.items()}
    mine, last = middle["ingest"], runs["ingest"][-1]
    sys.stdout.write(
        f"{name}: {events:,} events in {files} files, {packed / 1e6:.1f} MB compressed\n"
        f"  ingest {mine['seconds']:.1f} s ({events / mine['seconds']:,.0f} events/s), CPU {mine['cpu']:.1f} s\n"
    )
    for kind in others:
        other = middle[kind]
        sys.stdout.write(
            f"  {kind} {other['seconds']:.1f} s, CPU {other['cpu']:.1f} s, peak {other['peak']:.0f} MiB;"
            f" ingest takes {mine['seconds'] / other['seconds']:.2f} of its time,"
            f" {mine['cpu'] / other['cpu']:.2f} of its CPU time\n"
        )
    if "chdb" not in others:
        sys.stdout.write("  chdb is not installed: not compared with it\n")
    say_sizes(max(run["peak"] for run in runs["ingest"]), last, packed)
    sys.stdout.write(
        f"  second ingest of the same folder {again['seconds']:.2f} s, ratio {again['seconds'] / mine['seconds']:.2f}\n"
    )
    return case


def size_of(folder: Path) -> int:
    """Bytes of the compressed files of a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*.json.gz"))


def say_sizes(peak: float, run: dict[str, float], packed: int) -> None:
    """Print peak memory and blocks of the database."""
    used, free = run["used"], run["free"]
    sys.stdout.write(
        f"  peak memory {peak:.0f} MiB; database {used / 1e6:.1f} MB used, {used / packed:.2f} times the compressed"
        f" input, {free / (used + free):.1%} of its blocks free\n"
    )


def doubled(base: Path, events: int, files: int) -> None:
    """Ingest each record twice: the second time out of a file with other bytes."""
    trail = sample(base / "doubled", events, files)
    for path in sorted(trail.rglob("*.json.gz")):
        write_file(path.with_name("again-" + path.name), gzip.compress(gzip.decompress(path.read_bytes()) + b"\n", 6))
    run = child("ingest", trail, base / "doubled-case")
    sys.stdout.write(f"doubled: {events:,} events, each twice: {run['seconds']:.1f} s, CPU {run['cpu']:.1f} s\n")
    say_sizes(run["peak"], run, size_of(trail))


def large(base: Path, events: int, usual: int) -> None:
    """Compare the memory of many events with that of as few as usual, in files of the same size."""
    peaks = []
    for count in (usual, events):
        name = f"large{count}"
        trail = sample(base / name, count, max(5, count // 100_000))
        run = child("ingest", trail, base / f"{name}-case")
        sys.stdout.write(f"large: {count:,} events: {run['seconds']:.1f} s, CPU {run['cpu']:.1f} s\n")
        say_sizes(run["peak"], run, size_of(trail))
        peaks.append(run["peak"])
        shutil.rmtree(base / name)
    sys.stdout.write(f"  peak memory {peaks[1] / peaks[0]:.2f} times that of {usual:,} events\n")


def compare_logs(base: Path, files: int) -> None:
    """Compare verify-logs with reading, decompressing and hashing the same files alone, on as many threads."""
    kit, hundred = Kit(hours=0), 100
    before: dict[str, Any] | None = None
    for hour in range(files // hundred):
        listed = []
        for number in range(hundred):
            key = log_key(hour, number).replace(".json", f"_{number:03d}.json")
            events = [
                {"eventVersion": "1.11", "eventID": f"{hour}-{number}-{n}", "requestID": f"{hour * n:032x}"}
                for n in range(60)
            ]
            raw = json.dumps({"Records": events}).encode()
            write_file(base / "logs" / key, gzip.compress(raw, mtime=0))
            listed.append(
                {"s3Bucket": "b", "s3Object": key, "hashAlgorithm": "SHA-256", "hashValue": sha256(raw).hexdigest()}
            )
        before = kit.add(hour, before, logFiles=listed)
    for key, raw in kit.digests.items():
        write_file(base / "logs" / key, gzip.compress(raw, mtime=0))
    write_file(base / "logs" / "keys.json", key_list(kit.key))
    write_file(base / "logs" / "metadata.json", json.dumps(kit.metadata).encode())
    case = init_case(base / "logs-case", system_clock)
    ingest(case, [base / "logs"], IngestOptions(copy=False))
    paths = sorted(p for p in (base / "logs").rglob("*") if p.is_file())

    def alone() -> None:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(hashed, paths))

    def both(work: Callable[[], object]) -> tuple[float, float]:
        """Wall clock and processor time: the second says more on a machine that is busy with other things."""
        before = time.process_time()
        return timed(work), time.process_time() - before

    rounds = [(*both(lambda: check_logs(case, system_clock)), *both(alone)) for _ in range(3)]
    mine, cpu, other, other_cpu = (statistics.median(each) for each in zip(*rounds, strict=True))
    sys.stdout.write(
        f"verify-logs: {len(paths):,} files {mine:.1f} s, hashed alone {other:.1f} s, ratio {mine / other:.2f};"
        f" processor {cpu:.1f} s and {other_cpu:.1f} s, ratio {cpu / other_cpu:.2f}\n"
    )


def write_file(path: Path, data: bytes) -> None:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def hashed(path: Path) -> str:
    """Read, hash, decompress and hash again."""
    data = path.read_bytes()
    sha256(data).digest()
    return sha256(gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data).hexdigest()


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure ingest, hunt and exposure.")
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--many", type=int, default=1_000, help="files of the first set")
    parser.add_argument("--few", type=int, default=5, help="files of the second set")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--logs", type=int, default=100_000, help="log files for verify-logs, 0 for none")
    parser.add_argument("--doubled", action="store_true", help="also ingest each record twice")
    parser.add_argument("--large", type=int, default=0, help="also measure the memory of this many events, say 5000000")
    parser.add_argument("--times", type=int, default=0, help="also hunt over so many times the rows, say 10")
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        kind, trail, target, largest = given.measure
        measure(kind, Path(trail), Path(target), int(largest))
        return
    with tempfile.TemporaryDirectory() as name:
        bench_exposure(Path(name))
        if given.logs:
            compare_logs(Path(name), given.logs)
        compare(Path(name), "few", given.events, given.few, given.rounds)
        case = CaseFolder(compare(Path(name), "many", given.events, given.many, given.rounds), system_clock)
        bench_hunt(Path(name), case, trail_of(Path(name) / "many"), times=given.times)
        exposure = timed(lambda: exposure_case(case, catalogue(), system_clock))
        sys.stdout.write(f"exposure over it: {exposure:.1f} s\n")
        if given.doubled:
            doubled(Path(name), given.events, given.few)
        if given.large:
            large(Path(name), given.large, given.events)


if __name__ == "__main__":
    main()
