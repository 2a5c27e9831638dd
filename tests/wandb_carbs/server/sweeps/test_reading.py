"""The YAML of sweeps, as plain JSON values within bounds."""

from __future__ import annotations

import json
import time

import pytest

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.sweeps.reading import load_mapping


def test_values_are_those_of_json() -> None:
    found = load_mapping("a: 1\nb: [0.5, true, null, text]\nc: {d: 2024-02-29, e: 10:30}\nf: &f {g: 1}\nh: *f")
    assert found["c"]["d"] == "2024-02-29"
    assert found["h"] == {"g": 1}
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be a mapping"),
        ("- 1", "must be a mapping"),
        ("{", "invalid sweep config"),
        ("a: &a [*a]", "refers to itself"),
        ("a: &a {b: *a}", "refers to itself"),
        ("a: !!binary aGVsbG8=", "of type bytes"),
        ("a: !!set {b, c}", "of type set"),
        ("a: !!python/object/apply:os.system [ls]", "invalid sweep config"),
        ("a: 0x" + "f" * 300, "bits"),
        ("a: " + "[" * 200 + "]" * 200, "levels"),
        ("a: " + "x" * 600_000, "at most 500000"),
        ("a: [" + "1, " * 120_000 + "1]", "more than 100000 values"),
    ],
    ids=range(12),
)
def test_anything_else_is_refused(text: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        load_mapping(text)


def test_billion_laughs_cost_nothing() -> None:
    text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{n}: &{n} [{', '.join(['*' + p] * 10)}]\n" for n, p in zip("bcdefghij", "abcdefghi", strict=True)
    )
    begin = time.process_time()
    with pytest.raises(RequestError, match="aliases written out"):
        load_mapping(text)
    assert time.process_time() - begin < 5
