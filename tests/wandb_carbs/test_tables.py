"""Tables fit the terminal, and hold every name and number whole."""

from __future__ import annotations

import io

import pytest
from rich.console import Console, Group

from wandb_carbs.tables import ConfigTable, Line, make_console, short, show, spread

NAMES = [f"model.layer_{number}.width" for number in range(20)]
LINES = [(1.5 * 10**run, 0.123 + run, f"run{run}", *(0.1234567 * 10.0**-run for _ in NAMES)) for run in range(6)]


def printed(width: int, names: list[str], lines: list[tuple[object, ...]]) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, markup=False, color_system=None)
    console.print(ConfigTable("Frontier", ("cost", "objective", "run"), names, lines))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [40, 60, 80, 160, 800])
def test_every_value_is_there_and_no_line_is_too_long(width: int) -> None:
    """A table that does not fit turns: each configuration becomes a column."""
    text = printed(width, NAMES, LINES)
    assert max(len(line) for line in text.splitlines()) <= width
    words = text.split()
    for name in ("cost", "objective", "run", *NAMES):
        assert name in words
    for line in LINES:
        for value in line:
            assert words.count(short(value)) >= 1


def test_a_table_that_fits_has_a_line_for_each_configuration() -> None:
    text = printed(80, ["lr"], [line[:4] for line in LINES])
    assert [line.split()[2] for line in text.splitlines() if "run" in line][1:] == [f"run{run}" for run in range(6)]


def test_a_long_value_is_broken_rather_than_the_names() -> None:
    """A choice may be a sentence; the names of the hyperparameters are read first."""
    words = "stochastic gradient descent with momentum"
    lines: list[tuple[object, ...]] = [(1.5, 0.1, "run", words, 0.5)]
    names = ["a_rather_long_name_of_an_optimizer", "b"]
    text = printed(60, names, lines)
    assert names[0] in text.split()
    assert words not in text
    assert set(words.split()) <= set(text.split())
    assert max(len(line) for line in text.splitlines()) <= 60


def test_a_pipe_gets_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each configuration however long it is, and no drawing between them."""
    make_console().print(ConfigTable("Frontier", ("cost", "objective", "run"), NAMES, LINES))
    title, heads, *lines = capsys.readouterr().out.splitlines()
    assert title.strip() == "Frontier"
    assert heads.split() == ["cost", "objective", "run", *NAMES]
    assert [len(line.split()) for line in lines] == [23] * 6


def test_a_table_without_lines_is_its_heads() -> None:
    assert "cost" in printed(60, ["lr"], [])


def test_overview_that_does_not_fit_shows_the_first_entries_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    """Of the values it shows as many as fit beside one another, the last among them; a pipe gets them all."""
    table = ConfigTable("Frontier", ("cost", "objective", "run"), NAMES, LINES, is_overview=True)
    console = Console(file=io.StringIO(), width=60, force_terminal=True, color_system=None)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert max(len(line) for line in text.splitlines()) <= 60
    assert text.count(NAMES[0]) == 1
    assert all(f"run{run}" in text.split() for run in range(6))
    assert text.split().count("run5") == 2
    assert "3 of these configurations" in text
    make_console().print(table)
    assert len(capsys.readouterr().out.splitlines()) == 2 + 6


def test_values_of_one_column_may_take_several_lines() -> None:
    """A sweep's name is rather broken between words than that the table turns."""
    lines = [("team/project/8g9bctaf", "width and depth of small language models", "running")]
    console = Console(file=io.StringIO(), width=60, force_terminal=True, color_system=None)
    console.print(ConfigTable("", ("sweep", "name", "state"), (), lines, wraps="name"))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert text.split()[:3] == ["sweep", "name", "state"]
    assert "width and depth" in text
    assert max(len(line) for line in text.splitlines()) <= 60


def test_a_long_word_is_broken_before_the_table_turns() -> None:
    lines = [("8g9bctaf", "language-models-of-all-widths-and-depths", "running", 120, 3600.5, "12 min ago")]
    console = Console(file=io.StringIO(), width=70, force_terminal=True, color_system=None)
    console.print(ConfigTable("", ("sweep", "name", "state", "runs", "cost", "created"), (), lines, wraps="name"))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert text.split()[:6] == ["sweep", "name", "state", "runs", "cost", "created"]
    assert max(len(line) for line in text.splitlines()) <= 70


def test_narrower_tables_are_shown_where_a_table_is_too_wide() -> None:
    narrow = ConfigTable("a-team-of-many-people/a-project", ("sweep", "state"), (), [("8g9bctaf", "running")])
    lines = [("a-team-of-many-people/a-project/8g9bctaf", "running")]
    wide = ConfigTable("", ("sweep", "state"), (), lines, narrower=[narrow])
    for width, first in ((80, "sweep"), (40, narrow.title)):
        console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
        console.print(wide)
        assert isinstance(console.file, io.StringIO)
        assert console.file.getvalue().split()[0] == first


def test_a_word_can_be_copied_from_a_terminal_that_is_narrower() -> None:
    name = "my-team/my-very-long-project"
    console = Console(file=io.StringIO(), width=20, force_terminal=True, markup=False, color_system=None)
    show(Group(Line(f"the sweeps of {name} are these"), ConfigTable(name, ("run",), (), [("a",)])), console)
    # A screen of its own cuts off what is too long.
    console.print(Line(name))
    assert isinstance(console.file, io.StringIO)
    lines = [line.strip() for line in console.file.getvalue().splitlines()]
    assert lines[:4] == ["the sweeps of", name, "are these", name]
    assert "".join(lines[-2:]) == name


@pytest.mark.parametrize(("number", "shown"), [(9, "abcdef"), (6, "abcdef"), (3, "acf"), (2, "af"), (1, "f")])
def test_some_lines_are_spread_from_the_first_to_the_last(number: int, shown: str) -> None:
    assert "".join(spread("abcdef", number)) == shown
