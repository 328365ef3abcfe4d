"""Draw screenshots/ anew: memtui on a live service whose RES grows while its live heap does not.

SVG as Textual exports it, without fonts from elsewhere, and PNG drawn from that.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import tempfile
import time
from os import environ
from pathlib import Path

import resvg_py

from memtui.app import MemtuiApp
from memtui.cli.options import ProfileOptions
from memtui.cli.session import Session, Trace

ROOT = Path(__file__).parent.parent
OUT = ROOT / "screenshots"
FONT = "DejaVu Sans Mono"
STORY_S = 75.0

SHOTS: tuple[tuple[str, tuple[int, int], tuple[str, ...]], ...] = (
    ("dashboard", (120, 36), ()),
    ("small", (80, 24), ()),
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


def dashboard(pid: int) -> MemtuiApp:
    """Return the dashboard as ``memtui --pid`` makes it."""
    session = Session(ProfileOptions(None, probe=True, every_s=20.0), Trace(), time.time)
    session.watch_process(pid)
    return session.screen()


async def draw(pid: int) -> None:
    """Watch the service for the length of the story in all sizes at once, then draw them."""

    async def shoot(name: str, size: tuple[int, int], keys: tuple[str, ...]) -> None:
        app = dashboard(pid)
        async with app.run_test(size=size) as pilot:
            await asyncio.sleep(STORY_S)
            for key in keys:
                await pilot.press(key)
                await pilot.pause(1.0)
            save(name, app.export_screenshot(title=f"memtui --pid {pid}"))

    await asyncio.gather(*(shoot(*shot) for shot in SHOTS))


def main() -> None:
    """Start the service, draw, and end it."""
    OUT.mkdir(exist_ok=True)
    story = ["-report", "3", "-report-every", "7s", "-largest", "30", "-log-every", "5s"]
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "orders.log").open("wb") as log:
        service = subprocess.Popen(
            [ROOT / "build" / "orders", *story],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environ | {"GODEBUG": "gctrace=1,scavtrace=1,madvdontneed=0"},
        )
        try:
            asyncio.run(draw(service.pid))
        finally:
            service.kill()
            service.wait()


if __name__ == "__main__":
    main()
