"""The hunt, indicators and Sigma rules over a case of many events, each in a process of its own.

- the whole pack, from loading the query files to stored findings, with the ten slowest queries;
- 100,000 indicators, from the file to what is said of each;
- the Sigma rules of a folder, and beside them the same rules over the same records as SQL over SQLite, the way of tools
  like Zircolite: every record flattened into a row of text columns, each rule one SELECT that goes through all of them.
  Only the columns that the rules name are filled, which spares SQLite work.

`--times N` also hunts over N times the rows: copied within the store by SQL, with keys and times of their own, because
reading that many records takes longer than all else here. It says nothing of ingest.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
from sigma.conditions import ConditionAND, ConditionFieldEqualsValueExpression, ConditionNOT, ConditionOR
from sigma.types import SigmaBool, SigmaNull, SigmaNumber, SigmaRegularExpression, SigmaString, SpecialChars

from forensics.analysis.context import catalogue
from forensics.analysis.indicators.report import HIT, outcomes_of
from forensics.analysis.indicators.search import search_case
from forensics.analysis.refresh import hunt_case
from forensics.analysis.sigma_hunt import sigma_case
from forensics.ingest.run import IngestOptions, ingest
from forensics.model.clock import system_clock
from forensics.sigma.load import Rule, load_rules
from forensics.store.case_folder import CaseFolder, init_case
from forensics.store.schema import TABLES
from tests.paths import REPOSITORY

INDICATORS = 100_000
RULES = REPOSITORY.parent / "shared" / "data" / "sigma-rules"
Found = dict[str, Any]


def by_hunt(case: Path, _: Path) -> Found:
    """Run the whole pack and store what came."""
    result, _window = hunt_case(CaseFolder(case, system_clock), catalogue(), system_clock)
    states: dict[str, int] = {}
    for outcome in result.outcomes:
        states[str(outcome.state)] = states.get(str(outcome.state), 0) + 1
    queries = {run.query.id: run.milliseconds for run in result.runs}
    return {"queries": queries, "states": states, "findings": len(result.findings)}


def by_ioc(case: Path, given: Path) -> Found:
    """Take in a file of indicators, search for them and say what came of each."""
    folder = CaseFolder(case, system_clock)
    ingest(folder, [given], IngestOptions(indicators=(given,)))
    search_case(folder, system_clock)
    connection = folder.reader()
    outcomes = outcomes_of(connection, folder.settings())
    connection.close()
    return {"indicators": len(outcomes), "hit": sum(o.state == HIT for o in outcomes)}


def by_sigma(case: Path, rules: Path) -> Found:
    """Run the Sigma rules of a folder."""
    result = sigma_case(CaseFolder(case, system_clock), rules, system_clock, store=False)
    ran = [o for o in result.outcomes if str(o.state) in {"hit", "none_seen"}]
    return {"rules": len(ran), "matches": sum(len(o.event_keys) for o in ran if o.rule.correlation is None)}


def by_sqlite(trail: Path, rules: Path) -> Found:
    """Flatten all records into SQLite and run the rules there, each as one SELECT."""
    converted = dict(_converted(load_rules(rules)))
    columns = sorted({name for sql, used in converted.values() for name in used} | {"eventID"})
    store = sqlite3.connect(":memory:")
    store.create_function("REGEXP", 2, lambda pattern, text: text is not None and bool(re.search(pattern, str(text))))
    quoted = ", ".join(f'"{name}" TEXT COLLATE NOCASE' for name in columns)
    store.execute(f"CREATE TABLE logs ({quoted})")
    insert = f"INSERT INTO logs VALUES ({', '.join('?' * len(columns))})"
    started, before = time.perf_counter(), time.process_time()
    for path in sorted(trail.rglob("*.json.gz")):
        records = json.loads(gzip.decompress(path.read_bytes())).get("Records", [])
        flat = (dict(_flat(record, "")) for record in records)
        store.executemany(insert, ([row.get(name) for name in columns] for row in flat))
    loading = {"load_seconds": time.perf_counter() - started, "load_cpu": time.process_time() - before}
    matches = sum(
        len({row[0] for row in store.execute(f"SELECT eventID FROM logs WHERE {sql}")}) for sql, _ in converted.values()
    )
    return {"rules": len(converted), "matches": matches, **loading}


def _flat(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """Yield (path with dots, text) of a record; a list is one text."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else key)
    elif value is not None:
        yield name, value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


class _NotForSqliteError(Exception):
    """A rule that this small conversion does not cover."""


