"""The language server: what the editor says, and what it is told."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from asyncvet import __version__, rules
from asyncvet.config import UsageError
from asyncvet.engine.store import default_file
from asyncvet.engine.workspace import Workspace
from asyncvet.graph.scopes import Module
from asyncvet.lsp import actions, describing, hierarchy
from asyncvet.lsp.diagnostics import Diagnostics, diagnostics
from asyncvet.lsp.documents import Document, Encoding
from asyncvet.lsp.tracking import Tracker
from asyncvet.lsp.view import View

WATCHED = ("**/*.py", "**/pyproject.toml", "**/asyncvet.toml", "**/.gitignore")
"""Files whose changes on the disk matter."""

SWITCH_INTERVAL = 0.001
"""Seconds for which a review keeps the interpreter to itself while the loop has something to do."""

_Answer = TypeVar("_Answer")


class Server(LanguageServer):
    """The editor server. All of it runs on the loop but for `look` and the questions, which a thread of its own answers."""

    def __init__(self) -> None:
        super().__init__("asyncvet", __version__)
        self._thread = ThreadPoolExecutor(1, "asyncvet-review")
        self._python: Path | None = None
        self._documents: dict[str, Document] = {}
        self._uris: dict[Path, str] = {}
        self._trackers: dict[Path, Tracker] = {}
        self._published: dict[Tracker, Diagnostics] = {}
        self._told: set[str] = set()
        self._pages: dict[str, str] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.encoding = Encoding()

    # --- projects -----------------------------------------------------------------------------------

    def begin(self, params: types.InitializeParams) -> None:
        """The editor has introduced itself."""
        self.encoding = Encoding(str(getattr(self.workspace.position_encoding, "value", self.workspace.position_encoding)))
        self._python = self._environment(params.initialization_options)
        for folder in self._folders():
            self._track(folder)

    def configure(self, settings: object) -> None:
        """The editor's settings have changed; None if it does not say how."""
        python = self._python if settings is None else self._environment(settings)
        if python != self._python:
            self._python = python
            for path in list(self._trackers):
                self._untrack(path)
                self._track(path)
        self.look()

    def follow_folders(self) -> None:
        """Folders have come or gone."""
        folders = self._folders()
        for path in [path for path in self._trackers if path not in folders]:
            self._untrack(path)
        for path in folders:
            if path not in self._trackers:
                self._track(path)

    def look(self) -> None:
        """The disk may have changed."""
        for tracker in self._trackers.values():
            tracker.look()

    def give_up(self) -> None:
        """End what is under way."""
        for tracker in self._trackers.values():
            tracker.give_up()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _folders(self) -> list[Path]:
        named = [folder.uri for folder in self.workspace.folders.values()] or [self.workspace.root_uri]
        return [path for uri in named if (path := file_of(uri)) is not None]

    def _environment(self, settings: object) -> Path | None:
        """The environment that the editor's settings name: `{"python": "..."}`, by themselves or under `asyncvet`."""
        own = settings.get("asyncvet", settings) if isinstance(settings, dict) else None
        python = own.get("python") if isinstance(own, dict) else None
        if python is None or python == "":
            return None
        if not isinstance(python, str):
            self.tell(f"the setting `python` must be the path of an environment or its interpreter, not {python!r}")
            return None
        return Path(python)

    def _track(self, path: Path) -> None:
        tracker = self._trackers[path] = Tracker(path, self._python, self._thread, self)
        for file, uri in self._uris.items():
            if self._tracker(file) is tracker:
                tracker.update(file, self._documents[uri].text)
        tracker.look()

    def _untrack(self, path: Path) -> None:
        tracker = self._trackers.pop(path)
        self.found(tracker, {})
        self._published.pop(tracker, None)
        task = asyncio.get_running_loop().create_task(tracker.close())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _tracker(self, file: Path) -> Tracker | None:
        """The project that a file belongs to: the innermost folder that holds it, or the file by itself."""
        around = [path for path in self._trackers if file.is_relative_to(path)]
        return self._trackers[max(around, key=lambda path: len(path.parts))] if around else None

    # --- texts --------------------------------------------------------------------------------------

    def open(self, document: types.TextDocumentItem) -> None:
        """The editor shows a file."""
        file = file_of(document.uri)
        if file is None:
            return
        self._uris[file] = document.uri
        self._documents[document.uri] = Document(document.text, document.version)
        if self._tracker(file) is None and not self._folders() and document.language_id == "python":
            self._track(file)
        else:
            self._update(file, document.text)

    def edit(self, params: types.DidChangeTextDocumentParams) -> None:
        """The editor has changed a text."""
        uri = params.text_document.uri
        file, known = file_of(uri), self._documents.get(uri)
        if file is None:
            return
        if known is None:
            self.tell(f"edits of {uri} are ignored, as the editor has not opened it")
            return
        edited = self._documents[uri] = known.edited(params.content_changes, params.text_document.version, self.encoding)
        if edited.is_lost and not known.is_lost:
            self.tell(
                f"edits of {file} came out of order; until it is opened again, findings are those of the file as it is saved"
            )
        self._update(file, None if edited.is_lost else edited.text)

    def shut(self, uri: str) -> None:
        """The editor shows a file no more."""
        file = file_of(uri)
        if file is None or self._documents.pop(uri, None) is None:
            return
        del self._uris[file]
        if file in self._trackers:
            self._untrack(file)
        else:
            self._update(file, None)

    def _update(self, file: Path, text: str | None) -> None:
        tracker = self._tracker(file)
        if tracker is not None:
            tracker.update(file, text)

    # --- answers ------------------------------------------------------------------------------------

    async def ask(self, uri: str, question: Callable[[View, Module], _Answer]) -> _Answer | None:
        """The answer to a question about a file; None if it is of no project."""
        file = file_of(uri)
        tracker = self._tracker(file) if file is not None else None

        def about(view: View) -> _Answer | None:
            module = view.workspace.module(file) if file is not None else None
            return None if module is None else question(view, module)

        return None if tracker is None else await tracker.ask(about)

    async def ask_all(self, uri: str, question: Callable[[View], list[_Answer]]) -> list[_Answer]:
        """The answers about something in a file that may be an installed package's: of the projects that have any."""
        file = file_of(uri)
        tracker = self._tracker(file) if file is not None else None
        trackers = list(self._trackers.values()) if tracker is None else [tracker]
        found: list[_Answer] = []
        for each in trackers:
            found += await each.ask(question) or []
        return found

    # --- outcomes -----------------------------------------------------------------------------------

    def look_at(self, workspace: Workspace) -> tuple[View, Diagnostics]:
        """What a workspace reports, in the editor's terms. Called in the thread."""
        if self._pages is None:
            self._pages = write_pages()
        view = View(workspace, self.encoding, dict(self._uris))
        return view, diagnostics(view, self._pages)

    def found(self, tracker: Tracker, diagnostics: Diagnostics) -> None:
        """Tell the editor of what has changed."""
        before = self._published.get(tracker, {})
        for uri in sorted({*before, *diagnostics}):
            if (now := diagnostics.get(uri, [])) != before.get(uri, []):
                self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, now))
        self._published[tracker] = diagnostics
        self._told.clear()
        workspace = self.client_capabilities.workspace
        if diagnostics != before and workspace and workspace.code_lens and workspace.code_lens.refresh_support:
            self.workspace_code_lens_refresh(None)

    def failed(self, tracker: Tracker, error: Exception) -> None:
        """Say why there is no review; what was found before stays."""
        if isinstance(error, UsageError):
            self.tell(str(error))
        else:
            self.tell(f"this is a fault of asyncvet: {type(error).__name__}: {error} (reviewing {tracker.path})")

    def waiting(self, tracker: Tracker, review: asyncio.Future[tuple[View, Diagnostics]]) -> None:
        """Show that a review goes on."""
        window = self.client_capabilities.window
        if not (window and window.work_done_progress):
            return
        token = f"asyncvet-{id(review)}"

        def begin(_: object) -> None:
            if not review.done():
                title = types.WorkDoneProgressBegin("asyncvet", message=f"reviewing {tracker.path.name}")
                self.work_done_progress.begin(token, title)
                review.add_done_callback(lambda _: self.work_done_progress.end(token, types.WorkDoneProgressEnd()))

        self.work_done_progress.create(token, begin)

    def tell(self, message: str) -> None:
        """Show a message, once until a review succeeds."""
        if message not in self._told:
            self._told.add(message)
            self.window_show_message(types.ShowMessageParams(types.MessageType.Warning, f"asyncvet: {message}"))

    def report_server_error(self, error: Exception, source: object) -> None:  # noqa: ARG002
        """What pygls could not do: a message that is none, or a handler that failed."""
        self.tell(f"a message of the editor could not be handled: {type(error).__name__}: {error}")


