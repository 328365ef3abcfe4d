"""Handles the messages of pane 4: fetches profiles, answers queries, and saves files."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path

from textual.app import App

from memtui.dashboard.event_pump import EventPump
from memtui.model import ProcessIdentity, ProfileRequest
from memtui.panes.profile import messages
from memtui.panes.profile.pane import ProfilePane
from memtui.session import Player
from memtui.sources.defect import kind_and_place, report_hint
from memtui.sources.profile.profile_files import profile_stem, save_profile
from memtui.sources.profile.source import ProfileSource
from memtui.sources.profile.worker.client import AnswerFailed, ProfileWorker
from memtui.sources.source import SourceFailed


class ProfileTasks:
    """Handles the messages of pane 4 in background workers of the app.

    The sources are looked up in the ``pump`` for each message: a process that is chosen later adds
    its own.
    """

    def __init__(
        self,
        app: App[None],
        pump: EventPump,
        worker: ProfileWorker,
        player: Player,
    ) -> None:
        self._app = app
        self._pump = pump
        self._worker = worker
        self._player = player

    def handle(self, message: messages.ProfileMessage, pane: ProfilePane) -> None:
        """Handle a message of the pane."""
        match message:
            case messages.QueryProfile():
                self._start(self._answer(message, pane), "answer")
                return
            case messages.SaveProfile():
                self._start(self._save(message, pane), "save")
                return
        source = next(
            (each for each in self._pump.sources if isinstance(each, ProfileSource)), None
        )
        if source is None:
            pane.show_message("nothing here provides profiles", is_bad=True)
            return
        match message:
            case messages.FetchProfile(request=request) if request is not None and request.acts:
                self._confirm(request, source, pane)
            case messages.FetchProfile(request=request):
                self._fetch(request, source, pane)
            case messages.ChooseProfile():
                self._start(self._choose(source, pane), "choose")
            case _:
                source.cancel()

    def close(self) -> None:
        """End the profile worker."""
        self._worker.close()

    def _start(self, running: Coroutine[None, None, None], group: str) -> None:
        self._app.run_worker(running, group=group, exclusive=True, exit_on_error=False)

    def _fetch(
        self, request: ProfileRequest | None, source: ProfileSource, pane: ProfilePane
    ) -> None:
        """Request a profile; None is the default one."""
        if request is None or request == source.default_request:
            source.refresh()
        else:
            source.request(request)
        if request is not None:
            pane.show_kind(request)

    def _confirm(self, request: ProfileRequest, source: ProfileSource, pane: ProfilePane) -> None:
        from memtui.dialogs.profile_picker import ConfirmScreen

        def on_answer(confirmed: ProfileRequest | None) -> None:
            if confirmed is not None:
                self._fetch(confirmed, source, pane)

        self._app.push_screen(ConfirmScreen(request), on_answer)

    async def _choose(self, source: ProfileSource, pane: ProfilePane) -> None:
        """Let the user choose among the kinds that the service offers."""
        try:
            kinds = await source.kinds()
        except SourceFailed as failed:
            pane.show_message(failed.reason, is_bad=True)
            return
        if kinds == {"file"}:
            pane.show_message("a file holds one profile; press r to read it again")
            return

        from memtui.dialogs.profile_picker import ProfilePickerScreen

        def on_choice(request: ProfileRequest | None) -> None:
            if request is not None:
                self._fetch(request, source, pane)

        self._app.push_screen(ProfilePickerScreen(kinds), on_choice)

    async def _answer(self, message: messages.QueryProfile, pane: ProfilePane) -> None:
        """Let the profile worker answer a query; a newer query cancels this one."""
        key, data, base = message.pending
        try:
            answer = await self._worker.answer(data, base, key.query)
        except AnswerFailed as failed:
            pane.show_failure(key, str(failed))
        except Exception as error:  # noqa: BLE001 - a defect of a report is shown in the pane
            pane.show_failure(
                key, f"memtui failed here: {kind_and_place(error)}; {report_hint(error)}"
            )
        else:
            pane.show_answer(key, answer)

    async def _save(self, message: messages.SaveProfile, pane: ProfilePane) -> None:
        profile, identity = message.profile, self._identity()
        if profile.data is None:
            pane.show_message("the bytes of this profile were dropped to save memory", is_bad=True)
            return
        name, pid = (identity.name, identity.pid) if identity else ("", None)
        stem = profile_stem(name, pid, profile.kind, message.at)
        try:
            path = await asyncio.to_thread(save_profile, Path.cwd(), stem, profile.data)
        except SourceFailed as failed:
            pane.show_message(failed.reason, is_bad=True)
        else:
            pane.show_message(f"saved {path}")

    def _identity(self) -> ProcessIdentity | None:
        return self._player.view().sample(ProcessIdentity)
