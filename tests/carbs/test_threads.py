from __future__ import annotations

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from carbs.threads import one_thread


def blas_threads() -> list[int]:
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


@pytest.mark.skipif(not blas_threads(), reason="numpy's BLAS is not one that threadpoolctl knows")
def test_blas_has_one_thread_within_and_the_callers_setting_after() -> None:
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        with one_thread():
            assert set(blas_threads()) == {1}
        assert blas_threads() == before
        with pytest.raises(ZeroDivisionError), one_thread():
            1 / 0  # noqa: B018 - an error within
        assert blas_threads() == before


@pytest.mark.skipif(not blas_threads(), reason="numpy's BLAS is not one that threadpoolctl knows")
def test_of_overlapping_contexts_the_last_gives_the_callers_setting_back() -> None:
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        # As in two threads of a process, of which the one that came first leaves first.
        first, second = one_thread(), one_thread()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert set(blas_threads()) == {1}
        second.__exit__(None, None, None)
        assert blas_threads() == before