def _converted(rules: list[Rule] | tuple[Rule, ...]) -> Iterator[tuple[str, tuple[str, set[str]]]]:
    for rule in rules:
        if rule.detection is None or rule.fault or rule.other_log or rule.correlation is not None:
            continue
        used: set[str] = set()
        try:
            parts = [_sqlite(one.parsed, used) for one in rule.detection.detection.parsed_condition]
        except _NotForSqliteError:
            continue
        yield rule.id, (" OR ".join(parts), used)


def _sqlite(node: Any, used: set[str]) -> str:
    if isinstance(node, ConditionAND | ConditionOR):
        word = " AND " if isinstance(node, ConditionAND) else " OR "
        return "(" + word.join(_sqlite(part, used) for part in node.args) + ")"
    if isinstance(node, ConditionNOT):
        return f"(NOT coalesce({_sqlite(node.args[0], used)}, 0))"
    if not isinstance(node, ConditionFieldEqualsValueExpression):
        raise _NotForSqliteError
    used.add(node.field)
    return f'"{node.field}" {_test(node.value)}'


def _test(value: Any) -> str:
    if isinstance(value, SigmaNull):
        return "IS NULL"
    if isinstance(value, SigmaBool):
        return f"= '{str(value.boolean).lower()}'"
    if isinstance(value, SigmaNumber):
        return f"= '{value.number}'"
    if isinstance(value, SigmaRegularExpression):
        return f"REGEXP {_literal(str(value.regexp.original))}"
    if not isinstance(value, SigmaString) or not all(isinstance(p, str | SpecialChars) for p in value.s):
        raise _NotForSqliteError
    if all(isinstance(part, str) for part in value.s):
        return f"= {_literal(''.join(str(p) for p in value.s))}"
    wild = {SpecialChars.WILDCARD_MULTI: "%", SpecialChars.WILDCARD_SINGLE: "_"}
    escaped = (
        p.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") if isinstance(p, str) else wild[p]
        for p in value.s
    )  # type: ignore[index]
    return f"LIKE {_literal(''.join(escaped))} ESCAPE '\\'"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


WORK: dict[str, Callable[[Path, Path], Found]] = {
    "hunt": by_hunt, "ioc": by_ioc, "sigma": by_sigma, "sqlite": by_sqlite,
}  # fmt: skip


def measure(kind: str, first: Path, second: Path) -> None:
    """Do one piece of work in this process and print what it took."""
    started = time.perf_counter()
    found = WORK[kind](first, second)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    found |= {"seconds": time.perf_counter() - started, "cpu": usage.ru_utime + usage.ru_stime}
    found["peak"] = usage.ru_maxrss // 1024
    sys.stdout.write("\n" + json.dumps(found))


