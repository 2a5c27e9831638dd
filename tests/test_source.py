"""The source names the encoding of every file, and imports nothing that is not declared."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from wandb_carbs.cli.main import EXTRAS

SOURCE = Path(__file__).parents[1] / "src"
# Import names that are not the names of their distributions.
DISTRIBUTIONS = {"graphql": "graphql-core", "re2": "google-re2", "sklearn": "scikit-learn", "yaml": "pyyaml"}
VENDORED = {"wandb_gql"}  # old SDKs bring it along
# Who imports an extra's packages: by where they are.
ROOMS = {
    "carbs/plotting/": "plot",
    "wandb_carbs/cli/commands/demo.py": "demo",
    "wandb_carbs/cli/commands/export.py": "parquet",
    "wandb_carbs/demo/": "demo",
    "wandb_carbs/report/": "report",
    "wandb_carbs/server/": "local",
}
MODULES = {str(path.relative_to(SOURCE)): ast.parse(path.read_text(encoding="utf-8")) for path in SOURCE.rglob("*.py")}


def nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk through a module, but for what only type checkers read."""
    for child in ast.iter_child_nodes(tree):
        if not (isinstance(child, ast.If) and getattr(child.test, "id", "") == "TYPE_CHECKING"):
            yield child
            yield from nodes(child)


@cache
def imports(tree: ast.AST) -> frozenset[str]:
    """Return the names of the packages of others that a module imports."""
    names: list[str] = []
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.append(node.module or "")
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "import_module":
            names += [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    roots = {name.partition(".")[0] for name in names}
    return frozenset(roots) - sys.stdlib_module_names - {"carbs", "wandb_carbs"} - VENDORED


@cache
def declared(extra: str = "") -> set[str]:
    """Return the normalised names of the distributions that an installation with an extra asks for."""
    found: set[str] = set()
    for requirement in map(Requirement, metadata.requires("wandb-carbs") or []):
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            name = re.sub(r"[-_.]+", "-", requirement.name).lower()
            found |= {name}.union(*map(declared, requirement.extras)) if name == "wandb-carbs" else {name}
    return found


def distribution(name: str) -> str:
    return DISTRIBUTIONS.get(name, name.replace("_", "-"))


def is_text_without_encoding(call: ast.Call) -> bool:
    """Tell whether a call reads or writes a file of text in the machine's own encoding."""
    if any(keyword.arg in {"encoding", None} for keyword in call.keywords):
        return False
    owner = getattr(getattr(call.func, "value", None), "id", "")
    name = getattr(call.func, "id", "") or getattr(call.func, "attr", "")
    if name in {"read_text", "write_text"}:
        return True
    is_method = isinstance(call.func, ast.Attribute) and name == "open"
    if name not in {"open", "fdopen"} or (is_method and owner in {"os", "webbrowser"}):
        return False
    modes = call.args[0 if is_method else 1 :][:1]
    mode = modes[0].value if modes and isinstance(modes[0], ast.Constant) else None if modes else "r"
    return isinstance(mode, str) and set(mode) <= set("rwaxt+")


def test_every_import_is_declared() -> None:
    undeclared = {}
    for path, tree in MODULES.items():
        extra = next((extra for place, extra in ROOMS.items() if path.startswith(place)), "")
        undeclared[path] = {name for name in imports(tree) if distribution(name) not in declared(extra)}
    assert {path: names for path, names in undeclared.items() if names} == {}


def test_every_dependency_is_imported() -> None:
    assert declared() <= {distribution(name) for tree in MODULES.values() for name in imports(tree)}


def test_a_missing_package_of_an_extra_is_answered_with_the_extra() -> None:
    imported = {name for tree in MODULES.values() for name in imports(tree)}
    assert EXTRAS.keys() == {name for name in imported if distribution(name) not in declared()}
    assert [name for name, extra in EXTRAS.items() if distribution(name) not in declared(extra)] == []


def test_every_file_of_text_has_a_named_encoding() -> None:
    """Else the machine's locale decides."""
    found = [
        f"{path}:{node.lineno}"
        for path, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and is_text_without_encoding(node)
    ]
    assert found == []


def test_types_are_checked_alike_with_and_without_optional_packages() -> None:
    """A comment that ignores a missing package is an error where that is installed: pyproject.toml ignores it."""
    lines = [line for path in SOURCE.rglob("*.py") for line in path.read_text(encoding="utf-8").splitlines()]
    assert not [line for line in lines if re.search(r"\bimport\b.*type: ignore\[import-", line)]
