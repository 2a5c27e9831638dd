"""YAML as people write it: values, and the line of each.

A reader of YAML 1.1, as PyYAML is, takes `1e-5` for text, `no` and `on` for booleans, `1:30` for ninety, `010` for
eight and a date for an object. Here a word is what it looks like: 1e-5 is a number, 010 is ten, the others are text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from carbs import CarbsError

Path_ = tuple["str | int", ...]
# A file of nested aliases may stand for more values than any memory holds.
_MOST_VALUES = 100_000
_TAG = "tag:yaml.org,2002:"
# Endings of an error's message, by words of PyYAML's.
_HINTS = {
    r"'\t'": "; indent with spaces, not with tabs",
    "not allowed here": "; a space must follow the colon of `key: {…}`",
}


@dataclass
class Document:
    """The contents of a file.

    Attributes:
        values: Mappings, lists and scalars.
        lines: The line of each key and each item, from 1, by its path.
        texts: Scalars as they are written, by their path.
        others: The value here, and in YAML 1.1, of each word that is a number or a flag there (so W&B reads it), and
            something else here; by its path.
        problems: Line and sentence of each thing that cannot be read.
    """

    values: Any = None
    lines: dict[Path_, int] = field(default_factory=dict)
    texts: dict[Path_, str] = field(default_factory=dict)
    others: dict[Path_, tuple[Any, Any]] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def line(self, *path: str | int) -> int:
        """Return the line of the value at a path, or of the nearest that there is above it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def say(self, problem: str, *path: str | int) -> None:
        """Note a problem with the value at a path."""
        self.problems.append((self.line(*path), problem))


