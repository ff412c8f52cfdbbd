"""Level 2: nothing is missing or added, the accounts add up, every statement leads to what it rests on."""

from __future__ import annotations

import re
from collections import Counter
from hashlib import sha256
from typing import Any

from forensics.evidence.checks import Check, CheckFailedError, Package, check, require
from forensics.evidence.manifest import SCHEMA, TAG_FILES, TAG_MANIFEST, canonical
from forensics.evidence.structure import FIXED, is_allowed, is_query_id
from forensics.model.outcome import State
from forensics.store.schema import EVENT_TABLES

ACCOUNT = ("seen", "accepted", "duplicate", "defect", "out_of_scope")
_LEDGER, _SOURCES = "data/inventory/ledger.jsonl", "data/inventory/sources.jsonl"
#: Names of a source in package.json and in sources.jsonl.
_SAME = {
    "receipt": "receipt_id", "id": "exhibit", "sha256": "file_sha256", "content_sha256": "content_sha256",
    "size": "size_bytes", "kind": "source_id", "state": "state", "original_name": "name",
}  # fmt: skip


def completeness(package: Package) -> list[Check]:
    """Return the checks of level 2."""
    return [
        check("completeness.layout", lambda: _layout(package)),
        check("completeness.files", lambda: _files(package)),
        check("completeness.sources", lambda: _sources(package)),
        check("completeness.originals", lambda: _originals(package)),
        check("completeness.account", lambda: _account(package)),
        check("completeness.tables", lambda: _tables(package)),
        check("completeness.defects", lambda: _defects(package)),
        check("completeness.queries", lambda: _queries(package)),
        check("completeness.results", lambda: _results(package)),
        check("completeness.findings", lambda: _findings(package)),
        check("completeness.pinned", lambda: _pinned(package)),
    ]


def _layout(package: Package) -> str:
    if package.facts["schema"] != SCHEMA:
        raise CheckFailedError(f"schema {package.facts['schema']!r} is not known; this version knows {SCHEMA}")
    require(f"{name} is missing" for name in FIXED if name not in package.listing.files)
    require(f"{name} is no part of a package" for name in package.listing.files if not is_allowed(name))
    return "every file has its place in the layout"


def _files(package: Package) -> str:
    disk = set(package.listing.files)
    stated = set(package.payload) | set(TAG_FILES) | {TAG_MANIFEST}
    require(
        [f"{n} is added: no manifest covers it" for n in sorted(disk - stated)]
        + [f"{n} is missing" for n in sorted(stated - disk)]
        + [f"{n} is outside of data/" for n in sorted(package.payload) if not n.startswith("data/")]
    )
    return f"{len(disk)} files on disk are exactly those of the manifests"


def _by_receipt(rows: list[dict[str, Any]], name: str, where: str) -> dict[int, dict[str, Any]]:
    found = {_count(row[name]): row for row in rows}
    if len(found) != len(rows):
        raise CheckFailedError(f"{where} has a receipt twice")
    return found


