"""Threads for calls with ``async_req``, started by the first of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from talon_one.exceptions import ClientClosedError

if TYPE_CHECKING:
    from multiprocessing.pool import ThreadPool


class LazyThreads:
    """A `ThreadPool` that is started by the first use of one of its methods.

    Args:
        count: Number of threads.
        closed: Message for calls after `close`.
    """

    def __init__(self, count: int, closed: str) -> None:
        self.count = count
        self._message = closed
        self._pool: ThreadPool | None = None
        self._closing = False
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        from multiprocessing.pool import ThreadPool

        if name.startswith("_") or not hasattr(ThreadPool, name):
            raise AttributeError(name)
        return lambda *args, **kwargs: getattr(self._started(), name)(*args, **kwargs)

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function in a thread, and return a handle with ``get()``.

        Raises:
            ClientClosedError: `shut_down` was called.
        """
        return self._started().apply_async(function, args)

    def shut_down(self) -> None:
        """Wait for the calls in the threads, and end the threads."""
        with self._lock:
            pool, self._pool, self._closing = self._pool, None, True
        if pool is not None:
            pool.close()
            pool.join()

    def reset_after_fork(self) -> None:
        """Forget, in a child process, the threads and the lock of the parent."""
        self._lock = threading.Lock()
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def _started(self) -> ThreadPool:
        from multiprocessing.pool import ThreadPool

        with self._lock:
            if self._closing:
                raise ClientClosedError(self._message)
            self._pool = self._pool or ThreadPool(self.count)
            return self._pool
