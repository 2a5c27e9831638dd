"""A report's figures as panels of a run; `wandb-carbs report --log` is tested with the command."""

from __future__ import annotations

import json
import re

import pytest

from wandb_carbs.report import make_report
from wandb_carbs.report.upload import _for_panel
from wandb_carbs.sweep.history import SweepHistory


@pytest.fixture(scope="module")
def panel(history: SweepHistory) -> dict[str, object]:
    figure = make_report(history).figures["frontier/objective"]
    return {"caption": figure.caption, "own": figure.figure, **json.loads(_for_panel(figure).to_json())}


def test_a_panel_stands_alone(panel: dict[str, object]) -> None:
    """It has its own title and colours, and the panel's height."""
    text = json.dumps({"data": panel["data"], "layout": panel["layout"]})
    assert not re.search(r'"@[a-z-]+"', text)
    layout = panel["layout"]
    assert isinstance(layout, dict)
    assert "height" not in layout
    assert layout["paper_bgcolor"] == "#ffffff"


def test_the_page_keeps_its_own_figure(panel: dict[str, object]) -> None:
    assert re.search(r'"@[a-z-]+"', json.dumps(panel["own"]))
