"""Draw screenshots/ anew from the recording that comes with memtui.

SVG as Textual exports it, without fonts from elsewhere, and PNG drawn from that.
"""

from __future__ import annotations

import asyncio
import re
import time
from os import environ
from pathlib import Path

import resvg_py

from memtui.cli.replay import opened, replaying

ROOT = Path(__file__).parent.parent
OUT = ROOT / "screenshots"
FONT = "DejaVu Sans Mono"
RECORDING = ROOT / "src" / "memtui" / "demo" / "orders.memtui"
LOADED_S = 4.0
"""By then what the pictures show has been read."""

SHOTS: tuple[tuple[str, tuple[int, int], tuple[str, ...]], ...] = (
    ("dashboard", (120, 36), ("1",)),
    ("small", (80, 24), ("1",)),
    ("explain", (100, 40), ("5",)),
    ("gctrace", (100, 30), ("3", "z")),
    ("flame", (100, 24), ("4", "z", "v", "v")),
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


async def draw(name: str, size: tuple[int, int], keys: tuple[str, ...]) -> None:
    """Draw one picture of the recording's end."""
    app = replaying(opened([RECORDING]), "100%", 1.0, is_paused=True)
    async with app.run_test(size=size) as pilot:
        await asyncio.sleep(LOADED_S)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(1.5)
        save(name, app.export_screenshot(title="memtui demo"))


def main() -> None:
    """Draw all of them, by the clock of UTC."""
    environ["TZ"] = "UTC"
    time.tzset()
    OUT.mkdir(exist_ok=True)
    for shot in SHOTS:
        asyncio.run(draw(*shot))


if __name__ == "__main__":
    main()
