"""A cache that is bounded by size."""

from __future__ import annotations

from wandb_carbs.server.caching import SizedCache


def test_cache_is_bounded_by_size_and_forgets_the_least_recently_used() -> None:
    made: list[str] = []

    def make(text: str) -> tuple[str, int]:
        made.append(text)
        return text.upper(), len(text)

    cache = SizedCache(make, 10)
    assert [cache("aaaa"), cache("bbbb"), cache("aaaa")] == ["AAAA", "BBBB", "AAAA"]
    assert cache("cccc") == "CCCC"
    assert "bbbb" not in cache
    assert "aaaa" in cache
    assert cache("d" * 11) == "D" * 11
    assert "d" * 11 not in cache
    assert made == ["aaaa", "bbbb", "cccc", "d" * 11]
