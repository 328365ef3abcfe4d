"""One GET against real sockets: its limits, its end of a long answer, and the cost it tells."""

from __future__ import annotations

import asyncio

import pytest
from answering import Answer, Request, answering
from patience import PATIENCE_S

from memtui.sources.http.client import Address, HttpCause, HttpFailed, get

pytestmark = pytest.mark.world


async def long_answer(request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.0 200 OK\r\n\r\n")
    for _ in range(32):
        writer.write(b"x" * (1 << 16))
        await writer.drain()
    writer.write(b"the end\n")


async def test_of_a_long_answer_only_the_end_is_kept() -> None:
    async with answering(long_answer) as port:
        address = Address(f"http://127.0.0.1:{port}/page")
        answer = await get(address, deadline_s=PATIENCE_S, limit_bytes=4 << 20, tail_bytes=20)
    assert answer.body == b"x" * 12 + b"the end\n"
    assert answer.size_bytes == (2 << 20) + 8
    assert 0 < answer.waited_s <= answer.took_s


async def test_a_short_answer_is_kept_whole() -> None:
    async def short(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nall of it\n")

    async with answering(short) as port:
        address = Address(f"http://127.0.0.1:{port}/page")
        answer = await get(address, deadline_s=PATIENCE_S, limit_bytes=1 << 20, tail_bytes=1 << 16)
    assert (answer.body, answer.size_bytes) == (b"all of it\n", 10)


async def endless(request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.0 200 OK\r\n\r\n")
    while True:
        writer.write(b"x" * (1 << 16))
        await writer.drain()


async def announced(request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.0 200 OK\r\nContent-Length: 9000000000\r\n\r\nx")


@pytest.mark.parametrize("answer", [endless, announced])
async def test_an_answer_without_end_is_cut_off_at_the_limit(answer: Answer) -> None:
    async with answering(answer) as port:
        address = Address(f"http://127.0.0.1:{port}/page")
        with pytest.raises(HttpFailed) as failed:
            await get(address, deadline_s=PATIENCE_S, limit_bytes=1 << 20, tail_bytes=1 << 10)
    assert failed.value.cause is HttpCause.TOO_LARGE


async def test_the_deadline_holds_also_while_the_answer_drips() -> None:
    async def drip(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with answering(drip) as port:
        address = Address(f"http://127.0.0.1:{port}/page")
        with pytest.raises(HttpFailed) as failed:
            await get(address, deadline_s=0.3, limit_bytes=1 << 20, tail_bytes=1 << 10)
    assert failed.value.cause is HttpCause.TIMED_OUT


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://h:1/debug/pprof/heap?token=x", "http://h:1/debug/vars"),
        ("https://u:p@h/", "https://u:p@h/debug/vars"),
        ("http://[::1]:6060", "http://[::1]:6060/debug/vars"),
        ("http://h?next=/a", "http://h/debug/vars"),
    ],
)
def test_another_path_of_the_same_server_leaves_the_query_behind(url: str, expected: str) -> None:
    assert Address(url, verify=False).at("/debug/vars") == Address(expected, verify=False)
