"""An editor: starts `asyncvet lsp` as editors do, speaks the protocol with it, and keeps what it is told."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from lsprotocol import types
from pygls.lsp.client import LanguageClient

PATIENCE = 60
"""Seconds after which an answer is not awaited any more."""


class Editor(LanguageClient):
    """A client of one server process.

    Attributes:
        diagnostics: What was published last, by the name of the file.
        messages: What the user was shown.
        registered: What the server wants to hear of.
        refreshes: How often the server wanted code lenses to be asked for again.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__("editor", "1")
        self.folder = folder
        self.diagnostics: dict[str, Sequence[types.Diagnostic]] = {}
        self.messages: list[str] = []
        self.registered: list[object] = []
        self.refreshes = 0
        self._news = asyncio.Event()
        self._versions: dict[str, int] = {}
        self._listen()

    def _listen(self) -> None:
        listen = self.protocol.fm.add_builtin_feature
        listen(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, self._published)
        listen(types.WINDOW_SHOW_MESSAGE, self._shown)
        listen(types.CLIENT_REGISTER_CAPABILITY, self._registered)
        listen(types.WORKSPACE_CODE_LENS_REFRESH, self._refreshed)

    def _published(self, params: types.PublishDiagnosticsParams) -> None:
        self.diagnostics[self.called(params.uri)] = params.diagnostics
        self._news.set()

    def _shown(self, params: types.ShowMessageParams) -> None:
        self.messages.append(params.message)
        self._news.set()

    def _registered(self, params: types.RegistrationParams) -> None:
        self.registered += [registration.register_options for registration in params.registrations]

    def _refreshed(self, _: None) -> None:
        self.refreshes += 1

    # --- files --------------------------------------------------------------------------------------

    def uri(self, name: str) -> str:
        """The address of a file of the folder."""
        return (self.folder / name).as_uri()

    def called(self, uri: str) -> str:
        """The name of a file of the folder."""
        return uri.removeprefix(f"{self.folder.as_uri()}/")

    async def write(self, name: str, text: str) -> None:
        """Write a file as another program would."""
        await asyncio.to_thread((self.folder / name).write_text, text, encoding="utf-8")

    async def remove(self, name: str) -> None:
        """Remove a file as another program would."""
        await asyncio.to_thread((self.folder / name).unlink)

    async def open(self, name: str, text: str | None = None) -> None:
        """Show a file, or another text in its place."""
        if text is None:
            text = await asyncio.to_thread((self.folder / name).read_text, encoding="utf-8")
        self._versions[name] = 1
        item = types.TextDocumentItem(self.uri(name), types.LanguageKind.Python, 1, text)
        self.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def change(self, name: str, text: str, place: types.Range | None = None, version: int | None = None) -> None:
        """Put a text in place of a range, or of all."""
        self._versions[name] = self._versions.get(name, 1) + 1 if version is None else version
        document = types.VersionedTextDocumentIdentifier(self._versions[name], self.uri(name))
        whole = types.TextDocumentContentChangeWholeDocument(text)
        change = whole if place is None else types.TextDocumentContentChangePartial(place, text)
        self.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))

    def close(self, name: str) -> None:
        """Show a file no more."""
        self.text_document_did_close(types.DidCloseTextDocumentParams(self.document(name)))

    def touch(self, name: str, kind: types.FileChangeType = types.FileChangeType.Changed) -> None:
        """Tell that a file has changed on the disk."""
        events = [types.FileEvent(self.uri(name), kind)]
        self.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams(events))

    def document(self, name: str) -> types.TextDocumentIdentifier:
        """How requests name a file."""
        return types.TextDocumentIdentifier(self.uri(name))

    # --- waiting ------------------------------------------------------------------------------------

    async def reported(self, name: str) -> list[str]:
        """The next findings of a file that differ from those known: line, code and severity, all from 1."""
        before = self.diagnostics.get(name)
        while self.diagnostics.get(name) is before:
            await self.news()
        return brief(self.diagnostics[name])

    async def message(self) -> str:
        """The next message that the user is shown."""
        count = len(self.messages)
        while len(self.messages) == count:
            await self.news()
        return self.messages[count]

    async def news(self) -> None:
        """Wait until the server says anything."""
        self._news.clear()
        await asyncio.wait_for(self._news.wait(), PATIENCE)

    @property
    def status(self) -> int | None:
        """What the server has exited with."""
        assert self._server is not None
        return self._server.returncode

    async def ended(self) -> tuple[int, str]:
        """Wait for the end of the server: its exit status and what it wrote to standard error."""
        assert self._server is not None
        assert self._server.stderr is not None
        _, errors = await asyncio.wait_for(asyncio.gather(self._server.wait(), self._server.stderr.read()), PATIENCE)
        return self._server.returncode or 0, errors.decode()

    def hang_up(self) -> None:
        """Go away without a word."""
        assert self._server is not None
        assert self._server.stdin is not None
        self._server.stdin.close()


def brief(diagnostics: Sequence[types.Diagnostic]) -> list[str]:
    """Line, code and severity of diagnostics."""
    return [
        f"{each.range.start.line + 1} {each.code} {(each.severity or types.DiagnosticSeverity.Hint).name}" for each in diagnostics
    ]


def capabilities(
    encoding: types.PositionEncodingKind = types.PositionEncodingKind.Utf16, snippets: bool = False
) -> types.ClientCapabilities:
    """What the editor can do."""
    return types.ClientCapabilities(
        general=types.GeneralClientCapabilities(position_encodings=[encoding]),
        workspace=types.WorkspaceClientCapabilities(
            workspace_edit=types.WorkspaceEditClientCapabilities(document_changes=True, snippet_edit_support=snippets),
            did_change_watched_files=types.DidChangeWatchedFilesClientCapabilities(dynamic_registration=True),
            code_lens=types.CodeLensWorkspaceClientCapabilities(refresh_support=True),
            workspace_folders=True,
        ),
    )


@asynccontextmanager
async def editor(
    folder: Path,
    folders: Sequence[Path] | None = None,
    able: types.ClientCapabilities | None = None,
    options: object = None,
) -> AsyncIterator[Editor]:
    """An editor that has opened a folder, or several, or none; at the end it says goodbye."""
    client = Editor(folder)
    await client.start_io(sys.executable, "-m", "asyncvet", "lsp", env={**os.environ}, cwd=folder)
    opened = [types.WorkspaceFolder(path.as_uri(), path.name) for path in ([folder] if folders is None else folders)]
    await client.initialize_async(
        types.InitializeParams(able or capabilities(), workspace_folders=opened, initialization_options=options)
    )
    client.initialized(types.InitializedParams())
    try:
        yield client
    finally:
        if client.status is None and client._server is not None and not client._server.stdin.is_closing():  # type: ignore[union-attr]
            await client.shutdown_async(None)
            client.exit(None)
        await client.stop()  # type: ignore[no-untyped-call]
