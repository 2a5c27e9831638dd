"""Nested parameters of a run's configuration."""

from __future__ import annotations

from typing import Any

import pytest

from wandb_carbs.agent.nesting import nested

DRAW: dict[str, Any] = {
    "optimizer": {"lr": 1.0, "momentum": 0.9, "schedule": {"kind": "cosine", "warm.up": 3}},
    "data.seed": 7,
    "width": 64,
}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"width": 32}, {}),
        ({"data.seed": 8}, {}),
        ({"optimizer.nothing": 1}, {}),
        ({"optimizer.lr": 0.1}, {"optimizer": {**DRAW["optimizer"], "lr": 0.1}}),
        (
            {"optimizer.lr": 0.1, "optimizer.schedule.kind": None, "optimizer.schedule.warm.up": 5, "width": 1},
            {"optimizer": {"lr": 0.1, "momentum": 0.9, "schedule": {"kind": None, "warm.up": 5}}},
        ),
    ],
)
def test_values_go_where_their_names_lead(values: dict[str, Any], expected: dict[str, Any]) -> None:
    before = repr(DRAW)
    assert nested(DRAW, values) == expected
    assert repr(DRAW) == before


def test_a_flat_copy_beside_does_not_hide_the_place() -> None:
    """The second suggestion of a run finds the first one's flat names."""
    assert nested({"a": {"b": 1}, "a.b": 1}, {"a.b": 3}) == {"a": {"b": 3}}


# The SDK's own sweep() does what the SDK's own settings warn of.
@pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:unclosed file.*sweep-:ResourceWarning")
def test_nesting_constants_and_any_choice_reach_the_run(wandb_env: Any) -> None:  # noqa: ARG001 - it sets the server
    """A program finds the suggestion where W&B's own draw was, and constants where they belong; the search reads it."""
    import wandb

    from wandb_carbs import WandbCarbs, create_sweep, load_sweep

    sweep = create_sweep(
        "nested",
        "e",
        "p",
        parameters={
            "optimizer": {"parameters": {"lr": {"min": 0.0, "max": 1.0}, "momentum": {"value": 0.9}}},
            "layers": {"values": [[64], [64, [32, 16]]]},
            "schedule": {"values": [None, "cosine"]},
            "epochs": {"value": 3},
        },
    )
    seen: list[dict[str, Any]] = []

    def train() -> None:
        with wandb.init() as run, WandbCarbs.from_sweep(run) as trial:
            seen.append({**dict(run.config), "suggestion": trial.suggest()})
            trial.record_observation(objective=1.0, cost=1.0)

    wandb.agent(f"e/p/{sweep}", function=train, count=2)
    assert len(seen) == 2
    for config in seen:
        suggestion = config["suggestion"]
        assert config["optimizer"] == {"lr": suggestion["optimizer.lr"], "momentum": 0.9}
        assert (config["layers"], config["schedule"]) == (suggestion["layers"], suggestion["schedule"])
        assert config["layers"] in ([64], [64, [32, 16]])
        assert config["schedule"] in (None, "cosine")
        assert config["epochs"] == 3
        assert set(suggestion) == {"optimizer.lr", "layers", "schedule", "suggestion_uuid"}
    history = load_sweep(f"e/p/{sweep}")
    read = [dict(run.suggestion or {}) for run in history.runs]
    assert read == [{key: value for key, value in c["suggestion"].items() if key != "suggestion_uuid"} for c in seen]
    assert [run.record.config["optimizer"] for run in history.runs] == [config["optimizer"] for config in seen]
