"""Process batches in parallel threads, with the results in the order of the batches.

While one batch is validated another is, and the next is read: polars and pyarrow release Python's global lock while
they work. The number of batches in memory is bounded, however large a file is.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

WORKERS = min(2, os.cpu_count() or 1)
T = TypeVar("T")
_END: Any = object()


def prefetch(items: Iterable[T]) -> Iterator[T]:
    """Yield items while the next one is computed in another thread."""
    rest = iter(items)
    with ThreadPoolExecutor(1, thread_name_prefix="prefetch") as pool:
        pending = pool.submit(next, rest, _END)
        while (item := pending.result()) is not _END:
            pending = pool.submit(next, rest, _END)
            yield item


def parallel_map(function: Callable[..., T], batches: Iterable[tuple[Any, ...]]) -> Iterator[T]:
    """Yield `function(*batch)` for each batch, in order.

    The first batch is processed in this thread: most files have no other, and need no pool.
    """
    rest = iter(batches)
    for first in rest:
        yield function(*first)
        break
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="validate") as pool:
        pending: deque[Future[T]] = deque()
        for batch in rest:
            pending.append(pool.submit(function, *batch))
            if len(pending) > WORKERS:  # bounds the batches in memory
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