def file_of(uri: str | None) -> Path | None:
    """The file that an address names; None if it names none on this machine."""
    path = to_fs_path(uri) if uri and uri.startswith("file:") else None
    return Path(path) if path else None


def write_pages() -> dict[str, str]:
    """The addresses of the rules' pages, by code: files that every editor can open, of this very version, without a network."""
    folder = default_file().parent / f"rules-{__version__}"
    pages = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for rule in rules.load():
            file = folder / f"{rule.code}-{rule.name}.md"
            file.write_text(describing.rule_page(rule.code), encoding="utf-8")
            pages[rule.code] = file.as_uri()
    except OSError:  # codes are no links then
        return {}
    return pages


def serve(is_verbose: bool) -> int:
    """Speak with an editor over standard input and output until it says goodbye or is gone. Gives the protocol's exit status."""
    logging.basicConfig(level=logging.INFO if is_verbose else logging.CRITICAL)
    sys.setswitchinterval(SWITCH_INTERVAL)
    server = Server()
    _register(server)
    # pygls closes the stream that it is given.
    server.start_io(stdout=os.fdopen(os.dup(sys.stdout.fileno()), "wb"))
    server.give_up()
    gc.freeze()  # the process ends here; a last collection of all that was linked would take seconds
    return 0 if server.protocol._shutdown else 1


