"""The report of a simulated sweep: what it holds, that it is safe, and that it needs nothing from outside."""

from __future__ import annotations

import json
import math
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from carbs import CARBS, CARBSParams, CategoricalSpace, LogSpace, ObservationInParam, Param
from wandb_carbs.errors import WandbCarbsError
from wandb_carbs.record import RunRecord
from wandb_carbs.report import make_report, write_report
from wandb_carbs.report.data import PREDICTED_COST, PREDICTED_OBJECTIVE, ReportData
from wandb_carbs.sweep.definition import SweepDefinition
from wandb_carbs.sweep.history import SweepHistory, judge
from wandb_carbs.sweep.path import SweepPath

HOSTILE = "</script><img src=x onerror=alert(1)>&"
START = datetime(2025, 1, 1, tzinfo=timezone.utc)
PARAMS = (
    Param("size", LogSpace(min=1e1, max=1e5), 1e2),
    Param("rate", LogSpace(min=1e-4, max=1e0), 1e-2),
    Param("kind<b>", CategoricalSpace(("a", "b", HOSTILE))),
)


def train(values: dict[str, Any], rng: np.random.Generator) -> tuple[float, float] | None:
    """Return loss and cost; the loss falls with the size, high rates fail."""
    if values["rate"] > 0.3:
        return None
    best = 0.3 * values["size"] ** -0.3
    loss = 1 + 5 * values["size"] ** -0.4 + 0.2 * math.log10(values["rate"] / best) ** 2
    loss += 0.1 * (values["kind<b>"] != "b") + 0.01 * rng.standard_normal()
    return loss, values["size"] ** 0.9 / 10


def simulate(number: int) -> SweepHistory:
    """Let the optimizer run a sweep of `number` runs, and record it as W&B would."""
    config = CARBSParams(better_direction_sign=-1)
    carbs = CARBS(config, PARAMS)
    rng = np.random.default_rng(1)
    records = []
    for index in range(number):
        output = carbs.suggest()
        values = carbs.space.select(output.suggestion)
        outcome = train(values, rng)
        summary: dict[str, Any] = {f"carbs.{key}": value for key, value in output.log.items() if key != "reason"}
        if outcome is None:
            carbs.observe(ObservationInParam(output.suggestion, is_failure=True))
            summary |= {"carbs.state": "failure", "carbs.reason": HOSTILE}
        else:
            carbs.observe(ObservationInParam(output.suggestion, *outcome))
            summary |= {"carbs.state": "success", "carbs.objective": outcome[0], "carbs.cost": outcome[1]}
        start = START + timedelta(minutes=index)
        name = HOSTILE if index == 0 else f"run-{index}"
        record = RunRecord(f"id{index}", name, "finished", start, start + timedelta(minutes=1), values, summary)
        records.append(record)
    definition = SweepDefinition(PARAMS, config)
    return SweepHistory(
        SweepPath("team", "project", "s1"), definition, tuple(judge(records, carbs.space, START + timedelta(hours=1)))
    )


@pytest.fixture(scope="module")
def history() -> SweepHistory:
    return simulate(40)


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
    light, dark = page.split("prefers-color-scheme: dark", 2)[:2]
    for role in roles:
        assert f"--{role}:" in light
        assert f"--{role}:" in dark[: dark.index("</style>")]


def test_yaml_reads_back_as_configurations(history: SweepHistory, page: str) -> None:
    """The YAML on the page gives configurations of the search space, better with every step in cost."""
    import html

    match = re.search(r'<pre id="best-configurations">(.*?)</pre>', page, re.DOTALL)
    assert match is not None
    entries = yaml.safe_load(html.unescape(match.group(1)))
    data = ReportData(history)
    assert len(entries) > 3
    for entry in entries:
        assert data.carbs.space.problems_with(entry["config"]) == []
        assert isinstance(entry["cost"], float)
        assert isinstance(entry["objective"], float)
    assert [entry["cost"] for entry in entries] == sorted(entry["cost"] for entry in entries)


def test_progress_follows_the_direction(history: SweepHistory) -> None:
    """Where the objective is minimised, the best falls; spent cost and hypervolume grow."""
    progress = ReportData(history).progress
    assert np.all(np.diff(progress.best) <= 0)
    assert np.all(np.diff(progress.spent) > 0)
    assert np.all(np.diff(progress.hypervolume) >= -1e-12)
    assert progress.hypervolume[-1] > 0
    assert np.all(np.diff(progress.hours) >= 0)


def test_calibration_compares_what_was_recorded(history: SweepHistory) -> None:
    """Only runs with a recorded prediction count; costs are compared in logarithms."""
    data = ReportData(history)
    with_prediction = [run for run in history.runs if PREDICTED_OBJECTIVE in run.record.summary]
    observed = [run for run in with_prediction if "carbs.cost" in run.record.summary]
    objective, cost = data.calibration(PREDICTED_OBJECTIVE), data.calibration(PREDICTED_COST)
    assert len(objective.seen) == len(cost.seen) == len(observed) > 10
    assert cost.seen == pytest.approx(np.log([run.record.summary["carbs.cost"] for run in observed]))


@pytest.mark.parametrize("number", [0, 2, 6])
def test_young_sweeps_say_what_is_missing(number: int, history: SweepHistory) -> None:
    """With too few runs to believe anything, or to find scaling laws, the page says so and shows the rest."""
    young = SweepHistory(history.path, history.definition, history.runs[:number])
    whole = make_report(young).page
    page = own_part_of(whole)
    # Without a figure there is no need of plotly, which is most of a page.
    assert (len(whole) < 50_000) == (number == 0)
    assert ("Nothing is predicted yet" in page) == (number < 3)
    assert ("too few runs for scaling laws" in page) == (number >= 3)
    assert '<section id="runs">' in page


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


def test_commands_write_files(history: SweepHistory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`report` and `plot` read a sweep and write what was asked for."""
    from click.testing import CliRunner

    from wandb_carbs.cli.commands import plot, report

    for module in (plot, report):
        monkeypatch.setattr(module, "load", lambda _: history)
    runner = CliRunner()
    calls = [(report.command, ["-o", "r.html"])]
    calls += [(plot.command, ["-o", f"{what}.svg", "--what", what]) for what in ("frontier", "scaling", "calibration")]
    for command, arguments in calls:
        arguments[1] = str(tmp_path / arguments[1])
        result = runner.invoke(command, ["a/b/c", *arguments], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        assert (tmp_path / arguments[1]).stat().st_size > 1000
    assert runner.invoke(plot.command, ["a/b/c", "-o", "frontier.doc"]).exit_code == 2


def test_plot_names_its_file_after_what_it_shows(
    history: SweepHistory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    from wandb_carbs.cli.commands import plot

    monkeypatch.setattr(plot, "load", lambda _: history)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(plot.command, ["a/b/c", "--what", "calibration", "--json"], catch_exceptions=False)
    assert json.loads(result.stdout)["file"] == str(tmp_path / "calibration.png")
    assert [path.name for path in tmp_path.iterdir()] == ["calibration.png"]


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
