"""`make mutation`: delete each predicate of each detection, one at a time, and see whether one of its cases fails.

A predicate is an operand of AND or OR, or the whole condition of WHERE, HAVING, QUALIFY or FILTER where it stands alone. A
mutant that no case notices survives: either a case is missing, or the predicate changes nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path

import sqlglot
from sqlglot import exp

from forensics.model.errors import ForensicsError
from tests.paths import REPOSITORY
from tests.plugin_cases import SUFFIX, CaseError, cases_of, judge, read_cases

#: The window is held by the generic cases of every detection; joins and CASE are no predicates here.
_CLAUSES = (exp.Where, exp.Having, exp.Qualify, exp.Filter)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of the mutants of one query. `survivors`: the predicates that were deleted unnoticed."""

    query_id: str
    killed: int
    survivors: tuple[str, ...]
    invalid: int

    @property
    def mutants(self) -> int:
        """Mutants that ran."""
        return self.killed + len(self.survivors)


def mutants(sql: str) -> Iterator[tuple[str, str]]:
    """Yield (the predicate deleted, the SQL without it)."""
    places = [place for place, _ in enumerate(_operands(sqlglot.parse_one(sql, dialect="duckdb")))]
    for place in places:
        tree = sqlglot.parse_one(sql, dialect="duckdb")
        node = list(_operands(tree))[place]
        text = node.sql(dialect="duckdb")
        # Made true or false, not cut out: a parameter that is bound must still be named.
        node.replace(_neutral(node))
        yield text, tree.sql(dialect="duckdb")


def _neutral(node: exp.Expr) -> exp.Expr:
    if isinstance(node.parent, exp.Or):
        return exp.paren(exp.And(this=exp.paren(node.copy()), expression=exp.false()))
    return exp.paren(exp.Or(this=exp.paren(node.copy()), expression=exp.true()))


def _operands(tree: exp.Expr) -> Iterator[exp.Expr]:
    """Yield each operand of AND and OR, and each condition of one predicate."""
    for node in tree.walk():
        if isinstance(node, exp.And | exp.Or):
            yield from (one for one in (node.left, node.right) if not isinstance(one, exp.And | exp.Or))
        elif isinstance(node, _CLAUSES):
            condition = node.expression if isinstance(node, exp.Filter) else node.this
            if not isinstance(condition, exp.Where | exp.And | exp.Or):  # the WHERE of a FILTER is met by itself
                yield condition


def run_cases(path: Path) -> Result:
    """Run the cases of one case file over every mutant of its query."""
    query, content = read_cases(path)
    alive: dict[int, tuple[str, str]] = dict(enumerate(mutants(query.sql)))
    killed = invalid = 0
    # A predicate that is gone lets more through: what must not match notices most, and what is noticed is not run again.
    order = {"must_not_match": 0, "must_match": 1}
    cases = list(cases_of(query, content))
    beside = [case for _, _, case in cases]
    for _, kind, case in sorted(cases, key=lambda each: order.get(each[1], 2)):
        for number, (_, sql) in list(alive.items()):
            try:
                judge(replace(query, sql=sql), kind, case, beside)
            except CaseError:
                killed += 1
                del alive[number]
            except ForensicsError:
                invalid += 1
                del alive[number]
    return Result(query.id, killed, tuple(text for text, _ in alive.values()), invalid)


def key_of(path: Path) -> str:
    """Return a hash over a case file and its query: what was found of them holds until one changes."""
    query = path.with_name(path.name.removesuffix(SUFFIX) + ".sql")
    return sha256(path.read_bytes() + b"\n" + query.read_bytes()).hexdigest()


def kept_results(file: Path | None) -> dict[str, Result]:
    """Return the results of earlier runs by `key_of`."""
    lines = file.read_text(encoding="utf-8").splitlines() if file and file.exists() else []
    found = {}
    for line in map(json.loads, lines):
        key = line.pop("key")
        found[key] = Result(**line | {"survivors": tuple(line["survivors"])})
    return found


def page(results: Sequence[Result]) -> str:
    """Return docs/mutation.md."""
    total, killed = sum(r.mutants for r in results), sum(r.killed for r in results)
    lines = [
        "# Predicates that cases hold",
        "",
        "Written by `make mutation`: each predicate of each query is deleted once, and a case of the query must fail.",
        "",
        f"{len(results)} queries, {total} mutants, {killed} noticed: {killed * 1000 // max(total, 1) / 10:.1f} %.",
        f"{sum(r.invalid for r in results)} more gave SQL that does not run and are not counted.",
        "",
        "| query | mutants | noticed | predicates deleted unnoticed |",
        "|---|---|---|---|",
    ]
    for r in sorted(results, key=lambda r: (r.killed * 1000 // max(r.mutants, 1), r.query_id)):
        if r.survivors:
            shown = "; ".join(f"`{text[:100]}`" for text in r.survivors[:8]).replace("|", "&#124;")
            more = f"; and {len(r.survivors) - 8} more" if len(r.survivors) > 8 else ""
            lines.append(f"| `{r.query_id}` | {r.mutants} | {r.killed} | {shown}{more} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the page, or the survivors of some queries."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation", description="Delete predicates and run the cases."
    )
    parser.add_argument("files", nargs="*", type=Path, help="case files; those of all detections without")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--kept", type=Path, help="file with results of earlier runs; those of changed queries are added"
    )
    given = parser.parse_args()
    files = given.files or sorted((REPOSITORY / "queries" / "detections").rglob(f"*{SUFFIX}"))
    results, keys = kept_results(given.kept), {path: key_of(path) for path in files}
    todo = [path for path in files if keys[path] not in results]
    with ProcessPoolExecutor(given.jobs) as pool:
        for done, (path, result) in enumerate(zip(todo, pool.map(run_cases, todo), strict=True), 1):
            results[keys[path]] = result
            sys.stderr.write(f"{done} of {len(todo)} {result.query_id}: {result.killed} of {result.mutants}\n")
            sys.stderr.flush()
            if given.kept:
                with given.kept.open("a", encoding="utf-8") as out:
                    out.write(json.dumps({"key": keys[path], **asdict(result)}) + "\n")
    sys.stdout.write(page([results[key] for key in keys.values()]))


if __name__ == "__main__":
    main()
