"""Maps addresses of net/http/pprof to profiles, and reads its index."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import get_args
from urllib.parse import parse_qs, unquote

from memtui.model import ProfileKind, ProfileRequest
from memtui.sources.http.client import Address, get, refusal
from memtui.sources.http.credentials import ANYBODY, Credentials
from memtui.sources.source import SourceFailed

KINDS: tuple[ProfileKind, ...] = get_args(ProfileKind)
DEFAULT_CPU_S = 30
"""The default CPU sampling time of net/http/pprof (Go 1.27.3 net/http/pprof, Profile)."""

_FOLDER = "/debug/pprof/"
_INDEX_DEADLINE_S = 2.0
_INDEX_LIMIT_BYTES = 256 << 10
_LINK = re.compile(r"""href=['"]([a-z]+)\?debug=1['"]""")
_GOROUTINES = re.compile(r"""<td>(\d+)</td>\s*<td>\s*<a href=['"]?goroutine\?debug=1""")
_HEAP_STACKS = re.compile(r"""<td[^>]*>(\d{1,12})(?:</td>)?\s*<td><a href=['"]heap\?""")
_PAGE_OF: dict[ProfileKind, str] = {"cpu": "profile"}


def profile_address(url: str, access: Credentials = ANYBODY) -> Address:
    """Return the address of the profile that a user gave; "heap" if it names none.

    ``http://host:6060``, ``host:6060``, ``https://…/debug/pprof/`` and full addresses are valid;
    ``http+unix://%2Frun%2Forders.sock/debug/pprof/heap`` uses a unix socket.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "http", url
    unix_socket = None
    if scheme.lower() == "http+unix":
        path, _, rest = rest.partition("/")
        scheme, rest, unix_socket = "http", f"localhost/{rest}", unquote(path)
    base, question, query = rest.partition("?")
    authority, _, path = base.partition("/")
    if path.strip("/") in ("", "debug/pprof"):
        base = f"{authority}/debug/pprof/heap"
    elif path.endswith("/debug/pprof/"):
        base += "heap"
    return Address(f"{scheme}://{base}{question}{query}", unix_socket, access=access)


def folder_of(address: Address) -> Address | None:
    """Return the address of the /debug/pprof/ above a profile; None without one."""
    path = address.url.partition("?")[0]
    before, folder, _ = path.rpartition(_FOLDER)
    return replace(address, url=before + folder) if folder else None


def request_of(address: Address) -> ProfileRequest:
    """Return the profile of an address; "file" for one outside of /debug/pprof/."""
    path, _, query = address.url.partition("?")
    _, folder, page = path.rpartition(_FOLDER)
    if not folder:
        return ProfileRequest("file")
    asked = parse_qs(query)
    if page == "profile":
        seconds = asked.get("seconds", [""])[0]
        return ProfileRequest("cpu", int(seconds) if seconds.isdecimal() else DEFAULT_CPU_S)
    named = (kind for kind in KINDS if kind == page and kind not in ("cpu", "file"))
    kind: ProfileKind = next(named, "file")
    return ProfileRequest(kind, gc=kind == "heap" and asked.get("gc", ["0"])[0] not in ("", "0"))


def page_of(folder: Address, request: ProfileRequest) -> Address:
    """Return the address of a profile in the /debug/pprof/ of a service."""
    page = _PAGE_OF.get(request.kind, request.kind)
    if request.seconds:
        page += f"?seconds={request.seconds}"
    return folder.join(page + ("?gc=1" if request.gc else ""))


def sampling_s(address: Address) -> float:
    """Return the sampling time of a page in seconds, before the server answers."""
    seconds = parse_qs(address.url.partition("?")[2]).get("seconds", [""])[0]
    if seconds:
        return float(seconds) if seconds.isdecimal() else 0.0
    return float(DEFAULT_CPU_S) if request_of(address).kind == "cpu" else 0.0


async def kinds_in(folder: Address) -> frozenset[ProfileKind]:
    """Return the kinds of profiles in the index; raise SourceFailed."""
    names = set(_LINK.findall(await _index(folder)))
    if not names:
        raise SourceFailed(f"{folder} lists no profiles", "is it the index of net/http/pprof?")
    names |= {"cpu"} if "profile" in names else set()
    return frozenset(kind for kind in KINDS if kind in names)


async def goroutines_in(folder: Address) -> int | None:
    """Return the number of goroutines in the index; None without one. Raises SourceFailed."""
    found = _GOROUTINES.search(await _index(folder))
    return int(found[1]) if found else None


async def heap_stacks(folder: Address, deadline_s: float) -> int | None:
    """Return the number of stacks of the heap profile; None if the index does not have it.

    The index counts the records and writes none (Go 1.27.3 net/http/pprof, Index;
    runtime/pprof/pprof.go, countHeap): 40 KB are allocated for it. Raises SourceFailed.
    """
    match = _HEAP_STACKS.search(await _index(folder, min(deadline_s, _INDEX_DEADLINE_S)))
    return int(match[1]) if match else None


async def _index(folder: Address, deadline_s: float = _INDEX_DEADLINE_S) -> str:
    """Return the index: an HTML page with a count and a link for each profile.

    The server counts the records of each profile without writing one (Go 1.27.3 net/http/pprof,
    indexTmplExecute).
    """
    response = await get(folder, deadline_s=deadline_s, limit_bytes=_INDEX_LIMIT_BYTES)
    if (failed := refusal(folder, response)) is not None:
        raise failed
    return response.body.decode("utf-8", "replace")
