"""The field reference, made from the one definition of the tables: `python -m forensics.store.reference`."""

from __future__ import annotations

import sys

from forensics.model.columns import Column, Table
from forensics.store.schema import EVENT_TABLES, SCHEMA_VERSION, TABLES, VIEW_NAMES

_HEAD = """# Fields of the store

Made by `make docs` from `forensics/store/schema.py`; a test compares the two. Change the definition, never this page.

Schema version {version}. The store is `case.duckdb` in the case folder: it is rebuilt from the evidence and the case's
own text files, and is never itself evidence. All times are naive UTC `TIMESTAMP`, end of an interval exclusive; ids,
account numbers and versions are text; money is `DECIMAL(28,12)`; `JSON` is kept as text in a `VARCHAR` column.
"""

#: What each view is for; the columns are in its SQL, in `forensics/store/schema.py`.
VIEW_MEANING: dict[str, str] = {
    "secret_access": "One row an access to a stored secret, parameter or function configuration; denied ones too.",
    "ai_key_stated": "Rows of the inventory as each received file has them, empty text where they say nothing; `key_id` also where a hash, hint, name or place of the row decides it.",
    "ai_key_standing": "Rows of `ai_key` that stand: of each key those of the newest version of the inventory that names it, by its id or by another name that decides it (then `key_id` is that id); a key that a later version leaves out stays.",
    "key_read": "One row a successful read of a place where, by the inventory, a key stands; `key` is its id, else its name, else its place. A read of a path reaches all below it; services that read for themselves are no readers.",
    "event_integrity": "One row a CloudTrail event, once `keytrail verify-logs` ran: signed, content hash only, failed or not covered, by the best of the files that hold it; `in_failed_file` when one of them failed.",
    "finding_group": "Findings of the last hunt put together by query, principals and resource, as `hunt` shows them; `principals` and `resources` are lists in JSON, `place` is the order of severity, confidence and time.",
    "ai_usage_earlier": "Rows of `ai_usage` that an export received later tells anew: they do not count.",
    "ai_key_name": "Names that one key alone has within an owner and provider, by the inventory and the providers' lists.",
    "ai_usage_keyed": "Rows of `ai_usage_current` of a key, by its id or by a name that is its alone; `named_by` is that name.",
    "ai_usage_mixed": "Keys of which usage of several kinds of export or groupings was received; `o` and `org` are owner and organisation.",
    "ai_usage_current": "Rows of `ai_usage` with overlaps of exports resolved: of one bucket and grouping the export received last counts.",
    "ai_usage_superseded": "One row a measure of a bucket that a later export of the same owner, endpoint, grouping and bucket reports otherwise: earlier and later value, and the difference.",
    "ai_usage_series": "Rows of `ai_usage_keyed`, of each bucket in exactly one kind of export and grouping; `views` counts those that tell of the same bucket.",
    "key_usage": "Usage of each key in one series: the bucket width with use on most days, of equals the finest, and, of one bucket, the grouping with the most dimensions.",
    "covered_unit": "Whole hours (or wider units) and whole days of which an export proves that all use, or all cost, is in it: absence inside is zero, elsewhere unknown.",
    "key_unit": "Use of each key of `key_usage` by the units that are compared: hours, or wider buckets where the export has no finer ones.",
    "key_made": "When each key of `key_usage` was made, by an audit log or the inventory; before that it cannot be silent.",
    "first_seen": "The first time that a principal made a call of AWS, and how often it did; services that act for themselves are left out.",
    "payer_cost": "Costs of `ai_cost_current` beside who pays (the key, else project, workspace or organisation), in whole ten-thousandths of the currency.",
    "bedrock_call": "Calls of Bedrock's models by who made them, throttled and denied ones too; not those that a service passes on.",
    "series_amount": "What is compared with a baseline: of a `series` (usage, costs) each amount of a subject and measure, by units of `unit_s` seconds from 1970 on.",
    "baseline_amount": "How often (`units`) each amount is met in the baseline of a series, subject, measure, season and slot, zeros included. Empty outside of a run with a baseline.",
    "usual_level": "Twice the median, four times the median absolute deviation and the spread of each series, subject, measure, season and slot. Empty outside of a run with a baseline.",
    "amount_level": "Each amount of `series_amount` beside what is usual in each of its seasons and, as season 4, beside nothing; see docs/statistics.md.",
    "ai_cost_current": "Rows of `ai_cost` with overlaps resolved in the same way; of one owner, organisation and day in exactly one kind of export and grouping; costs that tell a name and no id are of the key that alone has it (`named_by`).",
    "ai_cost_superseded": "One row an amount that a later export of the same owner, kind, grouping, period and line bills otherwise: earlier and later amount, and the difference (none between two currencies).",
    "vault_access": "One row an access to Vault: the records of one owner with one `request.id`, also of several devices; `is_attempt` when unanswered or refused.",
    "activity": "One row per thing that happened, over all sources: time, source, owner, actor, action, outcome, resource, credential, address.",
}


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _row(column: Column) -> str:
    kind = "JSON" if column.type == "JSON" else column.ddl
    return f"| `{column.name}` | {kind} | {_cell(column.meaning)} |"


def _section(table: Table) -> str:
    lines = [f"### {table.name}", "", _cell(table.meaning), ""]
    if table.key:
        lines += [f"Key: {', '.join(f'`{name}`' for name in table.key)}.", ""]
    lines += ["| column | type | meaning |", "|---|---|---|", *map(_row, table.columns), ""]
    return "\n".join(lines)


def view_names() -> list[str]:
    """Return the names of the store's views in the order they are made."""
    return list(VIEW_NAMES)


def fields_page() -> str:
    """Return docs/fields.md. Raises KeyError for a view that `VIEW_MEANING` does not describe."""
    evidence = [t for name, t in TABLES.items() if name in EVENT_TABLES]
    others = [t for name, t in TABLES.items() if name not in EVENT_TABLES]
    parts = [_HEAD.format(version=SCHEMA_VERSION)]
    parts += ["## Tables whose rows stand for records of the evidence\n", *map(_section, evidence)]
    parts += ["## Tables of the case\n", *map(_section, others)]
    rows = "\n".join(f"| `{name}` | {_cell(VIEW_MEANING[name])} |" for name in view_names())
    parts.append(f"## Views\n\n| view | meaning |\n|---|---|\n{rows}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(fields_page())
