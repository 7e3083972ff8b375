"""Batches that are worked on at once: their results come in order, and only so many are at hand."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from flows.runtime.parallel import AT_ONCE, parallel_map, prefetch


@pytest.mark.parametrize("number", [0, 1, 2, 7])
def test_results_come_in_the_order_of_the_batches(number: int) -> None:
    def work(batch: int) -> int:
        time.sleep(0.01 if batch % 2 else 0.03)  # later ones are done before earlier ones
        return batch * batch

    assert list(parallel_map(work, ((i,) for i in range(number)))) == [i * i for i in range(number)]


def test_no_more_are_read_than_can_be_worked_on() -> None:
    read, done = 0, 0

    def batches() -> Iterator[tuple[int]]:
        nonlocal read
        for read in range(1, 30):
            assert read - done <= AT_ONCE + 1, "the file would come into memory whole"
            yield (read,)

    for _ in parallel_map(lambda batch: batch, batches()):
        done += 1
    assert (read, done) == (29, 29)


@pytest.mark.parametrize("at", [0, 1, 5])
def test_a_fault_in_one_batch_is_raised(at: int) -> None:
    def work(batch: int) -> int:
        if batch == at:
            raise ZeroDivisionError(batch)
        return batch

    with pytest.raises(ZeroDivisionError):
        list(parallel_map(work, ((i,) for i in range(8))))


@pytest.mark.parametrize("number", [0, 1, 2, 7])
def test_items_that_are_made_ahead_come_in_order(number: int) -> None:
    assert list(prefetch(range(number))) == list(range(number))


def test_one_item_is_made_while_the_one_before_is_used() -> None:
    begun: list[int] = []
    next_one_is_made = threading.Event()

    def items() -> Iterator[int]:
        for i in range(5):
            begun.append(i)
            if i == 1:
                next_one_is_made.set()
            yield i

    for item in prefetch(items()):
        assert next_one_is_made.wait(10), "nothing was made while the first was used"
        assert len(begun) <= item + 2, "the file would come into memory whole"
    assert begun == [0, 1, 2, 3, 4]


def test_a_fault_while_making_is_raised_after_the_items_before() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError

    made = prefetch(items())
    assert next(made) == 1
    with pytest.raises(ZeroDivisionError):
        next(made)
