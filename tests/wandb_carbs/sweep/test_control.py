"""Sweeps from outside: which there are, and what is done to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from live_sweep import ENTITY, PROJECT, Sweep
from wandb_carbs import SweepPath, WandbCarbsError
from wandb_carbs.sweep.control import address_of, list_sweeps, newest_sweeps, set_state

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning"),
]
GOOD = {"carbs.state": "success", "carbs.objective": 0.5}


def test_sweeps_are_listed_with_their_costs_and_obey(make_sweep: Callable[..., Sweep]) -> None:
    old, new = make_sweep(), make_sweep()
    for name, cost in (("a", 2.0), ("b", 3.0), ("c", "much"), ("d", None)):
        new.put(name, {}, {**GOOD, "carbs.cost": cost})
    new.put("failed", {}, {"carbs.state": "failure", "carbs.cost": 9.0})
    found = {listed.path.sweep_id: listed for listed in list_sweeps(ENTITY, PROJECT)}
    assert set(found) == {old.id, new.id}
    assert (found[new.id].runs, found[new.id].spent_cost) == (5, 5.0)
    assert (found[old.id].runs, found[old.id].spent_cost) == (0, None)
    assert found[new.id].name == "sweep"
    assert found[new.id].created_at is not None
    assert newest_sweeps(ENTITY, PROJECT, 1) == [SweepPath(ENTITY, PROJECT, new.id)]
    assert newest_sweeps(ENTITY, "nowhere", 1) is None
    path = SweepPath(ENTITY, PROJECT, new.id)
    assert address_of(path).endswith(f"/{ENTITY}/{PROJECT}/sweeps/{new.id}")

    with pytest.raises(WandbCarbsError, match=r"cannot pause sweep .*: it is pending"):
        set_state(path, "pause")
    assert set_state(path, "resume") == "PENDING"
    assert set_state(path, "pause") == "RUNNING"
    assert set_state(path, "stop") == "PAUSED"
    with pytest.raises(WandbCarbsError, match=r"cannot cancel sweep .*: it is finished"):
        set_state(path, "cancel")
    assert set_state(path, "resume") == "FINISHED"
    with pytest.raises(WandbCarbsError, match="there is no sweep"):
        set_state(SweepPath(ENTITY, PROJECT, "nosuch"), "stop")
    with pytest.raises(WandbCarbsError, match="nowhere"):
        list_sweeps(ENTITY, "nowhere")
