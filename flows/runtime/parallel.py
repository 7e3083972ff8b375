"""Work on several batches at once, with the results in the batches' order.

While one batch is validated the next is read, and another validated: polars and pyarrow leave Python's lock while they
work. Only so many batches are at hand at a time, so memory stays bounded however large a file is.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

AT_ONCE = min(2, os.cpu_count() or 1)
Made = TypeVar("Made")
_NO_MORE: Any = object()


def prefetch(items: Iterable[Made]) -> Iterator[Made]:
    """The items, each made in another thread while the outcome of the one before is used."""
    rest = iter(items)
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as pool:
        coming = pool.submit(next, rest, _NO_MORE)
        while (item := coming.result()) is not _NO_MORE:
            coming = pool.submit(next, rest, _NO_MORE)
            yield item


def parallel_map(work: Callable[..., Made], batches: Iterable[tuple[Any, ...]]) -> Iterator[Made]:
    """What `work` makes of each batch, in order. The first is done at once: most files have no other."""
    rest = iter(batches)
    for first in rest:
        yield work(*first)
        break
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="validate") as pool:
        waiting: deque[Future[Made]] = deque()
        for batch in rest:
            waiting.append(pool.submit(work, *batch))
            if len(waiting) > AT_ONCE:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
