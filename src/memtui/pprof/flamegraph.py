"""Writes a call tree as a flame graph: one SVG file that loads nothing else."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape

from memtui.pprof.call_tree import CallNode
from memtui.pprof.nodes import package_of

_WIDTH = 1200.0
_MARGIN = 10.0
_BAR = 17
_HEAD = 66
_CHAR = 7.0
"""The width of a character, in units of the picture."""
_LEAST = 0.1
"""Narrower frames are left out, with all above them."""
_UNSAFE = dict.fromkeys(range(32), "�") | {0x7F: "\ufffd", 0xFFFE: "\ufffd", 0xFFFF: "\ufffd"}


@dataclass(frozen=True, slots=True)
class _Box:
    """A frame of the graph; ``left`` and ``width`` are parts of the whole width."""

    node: CallNode
    depth: int
    left: float
    width: float


def flame_graph(
    root: CallNode, *, title: str, subtitle: str, total: int, write: Callable[[int], str]
) -> Iterator[str]:
    """Yield the lines of an SVG with the root at the bottom and its calls above it.

    ``write`` formats a value; ``total`` is 100 %. Negative values have colours of their own. A
    click on a frame zooms in; ctrl+f searches for a pattern and marks the matches. Names are
    foreign text: they are escaped, and characters that XML does not allow are replaced.
    """
    boxes = list(_boxes(root))
    height = _HEAD + (1 + max(box.depth for box in boxes)) * _BAR + _MARGIN
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:g} {height:g}" '
        f'width="100%" font-family="ui-monospace, monospace" font-size="12">'
    )
    yield f"<title>{_text(title)}</title>"
    yield f"<style>{_STYLE}</style>"
    yield '<rect width="100%" height="100%" fill="#fffdf7"/>'
    yield f'<text x="{_MARGIN:g}" y="22" font-size="16">{_text(title)}</text>'
    yield f'<text x="{_MARGIN:g}" y="40">{_text(subtitle)}</text>'
    yield f'<text id="status" x="{_MARGIN:g}" y="58"> </text>'
    for id_, y, word in (("back", 22, "reset"), ("find", 40, "search")):
        x = _WIDTH - _MARGIN
        yield f'<text id="{id_}" class="act" x="{x:g}" y="{y}" text-anchor="end">{word}</text>'
    for box in boxes:
        yield from _drawn(box, height, total, write)
    yield f"<script><![CDATA[{_SCRIPT}]]></script>"
    yield "</svg>"


def _boxes(root: CallNode) -> Iterator[_Box]:
    """Yield each frame that is wide enough, without recursion: stacks may be very deep."""
    whole = float(max(abs(root.value), _amount(root)) or 1)
    waiting = [_Box(root, 0, 0.0, 1.0)]
    while waiting:
        box = waiting.pop()
        yield box
        left = box.left
        children = [(child, abs(child.value) / whole) for child in box.node.children]
        # Positive and negative children may add up to more than their parent.
        room = box.width / max(sum(width for _, width in children), box.width)
        for child, width in children:
            if width * room * (_WIDTH - 2 * _MARGIN) >= _LEAST:
                waiting.append(_Box(child, box.depth + 1, left, width * room))
            left += width * room


def _amount(node: CallNode) -> int:
    return abs(node.flat) + sum(abs(child.value) for child in node.children)


def _drawn(box: _Box, height: float, total: int, write: Callable[[int], str]) -> Iterator[str]:
    inner = _WIDTH - 2 * _MARGIN
    x, width = _MARGIN + box.left * inner, box.width * inner
    y = height - _MARGIN - (box.depth + 1) * _BAR
    node = box.node
    name = node.name or "all"
    share = f"{100 * node.value / total:.2f}%" if total else ""
    tooltip = f"{name}: {write(node.value)} {share}, own {write(node.flat)}"
    room = int((width - 4) / _CHAR)
    label = name if len(name) <= room else f"{name[: room - 1]}…" if room > 3 else ""
    yield (
        f'<g class="f" data-l="{box.left:.7f}" data-w="{box.width:.7f}" data-d="{box.depth}">'
        f"<title>{_text(tooltip)}</title>"
        f'<rect x="{x:.2f}" y="{y:g}" width="{max(width - 0.4, 0.1):.2f}" height="{_BAR - 1}" '
        f'fill="{_colour(node)}" rx="1"/>'
        f'<text x="{x + 3:.2f}" y="{y + 12:g}">{_text(label)}</text></g>'
    )


def _colour(node: CallNode) -> str:
    """Return the colour of a frame, which depends on its package."""
    if not node.name:
        return "#d8d4c8"
    if node.folded:
        return "#e6e2d8"
    number = zlib.crc32(package_of(node.name).encode("utf-8", "replace"))
    if node.value < 0:
        return f"hsl({200 + number % 40},55%,{70 + number // 40 % 12}%)"
    return f"hsl({8 + number % 50},80%,{66 + number // 50 % 12}%)"


def _text(text: str) -> str:
    """Return foreign text escaped for XML."""
    safe = text.translate(_UNSAFE).encode("utf-8", "replace").decode()
    return escape(safe, quote=True)


_STYLE = """
.f { cursor: pointer } .f:hover rect { stroke: #000; stroke-width: .7 } .act { cursor: pointer }
.f text, #status { pointer-events: none } .up rect { opacity: .45 } .hit rect { fill: #b05cff }
"""

_SCRIPT = r"""
(function () {
  "use strict";
  var svg = document.documentElement, frames = Array.from(svg.querySelectorAll("g.f"));
  var status = document.getElementById("status"), inner = 1180, margin = 10, char = 7;
  frames.forEach(function (g) {
    g.l = +g.dataset.l; g.w = +g.dataset.w; g.d = +g.dataset.d;
    g.name = g.firstChild.textContent;
    g.rect = g.querySelector("rect"); g.label = g.querySelector("text");
    g.addEventListener("click", function () { zoom(g); });
    g.addEventListener("mouseover", function () { status.textContent = g.name; });
  });
  function zoom(to) {
    var end = to.l + to.w, slack = 1e-6;
    frames.forEach(function (g) {
      var above = g.d >= to.d && g.l >= to.l - slack && g.l + g.w <= end + slack;
      var below = g.d < to.d && g.l <= to.l + slack && g.l + g.w >= end - slack;
      g.style.display = above || below ? "" : "none";
      g.classList.toggle("up", below);
      var left = below ? 0 : (g.l - to.l) / to.w, width = below ? 1 : g.w / to.w;
      var x = margin + left * inner, w = Math.max(width * inner - 0.4, 0.1);
      g.rect.setAttribute("x", x); g.rect.setAttribute("width", w);
      g.label.setAttribute("x", x + 3);
      var room = Math.floor((w - 4) / char), name = g.name.slice(0, g.name.lastIndexOf(": "));
      var short = room > 3 ? name.slice(0, room - 1) + "…" : "";
      g.label.textContent = name.length <= room ? name : short;
    });
  }
  function search() {
    var text = window.prompt("Regular expression for function names:");
    if (text === null) { return; }
    var pattern;
    try {
      pattern = new RegExp(text);
    } catch (error) { status.textContent = String(error); return; }
    var hits = 0;
    frames.forEach(function (g) {
      var hit = text !== "" && pattern.test(g.name.slice(0, g.name.lastIndexOf(": ")));
      g.classList.toggle("hit", hit);
      hits += hit ? 1 : 0;
    });
    status.textContent = hits + " frames match " + text;
  }
  document.getElementById("back").addEventListener("click", function () { zoom(frames[0]); });
  document.getElementById("find").addEventListener("click", search);
  window.addEventListener("keydown", function (event) {
    if (event.key === "Escape") { zoom(frames[0]); }
    if (event.key === "f" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); search(); }
  });
})();
"""
