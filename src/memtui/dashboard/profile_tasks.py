"""What pane 4 wants of the world: profiles from the service, answers about them, a file."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path

from textual.app import App

from memtui.dashboard.event_pump import EventPump
from memtui.dialogs.profile_picker import ConfirmScreen, ProfilePickerScreen
from memtui.model import ProcessIdentity, ProfileRequest
from memtui.panes.profile import messages
from memtui.panes.profile.pane import ProfilePane
from memtui.session import Player
from memtui.sources.defect import kind_and_place, report_hint
from memtui.sources.profile.files import profile_stem, save
from memtui.sources.profile.source import ProfileSource
from memtui.sources.profile.worker.client import NoAnswer, ProfileWorker
from memtui.sources.source import SourceFailed


class ProfileTasks:
    """Runs the requests of the profile pane in workers of the app.

    The sources are looked up in the ``pump`` for each request: a process that is chosen later adds
    its own.
    """

    def __init__(
        self,
        app: App[None],
        pump: EventPump,
        analyst: ProfileWorker,
        player: Player,
    ) -> None:
        self._app = app
        self._pump = pump
        self._analyst = analyst
        self._player = player

    def run(self, wanted: messages.ProfileMessage, pane: ProfilePane) -> None:
        """Run an errand of the pane."""
        match wanted:
            case messages.Ask():
                self._start(self._ask(wanted, pane), "ask")
                return
            case messages.Save():
                self._start(self._save(wanted, pane), "save")
                return
        source = next(
            (each for each in self._pump.sources if isinstance(each, ProfileSource)), None
        )
        if source is None:
            pane.say("there is no profile to take here", is_bad=True)
            return
        match wanted:
            case messages.FetchProfile(request=request) if request is not None and request.acts:
                self._confirm(request, source, pane)
            case messages.FetchProfile(request=request):
                self._take(request, source, pane)
            case messages.Choose():
                self._start(self._choose(source, pane), "choose")
            case _:
                source.cancel()

    def close(self) -> None:
        """End what was started for an errand."""
        self._analyst.close()

    def _start(self, running: Coroutine[None, None, None], group: str) -> None:
        self._app.run_worker(running, group=group, exclusive=True, exit_on_error=False)

    def _take(
        self, request: ProfileRequest | None, source: ProfileSource, pane: ProfilePane
    ) -> None:
        """Ask for a profile; None is the usual one."""
        if request is None or request == source.usual:
            source.refresh()
        else:
            source.ask(request)
        if request is not None:
            pane.follow(request)

    def _confirm(self, request: ProfileRequest, source: ProfileSource, pane: ProfilePane) -> None:
        def answered(confirmed: ProfileRequest | None) -> None:
            if confirmed is not None:
                self._take(confirmed, source, pane)

        self._app.push_screen(ConfirmScreen(request), answered)

    async def _choose(self, source: ProfileSource, pane: ProfilePane) -> None:
        """Let the user choose among the kinds that the service offers now."""
        try:
            kinds = await source.kinds()
        except SourceFailed as failed:
            pane.say(failed.reason, is_bad=True)
            return
        if kinds == {"file"}:
            pane.say("a file holds one profile: r reads it again")
            return

        def chosen(request: ProfileRequest | None) -> None:
            if request is not None:
                self._take(request, source, pane)

        self._app.push_screen(ProfilePickerScreen(kinds), chosen)

    async def _ask(self, wanted: messages.Ask, pane: ProfilePane) -> None:
        """Let the analyst answer; a newer question cancels this one."""
        key, data, base = wanted.wanted
        try:
            answer = await self._analyst.ask(data, base, key.question)
        except NoAnswer as none:
            pane.fail(key, str(none))
        except Exception as error:  # noqa: BLE001 - a defect in an answer must not end the rest
            pane.fail(key, f"memtui failed here: {kind_and_place(error)}; {report_hint(error)}")
        else:
            pane.take(key, answer)

    async def _save(self, wanted: messages.Save, pane: ProfilePane) -> None:
        profile, identity = wanted.profile, self._identity()
        if profile.data is None:
            pane.say("its bytes were let go to keep memory small", is_bad=True)
            return
        name, pid = (identity.name, identity.pid) if identity else ("", None)
        stem = profile_stem(name, pid, profile.kind, wanted.at)
        try:
            path = await asyncio.to_thread(save, Path.cwd(), stem, profile.data)
        except SourceFailed as failed:
            pane.say(failed.reason, is_bad=True)
        else:
            pane.say(f"saved {path}")

    def _identity(self) -> ProcessIdentity | None:
        return self._player.view().sample(ProcessIdentity)
