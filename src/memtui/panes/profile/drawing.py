"""What is seen of pane 4: the view where we are, its frame, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from memtui.model import Profile, Taking, Trouble
from memtui.panes.cells import Line, Picture, Span, cells, cut, line, wrapped
from memtui.panes.profile import words
from memtui.panes.profile.editing import Editing
from memtui.panes.profile.listmodes import TopMode
from memtui.panes.profile.look import Look, Moment, kept
from memtui.panes.profile.progress import bar_of, under_way
from memtui.panes.profile.reading import Reading
from memtui.plain import plain
from memtui.timeline import View


@dataclass(frozen=True, slots=True)
class Scene:
    """What is drawn, in how many cells: what is under way above, what is typed below."""

    view: View
    reading: Reading
    editing: Editing
    width: int
    height: int
    focused: bool

    def picture(self) -> Picture:
        """Draw the profile that is looked at, or say that there is none of its kind."""
        shown = self.reading.look.shown(self.view)
        if shown is None:
            room = max(1, self.width - 2)
            rows = wrapped(plain(_last_reason(self.view)), room, "bad")
            rows += wrapped(f"no {self.reading.look.kind} profile yet", room, "dim")
            return self.empty([(Span(" "), *row) for row in rows])
        look, shown, base = self.reading.seen(shown)
        above = _progress(self.view, self.width)
        below = self.editing.draw(
            self.reading.look.filters,
            self.width,
            error=self.reading.failure or self._no_match(),
            preview=self._left(shown),
        )
        room = self.height - len(above) - len(below)
        lines = [*above, *self._drawn(room), *below]
        title = words.title(look, shown, base, self.width - 5)
        newer = sum(each.at > shown.at for each in kept(self.view, look.kind))
        return Picture(
            title=title,
            status=words.status(shown, base, newer, self.width - 6 - cells(title)),
            start=self._start(look, room, self.width // 2),
            foot=self._foot(shown, base, self.width - 14),
            rows=lines,
        )

    def empty(self, rows: Sequence[Line]) -> Picture:
        """Say why there is no profile; one may be under way."""
        title = line(Span("pprof", "title"))
        return Picture(title, rows=[*_progress(self.view, self.width), *rows], is_empty=True)

    def _drawn(self, height: int) -> list[Line]:
        """Return the lines of the view where we are."""
        mode = self.reading.mode(self.view)
        if self.reading.failure and not self.editing:
            reason = plain(self.reading.failure)
            return [(Span(" "), *row) for row in wrapped(reason, self.width - 2, "bad")]
        if mode is None:
            return [line(Span(" reading the profile …", "dim"))]
        empty = self._unmatched() if not self.editing else []
        mode, lines = mode.draw(self.width, height - len(empty), focused=self.focused)
        self.reading.put(self.view, mode)
        return [*empty, *lines]

    def _unmatched(self) -> list[Line]:
        """Return a line for the filters that matched nothing."""
        return [
            line(Span(cut(f" {name} matched no samples", self.width), "bad"))
            for name in self.reading.unmatched(self.view)
        ]

    def _no_match(self) -> str:
        """Say that what is typed matches nothing; "" while it does, or is waited for."""
        names = self.reading.unmatched(self.view)
        if self.reading.is_waiting or not names:
            return ""
        return f"{', '.join(names)} matched no samples"

    def _left(self, shown: Moment) -> str:
        """Say how many functions the patterns leave, and of how many where that is known."""
        mode = self.reading.mode(self.view)
        if self.reading.is_waiting:
            return "reading …"
        if not isinstance(mode, TopMode):
            return ""
        look, count = self.reading.look, mode.size()[0]
        if look.granularity != "functions" or look.base_of(shown) is not None:
            return f"{count} {look.granularity}"
        return f"{count} of {len(look.values(shown.profile).functions)} functions"

    def _start(self, look: Look, height: int, room: int) -> Line:
        """Say how many rows there are below, and what is not seen because it was filtered."""
        mode = self.reading.mode(self.view)
        said: list[Span] = []
        if mode is not None:
            said += mode.words(room)
            count, top = mode.size()
            if count and (below := count - top - (height - 1)) > 0:
                said.append(Span(f"{below} more ↓", "dim"))
        if look.narrowed:
            narrowed = f"{'  ' if said else ''}{plain(look.narrowed)}"
            said.append(Span(cut(narrowed, max(0, room - cells(tuple(said)))), "key"))
        return tuple(said)

    def _foot(self, shown: Moment, base: Moment | None, room: int) -> Line:
        running = under_way(self.view)
        if running is not None and not running[1].request.seconds:
            return line(Span(f"fetching {running[1].request} …", "title"))
        if reason := _last_reason(self.view):
            return line(Span(cut(plain(reason), room), "bad"))
        if self.reading.is_waiting:
            return line(Span("reading …", "dim"))
        return words.foot(shown, base, room)


def hint_of(view: View, reading: Reading) -> Line:
    """Say what is selected, or why there is nothing to select yet."""
    mode = reading.mode(view)
    if mode is not None:
        return mode.hint()
    if reading.look.shown(view) is not None:
        return line(Span("reading the profile", "dim"))
    if under_way(view) is not None:
        return line(Span("shown as soon as it is there", "dim"))
    return line(_what_to_do(view))


def _what_to_do(view: View) -> str:
    """Return what the source of profiles advises; nothing is known of the service before that."""
    state = view.state("profile")
    said = state[1] if state is not None else None
    if isinstance(said, Trouble) and said.hint:
        return plain(said.hint)
    return "no profile has come yet"


def _progress(view: View, width: int) -> list[Line]:
    """Return the bar of a profile that takes its time, if one is being taken."""
    found = under_way(view)
    if found is None or not found[1].request.seconds:
        return []
    return [bar_of("CPU profile", view.now - found[0], found[1].request.seconds, width)]


def _last_reason(view: View) -> str:
    """Return why the profile that was asked for last did not come; "" when it did."""
    found = view.last(Taking)
    if found is None or not found[1].over or not found[1].reason:
        return ""
    newest = view.last(Profile)
    if newest is not None and newest[0] > found[0]:
        return ""
    return f"{found[1].request}: {found[1].reason}"
