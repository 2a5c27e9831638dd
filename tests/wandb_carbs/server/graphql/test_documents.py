"""Parsing of queries, and the bounds of what they may ask."""

from __future__ import annotations

import pytest

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.graphql.documents import mutation_names, parse_query


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("{ viewer { id } }", set()),
        ("mutation { a: stopRun { success } deleteRun { x } __typename }", {"stopRun", "deleteRun"}),
        (
            "mutation { ...F } fragment F on Mutation { ... on Mutation { stopRun { x } ...G } } fragment G on Q { b }",
            {"stopRun", "b"},
        ),
        ("query { deleteRun } mutation M { stopRun { x } }", {"stopRun"}),
    ],
)
def test_mutations_are_found_wherever_they_hide(query: str, names: set[str]) -> None:
    assert set(mutation_names(parse_query(query))) == names


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{ viewer { id }", r"Expected .* at line 1, column 16"),
        ("", "Unexpected <EOF>"),
        ("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }", "fragment 'A' contains itself"),
        ("{ ...A }", "unknown fragment 'A'"),
        ("subscription { a }", "no subscriptions"),
        ("{ a @defer { b } }", "leave out @defer"),
        ("{ " + "a { " * 30 + "b" + " }" * 30 + " }", "at most .* 25 levels"),
        ("{ " + "edges { " * 5 + "b" + " }" * 5 + " }", "4 nested lists"),
        ("{ " + " ".join(f"a{n}: b" for n in range(2001)) + " }", "at most 2000 fields"),
        ("mutation { " + " ".join(f"a{n}: b" for n in range(21)) + " }", "at most 20 mutations, not 21"),
        ("{ " + "a " * 10_001 + "}", "more than 10000 tokens"),
        ("#" * 130_000, "at most 128000 are taken"),
    ],
)
def test_malformed_or_too_large_query_is_refused(query: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        parse_query(query)


def test_fragments_count_each_time_they_are_used() -> None:
    doubling = " ".join(f"fragment F{n} on Q {{ a: b {{ ...F{n + 1} }} c: b {{ ...F{n + 1} }} }}" for n in range(12))
    with pytest.raises(RequestError, match="at most 2000 fields"):
        parse_query("{ ...F0 } " + doubling + " fragment F12 on Q { x }")


def test_parsed_queries_are_kept_within_bounds() -> None:
    first = parse_query("{ kept { by { the { cache } } } }")
    assert parse_query("{ kept { by { the { cache } } } }") is first
    for number in range(60):
        parse_query("{ " + " ".join(f"a{number}_{n}: b" for n in range(400)) + " }")  # 1,200 tokens each
    assert parse_query("{ kept { by { the { cache } } } }") is not first
