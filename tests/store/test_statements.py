"""Plans of a writer are kept, and read what stands under a name at that moment."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

from forensics.store.statements import Statements


@pytest.fixture
def connection():
    made = duckdb.connect()
    made.execute("CREATE TABLE kept (n BIGINT, t VARCHAR)")
    yield made
    made.close()


def given(*numbers: int, column: str = "n") -> pa.Table:
    return pa.table({column: pa.array(numbers, pa.int64()), "t": [str(n) for n in numbers]})


def fill(statements: Statements, table: pa.Table) -> int:
    statements.put("given", table)
    return statements.run("INSERT INTO kept SELECT n + 1, t FROM given", often=True).fetchall()[0][0]


def test_a_kept_plan_reads_the_table_of_the_moment(connection):
    statements = Statements(connection)
    statements.hold()
    assert [fill(statements, given(1, 2)), fill(statements, given()), fill(statements, given(7))] == [2, 0, 1]
    assert connection.execute("SELECT n, t FROM kept ORDER BY n").fetchall() == [(2, "1"), (3, "2"), (8, "7")]
    statements.let_go("given")
    assert statements.table("SELECT * FROM given", often=True).num_rows == 0


def test_a_table_of_other_columns_is_planned_anew(connection):
    statements = Statements(connection)
    statements.hold()
    fill(statements, given(1))
    turned = given(5).select(["t", "n"])
    assert fill(statements, turned) == 1
    assert fill(statements, given(6)) == 1
    assert connection.execute("SELECT n FROM kept ORDER BY n").fetchall() == [(2,), (6,), (7,)]


def test_two_writers_take_turns_on_one_connection(connection):
    first, second = Statements(connection), Statements(connection)
    for number, statements in enumerate((first, second, first, second)):
        statements.hold()
        assert fill(statements, given(number)) == 1
    assert connection.execute("SELECT n FROM kept ORDER BY n").fetchall() == [(1,), (2,), (3,), (4,)]


def test_names_made_in_a_transaction_that_is_rolled_back_are_made_again(connection):
    statements = Statements(connection)
    connection.execute("BEGIN")
    statements.hold()
    fill(statements, given(1))
    connection.execute("ROLLBACK")
    statements.forget()
    assert fill(statements, given(2)) == 1
    assert connection.execute("SELECT n FROM kept").fetchall() == [(3,)]
