"""Parallel work on batches keeps their order and a bounded number of them in memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from flows.runtime.parallel import WORKERS, parallel_map, prefetch


@pytest.mark.parametrize("number", [0, 1, 2, 7])
def test_results_keep_the_order_of_the_batches(number: int) -> None:
    def work(batch: int) -> int:
        time.sleep(0.01 if batch % 2 else 0.03)  # odd batches finish before the even ones ahead of them
        return batch * batch

    assert list(parallel_map(work, ((i,) for i in range(number)))) == [i * i for i in range(number)]


def test_batches_are_read_only_as_fast_as_they_are_processed() -> None:
    read, done = 0, 0

    def batches() -> Iterator[tuple[int]]:
        nonlocal read
        for read in range(1, 30):
            # One more batch than workers: the next is read while all of them are busy.
            assert read - done <= WORKERS + 1, "the whole file would be read into memory"
            yield (read,)

    for _ in parallel_map(lambda batch: batch, batches()):
        done += 1
    assert (read, done) == (29, 29)


@pytest.mark.parametrize("failing", [0, 1, 5])
def test_an_exception_in_one_batch_is_raised(failing: int) -> None:
    def work(batch: int) -> int:
        if batch == failing:
            raise ZeroDivisionError(batch)
        return batch

    with pytest.raises(ZeroDivisionError):
        list(parallel_map(work, ((i,) for i in range(8))))


@pytest.mark.parametrize("number", [0, 1, 2, 7])
def test_prefetched_items_keep_their_order(number: int) -> None:
    assert list(prefetch(range(number))) == list(range(number))


def test_one_item_is_prefetched_while_the_one_before_is_used() -> None:
    started: list[int] = []
    second_is_started = threading.Event()

    def items() -> Iterator[int]:
        for i in range(5):
            started.append(i)
            if i == 1:
                second_is_started.set()
            yield i

    for item in prefetch(items()):
        assert second_is_started.wait(10), "no item was made while the first was used"
        assert len(started) <= item + 2, "the whole file would be read into memory"
    assert started == [0, 1, 2, 3, 4]


def test_an_exception_while_prefetching_is_raised_after_earlier_items() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError

    items_ahead = prefetch(items())
    assert next(items_ahead) == 1
    with pytest.raises(ZeroDivisionError):
        next(items_ahead)
