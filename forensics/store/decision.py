"""Which row stands for a record that comes in: in SQL, for a whole group at once.

One identity is a provider's id with one canonical content; without id it is the record's own key. Of several
serialisations of one record the smallest key stands, whatever the order of files. `incoming_place` holds places
of one table with their `line` and their `id`: the provider's, or the own key.
"""

from __future__ import annotations


def tables_of(table: str) -> tuple[str, ...]:
    """Return the tables that rows of a table stand in: an event that stands as a twin is there too."""
    return ("aws_event", "aws_event_twin") if table == "aws_event" else (table,)


def rows_of(table: str, native: str) -> str:
    """Return the SQL of event_key, id and canonical hash of all these rows."""
    columns = f"SELECT event_key, {native}, canonical_sha256 FROM"
    names = tables_of(table)
    return f"({' UNION ALL '.join(f'{columns} {name}' for name in names)})" if len(names) > 1 else table


def known(table: str, native: str) -> str:
    """Return the statement that makes `known_TABLE`: the hash of the id of each row that is there.

    The store's ids are packed text, and reading all of them for each group would take longer than writing it.
    """
    return f"""
CREATE OR REPLACE TEMP TABLE known_{table} AS
SELECT hash(coalesce(nullif({native}, ''), event_key)) AS h FROM {rows_of(table, native)} AS t"""


def learn(table: str) -> str:
    """Return the statement that adds the ids of `learned`, which become rows."""
    return f"INSERT INTO known_{table} SELECT hash(id) FROM learned"


def met(table: str) -> str:
    """Return the SELECT of the lines of `incoming_id` whose id may be known."""
    return f"""
SELECT line FROM incoming_id
WHERE hash(id) IN (SELECT h FROM known_{table} WHERE h IN (SELECT hash(id) FROM incoming_id)) ORDER BY line"""


def decide(table: str, native: str) -> str:
    """Return the SELECT of one row an identity of `incoming_place`.

    id, canonical_sha256, target (smallest key that came in), standing (key of the row that is there, or NULL) and
    first_receipt (the receipt whose record is counted as accepted when none is there).
    """
    there = rows_of(table, native)
    return f"""
WITH identity AS (
  SELECT id, canonical_sha256, bool_or(coalesce(native_id, '') = '') AS bare, min(own_key) AS target,
    min(receipt_id) AS first_receipt
  FROM incoming_place GROUP BY ALL),
there AS (
  SELECT i.id, i.canonical_sha256, t.event_key FROM identity AS i
  JOIN {there} AS t ON t.{native} = i.id AND t.canonical_sha256 = i.canonical_sha256
  UNION ALL
  SELECT i.id, i.canonical_sha256, t.event_key FROM identity AS i
  JOIN {there} AS t ON t.event_key = i.id
  WHERE i.bare)
SELECT i.id, i.canonical_sha256, i.target, i.first_receipt, t.standing
FROM identity AS i
LEFT JOIN (SELECT id, canonical_sha256, min(event_key) AS standing FROM there GROUP BY ALL) AS t
  ON t.id = i.id AND t.canonical_sha256 = i.canonical_sha256"""


def rekeyed(table: str, key: str) -> str:
    """Return what UPDATE sets where rows of a table get the key `key`: a place whose key was that of its row keeps it."""
    own = f", own_key = nullif(coalesce(occurrence.own_key, occurrence.event_key), {key})"
    return f"event_key = {key}{own if table == 'occurrence' else ''}"


#: (receipt id, records, accepted records).
COUNTS = """
SELECT receipt_id, records, coalesce(accepted, 0)
FROM (SELECT receipt_id, count(*) AS records FROM incoming_place GROUP BY receipt_id)
LEFT JOIN (SELECT first_receipt AS receipt_id, count(*) AS accepted FROM decided WHERE standing IS NULL GROUP BY ALL)
  USING (receipt_id)
ORDER BY receipt_id
"""

#: Line of the first place of each key that becomes a row.
NEW_LINES = """
SELECT arg_min(p.line, struct_pack(r := p.receipt_id, n := p.record_no, l := p.line)) AS line
FROM incoming_place AS p JOIN decided AS d ON d.target = p.own_key AND d.standing IS NULL
GROUP BY p.own_key ORDER BY line
"""


def occurrences(table: str, keys: str, places: str) -> str:
    """Return the statement that keeps places: `keys` is the SQL of the key of the row that stands for place `p`."""
    return f"""
INSERT INTO occurrence
SELECT {keys} AS event_key, nullif(p.own_key, {keys}), '{table}', p.file_sha256, p.content_sha256, p.receipt_id, p.member_path,
  p.record_no, p.byte_offset, p.byte_length, p.json_pointer, p.record_sha256
FROM {places}"""


def of_new(table: str) -> str:
    """Return the statement that keeps the places of `new_place`: each is the only one of its row."""
    return occurrences(table, "p.own_key", "new_place AS p")


def of_decided(table: str) -> str:
    """Return the statement that keeps the places of `incoming_place` under the rows that stand for them."""
    on = "d.id = p.id AND d.canonical_sha256 = p.canonical_sha256"
    return occurrences(table, "least(d.target, d.standing)", f"incoming_place AS p JOIN decided AS d ON {on}")
