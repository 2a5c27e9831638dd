"""The page of a simulated sweep: it holds all, is safe, and needs nothing from outside."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from carbs import Param
from simulated import HOSTILE, PARAMS, START
from wandb_carbs.errors import WandbCarbsError
from wandb_carbs.record import RunRecord
from wandb_carbs.report import make_report, write_report
from wandb_carbs.sweep.definition import SweepDefinition
from wandb_carbs.sweep.history import SweepHistory
from wandb_carbs.sweep.judged import judge


@pytest.fixture(scope="module")
def page(history: SweepHistory) -> str:
    return make_report(history).page


def figures_of(page: str) -> list[dict[str, Any]]:
    """Return the page's figures as JSON."""
    return [json.loads(text) for text in re.findall(r'<script type="application/json">(.*?)</script>', page)]


def own_part_of(page: str) -> str:
    """Return the page without plotly's own program."""
    return page[: page.index("</main>")]


def test_every_section_is_there(page: str) -> None:
    keys = re.findall(r'<section id="(.*?)">', page)
    expected = "frontier progress scaling importance dependence calibration failures runs best"
    assert keys == expected.split()


def test_it_loads_nothing(page: str) -> None:
    """No element of the page names an address, and the policy forbids it, too."""
    assert not re.findall(r'(?:src|href)="(?!#|data:)', own_part_of(page))
    assert "default-src 'none'" in page
    assert "showSendToCloud: false" in page  # plotly's button that uploads a figure to its makers


def test_texts_of_users_are_escaped(page: str) -> None:
    assert HOSTILE not in own_part_of(page)
    assert "<img" not in own_part_of(page)
    texts = json.dumps(figures_of(page))
    assert "<img" not in texts
    assert "&lt;img" in texts


def test_figures_hold_only_finite_numbers(page: str) -> None:
    """A number that is not finite is no JSON, and plotly would stop there."""
    figures = figures_of(page)
    assert len(figures) > 10
    assert not re.search(r"NaN|Infinity", json.dumps(figures))


def test_colours_are_defined_for_both_themes(page: str) -> None:
    roles = set(re.findall(r'"@([a-z-]+)"', json.dumps(figures_of(page))))
    assert len(roles) > 3
    light, dark = page.split("prefers-color-scheme: dark", 2)[:2]
    for role in roles:
        assert f"--{role}:" in light
        assert f"--{role}:" in dark[: dark.index("</style>")]


def test_configurations_are_there_to_copy(page: str) -> None:
    assert re.search(r'<pre id="best-configurations">- cost: ', page)


def test_missing_plotly_is_said(history: SweepHistory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "plotly.offline", None)
    with pytest.raises(WandbCarbsError, match=r"wandb-carbs\[report\]"):
        make_report(history)


def test_write_report_writes_the_page(history: SweepHistory, page: str, tmp_path: Path) -> None:
    write_report(history, tmp_path / "report.html")
    made, expected = (
        # The time when it was made is all that may differ.
        re.sub(r"\d\d:\d\d UTC", "", text)
        for text in ((tmp_path / "report.html").read_text(encoding="utf-8"), page)
    )
    assert made == expected


def test_figures_have_names_of_their_own(history: SweepHistory, page: str) -> None:
    """A hyperparameter may be called as another figure is; none is lost."""
    names = {"size": "objective", "rate": "objective_"}
    definition = SweepDefinition(
        tuple(Param(names.get(param.name, param.name), param.space) for param in PARAMS), history.definition.config
    )
    records = [
        RunRecord(
            run.record.id,
            run.record.name,
            run.record.state,
            run.record.created_at,
            run.record.last_seen,
            {names.get(key, key): value for key, value in (run.suggestion or {}).items()},
            run.record.summary,
        )
        for run in history.runs
    ]
    judged = judge(records, definition.optimizer().space, START + timedelta(hours=1))
    report = make_report(SweepHistory(history.path, definition, tuple(judged)))
    assert len(report.figures) == sum(len(section.figures) for section in report.sections) == len(figures_of(page))
    assert {"scaling/objective", "scaling/objective_", "scaling/objective__"} <= set(report.figures)
