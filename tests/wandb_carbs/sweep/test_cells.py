"""Values in the cells of a table of text are found again."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from carbs.spaces.values import identity_of
from wandb_carbs.sweep.cells import readings, rows_of, to_cell

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@settings(max_examples=40)
@given(st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=5))
@example("a\nb")
@example("a\r\nb\x1cc\u2028d")
@example("3")
@example("")
@example("True")
@example('"3"')
@example(" ")
@example("\0")
@example("\ud800")
@example(["a", None, [True]])
def test_the_likeliest_reading_is_the_value_that_was_written(value: Any) -> None:
    table, head = io.StringIO(newline=""), "a head,\nof two lines"
    writer = csv.DictWriter(table, ["first", head])
    writer.writeheader()
    writer.writerow({"first": "x", head: to_cell(value)})
    (row,) = rows_of(table.getvalue().encode().decode())
    assert identity_of(readings(row[head])[0]) == identity_of(value)


@pytest.mark.parametrize("value", [3, 0.5, True, None, "adam", "two words", "1e-3x", "ünï", "[a"])
def test_usual_values_are_written_as_they_are(value: Any) -> None:
    assert to_cell(value) is value


def test_texts_of_other_programs_mean_what_they_may() -> None:
    assert readings("1e-3") == [0.001, "1e-3"]
    assert readings("False") == [False, "False"]
    assert readings("") == [None, ""]
    assert readings("[" * 100_000) == ["[" * 100_000]


def test_a_malformed_table_is_refused_with_its_line() -> None:
    assert rows_of("a,b\n1\n") == [{"a": "1"}]
    with pytest.raises(ValueError, match="line 3 has more cells than there are columns"):
        rows_of("a,b\n1,2\n1,2,3\n")
    with pytest.raises(ValueError, match="after line 1: field larger than"):
        rows_of("a\n" + "x" * (csv.field_size_limit() + 1))