def read_document(path: Path) -> Document:
    """Read a YAML file.

    Raises:
        CarbsError: If it is no text, or not one document of YAML; names the line.
    """
    try:
        return _Composer(path.read_bytes().decode("utf-8-sig")).document()
    except UnicodeDecodeError as error:
        raise CarbsError(f"{path} is no text file in UTF-8, so save it as one: {error}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f", line {mark.line + 1}" if mark else ""
        problem = error.problem or error.context
        hint = next((hint for words, hint in _HINTS.items() if words in str(problem)), "")
        raise CarbsError(f"{path}{place}: not valid YAML: {problem}{hint}") from error
    except yaml.YAMLError as error:
        raise CarbsError(f"{path}: not valid YAML: {error}") from error
    except RecursionError as error:
        raise CarbsError(f"{path}: nested too deeply") from error
    except _TooLargeError as error:
        raise CarbsError(f"{path}: stands for more than {_MOST_VALUES:,} values; its aliases nest too often") from error


class _TooLargeError(Exception):
    """A file stands for too many values."""


class _Loader(yaml.SafeLoader):
    """A loader that takes plain words for what they look like."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - as its base has it


def _resolve(tag: str, pattern: str, first: str) -> None:
    # The stubs of PyYAML differ from version to version.
    add: Any = _Loader.add_implicit_resolver
    add(_TAG + tag, re.compile(f"(?:{pattern})\\Z"), list(first) or [""])


_resolve("null", "~|null|Null|NULL|", "~nN")
_Loader.yaml_implicit_resolvers.setdefault("", []).extend(_Loader.yaml_implicit_resolvers["~"])
_resolve("bool", "true|True|TRUE|false|False|FALSE", "tTfF")
_resolve("int", r"[-+]?[0-9][0-9_]*|0x[0-9a-fA-F]+|0o[0-7]+|0b[01]+", "-+0123456789")
_resolve("float", r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789")
_resolve("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", "-+.")
_resolve("merge", "<<", "<")


class _Composer:
    """Turns the nodes of a file into values and their lines."""

    def __init__(self, text: str) -> None:
        self._loader: Any = _Loader(text)
        self._found = Document()
        self._count = 0

    def document(self) -> Document:
        if not self._loader.check_node():
            self._found.problems.append((1, "the file is empty"))
            return self._found
        self._found.values = self._value(self._loader.get_node(), ())
        if self._loader.check_node():
            line = self._loader.get_node().start_mark.line + 1
            self._found.problems.append((line, "a second document begins: give each sweep a file of its own"))
        return self._found

    def _value(self, node: yaml.Node, path: Path_) -> Any:
        self._count += 1
        if self._count > _MOST_VALUES:
            raise _TooLargeError
        if isinstance(node, yaml.ScalarNode):
            self._found.texts[path] = node.value
            value = self._scalar(node, path)
            other = None if node.style else _in_yaml_1_1(node)
            if other is not None and repr(other) != repr(value):
                self._found.others[path] = value, other
            return value
        if node.tag not in {_TAG + "map", _TAG + "seq"}:
            self._found.say(_about_tag(node.tag), *path)
        if isinstance(node, yaml.SequenceNode):
            for place, item in enumerate(node.value):
                self._found.lines[(*path, place)] = item.start_mark.line + 1
            return [self._value(item, (*path, place)) for place, item in enumerate(node.value)]
        return self._mapping(node, path)

    def _mapping(self, node: yaml.Node, path: Path_) -> dict[str, Any]:
        own: dict[str, tuple[int, yaml.Node]] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag == _TAG + "merge":
                continue
            if not isinstance(key, yaml.ScalarNode):
                self._found.problems.append((line, "a key must be a word, not a list or a mapping"))
            elif key.value in own:
                text = f"{key.value!r} is given twice, first in line {own[key.value][0]}"
                self._found.problems.append((line, text))
            else:
                own[key.value] = (line, value)
        merged = self._merged(node)
        for name, (line, _) in {**merged, **own}.items():
            self._found.lines[(*path, name)] = line
        return {name: self._value(value, (*path, name)) for name, (_, value) in {**merged, **own}.items()}

    def _merged(self, node: yaml.Node) -> dict[str, tuple[int, yaml.Node]]:
        """Return what a mapping's merge keys bring: of two with the same key, the first counts."""
        found: dict[str, tuple[int, yaml.Node]] = {}
        for key, value in node.value:
            if key.tag != _TAG + "merge":
                continue
            line = key.start_mark.line + 1
            for other in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                if not isinstance(other, yaml.MappingNode):
                    self._found.problems.append((line, "'<<' takes a mapping, or a list of mappings: `<<: *name`"))
                    continue
                keys = [(k, v) for k, v in other.value if k.tag != _TAG + "merge"]
                if not all(isinstance(k, yaml.ScalarNode) for k, _ in keys):
                    self._found.problems.append((line, "a key must be a word, not a list or a mapping"))
                    continue
                found = {**self._merged(other), **{k.value: (line, v) for k, v in keys}, **found}
        return found

    def _scalar(self, node: yaml.ScalarNode, path: Path_) -> Any:
        kind, text = node.tag.removeprefix(_TAG), node.value
        try:
            if kind == "str":
                return text
            if kind == "null":
                return None
            if kind == "bool":
                return {"true": True, "false": False}[text.lower()]
            if kind == "int":
                digits = text.replace("_", "")
                return int(digits, 0) if digits[1:2] in {"x", "o", "b"} else int(digits)
            if kind == "float":
                return float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
        except (ValueError, KeyError):
            self._found.say(f"{text!r} is no {kind}", *path)
            return None
        self._found.say(_about_tag(node.tag), *path)
        return None


def _in_yaml_1_1(node: yaml.ScalarNode) -> Any:
    """Return what YAML 1.1 reads in a word without quotes; None for a text, nothing, and what cannot be read."""
    loader: Any = yaml.SafeLoader("")
    tag = loader.resolve(yaml.ScalarNode, node.value, (True, False))
    try:
        value = loader.construct_object(yaml.ScalarNode(tag, node.value))
    except (yaml.YAMLError, ValueError):
        return None
    return None if isinstance(value, str) else value


def _about_tag(tag: str) -> str:
    name = tag.replace(_TAG, "!!")
    return f"the tag {name} has no meaning here: write the value itself"
