"""Draws pane 4: title, status, the current view, progress of a fetch, and the line at the foot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from memtui import units
from memtui.local_time import date_and_time, is_same_day, time_of_day
from memtui.model import Profile, Taking, Trouble, gap_s
from memtui.panes.profile.filter_line import InputLine
from memtui.panes.profile.formatting import EMPTY, FULL, amount, change, direction
from memtui.panes.profile.navigation import ProfileNavigation
from memtui.panes.profile.top import TopView, hourly
from memtui.panes.profile.view_options import TimedProfile, ViewOptions, kept_profiles, span_of
from memtui.render.cells import Line, Picture, Span, cells, cut, fit, line, wrapped
from memtui.sanitize import plain
from memtui.timeline import View


def fitting(candidates: Sequence[Line], room: int) -> Line:
    """Return the first line that fits into ``room`` cells; () if none does."""
    return next((each for each in candidates if cells(each) <= room), ())


def title(options: ViewOptions, shown: TimedProfile, base: TimedProfile | None, room: int) -> Line:
    """Return the sample type with its total; compared with a base, with its growth."""
    values = options.values(shown.profile)
    name = Span(plain(values.type), "title")
    if base is None:
        return line(name, f" {amount(values.total, values.unit)}")
    grown = values.total - options.values(base.profile).total
    span_s = gap_s(base.dated, shown.dated)
    growth = Span(f" {change(grown, values.unit)}", direction(grown))
    since = Span(f" since {when(base)}", "dim")
    ago = Span(f" ({_span_text(span_s)})", "dim")
    rated_s = span_of(shown, base)
    rate = hourly(grown, rated_s, values.unit)
    per_hour = Span(f" {rate}" if rate else "", direction(grown))
    return fitting(
        [
            line(name, growth, per_hour, since, ago),
            line(name, growth, since, ago),
            line(name, growth, ago),
            line(name, growth),
            line(name),
        ],
        room,
    ) or line(name)


def _span_text(span_s: float | None) -> str:
    """Return the time from a base to a profile: +27s."""
    if span_s is None:
        return "unknown time between"
    return f"{'+' if span_s >= 0 else '−'}{units.duration(abs(span_s))}"


def when(moment: TimedProfile) -> str:
    """Return the time of a profile, with the date if it was read on another day.

    For a profile without a time it is the time of reading, marked so.
    """
    dated = moment.dated
    if not dated.is_known:
        return f"no time, read {time_of_day(dated.at)}"
    return time_of_day(dated.at) if is_same_day(dated.at, moment.at) else date_and_time(dated.at)


def at_when(moment: TimedProfile) -> str:
    """Return the time of a profile for a sentence: "at 14:03:20", "no time, read 14:03:20"."""
    return f"at {when(moment)}" if moment.dated.is_known else when(moment)


def _duration_text(profile: Profile) -> str:
    """Return the duration of a profile: " over 10s"; "" if it has none."""
    seconds = profile.duration_nanos / 1e9
    if seconds <= 0:
        return ""
    written = units.milliseconds(seconds * 1000) if seconds < 1 else units.duration(seconds)
    return f" over {written}"


def status(shown: TimedProfile, base: TimedProfile | None, newer: int, room: int) -> Line:
    """Return the time and kind of the profile, and its GC cycle."""
    profile = shown.profile
    brief = when(shown)
    at = at_when(shown)
    over = _duration_text(profile)
    cycle = ""
    if profile.request.gc:
        cycle = " gc=1"
    elif profile.gc_number is not None:
        cycle = f" gc {profile.gc_number}"
    behind = f" [{newer} newer]" if newer else ""
    rate = alloc_rate(shown, base)
    kind = f"{profile.kind} " if profile.kind != "file" else ""
    words = [
        f"{rate}{kind}{at}{over}{cycle}{behind}",
        f"{kind}{at}{over}{cycle}{behind}",
        f"{kind}{at}{cycle}{behind}",
        f"{at}{cycle}{behind}",
        f"{brief}{cycle}{behind}",
        f"{brief}{behind}",
        brief,
    ]
    return fitting([line(Span(each, "dim")) for each in words], room)


def alloc_rate(shown: TimedProfile, base: TimedProfile | None) -> str:
    """Return the allocation rate since the base; "" if it is unknown."""
    span_s = span_of(shown, base)
    if base is None or span_s is None:
        return ""
    now, then = (_total(each.profile, "alloc_space") for each in (shown, base))
    if now is None or then is None or now < then:
        return ""
    return f"alloc {units.size(round((now - then) / span_s))}/s  "


def objects(shown: TimedProfile, base: TimedProfile | None) -> str:
    """Return by how many objects the live heap grew; "" if there is no such count."""
    if base is None:
        return ""
    now, then = (_total(each.profile, "inuse_objects") for each in (shown, base))
    if now is None or then is None:
        return ""
    return f"{units.count_change(now - then)} objects"


def _total(profile: Profile, type_: str) -> int | None:
    return next((values.total for values in profile.values if values.type == type_), None)


def cost(profile: Profile) -> str:
    """Return the cost of fetching: 21K in 4ms."""
    took = units.milliseconds(profile.took_s * 1000)
    return f"{units.size(profile.size_bytes)} in {took}"


def foot(shown: TimedProfile, base: TimedProfile | None, room: int) -> Line:
    """Return the cost of fetching, and the path or address."""
    grown = objects(shown, base)
    spent = cost(shown.profile)
    where = plain(shown.profile.where)
    first = f"{grown} · {spent}" if grown else spent
    left = room - len(first) - 3
    if left >= 12:
        return line(Span(f"{first} · {cut(where, left)}", "dim"))
    return fitting([line(Span(first, "dim")), line(Span(spent, "dim"))], room)


_WIDEST_BAR = 30


def progress_bar(what: str, done_s: float, whole_s: float, width: int) -> Line:
    """Return a line of ``width`` cells: what is fetched, its progress, and the key that cancels it.

    The time is always shown; bar and text only if there is room.
    """
    done_s = max(0.0, min(done_s, whole_s))
    time = f"{done_s:.0f} s of {whole_s:.0f} s"
    cancel = (Span(" esc", "key"), Span(" cancels", "dim"))
    for start in (f"fetching {what} {time} ", f"{what} {time} ", f"{time} "):
        room = min(_WIDEST_BAR, width - len(start) - cells(cancel) - 2)
        if room >= 5:
            full = round(room * done_s / whole_s) if whole_s else room
            drawn = (Span(FULL * full, "live"), Span(EMPTY * (room - full), "border"))
            return fit(line(" ", start, *drawn, *cancel), width)
    short = line(f" {time}", *cancel)
    return fit(short if cells(short) <= width else line(time), width)


def fetch_in_progress(view: View) -> tuple[float, Taking] | None:
    """Return the profile that is being fetched, and since when."""
    found = view.last(Taking)
    return found if found is not None and not found[1].over else None


@dataclass(frozen=True, slots=True)
class PaneFrame:
    """Draws the pane: the progress of a fetch, the current view, and the input line."""

    view: View
    navigation: ProfileNavigation
    input: InputLine
    width: int
    height: int
    focused: bool

    def picture(self) -> Picture:
        """Draw the shown profile, or the reason why there is none of its kind."""
        shown = self.navigation.options.shown(self.view)
        if shown is None:
            room = max(1, self.width - 2)
            rows = wrapped(plain(_last_reason(self.view)), room, "bad")
            rows += wrapped(f"no {self.navigation.options.kind} profile yet", room, "dim")
            return self.empty([(Span(" "), *row) for row in rows])
        options, shown, base = self.navigation.subject(shown)
        above = _progress(self.view, self.width)
        below = self.input.draw(
            self.navigation.options.filters,
            self.width,
            error=self.navigation.failure or self._no_match(),
            preview=self._preview(shown),
        )
        room = self.height - len(above) - len(below)
        lines = [*above, *self._view_lines(room), *below]
        heading = title(options, shown, base, self.width - 5)
        newer = sum(each.at > shown.at for each in kept_profiles(self.view, options.kind))
        return Picture(
            title=heading,
            status=status(shown, base, newer, self.width - 6 - cells(heading)),
            start=self._bottom_left(options, room, self.width // 2),
            foot=self._foot(shown, base, self.width - 14),
            rows=lines,
        )

    def empty(self, rows: Sequence[Line]) -> Picture:
        """Draw lines that explain why there is no profile, and the progress of a fetch."""
        title = line(Span("pprof", "title"))
        return Picture(title, rows=[*_progress(self.view, self.width), *rows], is_empty=True)

    def _view_lines(self, height: int) -> list[Line]:
        """Return the lines of the current view."""
        current = self.navigation.current_view(self.view)
        if self.navigation.failure and not self.input:
            reason = plain(self.navigation.failure)
            return [(Span(" "), *row) for row in wrapped(reason, self.width - 2, "bad")]
        if current is None:
            return [line(Span(" decoding the profile …", "dim"))]
        empty = self._unmatched() if not self.input else []
        current, lines = current.draw(self.width, height - len(empty), focused=self.focused)
        self.navigation.replace_view(self.view, current)
        return [*empty, *lines]

    def _unmatched(self) -> list[Line]:
        """Return a line for each filter that matched nothing."""
        return [
            line(Span(cut(f" {name} matched no samples", self.width), "bad"))
            for name in self.navigation.unmatched(self.view)
        ]

    def _no_match(self) -> str:
        """Return that the filters match nothing; "" if they do, or while a query is pending."""
        names = self.navigation.unmatched(self.view)
        if self.navigation.is_waiting or not names:
            return ""
        return f"{', '.join(names)} matched no samples"

    def _preview(self, shown: TimedProfile) -> str:
        """Return how many functions the filters leave, and of how many if known."""
        current = self.navigation.current_view(self.view)
        if self.navigation.is_waiting:
            return "updating …"
        if not isinstance(current, TopView):
            return ""
        options, count = self.navigation.options, current.size()[0]
        if options.granularity != "functions" or options.base_of(shown) is not None:
            return f"{count} {options.granularity}"
        return f"{count} of {len(options.values(shown.profile).functions)} functions"

    def _bottom_left(self, options: ViewOptions, height: int, room: int) -> Line:
        """Return search results, the number of rows below, and the filters."""
        current = self.navigation.current_view(self.view)
        spans: list[Span] = []
        if current is not None:
            spans += current.status(room)
            count, top = current.size()
            if count and (below := count - top - (height - 1)) > 0:
                spans.append(Span(f"{below} more ↓", "dim"))
        if options.filters_text:
            narrowed = f"{'  ' if spans else ''}{plain(options.filters_text)}"
            spans.append(Span(cut(narrowed, max(0, room - cells(tuple(spans)))), "key"))
        return tuple(spans)

    def _foot(self, shown: TimedProfile, base: TimedProfile | None, room: int) -> Line:
        running = fetch_in_progress(self.view)
        if running is not None and not running[1].request.seconds:
            return line(Span(f"fetching {running[1].request} …", "title"))
        if reason := _last_reason(self.view):
            return line(Span(cut(plain(reason), room), "bad"))
        if self.navigation.is_waiting:
            return line(Span("updating …", "dim"))
        return foot(shown, base, room)


def hint_of(view: View, navigation: ProfileNavigation) -> Line:
    """Return a description of the selected item, or why there is none yet."""
    current = navigation.current_view(view)
    if current is not None:
        return current.hint()
    if navigation.options.shown(view) is not None:
        return line(Span("decoding the profile", "dim"))
    if fetch_in_progress(view) is not None:
        return line(Span("shown when it has been fetched", "dim"))
    return line(_advice(view))


def _advice(view: View) -> str:
    """Return the hint of the profile source, if it has one."""
    state = view.state("profile")
    sample = state[1] if state is not None else None
    if isinstance(sample, Trouble) and sample.hint:
        return plain(sample.hint)
    return "no profile yet"


def _progress(view: View, width: int) -> list[Line]:
    """Return the progress bar of a CPU profile that is being fetched."""
    found = fetch_in_progress(view)
    if found is None or not found[1].request.seconds:
        return []
    return [progress_bar("CPU profile", view.now - found[0], found[1].request.seconds, width)]


def _last_reason(view: View) -> str:
    """Return why the last requested profile could not be fetched; "" if it was."""
    found = view.last(Taking)
    if found is None or not found[1].over or not found[1].reason:
        return ""
    newest = view.last(Profile)
    if newest is not None and newest[0] > found[0]:
        return ""
    return f"{found[1].request}: {found[1].reason}"