def _count(value: object) -> int:
    """Return a whole number that is not negative. Raises ValueError for anything else, `true` too."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value


def _sources(package: Package) -> str:
    listed = _by_receipt(package.lines(_SOURCES), "receipt_id", "sources.jsonl")
    pinned = _by_receipt(package.facts["sources"], "receipt", "package.json")
    require(
        [f"receipt {n} is not in package.json" for n in sorted(set(listed) - set(pinned))]
        + [f"receipt {n} is not in sources.jsonl" for n in sorted(set(pinned) - set(listed))]
    )
    require(
        f"receipt {number}: {theirs} differs"
        for number, source in sorted(pinned.items())
        for ours, theirs in _SAME.items()
        if source[ours] != listed[number][theirs]
    )
    logged = _by_receipt(package.lines("data/settings/receipts.jsonl"), "receipt_id", "receipts.jsonl")
    require(
        f"receipts.jsonl: receipt {number} is of another file"
        for number, line in sorted(logged.items())
        if number not in listed or line.get("file_sha256") != listed[number]["file_sha256"]
    )
    return f"{len(listed)} receipts are the same in both lists"


def _originals(package: Package) -> str:
    if package.facts["variant"] != "full":
        raise CheckFailedError(f"variant {package.facts['variant']!r} is not known to this version")
    faults, files = [], set()
    purged = {row["file_sha256"] for row in package.facts.get("purged", [])}
    for source in package.facts["sources"]:
        name = source["file"]
        if name is None:
            if source["sha256"] is not None and source["sha256"] not in purged:
                faults.append(f"receipt {source['receipt']}: its original is not in the package")
            continue
        files.add(name)
        if package.listing.files.get(name) != source["size"] or package.payload.get(name) != source["sha256"]:
            faults.append(f"{name} is not the received file of receipt {source['receipt']}")
    disk = {n for n in package.listing.files if n.startswith("data/sources/")}
    require(faults + [f"{n}: no receipt names it" for n in sorted(disk - files)])
    return f"{len(files)} originals are those that were received"


def _account(package: Package) -> str:
    ledger = _by_receipt(package.lines(_LEDGER), "receipt_id", "ledger.jsonl")
    pinned = _by_receipt(package.facts["sources"], "receipt", "package.json")
    faults = [f"receipt {n} has no account" for n in sorted(set(pinned) - set(ledger))]
    faults += [f"receipt {n} has an account only" for n in sorted(set(ledger) - set(pinned))]
    total: Counter[str] = Counter()
    for number, row in sorted(ledger.items()):
        counts = {name: _count(row[name]) for name in ACCOUNT}
        total.update(counts)
        if counts["seen"] != sum(counts[name] for name in ACCOUNT[1:]):
            faults.append(f"receipt {number}: {counts['seen']} seen is not the sum of its parts")
        if number in pinned and pinned[number]["records"] != counts:
            faults.append(f"receipt {number}: package.json has another account")
    stated = package.facts["records"]
    if {name: total[name] for name in ACCOUNT} != stated:
        faults.append("the total in package.json is not the sum of the receipts")
    require(faults)
    return (
        f"{total['seen']} seen = {total['accepted']} accepted + {total['duplicate']} duplicate"
        f" + {total['defect']} defect + {total['out_of_scope']} out of scope"
    )


def _tables(package: Package) -> str:
    rows = {table["name"]: _count(table["rows"]) for table in package.facts["tables"]}
    missing = sorted({*EVENT_TABLES, "occurrence"} - set(rows))
    if missing:
        raise CheckFailedError(f"no count of {', '.join(missing)}")
    records = package.facts["records"]
    held = sum(rows[name] for name in EVENT_TABLES)
    places = _count(records["accepted"]) + _count(records["duplicate"])
    removed = sum(_count(row["rows_removed"]) for row in package.facts.get("withdrawn", []))
    if held != records["accepted"] - removed:
        raise CheckFailedError(
            f"{records['accepted']} records accepted, {removed} withdrawn, {held} rows in the event tables"
        )
    if rows["occurrence"] != places:
        raise CheckFailedError(f"{places} records accepted or duplicate, {rows['occurrence']} places noted")
    left = f" and {removed} left with withdrawn exhibits" if removed else ""
    return f"{held} accepted records are {held} rows{left}"


def _defects(package: Package) -> str:
    found = Counter(row["receipt_id"] for row in package.lines("data/inventory/defects.jsonl") if row["is_record"])
    ledger = _by_receipt(package.lines(_LEDGER), "receipt_id", "ledger.jsonl")
    require(
        f"receipt {number}: {row['defect']} defects counted, {found.get(number, 0)} listed"
        for number, row in sorted(ledger.items())
        if row["defect"] != found.get(number, 0)
    )
    require(f"receipt {number} has defects but no account" for number in found if number not in ledger)
    return f"{found.total()} defective records are listed one by one"


def _query_files(package: Package, folder: str, ending: str) -> set[str]:
    pattern = re.compile(rf"data/{folder}/(.+){re.escape(ending)}")
    return {match[1] for name in package.listing.files if (match := pattern.fullmatch(name))}


def _queries(package: Package) -> str:
    pinned = {query["id"]: query for query in package.facts["queries"]}
    if len(pinned) != len(package.facts["queries"]) or not all(map(is_query_id, pinned)):
        raise CheckFailedError("package.json names a query twice or by no proper id")
    parameters = package.json("data/queries/params.json")
    ran = {identity for identity, query in pinned.items() if query["rows"] is not None}
    faults = [f"{i}: no result" for i, q in sorted(pinned.items()) if q["rows"] is None and q["state"] != State.FAILED]
    for what, found, wanted in (
        ("SQL", _query_files(package, "queries", ".sql"), set(pinned)),
        ("parameters", set(parameters), set(pinned)),
        ("result", _query_files(package, "results", ".jsonl"), ran),
    ):
        faults += [f"{i}: no {what}" for i in sorted(wanted - found)]
        faults += [f"{i}: {what} of a query that is not in package.json" for i in sorted(found - wanted)]
    for identity, query in sorted(pinned.items()):
        if package.sha256(f"data/queries/{identity}.sql") != query["sql_sha256"]:
            faults.append(f"{identity}: its SQL is not the one pinned")
        if sha256(canonical(parameters.get(identity))).hexdigest() != query["params_sha256"]:
            faults.append(f"{identity}: its parameters are not those pinned")
    require(faults)
    return f"{len(pinned)} queries, each with SQL, parameters and result"


def _results(package: Package) -> str:
    faults, rows = [], 0
    for query in package.facts["queries"]:
        if query["rows"] is None:
            continue
        content = package.read(f"data/results/{query['id']}.jsonl")
        rows += _count(query["rows"])
        if sha256(content).hexdigest() != query["logical_sha256"]:
            faults.append(f"{query['id']}: the result is not the one pinned")
        there = content.count(b"\n") - 1
        if there != query["rows"]:
            faults.append(f"{query['id']}: {query['rows']} rows stated, {there} there")
    require(faults)
    return f"{rows} result rows have the logical hashes pinned"


def _findings(package: Package) -> str:
    findings = package.json("data/findings/findings.json")
    pinned = {f["id"]: f for f in package.facts["findings"]}
    results = {query["id"]: query["rows"] for query in package.facts["queries"]}
    faults = [f"{i} is pinned but not there" for i in sorted(set(pinned) - {f["finding_id"] for f in findings})]
    if len(pinned) != len(package.facts["findings"]) or len(pinned) != len(findings):
        faults.append(f"{len(findings)} findings, {len(pinned)} pinned")
    for finding in findings:
        identity = finding["finding_id"]
        entry = pinned.get(identity)
        if entry is None or sha256(canonical(finding)).hexdigest() != entry["sha256"]:
            faults.append(f"{identity} is not the finding pinned")
        elif entry["queries"] != [finding["query_id"]]:
            faults.append(f"{identity} cites another query than pinned")
        if not results.get(finding["query_id"]):
            faults.append(f"{identity} cites {finding['query_id']}, which has no row here")
        if not finding["events"]:
            faults.append(f"{identity} names no event")
    require(faults)
    return f"{len(findings)} findings rest on queries that are here"


def _pinned(package: Package) -> str:
    facts = package.facts
    wanted = {
        "data/findings/verdicts.json": facts["verdicts_sha256"],
        "data/report/report.html": facts["report"]["html_sha256"],
        "data/settings/case.toml": facts["settings_sha256"],
    }
    require(f"{name} is not the file pinned" for name, digest in wanted.items() if package.sha256(name) != digest)
    if package.json("data/env/tool.json") != facts["tool"]:
        raise CheckFailedError("tool.json differs from package.json")
    return "verdicts, report, settings and tool are those pinned"
