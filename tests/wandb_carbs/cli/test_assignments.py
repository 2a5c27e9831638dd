"""Values and names of hyperparameters that commands take."""

from __future__ import annotations

from typing import Any

import click
import pytest

from carbs import CategoricalSpace, LogSpace, Param
from carbs.spaces.search_space import as_space
from wandb_carbs.cli.assignments import Assignments, Names, values_of

SPACE = as_space(
    [
        Param("n", LogSpace(min=1e6, max=1e12)),
        Param("layers", LogSpace(min=1, max=64, is_integer=True)),
        Param("betas", CategoricalSpace(([0.9, 0.95], [0.9, 0.999]))),
        Param("opt", CategoricalSpace(("adam", "sgd", None))),
    ]
)


def read(*texts: str) -> dict[str, Any]:
    return values_of(SPACE, tuple(Assignments().convert(text, None, None) for text in texts))


@pytest.mark.parametrize("texts", [["n=7e9,layers=3"], ["n=7e9", "layers=3"], [" n = 7000000000 , layers = 3.0"]])
def test_values_come_together_or_one_by_one(texts: list[str]) -> None:
    values = read(*texts)
    assert values == {"n": 7e9, "layers": 3}
    assert isinstance(values["layers"], int)


def test_choices_are_found_by_their_text_with_commas_and_all() -> None:
    assert read("betas=[0.9, 0.999],opt=sgd") == {"betas": [0.9, 0.999], "opt": "sgd"}
    assert read("opt=null") == {"opt": None}


@pytest.mark.parametrize(
    ("choices", "text", "value"),
    [
        ((1.0, 2.0, 4.0), "2", 2.0),
        ((1.0, 2.0, 4.0), "2.0", 2.0),
        ((0.1, 1 / 3), "0.333", 1 / 3),
        (([64], [64, 64]), "[64,64]", [64, 64]),
        ((["a", None], ["b"]), "['a', None]", ["a", None]),
        ((1, "1", None), "1", 1),
        ((1, "1", None), '"1"', "1"),
        ((1, "1", None), "None", None),
        (("1", "2"), "1", "1"),
        ((True, "true"), "true", True),
        ((True, "x"), "True", True),
        (("true", "x"), "true", "true"),
        (("a", "b"), "c", "c"),
        (("a", "b"), "{1}", "{1}"),
        (("a", "b"), "[" * 10_000, "[" * 10_000),
    ],
)
def test_a_choice_is_found_by_its_value(choices: tuple[Any, ...], text: str, value: Any) -> None:
    space = as_space([Param("x", CategoricalSpace(choices))])
    found = values_of(space, (Assignments().convert(f"x={text}", None, None),))["x"]
    assert (found, type(found)) == (value, type(value))


def test_what_the_space_does_not_know_is_left_for_it_to_refuse() -> None:
    assert read("m=1,opt=lion") == {"m": "1", "opt": "lion"}
    for text in ("{[]}", "{[]: 1}", "1if 2else 3"):
        assert read(f"opt={text}") == {"opt": text}


@pytest.mark.parametrize("text", ["n", "n=", "=3", "", "n=1,,layers=2", "7e9"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(click.UsageError):
        read(text)


def test_a_number_is_wanted_once() -> None:
    with pytest.raises(click.UsageError, match="n=big must be a number, such as n=7e9"):
        read("n=big")
    with pytest.raises(click.UsageError, match="n is given twice"):
        read("n=1", "n=2")


def test_names_come_together_or_one_by_one() -> None:
    assert Names().convert("n, d", None, None) == ("n", "d")
    with pytest.raises(click.UsageError, match="empty name"):
        Names().convert("n,", None, None)
