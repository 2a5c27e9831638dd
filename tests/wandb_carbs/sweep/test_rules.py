"""A rule for whole configurations is found by its name, or refused with the reason."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from carbs import CarbsError
from wandb_carbs.sweep.rules import load_rule, problem_with

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in [name for name in sys.modules if name.startswith("rules_of_the_test")]:
        monkeypatch.delitem(sys.modules, name)
    (tmp_path / "rules_of_the_test.py").write_text(
        "LIMIT = 3\n"
        "def fits(values):\n    from rules_of_the_test_too import limit\n    return values['layers'] < limit()\n"
        "class Rules:\n    @staticmethod\n    def none(values):\n        return False\n"
    )
    (tmp_path / "rules_of_the_test_too.py").write_text("def limit():\n    return 3\n")
    (tmp_path / "rules_of_the_test_broken.py").write_text("raise RuntimeError('no data here')\n")
    return tmp_path


def test_a_rule_is_loaded_from_its_folder_and_may_import_from_it_later(folder: Path) -> None:
    rule = load_rule("rules_of_the_test:fits", folder)
    assert rule({"layers": 2})
    assert not rule({"layers": 3})
    assert not load_rule("rules_of_the_test:Rules.none", folder)({})


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("rules_of_the_test", "must be the name of a function, 'module:function'"),
        ("", "must be the name of a function"),
        ("rules_of_the_test:absent", r"cannot be loaded from .*: AttributeError"),
        ("rules_of_the_test_nowhere:fits", r"cannot be loaded from .*: ModuleNotFoundError"),
        ("rules_of_the_test_broken:fits", "no data here"),
        ("rules_of_the_test:LIMIT", "is 3, and must be a function"),
    ],
)
def test_what_is_no_rule_is_refused(folder: Path, name: str, problem: str) -> None:
    with pytest.raises(CarbsError, match=problem):
        load_rule(name, folder)


@pytest.mark.parametrize("name", ["fits", "a:", ":f", "a b:f", "a:f()", "a.py:f:g", "../a:f", len, None, 3])
def test_names_that_cannot_be_kept_are_refused(name: Any) -> None:
    assert problem_with(name) is not None


@pytest.mark.parametrize("name", ["", "rules:fits", "package.rules:Rules.fits", "_a1:_f2"])
def test_names_that_can_be_kept(name: str) -> None:
    assert problem_with(name) is None