def _register(server: Server) -> None:
    """Tie the protocol's messages to the server."""
    # pygls keeps texts itself; here that is done by `documents`, which counts lines as the protocol does and bears edits out of order.
    text = server.protocol.fm.add_builtin_feature
    text(types.TEXT_DOCUMENT_DID_OPEN, lambda params: server.open(params.text_document))
    text(types.TEXT_DOCUMENT_DID_CHANGE, server.edit)
    text(types.TEXT_DOCUMENT_DID_CLOSE, lambda params: server.shut(params.text_document.uri))
    _register_workspace(server)
    _register_questions(server)


def _register_workspace(server: Server) -> None:
    @server.feature(types.INITIALIZE)
    async def initialize(params: types.InitializeParams) -> None:
        server.begin(params)

    @server.feature(types.INITIALIZED)
    async def initialized(params: types.InitializedParams) -> None:  # noqa: ARG001
        watch(server)

    @server.feature(types.SHUTDOWN)
    async def shutdown(params: None) -> None:  # noqa: ARG001
        server.give_up()

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def did_save(params: types.DidSaveTextDocumentParams) -> None:  # noqa: ARG001
        server.look()

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def did_change_files(params: types.DidChangeWatchedFilesParams) -> None:  # noqa: ARG001
        server.look()

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def did_change_configuration(params: types.DidChangeConfigurationParams) -> None:
        server.configure(params.settings)

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    async def did_change_folders(params: types.DidChangeWorkspaceFoldersParams) -> None:  # noqa: ARG001
        server.follow_folders()


def watch(server: Server) -> None:
    """Ask the editor to tell of files that change on the disk, if it can."""
    workspace = server.client_capabilities.workspace
    files = workspace.did_change_watched_files if workspace else None
    if files and files.dynamic_registration:
        watchers = [types.FileSystemWatcher(pattern) for pattern in WATCHED]
        options = types.DidChangeWatchedFilesRegistrationOptions(watchers)
        method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
        server.client_register_capability(types.RegistrationParams([types.Registration("asyncvet-files", method, options)]))


def _register_questions(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(params: types.HoverParams) -> types.Hover | None:
        return await server.ask(params.text_document.uri, lambda view, module: describing.hover(view, module, params.position))

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS)
    async def code_lens(params: types.CodeLensParams) -> list[types.CodeLens] | None:
        return await server.ask(params.text_document.uri, describing.lenses)

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions([types.CodeActionKind.QuickFix]))
    async def code_action(params: types.CodeActionParams) -> list[types.CodeAction] | None:
        workspace = server.client_capabilities.workspace
        edits = workspace.workspace_edit if workspace else None
        has_snippets = bool(edits and edits.document_changes and edits.snippet_edit_support)
        uri = params.text_document.uri
        return await server.ask(uri, lambda view, module: actions.actions(view, module, params.range, has_snippets))

    @server.feature(types.TEXT_DOCUMENT_PREPARE_CALL_HIERARCHY)
    async def prepare(params: types.CallHierarchyPrepareParams) -> list[types.CallHierarchyItem] | None:
        return await server.ask(params.text_document.uri, lambda view, module: hierarchy.prepare(view, module, params.position))

    @server.feature(types.CALL_HIERARCHY_INCOMING_CALLS)
    async def incoming(params: types.CallHierarchyIncomingCallsParams) -> list[types.CallHierarchyIncomingCall]:
        return await server.ask_all(params.item.uri, lambda view: hierarchy.incoming(view, params.item))

    @server.feature(types.CALL_HIERARCHY_OUTGOING_CALLS)
    async def outgoing(params: types.CallHierarchyOutgoingCallsParams) -> list[types.CallHierarchyOutgoingCall]:
        return await server.ask_all(params.item.uri, lambda view: hierarchy.outgoing(view, params.item))
