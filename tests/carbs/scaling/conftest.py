"""Simulators of the benchmarks, for tests of scaling laws."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest


def load(name: str) -> Any:
    """Import a module of the benchmarks, which are no package."""
    path = Path(__file__).parents[3] / "benchmarks" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"benchmarks_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def tables() -> Any:
    return load("language_tables")


@pytest.fixture(scope="session")
def problems() -> Any:
    return load("problems")
