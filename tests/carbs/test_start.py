"""How a search starts: wanted configurations, old runs, a rule for configurations."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from carbs import (
    CARBS,
    CarbsError,
    CARBSParams,
    LinearSpace,
    LogSpace,
    ObservationInParam,
    Param,
    Pow2Space,
    SearchSpace,
)
from carbs.start import doubt_of_cap, own_runs

PARAMS = [Param("lr", LogSpace(1e-5, 1e-1)), Param("epochs", LogSpace(1, 1000, is_integer=True))]
CENTERED = [Param("lr", LogSpace(1e-5, 1e-1), 1e-3), Param("epochs", LogSpace(1, 1000, is_integer=True), 2)]


def outcome(values: dict[str, Any], **options: Any) -> ObservationInParam:
    """Run one: learning saturates with the epochs, which are the cost."""
    objective = -abs(math.log10(values["lr"]) + 3) - 3 / math.sqrt(values["epochs"])
    return ObservationInParam(values, objective, float(values["epochs"]), **options)


def search(carbs: CARBS, runs: int) -> list[dict[str, Any]]:
    """Run some suggestions; return them."""
    made = []
    for _ in range(runs):
        made.append(carbs.suggest().suggestion)
        carbs.observe(outcome(made[-1]))
    return made


def without_id(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != "suggestion_uuid"}


def test_wanted_configurations_run_first_in_their_order() -> None:
    initial = [{"lr": 1e-2, "epochs": 3}, {"epochs": 2, "lr": 1e-3}]
    carbs = CARBS(params=PARAMS, initial=initial)
    outputs = [carbs.suggest() for _ in range(3)]
    assert [without_id(output.suggestion) for output in outputs[:2]] == initial
    assert [output.log["kind"] for output in outputs] == ["initial", "initial", "random"]


def test_wanted_configurations_take_the_center_where_they_say_nothing() -> None:
    carbs = CARBS(params=CENTERED, initial=[{"epochs": 5}])
    assert without_id(carbs.suggest().suggestion) == {"lr": 1e-3, "epochs": 5}


def test_the_cheapest_comes_first_as_soon_as_costs_are_known_and_the_expensive_wait() -> None:
    initial = [{"epochs": n} for n in (2, 3, 100, 4)]
    carbs = CARBS(params=CENTERED, initial=initial)
    made = [int(values["epochs"]) for values in search(carbs, 18)]
    assert made[:3] == [2, 3, 4]
    assert 100 in made[4:]
    before = made[: made.index(100)]
    assert max(before) >= 30, "runs must have led up to it"


def test_a_cap_that_cannot_hold_yet_is_doubted_unless_the_search_has_a_place_to_start() -> None:
    capped, plain, centered = (
        CARBSParams(max_suggestion_cost=3600),
        SearchSpace(tuple(PARAMS)),
        SearchSpace(tuple(CENTERED)),
    )
    assert "may exceed max_suggestion_cost=3600 until 2 have succeeded" in doubt_of_cap(plain, capped, 1)
    assert doubt_of_cap(plain, CARBSParams(), 0) == ""
    assert doubt_of_cap(centered, capped, 0) == ""
    assert doubt_of_cap(plain, capped, 2) == ""


def test_draws_say_that_no_cost_is_known_until_two_runs_have_succeeded() -> None:
    carbs = CARBS(CARBSParams(max_suggestion_cost=50), PARAMS)
    reasons = []
    for _ in range(3):
        output = carbs.suggest()
        reasons.append("it may exceed max_suggestion_cost" in output.log["reason"])
        carbs.observe(outcome(output.suggestion))
    assert reasons == [True, True, False]
    assert "exceed" not in CARBS(params=PARAMS).suggest().log["reason"]


def test_a_wanted_configuration_is_run_once_by_agents_that_start_together() -> None:
    carbs = CARBS(params=PARAMS, initial=[{"epochs": 3}, {"epochs": 4}])
    assert [carbs.suggest().log["kind"] for _ in range(4)].count("initial") == 2


def test_a_wanted_configuration_is_not_run_again_where_another_one_was_run_in_its_place(tmp_path: Path) -> None:
    """A run that was stopped early, or a program that clips its values, would do the same each time."""
    carbs = CARBS(params=PARAMS, initial=[{"epochs": 30}, {"epochs": 4}])
    first = carbs.suggest()
    assert (first.log["kind"], first.suggestion["epochs"]) == ("initial", 30)
    carbs.observe(ObservationInParam({**first.suggestion, "epochs": 5}, 0.5, 1.0))
    carbs.save(tmp_path / "c.json")
    for known in (carbs, CARBS.load(tmp_path / "c.json")):
        assert known.suggest().suggestion["epochs"] == 4
        assert known.suggest().log["kind"] != "initial"


def test_wanted_configurations_survive_a_checkpoint(tmp_path: Path) -> None:
    CARBS(params=PARAMS, initial=[{"epochs": 3}]).save(tmp_path / "c.json")
    assert CARBS.load(tmp_path / "c.json").suggest().suggestion["epochs"] == 3


@pytest.mark.parametrize(
    ("initial", "words"),
    [
        ([{"epochs": 3}, {"epochs": 3000}], r"initial\[1\]: parameter 'epochs': value 3000 must be between"),
        ([{"epoch": 3}], r"initial\[0\]: parameter 'epoch' is unknown; did you mean 'epochs'"),
        ([3], r"initial\[0\]: 3 must be a dictionary"),
        ({"epochs": 3}, "initial={'epochs': 3} must be a list"),
        ([{"epochs": 7}], r"initial\[0\]: {'epochs': 7} is refused by is_valid"),
    ],
)
def test_what_cannot_be_wanted_is_an_error(initial: Any, words: str) -> None:
    with pytest.raises(CarbsError, match=words):
        CARBS(params=PARAMS, initial=initial, is_valid=lambda values: values["epochs"] != 7)


@pytest.mark.parametrize("params", [PARAMS, CENTERED], ids=["everywhere", "from a centre"])
def test_old_costs_raise_no_limit(params: list[Param]) -> None:
    """The search grows from its own runs: at most doubling, though runs of 1000 epochs are known."""
    old = CARBS(params=PARAMS)
    rng = np.random.default_rng(0)
    for _ in range(30):
        values = {"lr": 10 ** rng.uniform(-5, -1), "epochs": round(10 ** rng.uniform(0, 3))}
        old.observe(outcome(values))
    new = CARBS(params=params)
    assert new.warm_start(old) == 30
    spent: list[float] = []
    for _ in range(8):
        cost = float(new.suggest().suggestion["epochs"])
        highest = max(spent, default=min(seen.cost for seen in old.success_observations) if params is PARAMS else 2.0)
        assert cost <= 2.8 * highest + 0.3 * sum(spent), spent
        spent.append(cost)
        new.observe(outcome(new.suggest(is_suggestion_remembered=False).suggestion | {"epochs": int(cost)}))


def test_old_runs_stay_old_in_a_checkpoint(tmp_path: Path) -> None:
    carbs = CARBS(params=PARAMS)
    carbs.observe(outcome({"lr": 1e-3, "epochs": 500}, is_old=True))
    carbs.observe(ObservationInParam({"lr": 1e-3, "epochs": 5}, is_failure=True, is_old=True))
    carbs.observe(outcome({"lr": 1e-3, "epochs": 2}))
    carbs.save(tmp_path / "c.json")
    loaded = CARBS.load(tmp_path / "c.json")
    assert [seen.is_old for seen in loaded.success_observations] == [True, False]
    assert loaded.failure_observations[0].is_old
    with pytest.raises(CarbsError, match="is_old=3 must be True or False"):
        carbs.observe(outcome({"lr": 1e-3, "epochs": 2}, is_old=3))


def test_another_task_gives_four_members_of_its_frontier_to_run_first() -> None:
    old = CARBS(params=PARAMS)
    search(old, 25)
    new = CARBS(params=[*PARAMS, Param("width", Pow2Space(1, 64), 8)])
    assert new.warm_start(old, same_task=False) == 4
    assert new.success_observations == []
    outputs = [new.suggest() for _ in range(5)]
    assert [output.log["kind"] for output in outputs] == [*["initial"] * 4, "random"]
    chosen = [output.suggestion for output in outputs[:4]]
    costs = [values["epochs"] for values in chosen]
    assert costs == sorted(costs)
    assert len(set(costs)) == 4
    assert all(values["width"] == 8 for values in chosen)
    seen = {(run.input["lr"], run.input["epochs"]): run.output for run in old.success_observations}
    assert max(seen.values()) == max(seen[values["lr"], values["epochs"]] for values in chosen)


def divides(values: dict[str, Any]) -> bool:
    """Tell whether the batch is made of whole minibatches."""
    return bool(values["batch"] % values["minibatch"] == 0)


BATCHES = [
    Param("batch", LinearSpace(1, 512, is_integer=True)),
    Param("minibatch", LinearSpace(1, 64, is_integer=True)),
    Param("lr", LogSpace(1e-5, 1e-1)),
]


@pytest.mark.parametrize("centers", [(None, None), (60, 7)])
def test_every_suggestion_obeys_the_rule(centers: tuple[int | None, int | None]) -> None:
    """Draws, candidates and repeats, for a cost, and with others running; a centre that does not obey is left out."""
    params = [
        Param("batch", BATCHES[0].space, centers[0]),
        Param("minibatch", BATCHES[1].space, centers[1]),
        BATCHES[2],
    ]
    carbs = CARBS(CARBSParams(resample_frequency=2), params, is_valid=divides)
    # An observation may disobey, and be the best there is.
    carbs.observe(ObservationInParam({"batch": 100, "minibatch": 3, "lr": 1e-3}, 9.0, 100.0))
    for number in range(16):
        values: Any = carbs.suggest(for_cost=50.0 if number > 8 and number % 4 == 0 else None).suggestion
        assert divides(values), number
        if number % 3:
            score = -abs(math.log10(float(values["lr"])) + 3) + math.log10(values["batch"])
            carbs.observe(ObservationInParam(values, score, float(values["batch"])))


def test_a_rule_that_leaves_nothing_is_a_clear_error() -> None:
    carbs = CARBS(params=BATCHES, is_valid=lambda values: float(values["batch"]) < 0)
    with pytest.raises(CarbsError, match=r"no valid configuration was found among .* draws: is_valid must allow more"):
        carbs.suggest()
    for seed in range(8):
        values: dict[str, Any] = {"batch": 10 + seed, "minibatch": 5, "lr": 1e-3}
        carbs.observe(ObservationInParam(values, float(seed), 1.0 + seed))
    with pytest.raises(CarbsError, match="no valid configuration"):
        carbs.suggest()


def test_a_rule_that_fails_is_a_clear_error() -> None:
    carbs = CARBS(params=BATCHES, is_valid=lambda values: bool(values["nothing"]))
    with pytest.raises(CarbsError, match=r"is_valid failed for .*KeyError\('nothing'\)"):
        carbs.suggest()
    with pytest.raises(CarbsError, match="is_valid=3 must be a function"):
        CARBS(params=BATCHES, is_valid=3)  # type: ignore[arg-type]


def test_a_rare_rule_is_obeyed() -> None:
    """One configuration in a thousand is valid."""
    space = LinearSpace(1, 1000, is_integer=True)
    carbs = CARBS(params=[Param("a", space), Param("b", space)], is_valid=lambda values: values["a"] == values["b"])
    for number in range(9):
        values = carbs.suggest().suggestion
        assert values["a"] == values["b"]
        carbs.observe(ObservationInParam(values, float(number), 1.0))


def test_a_loaded_search_obeys_the_rule_that_it_is_given(tmp_path: Path) -> None:
    CARBS(params=BATCHES, is_valid=divides).save(tmp_path / "c.json")
    carbs = CARBS.load(tmp_path / "c.json", is_valid=divides)
    assert all(divides(carbs.suggest().suggestion) for _ in range(5))


def test_a_warm_start_that_is_repeated_adds_nothing_and_new_runs_are_added() -> None:
    old = CARBS(params=PARAMS)
    search(old, 6)
    repeated: dict[str, Any] = {"lr": 1e-3, "epochs": 7}
    for _ in range(2):
        old.observe(ObservationInParam(repeated, 1.0, 7.0))
        old.observe(ObservationInParam(repeated, is_failure=True))
    new = CARBS(params=[*PARAMS, Param("width", LogSpace(1, 100), 10)])
    assert [new.warm_start(old) for _ in range(3)] == [10, 0, 0]
    search(old, 1)
    assert new.warm_start(old) == 1
    assert (len(new.success_observations), len(new.failure_observations)) == (9, 2)


def test_a_warm_start_takes_the_points_on_the_way_that_fit() -> None:
    old = CARBS(params=PARAMS)
    way = [ObservationInParam({"lr": 1e-3, "epochs": epochs}, 0.1 * epochs, epochs) for epochs in (1, 5)]
    old.observe(ObservationInParam({"lr": 1e-3, "epochs": 9}, 1.0, 9.0, points=way))
    narrow = Param("epochs", LogSpace(4, 10, is_integer=True))
    narrower = CARBS(params=[PARAMS[0], narrow, Param("width", LogSpace(1, 9), 3)])
    assert narrower.warm_start(old) == 1
    (run,) = narrower.success_observations
    assert [(point.input, point.is_old) for point in run.points] == [({"lr": 1e-3, "epochs": 5, "width": 3}, True)]
    assert narrower.warm_start(old) == 0
    # Its end lies outside: the furthest point is the end of what was seen.
    shorter = CARBS(params=[PARAMS[0], Param("epochs", LogSpace(1, 6, is_integer=True))])
    assert [shorter.warm_start(old) for _ in range(2)] == [1, 0]
    (run,) = shorter.success_observations
    assert (run.input["epochs"], run.cost, [point.input["epochs"] for point in run.points]) == (5, 5, [1])
    # Without the hyperparameter that it passed through all of its points would be its end.
    without = CARBS(params=[PARAMS[0]])
    assert without.warm_start(old) == 1
    assert [(run.cost, list(run.points)) for run in without.success_observations] == [(9.0, [])]


def test_a_search_is_not_its_own_warm_start() -> None:
    carbs = CARBS(params=PARAMS)
    search(carbs, 2)
    with pytest.raises(CarbsError, match="this one itself"):
        carbs.warm_start(carbs)
    assert len(carbs.success_observations) == 2


def test_wanted_runs_are_as_long_as_all_others() -> None:
    params = [PARAMS[0], Param("epochs", PARAMS[1].space, fixed=100)]
    carbs = CARBS(params=params, initial=[{"lr": 1e-3}, {"lr": 1e-2, "epochs": 100}])
    firsts = [carbs.suggest().suggestion for _ in range(2)]
    assert [(first["lr"], first["epochs"]) for first in firsts] == [(1e-3, 100), (1e-2, 100)]
    with pytest.raises(CarbsError, match=r"initial\[0\]: epochs=50 must be 100, as in every run"):
        CARBS(params=params, initial=[{"lr": 1e-3, "epochs": 50}])


def test_members_of_a_frontier_are_run_as_long_as_all_others(tmp_path: Path) -> None:
    """Those of whole runs alone, if the other search had such; each configuration once."""
    long = Param("epochs", PARAMS[1].space, fixed=100)
    other = CARBS(params=[PARAMS[0], Param("epochs", PARAMS[1].space, fixed=50)])
    for place, epochs in enumerate((50, 50, 5, 50, 10)):
        other.observe(outcome({"lr": 10 ** -(2 + place / 4), "epochs": epochs}))
    searched = CARBS(params=PARAMS)
    for place, epochs in enumerate((1, 1, 10, 100, 100)):
        searched.observe(outcome({"lr": 10 ** -(2 + place / 4), "epochs": epochs}))
    for source, rates in ((other, [10**-2.75]), (searched, [10**-3.0, 10**-2.5, 10**-2.25])):
        carbs = CARBS(params=[PARAMS[0], long])
        assert carbs.warm_start(source, same_task=False) == len(rates)
        carbs.save(tmp_path / "search.json")
        loaded = CARBS.load(tmp_path / "search.json")
        firsts = [loaded.suggest().suggestion for _ in rates]
        assert sorted(float(first["lr"]) for first in firsts) == pytest.approx(rates)
        assert {first["epochs"] for first in firsts} == {100}


def test_of_an_earlier_search_runs_of_the_same_length_count_and_stopped_ones_among_them() -> None:
    def search_of(length: int | None) -> CARBS:
        return CARBS(params=[PARAMS[0], Param("epochs", PARAMS[1].space, fixed=length)])

    old, searched = search_of(50), search_of(None)
    for carbs in (old, searched):
        for lr, epochs in ((1e-3, 50), (1e-2, 50), (1e-4, 5)):
            carbs.observe(outcome({"lr": lr, "epochs": epochs}))
    assert [search_of(50).warm_start(old), search_of(100).warm_start(old)] == [3, 0]
    assert [search_of(50).warm_start(searched), search_of(None).warm_start(old)] == [2, 3]


def test_a_run_that_was_stopped_has_had_its_turn_and_raises_no_limit_of_cost() -> None:
    params = [PARAMS[0], Param("epochs", PARAMS[1].space, fixed=100)]
    wanted = [{"lr": 10 ** -(2 + place / 4)} for place in range(6)]
    carbs, runs = CARBS(params=params, initial=wanted), {}
    for place in range(6):
        suggestion = carbs.suggest(str(place)).suggestion
        runs[str(place)] = outcome({"lr": suggestion["lr"], "epochs": 5 if place in (1, 3) else 100})
        carbs = CARBS(params=params, initial=wanted)
        carbs.synchronize("sweep", runs)
    assert sorted(run.input["lr"] for run in runs.values()) == pytest.approx(sorted(lr["lr"] for lr in wanted))
    own = own_runs(carbs.space, carbs.success_observations)
    assert own is not None
    assert np.exp(own.log_cost).tolist() == pytest.approx([100, 5, 100, 5, 100, 100])
    assert carbs.space.decode(own.X)[1]["epochs"] == 100
