"""Making and changing sweeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.sweeps import sweeps

if TYPE_CHECKING:
    pass


def test_refused_sweep_leaves_nothing_behind(store: Store) -> None:
    for config in ("{", "[]", "{method: random}", "{method: random, run_cap: 0, parameters: {x: {value: 1}}}"):
        with pytest.raises(RequestError, match="invalid sweep config"):
            sweeps.upsert(store, {"projectName": "p", "config": config})
    with pytest.raises(RequestError, match="state"):
        sweeps.upsert(store, {"config": "{method: random, parameters: {x: {value: 1}}}", "state": "ASLEEP"})
    with store.reading() as db:
        assert db.execute("SELECT count(*) FROM sweeps").fetchone()[0] == 0
