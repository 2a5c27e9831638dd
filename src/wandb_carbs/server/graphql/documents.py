"""Parsing of queries, and the bounds of what they may ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    Source,
    TokenKind,
    parse,
)
from graphql.language import Lexer

from wandb_carbs.server.caching import SizedCache
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.limits import MAX_QUERY_LENGTH, MAX_QUERY_TOKENS

if TYPE_CHECKING:
    from collections.abc import Iterator

# The deepest query of the SDKs has 14 levels and 120 fields, with its fragments filled in.
_MAX_DEPTH = 25
_MAX_FIELDS = 2_000
# Lists in lists: their lengths multiply. The SDKs nest three.
_MAX_LISTS = 4
# Each field of a mutation is a transaction of its own; the SDKs send one.
_MAX_MUTATIONS = 20
_INCREMENTAL = frozenset({"defer", "stream"})
# Tokens of all documents that are kept. A token takes about 1 kB once it is parsed.
_KEPT_TOKENS = 50_000


@dataclass(frozen=True)
class Extent:
    """How much a selection asks for, with its fragments filled in.

    Attributes:
        fields: Number of its fields, at all levels.
        depth: Number of its levels.
        roots: Number of its fields at the first level.
        lists: The most lists that are nested in each other.
    """

    fields: int
    depth: int
    roots: int
    lists: int


def parse_query(query: str) -> DocumentNode:
    """Parse a query; the result is shared and must not be changed.

    Raises:
        RequestError: It is malformed, or too large.
    """
    if len(query) > MAX_QUERY_LENGTH:
        raise RequestError(f"the query has {len(query)} characters; at most {MAX_QUERY_LENGTH} are taken", 413)
    return _CACHE(query)


def mutation_names(document: DocumentNode) -> Iterator[str]:
    """Yield the names of all mutations that a document asks for."""
    fragments = {part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)}
    seen: set[str] = set()

    def names(selected: SelectionSetNode) -> Iterator[str]:
        for part in selected.selections:
            if isinstance(part, FieldNode):
                yield part.name.value
            elif isinstance(part, InlineFragmentNode):
                yield from names(part.selection_set)
            elif isinstance(part, FragmentSpreadNode) and part.name.value not in seen:
                seen.add(part.name.value)
                if part.name.value in fragments:
                    yield from names(fragments[part.name.value].selection_set)

    for operation in document.definitions:
        if isinstance(operation, OperationDefinitionNode) and operation.operation is OperationType.MUTATION:
            yield from (name for name in names(operation.selection_set) if name != "__typename")


def _parse(query: str) -> tuple[DocumentNode, int]:
    try:
        tokens = _count_tokens(query)
        document = parse(query, no_location=True)
        _check_extents(document)
    except GraphQLError as error:
        where = "".join(f" at line {place.line}, column {place.column}" for place in error.locations or ())
        raise RequestError(f"{error.message}{where}") from None
    except RecursionError:
        raise RequestError("the query is nested too deeply") from None
    return document, tokens


def _count_tokens(query: str) -> int:
    lexer, count = Lexer(Source(query)), 0
    while lexer.advance().kind is not TokenKind.EOF:
        count += 1
        if count > MAX_QUERY_TOKENS:
            raise RequestError(f"the query has more than {MAX_QUERY_TOKENS} tokens", 413)
    return count


def _check_extents(document: DocumentNode) -> None:
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    known: dict[str, Extent | None] = {}
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            if node.operation is OperationType.SUBSCRIPTION:
                raise RequestError("this server has no subscriptions")
            extent = _extent(node.selection_set, fragments, known)
            if extent.fields > _MAX_FIELDS or extent.depth > _MAX_DEPTH or extent.lists > _MAX_LISTS:
                raise RequestError(
                    f"the query has {extent.fields} fields on {extent.depth} levels, {extent.lists} of them lists, its "
                    f"fragments filled in; at most {_MAX_FIELDS} fields, {_MAX_DEPTH} levels and {_MAX_LISTS} nested "
                    "lists are taken",
                    413,
                )
            if node.operation is not OperationType.QUERY and extent.roots > _MAX_MUTATIONS:
                raise RequestError(f"a request may have at most {_MAX_MUTATIONS} mutations, not {extent.roots}", 413)


def _extent(
    selections: SelectionSetNode | None,
    fragments: dict[str, FragmentDefinitionNode],
    known: dict[str, Extent | None],
) -> Extent:
    fields = depth = roots = lists = 0
    for node in selections.selections if selections else ():
        if any(directive.name.value in _INCREMENTAL for directive in node.directives or ()):
            raise RequestError("this server answers at once: leave out @defer and @stream")
        if isinstance(node, FieldNode):
            inner = _extent(node.selection_set, fragments, known)
            part = Extent(1 + inner.fields, 1 + inner.depth, 1, (node.name.value == "edges") + inner.lists)
        elif isinstance(node, InlineFragmentNode):
            part = _extent(node.selection_set, fragments, known)
        else:
            assert isinstance(node, FragmentSpreadNode)
            part = _fragment_extent(node.name.value, fragments, known)
        fields, depth, roots = fields + part.fields, max(depth, part.depth), roots + part.roots
        lists = max(lists, part.lists)
    return Extent(fields, depth, roots, lists)


def _fragment_extent(
    name: str, fragments: dict[str, FragmentDefinitionNode], known: dict[str, Extent | None]
) -> Extent:
    if name not in fragments:
        raise RequestError(f"unknown fragment {name!r}")
    if name in known:
        extent = known[name]
        if extent is None:
            raise RequestError(f"fragment {name!r} contains itself")
        return extent
    known[name] = None
    extent = known[name] = _extent(fragments[name].selection_set, fragments, known)
    return extent


_CACHE = SizedCache(_parse, _KEPT_TOKENS)
