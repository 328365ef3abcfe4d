"""Pane 4: which profile is looked at and how, what is asked about it, and what the keys do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, TypeAlias

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from memtui.model import Profile, ProfileRequest, Taking
from memtui.panes.cells import Line, Picture, Span, cut, line, wrapped
from memtui.panes.moments import clock
from memtui.panes.pane import Pane, explained
from memtui.panes.profile import filterline, words
from memtui.panes.profile.editing import edited
from memtui.panes.profile.look import Key, Look, Moment, kept
from memtui.panes.profile.modes import FAR, Mode, mode_of, of_values, reordered
from memtui.panes.profile.progress import bar_of
from memtui.panes.profile.toplist import Order
from memtui.plain import plain
from memtui.pprof.question import Answer, Views
from memtui.timeline import View

CPU_S = 10
"""How long a CPU profile takes unless somebody says otherwise."""

Root: TypeAlias = Literal["top", "tree", "flame", "stacks"]
"""What is seen before a function was entered."""

_VIEW_OF: dict[Root, Views] = {"top": "top", "tree": "calls", "flame": "calls", "stacks": "stacks"}
_FILTER_LINES = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody is: a view, and the functions that were entered one after the other."""

    root: Root
    path: tuple[str, ...] = ()


class ProfilePane(Pane):
    """Profiles as pprof shows them, refreshed, remembered and compared.

    What a profile knows by itself, its functions, is drawn at once. All else is asked for with
    Ask, and drawn when ``take`` brings the answer; until then what was there before stays.
    """

    NUMBER = 4
    NAME = "pprof"
    SOURCE = "profile"
    KINDS = (Profile, Taking)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "next_type", "sample type", id="profile.type"),
        Binding("r", "again", "fetch again", id="profile.fetch"),
        Binding("t", "choose", "take a profile", id="profile.take"),
        Binding("p", "cpu", "CPU profile", id="profile.cpu"),
        Binding("ctrl+g", "gc", "heap after a GC", id="profile.gc"),
        Binding("c", "cancel", "cancel what is taken", id="profile.cancel"),
        Binding("b", "base", "compare with this one", id="profile.base"),
        Binding("B", "of_base", "growth, or shares of the base", id="profile.of_base"),
        Binding("left_square_bracket", "older(-1)", "older profile", id="profile.older"),
        Binding("right_square_bracket", "older(1)", "newer profile", id="profile.newer"),
        Binding("left_curly_bracket,right_curly_bracket", "kind", "other kind", id="profile.kind"),
        Binding("o", "order", "order by the next column", id="profile.order"),
        Binding("O", "turn", "turn the order around", id="profile.turn"),
        Binding("f", "finer", "functions, lines, files, packages", id="profile.fine"),
        Binding("v", "next_view", "list, tree, flame", id="profile.view"),
        Binding("enter", "enter", "callers and calls", id="profile.enter"),
        Binding("escape", "back", "back", id="profile.back", show=False),
        Binding("slash", "filter", "filter", id="profile.filter"),
        Binding("e", "save", "save the bytes", id="profile.save"),
    ]

    class Errand(Message):
        """Something is wanted of the world."""

    @dataclass
    class Fetch(Errand):
        """A profile is wanted now; ``confirm``: the user is asked first, for it acts."""

        request: ProfileRequest | None
        confirm: bool = False

    class Choose(Errand):
        """The user wants to choose what to take."""

    class Cancel(Errand):
        """The profile that is being taken is not wanted any more."""

    @dataclass
    class Ask(Errand):
        """An answer about a profile is wanted, and none that was asked for before."""

        key: Key
        data: bytes
        base: bytes | None

    @dataclass
    class Save(Errand):
        """The bytes of a profile are wanted in a file."""

        at: float
        profile: Profile

    def __init__(self) -> None:
        super().__init__()
        self.look = Look()
        self._root: Root | None = None
        self._path: tuple[str, ...] = ()
        self._modes: dict[Place, tuple[Key | None, Mode]] = {}
        self._asked: Key | None = None
        self._failed: tuple[Key, str] | None = None
        self._is_editing = False
        self._said: Line = ()

    # What is looked at

    def show(self, view: View) -> None:
        """Show what this view holds, and ask for what it takes; progress is drawn each time."""
        super().show(view)
        self._settle()
        if _under_way(view):
            self.paint()

    def _place(self, shown: Moment) -> Place:
        root = self._root
        is_of_goroutines = shown.profile.kind in ("goroutine", "goroutineleak")
        if root is None or (root == "stacks" and not is_of_goroutines):
            root = "stacks" if is_of_goroutines else "top"
        return Place(root, self._path)

    def _key(self, shown: Moment) -> Key | None:
        """Return what has to be asked about a profile; None when it knows by itself."""
        base, place = self.look.base_of(shown), self._place(shown)
        if place == Place("top") and base is None and self.look.is_plain:
            return None
        view = "peek" if place.path else _VIEW_OF[place.root]
        question = self.look.question(shown.profile, view, place.path[-1] if place.path else "")
        return (shown.at, shown.profile.kind, base.at if base else None, question)

    def _settle(self) -> None:
        """Ask for what the place where we are needs and does not have."""
        shown = self.look.shown(self.view) if self.view else None
        if shown is None:
            return
        key, place = self._key(shown), self._place(shown)
        known = self._modes.get(place)
        if key is None:
            if known is None or known[0] != self._plain_key(shown):
                old = known[1] if known else None
                mode = of_values(self.look.values(shown.profile), self.look.order, old)
                self._modes[place] = (self._plain_key(shown), mode)
                self.paint()
            return
        if (known and known[0] == key) or self._asked == key:
            return
        self._asked, self._failed = key, None
        data, base = shown.profile.data, self.look.base_of(shown)
        if data is None or (base is not None and base.profile.data is None):
            self.fail(key, "its bytes were let go to keep memory small: only functions are left")
            return
        self.post_message(self.Ask(key, data, base.profile.data if base else None))

    def _plain_key(self, shown: Moment) -> Key:
        question = self.look.question(shown.profile, "top")
        return (shown.at, shown.profile.kind, None, question)

    def take(self, key: Key, answer: Answer) -> None:
        """Draw an answer, unless another one is wanted by now."""
        shown = self.look.shown(self.view) if self.view else None
        if shown is None or key != self._asked or key != self._key(shown):
            return
        self._asked = self._failed = None
        place, base = self._place(shown), self.look.base_of(shown)
        old = self._modes.get(place)
        span_s = shown.at - base.at if base else None
        mode = mode_of(
            answer,
            self.look.order,
            old[1] if old else None,
            is_flame=place.root == "flame",
            span_s=span_s,
            is_difference=base is not None,
            of_base=self.look.of_base,
        )
        self._modes[place] = (key, mode)
        self._changed()

    def fail(self, key: Key, reason: str) -> None:
        """Say why there is no answer."""
        if key == self._asked:
            self._failed = (key, reason)
            self._changed()

    def say(self, text: str, *, is_bad: bool = False) -> None:
        """Say something in the line under the panes, until the next key."""
        self._said = line(Span(plain(text), "bad" if is_bad else "text"))
        self.post_message(self.Moved())

    def follow(self, request: ProfileRequest) -> None:
        """Look at the kind of profile that was asked for, at its newest."""
        self._go(replace(self.look, kind=request.kind, pinned=None), ())

    def _changed(self) -> None:
        self._settle()
        self.paint()
        self.post_message(self.Moved())

    def _go(self, look: Look, path: tuple[str, ...] | None = None) -> None:
        """Look at something else."""
        self._said = ()
        self.look = look
        if path is not None:
            self._path = path
        self._changed()

    def _mode(self) -> Mode | None:
        shown = self.look.shown(self.view) if self.view else None
        known = self._modes.get(self._place(shown)) if shown else None
        return known[1] if known else None

    def _put(self, mode: Mode) -> None:
        """Replace the view where we are by itself after a step."""
        shown = self.look.shown(self.view) if self.view else None
        if shown is not None:
            place = self._place(shown)
            self._modes[place] = (self._modes[place][0], mode)

    def _step(self, mode: Mode) -> None:
        self._said = ()
        self._put(mode)
        self.paint()
        self.post_message(self.Moved())

    # The picture

    def rows(self, view: View) -> range:
        """Each view counts its own rows."""
        return range(0)

    def picture(self, view: View, width: int, height: int) -> Picture:
        """Draw the view where we are, with what is under way above and the filter below it."""
        shown = self.look.shown(view)
        if shown is None:
            return self._nothing(view, width)
        base = self.look.base_of(shown)
        under_way = _under_way(view)
        lines: list[Line] = []
        if under_way is not None and under_way[1].request.seconds:
            request = under_way[1].request
            lines.append(bar_of(str(request), view.now - under_way[0], request.seconds, width))
        below = self._filter_lines(width) if self._is_editing else []
        lines += self._drawn(shown, width, height - len(lines) - len(below))
        lines += below
        title = words.title(self.look, shown, base, None, width - 5)
        newer = sum(1 for each in kept(view, self.look.kind) if each.at > shown.at)
        room = width - 6 - sum(len(span.text) for span in title)
        return Picture(
            title=title,
            status=words.status(shown, base, newer, room),
            start=self._start(view, height),
            foot=self._foot(view, shown, base, width - 14),
            rows=lines,
        )

    def _nothing(self, view: View, width: int) -> Picture:
        rows = explained(view, self.SOURCE, width, "waiting for the first profile …")
        if self.look.kind is not None:
            rows = wrapped(f"no {self.look.kind} profile yet", max(1, width - 2), "dim")
            if (reason := _last_reason(view)) is not None:
                rows = wrapped(plain(reason), max(1, width - 2), "bad") + rows
            rows = [(Span(" "), *row) for row in rows]
        under_way = _under_way(view)
        if under_way is not None and under_way[1].request.seconds:
            request = under_way[1].request
            bar = bar_of(str(request), view.now - under_way[0], request.seconds, width)
            rows = [bar, *rows]
        title = line(Span("pprof", "title"))
        return Picture(title, rows=rows, is_empty=True)

    def _drawn(self, shown: Moment, width: int, height: int) -> list[Line]:
        known = self._modes.get(self._place(shown))
        if known is None and self._key(shown) is None:
            self._settle_plainly(shown)
            known = self._modes.get(self._place(shown))
        failed = self._failed
        if failed is not None and failed[0] == self._key(shown) and not self._is_editing:
            return [(Span(" "), *row) for row in wrapped(plain(failed[1]), width - 2, "bad")]
        if known is None:
            return [line(Span(" reading the profile …", "dim"))]
        mode, lines = known[1].draw(width, height, focused=self.has_focus)
        self._modes[self._place(shown)] = (known[0], mode)
        return lines

    def _settle_plainly(self, shown: Moment) -> None:
        mode = of_values(self.look.values(shown.profile), self.look.order, None)
        self._modes[self._place(shown)] = (self._plain_key(shown), mode)

    def _start(self, view: View, height: int) -> Line:
        mode = self._mode()
        if mode is None:
            return ()
        count, top = mode.size()
        below = count - top - (height - 1)
        return line(Span(f"{below} more ↓", "dim")) if below > 0 else ()

    def _foot(self, view: View, shown: Moment, base: Moment | None, room: int) -> Line:
        under_way = _under_way(view)
        if under_way is not None and not under_way[1].request.seconds:
            return line(Span(f"fetching {under_way[1].request} …", "title"))
        if (reason := _last_reason(view)) is not None:
            return line(Span(cut(plain(reason), room), "bad"))
        if self._asked is not None and self._failed is None:
            return line(Span("reading …", "dim"))
        return words.foot(shown, base, room)

    def _filter_lines(self, width: int) -> list[Line]:
        error = self._failed[1] if self._failed else ""
        return filterline.draw(self.look.filters, width, error=error)

    def hint(self, view: View) -> Line:
        """Say what is selected, or what was just done."""
        if self._said:
            return self._said
        mode = self._mode()
        if mode is None:
            return line('the service needs: import _ "net/http/pprof", and an HTTP server')
        return mode.hint()

    def keys(self) -> Sequence[tuple[str, str]]:
        """Name the keys of this pane, those first that are wanted most."""
        if self._is_editing:
            return (("enter", "done"), ("↑↓", "field"), ("ctrl+u", "clear"), ("esc", "close"))
        if self.view is not None and _under_way(self.view) is not None:
            return (("c", "cancel"),)
        if self._path:
            return (("enter", "go there"), ("esc", "back"), ("s", "type"), ("e", "save"))
        return (
            ("s", "type"), ("r", "again"), ("t", "take"), ("b", "base"), ("enter", "calls"),
            ("v", "view"), ("/", "filter"), ("[ ]", "older"), ("o", "order"), ("f", "lines"),
            ("p", "CPU"), ("e", "save"),
        )  # fmt: skip

    # Keys

    def action_move(self, by: int) -> None:
        """Select something else."""
        mode = self._mode()
        if mode is not None:
            self._step(mode.moved(by))

    def action_to_start(self) -> None:
        """Select the first row."""
        self.action_move(-FAR)

    def action_to_end(self) -> None:
        """Select the last row."""
        self.action_move(FAR)

    def action_shift(self, by: int) -> None:
        """Move sideways."""
        mode = self._mode()
        if mode is not None:
            self._step(mode.sideways(by))

    def action_enter(self) -> None:
        """Open what is selected, or go to that function."""
        mode = self._mode()
        if mode is None:
            return
        entered = mode.entered()
        if isinstance(entered, str):
            self._go(self.look, (*self._path, entered))
        else:
            self._step(entered)

    def action_back(self) -> None:
        """Undo one step: what is taken, a zoom, the way to a function, an older profile."""
        mode = self._mode()
        if self.view is not None and _under_way(self.view) is not None:
            self.post_message(self.Cancel())
        elif mode is not None and (before := mode.back()) is not None:
            self._step(before)
        elif self._path:
            self._go(self.look, self._path[:-1])
        else:
            self._go(replace(self.look, pinned=None))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave esc to the dashboard when there is nothing to undo in here."""
        if action != "back":
            return super().check_action(action, parameters)
        mode = self._mode()
        return bool(
            self._path
            or self.look.pinned is not None
            or (self.view is not None and _under_way(self.view))
            or (mode is not None and mode.back() is not None)
        )

    def action_next_type(self) -> None:
        """Show the next sample type."""
        shown = self.look.shown(self.view) if self.view else None
        if shown is not None:
            self._go(self.look.next_type(shown.profile))

    def action_next_view(self) -> None:
        """Show the next view: list, call tree, flame; of goroutines the stacks first."""
        shown = self.look.shown(self.view) if self.view else None
        if shown is None:
            return
        roots: tuple[Root, ...] = ("top", "tree", "flame")
        if shown.profile.kind in ("goroutine", "goroutineleak"):
            roots = ("stacks", *roots)
        self._root = roots[(roots.index(self._place(shown).root) + 1) % len(roots)]
        self._go(self.look, ())

    def action_order(self) -> None:
        """Order the list by the next column."""
        self._reorder(self.look.order.next())

    def action_turn(self) -> None:
        """Turn the order of the list around."""
        self._reorder(self.look.order.turned())

    def _reorder(self, order: Order) -> None:
        self.look = replace(self.look, order=order)
        mode = self._mode()
        if mode is not None:
            self._step(reordered(mode, order))

    def action_finer(self) -> None:
        """Show lines, files, packages, or functions again."""
        self._go(self.look.finer(), ())
        self.say(f"by {self.look.granularity}")

    def action_older(self, by: int) -> None:
        """Show the profile before this one, or the one after it."""
        if self.view is not None:
            self._go(self.look.stepped(self.view, by))

    def action_kind(self) -> None:
        """Show another kind of profile, among those that were taken."""
        if self.view is not None:
            self._root = None
            self._go(self.look.next_kind(self.view), ())

    def action_base(self) -> None:
        """Compare with the profile that is shown, or with none any more."""
        shown = self.look.shown(self.view) if self.view else None
        if shown is None:
            return
        if self.look.base is not None:
            self._go(replace(self.look, base=None))
            self.say("compared with nothing any more")
            return
        self._go(replace(self.look, base=shown))
        self.say(f"compared with {shown.profile.kind} at {clock(shown.at)} from now on; r fetches")

    def action_of_base(self) -> None:
        """Show growth and its percent, or the difference in shares of the base."""
        self._go(replace(self.look, of_base=not self.look.of_base))

    def action_again(self) -> None:
        """Fetch what is shown once more; what acts on the target is asked about first."""
        shown = self.look.shown(self.view) if self.view else None
        request = shown.profile.request if shown and self.look.kind else None
        self.post_message(self.Fetch(request, confirm=bool(request and request.acts)))

    def action_cpu(self) -> None:
        """Take a CPU profile, after a word about what it does."""
        self.post_message(self.Fetch(ProfileRequest("cpu", CPU_S), confirm=True))

    def action_gc(self) -> None:
        """Take a heap profile after a GC, after a word about what that does."""
        self.post_message(self.Fetch(ProfileRequest("heap", gc=True), confirm=True))

    def action_choose(self) -> None:
        """Choose a profile to take."""
        self.post_message(self.Choose())

    def action_cancel(self) -> None:
        """Cancel the profile that is being taken."""
        self.post_message(self.Cancel())

    def action_save(self) -> None:
        """Save the bytes of the profile that is shown."""
        shown = self.look.shown(self.view) if self.view else None
        if shown is None:
            self.say("no profile to save", is_bad=True)
        else:
            self.post_message(self.Save(*shown))

    def action_filter(self) -> None:
        """Edit the patterns."""
        self._is_editing = True
        self._changed()

    def on_key(self, event: events.Key) -> None:
        """While patterns are edited all keys belong to them, but those that leave the pane."""
        if not self._is_editing:
            return
        event.stop()
        event.prevent_default()
        filters, goes_on = edited(self.look.filters, event.key, event.character)
        self._is_editing = goes_on
        self._go(replace(self.look, filters=filters))

    def on_paste(self, event: events.Paste) -> None:
        """Paste into the pattern that is edited."""
        if self._is_editing:
            filters = self.look.filters
            filters = filters.edited(filters.field.editor.inserted(event.text))
            self._go(replace(self.look, filters=filters))

    def on_blur(self, event: events.Blur) -> None:
        """Close the patterns when another pane is gone to."""
        self._is_editing = False
        super().on_blur(event)


def _under_way(view: View) -> tuple[float, Taking] | None:
    """Return the profile that is being taken, and since when."""
    found = view.last(Taking)
    return found if found is not None and not found[1].over else None


def _last_reason(view: View) -> str | None:
    """Return why the profile that was asked for last did not come; None when it did."""
    found = view.last(Taking)
    if found is None or not found[1].over or not found[1].reason:
        return None
    newest = view.last(Profile)
    if newest is not None and newest[0] > found[0]:
        return None
    return f"{found[1].request}: {found[1].reason}"