def child(kind: str, first: Path, second: Path) -> Found | None:
    """Measure in a new process; None, and a line that says so, when it failed."""
    command = [sys.executable, "-m", "tests.bench_hunt", "--measure", kind, str(first), str(second)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.stdout.write(f"  {kind} failed: {done.stderr.strip().splitlines()[-1:]}\n")
        return None
    return dict(json.loads(done.stdout.splitlines()[-1]))


def indicators(target: Path) -> Path:
    """Write invented indicators of several kinds, one of which is in the sample incident."""
    chance = random.Random(7)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    lines = [f"198.51.{n // 256 % 256}.{n % 256}" if n < 65_536 else f"2001:db8::{n:x}" for n in range(40_000)]
    lines += [f"198.18.{n % 256}.{n // 256 * 4 % 256}/30" for n in range(5_000)]
    lines += [f"host{n}.intruder{n % 997}.example" for n in range(25_000)]
    lines += ["AKIA" + "".join(chance.choice(letters) for _ in range(16)) for _ in range(15_000)]
    lines += [f"{chance.getrandbits(256):064x}" for _ in range(10_000)]
    lines += [f"user{n}@intruder{n % 97}.example" for n in range(INDICATORS - len(lines) - 1)]
    target.write_text("\n".join([*lines, "203.0.113.0/24"]) + "\n", encoding="utf-8")
    return target


def multiplied(case: CaseFolder, target: Path, times: int) -> Path:
    """Copy a case and its CloudTrail rows within the store until there are `times` as many."""
    shutil.copytree(case.root, target)
    connection = duckdb.connect(
        ":memory:", config={"threads": "2", "memory_limit": "2GB", "temp_directory": f"{target}.tmp"}
    )
    connection.execute(f"ATTACH '{target / 'case.duckdb'}' AS store (ROW_GROUP_SIZE 30720)")
    connection.execute("USE store")
    for table in ("aws_event", "aws_event_item"):
        names = TABLES[table].stored
        connection.execute(f"CREATE TEMP TABLE once AS SELECT * FROM {table}")
        for n in range(1, times):
            changed = {
                "event_key": f"md5(event_key || '{n}')",
                "event_id": f"event_id || '-{n}'",
                "event_time": f"event_time + INTERVAL {7 * n} MINUTE",
                "event_epoch": f"event_epoch + {420 * n}",
            }
            chosen = ", ".join(changed.get(name, name) for name in names)
            connection.execute(f"INSERT INTO {table} SELECT {chosen} FROM once")
        connection.execute("DROP TABLE once")
    connection.execute("CHECKPOINT store")
    connection.close()
    return target


def trail_of(sample: Path) -> Path:
    """Return the folder of the CloudTrail files of a sample incident."""
    return sample / "aws" / "AWSLogs" / "111122223333" / "CloudTrail"


def say_hunt(name: str, found: Found) -> None:
    """Print what a hunt took and its ten slowest queries."""
    slowest = sorted(found["queries"].items(), key=lambda item: (-item[1], item[0]))[:10]
    sys.stdout.write(
        f"hunt over {name}: {len(found['queries'])} queries {found['seconds']:.1f} s, CPU {found['cpu']:.1f} s,"
        f" peak {found['peak']} MiB; {found['findings']} findings, {found['states']}\n"
        f"  ten slowest: {', '.join(f'{query} {ms / 1000:.2f} s' for query, ms in slowest)}\n"
    )


def bench_hunt(base: Path, case: CaseFolder, trail: Path, rules: Path = RULES, times: int = 0) -> None:
    """Measure hunt, indicators and Sigma over a case whose CloudTrail files lie in `trail`."""
    connection = case.reader()
    events = connection.execute("SELECT count(*) FROM aws_event").fetchall()[0][0]
    connection.close()
    once = child("hunt", case.root, base)
    if once:
        say_hunt(f"{events:,} events", once)
    searched = base / "ioc-case"
    shutil.copytree(case.root, searched)
    if found := child("ioc", searched, indicators(base / "indicators.txt")):
        sys.stdout.write(
            f"ioc: {found['indicators']:,} indicators over {events:,} events {found['seconds']:.1f} s,"
            f" CPU {found['cpu']:.1f} s, peak {found['peak']} MiB; {found['hit']} hit\n"
        )
    shutil.rmtree(searched)
    say_sigma(case, trail, rules, events)
    if times and once:
        if many := child("hunt", multiplied(case, base / "many-rows", times), base):
            say_hunt(f"{times * events:,} rows (copied within the store)", many)
            ratio, cpu = many["seconds"] / once["seconds"], many["cpu"] / once["cpu"]
            sys.stdout.write(f"  {times} times the rows take {ratio:.1f} times as long, {cpu:.1f} times the CPU\n")
        shutil.rmtree(base / "many-rows")


def say_sigma(case: CaseFolder, trail: Path, rules: Path, events: int) -> None:
    """Print what the Sigma rules take here and over SQLite."""
    if not rules.is_dir():
        sys.stdout.write(f"Sigma: no folder of rules ({rules.name}): not measured\n")
        return
    mine, other = child("sigma", case.root, rules), child("sqlite", trail, rules)
    if not (mine and other):
        return
    load = other["load_cpu"]
    sys.stdout.write(
        f"Sigma over {events:,} events: {mine['rules']} rules {mine['seconds']:.1f} s, CPU {mine['cpu']:.1f} s,"
        f" peak {mine['peak']} MiB, {mine['matches']:,} matches\n"
        f"  SQLite: {other['rules']} rules {other['seconds']:.1f} s, CPU {other['cpu']:.1f} s (of these {load:.1f} s to load),"
        f" peak {other['peak']} MiB, {other['matches']:,} matches; ours takes {mine['cpu'] / other['cpu']:.2f} of its CPU time,"
        f" {mine['cpu'] / (other['cpu'] - load):.2f} of that of its queries alone\n"
    )


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench_hunt", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--sample", type=Path, help="folder of a sample incident made before")
    parser.add_argument("--case", type=Path, help="case made of it before")
    parser.add_argument("--rules", type=Path, default=RULES, help="folder of Sigma rules")
    parser.add_argument("--times", type=int, default=0, help="also hunt over so many times the rows, say 10")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        measure(given.measure[0], Path(given.measure[1]), Path(given.measure[2]))
        return
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        sample = given.sample or base / "sample"
        if not given.sample:
            size = ["--events", str(given.events), "--files", "200"]
            subprocess.run([sys.executable, "-m", "forensics.sample", "--output", str(sample), *size], check=True)
        case = CaseFolder(given.case, system_clock) if given.case else None
        if case is None:
            case = init_case(base / "case", system_clock, (sample / "case.toml").read_bytes())
            ingest(case, [sample], IngestOptions(copy=False))
        bench_hunt(base, case, trail_of(sample), given.rules, given.times)


if __name__ == "__main__":
    main()
