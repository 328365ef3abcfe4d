"""What pane 4 wants of the world: profiles from the service, answers about them, a file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path

from textual.app import App

from memtui.dialogs.profile_picker import ConfirmScreen, ProfilePickerScreen
from memtui.model import ProcessIdentity, ProfileRequest
from memtui.panes.profile import messages
from memtui.panes.profile.pane import ProfilePane
from memtui.sources.defect import in_a_line, reported
from memtui.sources.profile.profile_files import profile_stem, save_profile
from memtui.sources.profile.source import ProfileSource
from memtui.sources.profile.worker.client import AnswerFailed, ProfileWorker
from memtui.sources.source import Source, SourceFailed
from memtui.timeline import View


class ProfileTasks:
    """Runs what the pane wants in workers of the app; nobody is kept waiting.

    ``sources`` is called each time, for whoever chooses a process later brings its own.
    """

    def __init__(
        self,
        app: App[None],
        sources: Callable[[], Sequence[Source]],
        worker: ProfileWorker,
        view: Callable[[], View],
    ) -> None:
        self._app = app
        self._sources = sources
        self._worker = worker
        self._view = view

    def run(self, wanted: messages.ProfileMessage, pane: ProfilePane) -> None:
        """Run an errand of the pane."""
        match wanted:
            case messages.QueryProfile():
                self._start(self._ask(wanted, pane), "ask")
                return
            case messages.SaveProfile():
                self._start(self._save(wanted, pane), "save")
                return
        source = next((each for each in self._sources() if isinstance(each, ProfileSource)), None)
        if source is None:
            pane.show_message("there is no profile to take here", is_bad=True)
            return
        match wanted:
            case messages.FetchProfile(request=request) if request is not None and request.acts:
                self._confirm(request, source, pane)
            case messages.FetchProfile(request=request):
                self._take(request, source, pane)
            case messages.ChooseProfile():
                self._start(self._choose(source, pane), "choose")
            case _:
                source.cancel()

    def close(self) -> None:
        """End what was started for an errand."""
        self._worker.close()

    def _start(self, running: Coroutine[None, None, None], group: str) -> None:
        self._app.run_worker(running, group=group, exclusive=True, exit_on_error=False)

    def _take(
        self, request: ProfileRequest | None, source: ProfileSource, pane: ProfilePane
    ) -> None:
        """Ask for a profile; None is the usual one."""
        if request is None or request == source.default_request:
            source.refresh()
        else:
            source.request(request)
        if request is not None:
            pane.show_kind(request)

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
            pane.show_message(failed.reason, is_bad=True)
            return
        if kinds == {"file"}:
            pane.show_message("a file holds one profile: r reads it again")
            return

        def chosen(request: ProfileRequest | None) -> None:
            if request is not None:
                self._take(request, source, pane)

        self._app.push_screen(ProfilePickerScreen(kinds), chosen)

    async def _ask(self, wanted: messages.QueryProfile, pane: ProfilePane) -> None:
        """Let the worker answer; a newer question cancels this one."""
        key, data, base = wanted.pending
        try:
            answer = await self._worker.answer(data, base, key.query)
        except AnswerFailed as none:
            pane.show_failure(key, str(none))
        except Exception as error:  # noqa: BLE001 - a defect in an answer must not end the rest
            pane.show_failure(key, f"memtui failed here: {in_a_line(error)}; {reported(error)}")
        else:
            pane.show_answer(key, answer)

    async def _save(self, wanted: messages.SaveProfile, pane: ProfilePane) -> None:
        profile, identity = wanted.profile, self._identity()
        if profile.data is None:
            pane.show_message("its bytes were let go to keep memory small", is_bad=True)
            return
        name, pid = (identity.name, identity.pid) if identity else ("", None)
        stem = profile_stem(name, pid, profile.kind, wanted.at)
        try:
            path = await asyncio.to_thread(save_profile, Path.cwd(), stem, profile.data)
        except SourceFailed as failed:
            pane.show_message(failed.reason, is_bad=True)
        else:
            pane.show_message(f"saved {path}")

    def _identity(self) -> ProcessIdentity | None:
        return self._view().sample(ProcessIdentity)
