"""`wandb-carbs report`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from carbs import LinearSpace, LogSpace, Param
from command_line import Sweep, assert_fails, run, run_here
from wandb_carbs.server import LocalServer

RUNS = 6


# The SDK's own Api() does what the SDK's own settings warn of.
@pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")
def test_logged_report_is_a_run_of_its_own(
    sweep: Sweep, point_to: Callable[[LocalServer], object], tmp_path: Path
) -> None:
    """It is in the project but not in the sweep, whatever an agent left in the environment, and has every figure."""
    import wandb

    sweep_id = sweep.path.rpartition("/")[2]
    left = {"WANDB_SWEEP_ID": sweep_id, "WANDB_RUN_ID": "another", "WANDB_MODE": "offline"}
    done = run("report", sweep.path, "--log", "--json", env={**sweep.env, **left}, cwd=sweep.folder)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert not (sweep.folder / "wandb").exists()

    point_to(sweep.server)
    api: Any = wandb.Api()
    entity, project, _ = sweep.path.split("/")
    logged = [found for found in api.runs(f"{entity}/{project}") if found.job_type == "carbs-report"]
    assert [found.id for found in logged] == [told["logged"].rpartition("/")[2]]
    assert told["logged"] == f"{sweep.address.partition('/sweeps/')[0]}/runs/{logged[0].id}"
    assert (logged[0].state, logged[0].sweep) == ("finished", None)
    assert logged[0].id not in {found.id for found in api.sweep(sweep.path).runs}

    files = {file.name for file in logged[0].files()}
    summary = dict(logged[0].summary)
    assert {"frontier/objective", "progress/by cost", "dependence/learning_rate"} <= set(told["figures"])
    for name in told["figures"]:
        assert summary[name]["_type"] == "plotly-file"
        assert summary[name]["path"] in files
    for key, kind in (("carbs.report", "html-file"), ("frontier/objective", "plotly-file")):
        assert summary[key]["_type"] == kind
    with logged[0].file(summary["carbs.report"]["path"]).download(str(tmp_path)) as page:
        assert page.read() == (sweep.folder / "report.html").read_text(encoding="utf-8")
    with logged[0].file(summary["frontier/objective"]["path"]).download(str(tmp_path)) as panel:
        figure = json.load(panel)
    drawn = [trace for trace in figure["data"] if trace.get("mode") == "markers"]
    assert sum(len(trace["x"]) for trace in drawn) == RUNS
    assert not re.search(r'"@[a-z-]+"', json.dumps(figure))


@pytest.mark.parametrize(
    "extreme",
    [
        {"cost": 5e-324},
        {"objective": 1e308},
        {"objective": -1e308, "cost": 1e-300},
        {"summary": '"carbs.predicted_cost": 1e-320, "carbs.predicted_cost_std": 0.1'},
    ],
)
def test_extreme_numbers_are_drawn_or_told(sweep: Sweep, extreme: dict[str, Any]) -> None:
    other = {"objective": 1e308, "cost": 1e300} if extreme.get("cost") == 1e-300 else {}
    made = sweep.create([Param("lr", LogSpace(1e-5, 1e-1)), Param("n", LinearSpace(1, 100, is_integer=True))])
    for i in range(12):
        numbers = {"objective": 0.5 + 0.02 * i, "cost": 1.0 + i * i, **(extreme if i == 3 else {})}
        numbers |= other if i == 5 else {}
        made.add_run(str(i), {"lr": 10 ** (-4.5 + 0.2 * i), "n": 1 + 7 * i}, **numbers)
    done = made.run("report", made.path, "-o", "extreme.html")
    assert done.returncode == 0, done.stderr
    assert "Scaling laws" in (made.folder / "extreme.html").read_text()
    for what in ("frontier", "scaling"):
        assert "Traceback" not in made.run("plot", made.path, "--what", what, "-o", "extreme.png").stderr


def test_empty_name_of_a_file_is_refused() -> None:
    assert_fails(run_here("report", "e/p/s", "-o", ""), "the name of the file is empty", code=2)


def test_a_report_is_no_pdf() -> None:
    assert_fails(run_here("report", "e/p/s", "-o", "report.pdf"), "'report.pdf' must end in .html or .htm", code=2)
