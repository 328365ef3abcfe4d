"""A server of the test's own process, which answers byte for byte what a test wants."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple


class Request(NamedTuple):
    """What was asked: the path with its query, and all the lines of the head."""

    path: str
    head: str


Answer = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]
"""Writes an answer to a request."""


def ok(body: bytes) -> bytes:
    """Return a whole answer with this body."""
    return b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[int]:
    """Answer on a port of 127.0.0.1, whose number this is; in the end all is closed."""
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                await answer(Request(head.split(" ")[1], head), writer)
                await writer.drain()
            writer.close()
        except asyncio.CancelledError:
            writer.transport.abort()  # what is not sent yet would keep it open
            raise
        finally:
            writer.transport.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(handle(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)
