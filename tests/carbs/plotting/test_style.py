"""The style of the figures: it is theirs alone, and needs matplotlib."""

from __future__ import annotations

import sys

import matplotlib as mpl
import pytest

from carbs import CarbsError
from carbs.plotting import plot_frontier
from sized_runs import PARAMS, observe


def test_style_of_the_caller_is_left_alone() -> None:
    before = dict(mpl.rcParams)
    plot_frontier(PARAMS, observe())
    assert dict(mpl.rcParams) == before


def test_missing_matplotlib_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(CarbsError, match=r"wandb-carbs\[plot\]"):
        plot_frontier(PARAMS, observe())
