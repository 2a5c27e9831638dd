"""A cache that is bounded by the size of what it holds."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class SizedCache(Generic[T]):
    """Keeps what was made of texts; the least recently used goes first once all are too large together.

    Args:
        make: Makes a value of a text, and says how large it is.
        capacity: How large all values may be together, in the same unit; a larger one is not kept.
    """

    def __init__(self, make: Callable[[str], tuple[T, int]], capacity: int) -> None:
        self._make = make
        self._capacity = capacity
        self._held: OrderedDict[str, tuple[T, int]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def __call__(self, text: str) -> T:
        """Return the text's value, made or kept."""
        with self._lock:
            if text in self._held:
                self._held.move_to_end(text)
                return self._held[text][0]
        value, size = self._make(text)
        with self._lock:
            if text not in self._held and size <= self._capacity:
                self._held[text] = value, size
                self._size += size
                while self._size > self._capacity:
                    self._size -= self._held.popitem(last=False)[1][1]
        return value

    def __contains__(self, text: str) -> bool:
        return text in self._held
