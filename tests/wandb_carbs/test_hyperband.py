"""The settings of `early_terminate`."""

from __future__ import annotations

from typing import Any

import pytest

from wandb_carbs.hyperband import problems_with, unknown_keys


@pytest.mark.parametrize(
    "settings",
    [
        None,
        {"type": "hyperband", "min_iter": 3},
        {"type": "hyperband", "max_iter": 27, "s": 2, "eta": 2.5, "strict": True},
        {"type": "hyperband", "min_iter": 3.0, "other": 1, "max_iter": None},
    ],
)
def test_settings_that_wandb_takes(settings: Any) -> None:
    assert problems_with(settings) == []


@pytest.mark.parametrize(
    ("settings", "key", "words"),
    [
        ("hyperband", "", "early_terminate='hyperband' must be a mapping: write `{type: hyperband, min_iter: 3}`"),
        ({"min_iter": 3}, "type", "early_terminate.type None must be 'hyperband'"),
        ({"type": "envelope", "min_iter": 3}, "type", "early_terminate.type 'envelope' must be 'hyperband'"),
        ({"type": "hyperband"}, "", "early_terminate needs min_iter, or max_iter and s"),
        ({"type": "hyperband", "max_iter": 27}, "", "early_terminate needs min_iter, or max_iter and s"),
        ({"type": "hyperband", "min_iter": 0}, "min_iter", "min_iter 0 must be a whole number of at least 1"),
        ({"type": "hyperband", "min_iter": 1.5}, "min_iter", "min_iter 1.5 must be a whole number of at least 1"),
        ({"type": "hyperband", "min_iter": True}, "min_iter", "min_iter True must be a whole number"),
        ({"type": "hyperband", "max_iter": 9, "s": 0}, "s", "s 0 must be a positive number"),
        ({"type": "hyperband", "min_iter": 1, "eta": 1}, "eta", "eta 1 must be a number above 1"),
        ({"type": "hyperband", "min_iter": 1, "eta": 1e300}, "eta", "eta 1e+300 must be a number above 1"),
        ({"type": "hyperband", "min_iter": 1, "strict": "yes"}, "strict", "strict 'yes' must be true or false"),
    ],
)
def test_each_wrong_setting_is_named(settings: Any, key: str, words: str) -> None:
    [(place, problem)] = problems_with(settings)
    assert place == key
    assert words in problem


def test_all_wrong_settings_are_named_at_once() -> None:
    assert [key for key, _ in problems_with({"type": "x", "max_iter": "9", "eta": "3"})] == [
        "type",
        "max_iter",
        "eta",
        "",
    ]


def test_keys_that_mean_nothing_are_found() -> None:
    assert unknown_keys({"type": "hyperband", "min_iter": 1, "minn": 2}) == ["minn"]
