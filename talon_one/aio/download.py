"""Download: a response whose body is read in chunks instead of as a whole."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from talon_one._http.download import BaseDownload, Lines, Progress, SavedFile

if TYPE_CHECKING:
    from typing_extensions import Self

    from talon_one.aio.client import ApiClient
    from talon_one.aio.stream import Stream


class Download(BaseDownload):
    """The asyncio twin of `talon_one.Download`, opened by ``async with``.

    A deadline bounds the reading, too.
    """

    _client: ApiClient

    async def __aenter__(self) -> Self:
        stream: Stream = await self._client.open(self._operation, self._args, dict(self._kwargs))
        self._stream = stream
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        stream, self._stream = self._stream, None
        stream.close()

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body in chunks as they arrive.

        Raises:
            NoResponseError: The body breaks off; `ReadTimeoutError` if it took too long.
        """
        pieces: AsyncIterator[bytes] = self._take_stream().pieces()
        return pieces

    async def lines(self) -> AsyncIterator[str]:
        """Yield the body line by line, without the line ends; raises the errors of `chunks`.

        A quoted field of CSV may span several lines; `talon_one.tables` reads rows.
        """
        lines = Lines()
        async for piece in self.chunks():
            for line in lines.feed(piece):
                yield line
        for line in lines.end():
            yield line

    async def read(self) -> bytes:
        """Return the whole body; raises the same errors as `chunks`."""
        return b"".join([piece async for piece in self.chunks()])

    async def save(self, path: str | os.PathLike[str], progress: Progress | None = None) -> int:
        """Write the body to a file; return its size in bytes. Raises the errors of `chunks`.

        The file appears, or replaces another, when it is complete. It is written in a thread.

        Args:
            path: Where it goes.
            progress: Called after every chunk, in that thread, with the bytes so far and the total.
        """
        file = SavedFile(path, self.total, progress).__enter__()
        try:
            async for piece in self.chunks():
                await _uninterrupted(file.write, piece)
        except BaseException as cause:
            await _uninterrupted(file.__exit__, type(cause))
            raise
        # Writing the rest and moving the file may take a while, too.
        await _uninterrupted(file.__exit__, None)
        return file.size


async def _uninterrupted(function: Callable[[Any], object], argument: object) -> None:
    """Call a function in a thread, and wait until it has returned, even if cancelled."""
    work = asyncio.ensure_future(asyncio.to_thread(function, argument))
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise
