"""keytrail exposure"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from forensics.analysis.context import catalogue
from forensics.analysis.verdicts import ExposureResult, compute, exposure_case, prepare
from forensics.cli.console import out, out_json, out_table, say
from forensics.cli.options import FIND, ByOption, CaseArgument, DryRunOption, JsonOption, open_noting
from forensics.model.clock import iso, system_clock
from forensics.model.errors import ExitCode, UsageFault, first_of
from forensics.store.case_folder import CaseFolder, trial_copy

_FINDING = frozenset(
    {"confirmed", "suspicious", "misused_path_not_seen", "exposed_no_abuse_seen", "exposed_not_evaluable"}
)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("exposure", rich_help_panel=FIND)
    def exposure(
        case: CaseArgument = None,
        customer: Annotated[str, typer.Option(help="Only the keys of this customer.")] = "",
        by: ByOption = "",
        dry_run: DryRunOption = False,
        json_: JsonOption = False,
    ) -> int:
        """Which keys were exposed, which were abused, and why: a proposed verdict for each key."""
        folder, _ = open_noting(case)
        queries = catalogue()
        if dry_run:
            with trial_copy(folder) as trial:
                prepare(trial)
                result = compute(trial, queries)
        else:
            result = exposure_case(folder, queries, system_clock, by)
        template = None if dry_run else _write_template(folder, result)
        answers = [a for a in result.answers if not customer or a["customer"] == customer]
        if customer and not answers:
            raise UsageFault(
                f"no key belongs to {customer!r}",
                hint="customers are named as in the inventory: "
                + ", ".join(sorted({a["customer"] for a in result.answers if a["customer"]})),
            )
        if json_:
            out_json(
                {
                    "keys": answers,
                    "not_in_inventory": result.unlisted,
                    "inventory_template": template,
                    "cloud_use": [] if customer else result.cloud_use,
                }
            )
        else:
            _print(answers, result, template)
        return int(exit_code(answers))


def exit_code(answers: list[dict[str, Any]]) -> ExitCode:
    """Return 10 with exposure or abuse, 6 with something not evaluable, else 0."""
    conditions = {ExitCode.FINDINGS for a in answers if a["verdict"] in _FINDING}
    conditions |= {ExitCode.UNDECIDED for a in answers if "not_evaluable" in {a["exposure"], a["abuse"]}}
    return first_of(conditions)


def _write_template(folder: CaseFolder, result: ExposureResult) -> str | None:
    """Write an inventory template once, when the case has no inventory; never over an existing file."""
    if not result.answers or any(a["basis"] == "inventory" for a in result.answers):
        return None
    path = folder.root / "inventory" / "inventory_template.csv"
    if not path.exists():
        path.write_text(result.template, encoding="utf-8", newline="")
    return f"inventory/{path.name}"


def _cost(answer: dict[str, Any]) -> str:
    cost = answer["excess_cost"]
    if not cost:
        return "-"
    kind = answer["costs"][0]["kind"]
    return f"{cost['currency']} {cost['mid']:.2f} ({cost['low']:.2f} to {cost['high']:.2f}) {kind}"


def _print_prices(answers: list[dict[str, Any]], result: ExposureResult) -> None:
    """Say what the intruder's own model calls cost, and which price table estimates rest on."""
    used = []
    for entry in result.cloud_use:
        estimate = entry["estimate"]
        told = entry["not_priced"]
        if estimate:
            told = f"{estimate['currency']} {estimate['mid']:.2f} ({estimate['low']:.2f} to {estimate['high']:.2f}) {estimate['kind']}"
        used.append(
            (entry["account_id"], entry["region"], entry["model"], entry["calls"], entry["calls_with_tokens"], told)
        )
    if used:
        out_table("model calls of the intruder", ("account", "region", "model", "calls", "with tokens", "cost"), used)
    figures = [c for a in answers for c in a["costs"]] + [e["estimate"] for e in result.cloud_use if e["estimate"]]
    for name, as_of, digest in sorted(
        {(p["name"], p["as_of"], p["sha256"]) for f in figures for p in f["prices"] or ()}
    ):
        say(f"estimates rest on {name} as of {as_of} (SHA-256 {digest}); `keytrail prices` shows them")


def _active(answer: dict[str, Any]) -> str:
    """Say whether the key was still used, and as of when: nothing is known after the horizon of its usage."""
    said = {True: "yes", False: "no", None: "unknown"}[answer["still_active"]]
    known = answer["still_active"] is not None and answer["as_of"]
    return f"{said}, as of {iso(answer['as_of'])}" if known else said


def _print(answers: list[dict[str, Any]], result: ExposureResult, template: str | None) -> None:
    columns = (
        "customer",
        "key",
        "verdict",
        "exposure",
        "abuse",
        "exposed at",
        "excess cost",
        "still active",
        "reasons",
    )
    rows = [
        (
            a["customer"],
            f"{a['provider']} {a['key_id']}",
            str(a["verdict"]),
            a["exposure"],
            a["abuse"],
            a["exposed_at"]["from"] if a["exposed_at"] else None,
            _cost(a),
            _active(a),
            "; ".join(r["text"] for r in a["reasons"]),
        )
        for a in answers
    ]
    out_table("", columns, rows)
    _print_prices(answers, result)
    if not answers:
        out("no key is known: ingest a key inventory, or logs that name stored secrets or provider keys")
    if template:
        say(f"there is no key inventory: {template} holds what was seen, to be filled in and ingested")
    if result.unlisted:
        say(
            f"{len(result.unlisted)} provider keys in the logs are not in the inventory: "
            + ", ".join(u["key_id"] for u in result.unlisted[:8])
        )
    if result.window.assumed_t0:
        say("T0 is not stated in the settings: baselines rest on the first exposure, and verdicts may move")
