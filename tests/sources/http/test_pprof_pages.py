"""Which page of net/http/pprof gives which profile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from memtui.model import ProfileRequest
from memtui.sources.http.client import Address
from memtui.sources.http.pprof_pages import (
    folder_of,
    kinds_in,
    page_of,
    profile_address,
    request_of,
    sampling_s,
)
from memtui.sources.source import SourceFailed

FOLDER = Address("http://host:6060/svc/debug/pprof/", "/run/x.sock")


@pytest.mark.parametrize(
    ("url", "request_", "seconds"),
    [
        ("host:6060", ProfileRequest("heap"), 0),
        ("host:6060/debug/pprof/heap?gc=1", ProfileRequest("heap", gc=True), 0),
        ("host:6060/debug/pprof/heap?gc=0", ProfileRequest("heap"), 0),
        ("host:6060/debug/pprof/heap?seconds=5", ProfileRequest("heap"), 5),
        ("host:6060/debug/pprof/goroutine", ProfileRequest("goroutine"), 0),
        ("host:6060/debug/pprof/goroutineleak", ProfileRequest("goroutineleak"), 0),
        ("host:6060/debug/pprof/profile", ProfileRequest("cpu", 30), 30),
        ("host:6060/debug/pprof/profile?seconds=7", ProfileRequest("cpu", 7), 7),
        ("host:6060/debug/pprof/cpu", ProfileRequest("file"), 0),
        ("host:6060/any/thing.pb.gz", ProfileRequest("file"), 0),
    ],
)
def test_an_address_says_which_profile_it_gives(
    url: str, request_: ProfileRequest, seconds: int
) -> None:
    address = profile_address(url)
    assert request_of(address) == request_
    assert sampling_s(address) == seconds


@pytest.mark.parametrize(
    ("request_", "page"),
    [
        (ProfileRequest("heap"), "heap"),
        (ProfileRequest("heap", gc=True), "heap?gc=1"),
        (ProfileRequest("cpu", 10), "profile?seconds=10"),
        (ProfileRequest("mutex"), "mutex"),
    ],
)
def test_a_page_lies_where_the_others_do(request_: ProfileRequest, page: str) -> None:
    address = page_of(FOLDER, request_)
    assert address == Address(FOLDER.url + page, "/run/x.sock")
    assert request_of(address) == request_
    assert folder_of(address) == FOLDER


def test_other_addresses_have_no_pages_beside_them() -> None:
    assert folder_of(Address("http://host/heap.pb.gz")) is None


@pytest.mark.go
async def test_the_index_says_which_kinds_there_are(start_go: Callable[..., Any]) -> None:
    where = start_go("orders").address
    kinds = await kinds_in(Address(f"http://{where}/debug/pprof/"))
    everywhere = {"heap", "allocs", "goroutine", "cpu", "block", "mutex", "threadcreate"}
    assert everywhere <= kinds
    assert kinds <= everywhere | {"goroutineleak"}


@pytest.mark.go
@pytest.mark.parametrize(("kind", "reason"), [("page", "lists no profiles"), ("missing", "404")])
async def test_what_is_no_index_is_refused(
    start_go: Callable[..., Any], kind: str, reason: str
) -> None:
    where = start_go("doors", f"{kind}=127.0.0.1:0").address
    with pytest.raises(SourceFailed, match=reason):
        await kinds_in(Address(f"http://{where}/debug/pprof/"))
