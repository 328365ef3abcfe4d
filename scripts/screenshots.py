"""Draw screenshots/ anew from the recording that comes with memtui.

SVG as Textual exports it, without fonts from elsewhere, and PNG drawn from that.
"""

from __future__ import annotations

import asyncio
import re
import time
from os import environ
from pathlib import Path
from typing import NamedTuple

import resvg_py

from memtui.cli.stored.screen import pages_of, replaying

ROOT = Path(__file__).parent.parent
OUT = ROOT / "screenshots"
FONT = "DejaVu Sans Mono"
RECORDING = ROOT / "src" / "memtui" / "demo" / "orders.memtui"
LOADED_S = 4.0
"""By then what the pictures show has been read."""


class Shot(NamedTuple):
    """A picture: columns by rows, the moment that is looked at, and the keys that lead to it."""

    name: str
    size: tuple[int, int]
    keys: tuple[str, ...]
    at: str = "100%"


OLDER, NEWER = "left_square_bracket", "right_square_bracket"
SHOTS = (
    Shot("dashboard", (120, 36), ("1",)),
    Shot("small", (80, 24), ("1",)),
    Shot("explain", (100, 40), ("5",)),
    Shot("gctrace", (100, 30), ("3", "z")),
    Shot("flame", (100, 24), ("4", "z", "v", "v")),
    Shot("comparison", (100, 20), ("4", "z", "s", "s", *[OLDER] * 6, "b", *[NEWER] * 6)),
    Shot("replay", (120, 36), ("2",), at="33%"),
)


def without_foreign_fonts(svg: str) -> str:
    """Return the picture with the fonts that a machine has, and none from the network."""
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    return svg.replace("Fira Code", FONT)


def save(name: str, svg: str) -> None:
    """Write the picture as SVG and as PNG."""
    svg = without_foreign_fonts(svg)
    (OUT / f"{name}.svg").write_text(svg)
    png = resvg_py.svg_to_bytes(svg_string=svg, font_family=FONT, monospace_family=FONT)
    (OUT / f"{name}.png").write_bytes(bytes(png))


async def draw(shot: Shot) -> None:
    """Draw one picture of the recording."""
    app = replaying(pages_of([RECORDING]), shot.at, 1.0, is_paused=True)
    async with app.run_test(size=shot.size) as pilot:
        await asyncio.sleep(LOADED_S)
        for key in shot.keys:
            await pilot.press(key)
            await pilot.pause(1.5)
        save(shot.name, app.export_screenshot(title="memtui demo"))


def main() -> None:
    """Draw all of them, by the clock of UTC."""
    environ["TZ"] = "UTC"
    time.tzset()
    OUT.mkdir(exist_ok=True)
    for shot in SHOTS:
        asyncio.run(draw(shot))


if __name__ == "__main__":
    main()
