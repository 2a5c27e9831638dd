"""YAML as people write it."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from carbs import CarbsError
from wandb_carbs.sweep.file.document import Document, read_document


def read(tmp_path: Path, text: str | bytes) -> Document:
    path = tmp_path / "file.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_document(path)


def test_words_that_yaml_1_1_reads_otherwise_are_kept(tmp_path: Path) -> None:
    words = ["yes", "Off", "010", "1:30", "2024-01-01", "2024-99-99"]
    same = ["1e-5", "1_000", "0x1F", ".nan", ".inf", "true", "y", "=", "<<", "~", "'yes'", '"010"', "a: 1"]
    found = read(tmp_path, "".join(f"k{place}: {{v: [{word}]}}\n" for place, word in enumerate(words + same)))
    assert found.others == {
        ("k0", "v", 0): ("yes", True),
        ("k1", "v", 0): ("Off", False),
        ("k2", "v", 0): (10, 8),
        ("k3", "v", 0): ("1:30", 90),
        ("k4", "v", 0): ("2024-01-01", date(2024, 1, 1)),
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-5", 1e-5),
        ("1e6", 1e6),
        ("1E+3", 1e3),
        (".5", 0.5),
        ("5.", 5.0),
        ("-.5e-3", -0.5e-3),
        ("1_000", 1000),
        ("010", 10),
        ("0x1F", 31),
        ("+3", 3),
        (".inf", math.inf),
        ("-.Inf", -math.inf),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("yes", "yes"),
        ("No", "No"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("1:30", "1:30"),
        ("2:00:00", "2:00:00"),
        ("2024-01-01", "2024-01-01"),
        ("1.2.3", "1.2.3"),
        ("=", "="),
        ("None", "None"),
        ("inf", "inf"),
        ("'1e-5'", "1e-5"),
        ('"yes"', "yes"),
        ("1e", "1e"),
        ("_1", "_1"),
    ],
)
def test_a_word_is_what_it_looks_like(text: str, value: Any, tmp_path: Path) -> None:
    found = read(tmp_path, f"x: {text}\n").values["x"]
    assert found == value
    assert type(found) is type(value)


MERGED = """\
base: &base {space: log, min: 1, max: 5}
more: &more {max: 9, scale: 2}
a: {max: 3, <<: *base}
b:
  <<: [*base, *more]
  min: 2
c: &c
  <<: *base
d: {<<: *c, max: 4}
"""


def test_own_keys_win_over_merged_ones(tmp_path: Path) -> None:
    values = read(tmp_path, MERGED).values
    assert values["a"] == {"space": "log", "min": 1, "max": 3}
    assert values["b"] == {"space": "log", "min": 2, "max": 5, "scale": 2}
    assert values["d"] == {"space": "log", "min": 1, "max": 4}


def test_lines_are_kept_through_merges(tmp_path: Path) -> None:
    document = read(tmp_path, MERGED)
    assert document.line("b", "min") == 6
    assert document.line("b", "scale") == 5
    assert document.line("b", "nothing") == 4
    assert document.line("a", "max") == 3


@pytest.mark.parametrize("text", ["\ufeffname: x\r\nlr: 1e-5\r\n", "name: x\rlr: 1e-5\r", "\ufeffname: x\nlr: 1e-5"])
def test_byte_order_marks_and_line_ends_do_not_matter(text: str, tmp_path: Path) -> None:
    assert read(tmp_path, text).values == {"name": "x", "lr": 1e-5}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: !env X\n", (2, "the tag !env has no meaning here: write the value itself")),
        ("a: !!set {x}\n", (1, "the tag !!set has no meaning here: write the value itself")),
        (
            "a: !!python/name:os.system x\n",
            (1, "the tag !!python/name:os.system has no meaning here: write the value itself"),
        ),
        ("a: 1\n---\nb: 1\n", (3, "a second document begins: give each sweep a file of its own")),
        ("a: 1\nb: 2\na: 3\n", (3, "'a' is given twice, first in line 1")),
        ("? [a]\n: 1\n", (1, "a key must be a word, not a list or a mapping")),
        ("a:\n  <<: {? [b] : 1}\n", (2, "a key must be a word, not a list or a mapping")),
        ("a:\n  <<: 3\n", (2, "'<<' takes a mapping, or a list of mappings: `<<: *name`")),
        ("", (1, "the file is empty")),
        ("# nothing\n", (1, "the file is empty")),
    ],
)
def test_what_cannot_be_read_is_a_problem_with_its_line(text: str, problem: tuple[int, str], tmp_path: Path) -> None:
    assert read(tmp_path, text).problems == [problem]


BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [1", "line 1"),
        ("a:\n\t- 1\n", "not with tabs"),
        ("a: *nothing", "line 1"),
        (b"\xff\xfea", "no text file"),
        ("\x00", "not valid YAML"),
        ("&a [*a]", "nested too deeply"),
        ("a: &a {<<: *a}", "nested too deeply"),
        ("[" * 5000, "nested too deeply"),
        (BOMB, "more than 100,000 values"),
    ],
    ids=range(9),
)
def test_malformed_yaml_is_an_error(text: str | bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(CarbsError, match=r"file\.yaml") as caught:
        read(tmp_path, text)
    assert words in str(caught.value)
