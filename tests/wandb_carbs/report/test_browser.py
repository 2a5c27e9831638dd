"""The report in a browser: its table of runs is sorted, filtered and read on, however long it is."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from browser import CHROMIUM, Browser
from carbs import CARBSParams
from simulated import PARAMS, START
from wandb_carbs.record import RunRecord
from wandb_carbs.report import write_report
from wandb_carbs.sweep.definition import SweepDefinition
from wandb_carbs.sweep.history import SweepHistory
from wandb_carbs.sweep.judged import judge
from wandb_carbs.sweep.path import SweepPath

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")]

_NUMBER = 350
_NAMES = "[...document.querySelectorAll('tbody tr')].map((line) => line.cells[0].textContent)"


def test_a_long_table_shows_its_first_lines_and_more_as_one_scrolls(tmp_path: Path) -> None:
    definition = SweepDefinition(PARAMS, CARBSParams())
    failed = {"carbs.state": "failure"}
    records = [
        RunRecord(f"id{i}", f"{'owl' if i % 2 else 'fox'}-{i}", "finished", START, START, {}, failed)
        for i in range(_NUMBER)
    ]
    judged = judge(records, definition.optimizer().space, START + timedelta(hours=1))
    write_report(SweepHistory(SweepPath("e", "p", "s"), definition, tuple(judged)), tmp_path / "report.html")
    with Browser() as page:
        page.size(1200)
        page.open(f"file://{tmp_path}/report.html")
        by_name = "document.querySelector('th button').click()"
        page.evaluate(by_name)
        shown = page.evaluate(_NAMES)
        assert 20 < len(shown) < _NUMBER
        assert shown == [f"fox-{2 * i}" for i in range(len(shown))]
        page.evaluate(by_name)
        assert page.evaluate(_NAMES)[:2] == ["owl-349", "owl-347"]
        filtering = """{ const field = document.querySelector('input[type=search]'); field.value = 'FOX';
            field.dispatchEvent(new Event('input')); }"""
        page.evaluate(filtering)
        assert page.evaluate("document.querySelector('output').textContent") == f"175 of {_NUMBER} lines"
        assert page.evaluate(_NAMES)[:2] == ["fox-348", "fox-346"]
        page.evaluate("document.querySelector('.scroll').scrollTo(0, 1e6)")
        page.wait(f"{_NAMES}.length === 175 && {_NAMES}.at(-1) === 'fox-0'")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert len(page.evaluate(_NAMES)) == 175
        assert page.problems == []
