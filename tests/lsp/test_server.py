"""The editor server, as a real process that a real client speaks with."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from lsprotocol import types

from asyncvet import __version__
from asyncvet.engine.store import default_file
from asyncvet.lsp import describing
from tests.lsp.editor import Editor, brief, capabilities, editor

APP = dedent("""\
    from fastapi import FastAPI

    from helper import wait

    app = FastAPI()


    @app.get("/items")
    async def items():
        wait()


    @app.get("/more")
    def more():
        wait()
    """)
WAITS = "import time\n\n\ndef wait():\n    time.sleep(5)\n"
HARMLESS = "def wait():\n    pass\n"
AV101 = (
    "`wait()` blocks the event loop for up to 5 s: it reaches `time.sleep`; use `await asyncio.to_thread(wait)`\n"
    "runs in event-loop: route GET /items"
)
AV601 = (
    "`async def items` awaits nothing, and `wait()` blocks the event loop; "
    "write `def items`: the framework then runs it in a thread\nruns in event-loop: route GET /items"
)


def at(line: int, start: int, end: int) -> types.Range:
    """A range of one line. All from 0."""
    return types.Range(types.Position(line, start), types.Position(line, end))


def page(code: str, name: str) -> types.CodeDescription:
    """The link to a rule's page."""
    return types.CodeDescription((default_file().parent / f"rules-{__version__}" / f"{code}-{name}.md").as_uri())


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with a route that blocks in another file."""
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    (tmp_path / "helper.py").write_text(WAITS, encoding="utf-8")
    return tmp_path


async def hover(client: Editor, name: str, line: int, character: int) -> str | None:
    """The text of a hover."""
    answer = await client.text_document_hover_async(types.HoverParams(client.document(name), types.Position(line, character)))
    assert answer is None or isinstance(answer.contents, types.MarkupContent)
    return answer.contents.value if answer is not None and isinstance(answer.contents, types.MarkupContent) else None


async def lenses(client: Editor, name: str) -> list[tuple[int, str]]:
    """Line, from 1, and title of each code lens."""
    answer = await client.text_document_code_lens_async(types.CodeLensParams(client.document(name)))
    return [(lens.range.start.line + 1, lens.command.title if lens.command else "") for lens in answer or ()]


async def actions(client: Editor, name: str, place: types.Range) -> list[types.CodeAction]:
    """The code actions in a range."""
    params = types.CodeActionParams(client.document(name), place, types.CodeActionContext([]))
    return [
        action for action in await client.text_document_code_action_async(params) or () if isinstance(action, types.CodeAction)
    ]


def test_findings(shop: Path) -> None:
    """Findings of the whole folder, with the chain as related information and a link to a page that is there."""

    async def scenario() -> None:
        async with editor(shop) as client:
            await client.reported("app.py")
            step = types.DiagnosticRelatedInformation(
                types.Location(client.uri("helper.py"), at(4, 4, 17)), "helper.wait: time.sleep(5)  ← blocks: sleep, at most 5 s"
            )
            assert client.diagnostics == {
                "app.py": (
                    types.Diagnostic(
                        at(9, 4, 10),
                        AV101,
                        types.DiagnosticSeverity.Error,
                        code="AV101",
                        code_description=page("AV101", "blocking-call"),
                        source="asyncvet",
                        related_information=(step,),
                    ),
                    types.Diagnostic(
                        at(8, 0, 15),
                        AV601,
                        types.DiagnosticSeverity.Warning,
                        code="AV601",
                        code_description=page("AV601", "route-kind-mismatch"),
                        source="asyncvet",
                        related_information=(step,),
                    ),
                )
            }
        assert await client.ended() == (0, "")

    asyncio.run(scenario())
    file = default_file().parent / f"rules-{__version__}" / "AV101-blocking-call.md"
    assert file.read_text(encoding="utf-8") == describing.rule_page("AV101")


def test_unsaved_text(shop: Path) -> None:
    """An edit of one file changes what is found in another; what is closed without saving counts no more."""

    async def scenario() -> None:
        async with editor(shop) as client:
            assert await client.reported("app.py") == ["10 AV101 Error", "9 AV601 Warning"]
            await client.open("helper.py")
            client.change("helper.py", "pass", types.Range(types.Position(4, 4), types.Position(4, 17)))
            assert await client.reported("app.py") == []
            client.close("helper.py")
            assert await client.reported("app.py") == ["10 AV101 Error", "9 AV601 Warning"]
            assert client.messages == []

    asyncio.run(scenario())


def test_broken_code(shop: Path) -> None:
    """While a text does not parse, its last good findings stay, on the lines where their code is now."""

    async def scenario() -> None:
        async with editor(shop) as client:
            await client.reported("app.py")
            await client.open("app.py")
            client.change("app.py", "import (\n\n", at(0, 0, 0))
            assert await client.reported("app.py") == ["12 AV101 Error", "11 AV601 Warning", "1 None Information"]
            (error,) = client.diagnostics["app.py"][2:]
            assert error == types.Diagnostic(
                at(0, 0, 8),
                "'(' was never closed; until it is mended, findings are those of the text before",
                types.DiagnosticSeverity.Information,
                source="asyncvet",
            )
            assert await lenses(client, "app.py") == [
                (11, "runs on the event loop: GET /items; blocks up to 5 s via time.sleep"),
                (16, "runs in a worker thread: GET /more"),
            ]
            client.change("app.py", "", types.Range(types.Position(0, 0), types.Position(2, 0)))
            assert await client.reported("app.py") == ["10 AV101 Error", "9 AV601 Warning"]

    asyncio.run(scenario())


def test_hover(shop: Path) -> None:
    """On a finding its rule's page, on a function where it runs; elsewhere nothing."""

    async def scenario() -> None:
        async with editor(shop) as client:
            app = client.uri("app.py")
            wait = dedent(f"""\
                **def helper.wait**

                - runs on the event loop: route GET /items
                    - [app.py:10]({app}#L10) `wait()`
                - runs in a worker thread: route GET /more
                    - [app.py:15]({app}#L15) `wait()`
                - `time.sleep` blocks: sleep, at most 5 s""")
            assert await hover(client, "helper.py", 3, 6) == wait
            assert await hover(client, "app.py", 14, 5) == wait
            assert await hover(client, "app.py", 9, 5) == f"{wait}\n\n---\n\n{describing.rule_page('AV101')}"
            assert [await hover(client, "app.py", 4, 0), await hover(client, "gone.py", 0, 0)] == [None, None]

    asyncio.run(scenario())


def test_lenses(shop: Path) -> None:
    """Each function says where it runs and what it leads to; the editor is asked to look again when that changes."""

    async def scenario() -> None:
        async with editor(shop) as client:
            on_loop = "runs on the event loop: GET /items"
            assert await lenses(client, "app.py") == [
                (9, f"{on_loop}; blocks up to 5 s via time.sleep"),
                (14, "runs in a worker thread: GET /more"),
            ]
            assert await lenses(client, "helper.py") == [
                (4, f"{on_loop}, in a worker thread: GET /more; blocks up to 5 s via time.sleep")
            ]
            await client.open("helper.py")
            client.change("helper.py", HARMLESS)
            assert await lenses(client, "app.py") == [(9, on_loop), (14, "runs in a worker thread: GET /more")]
            assert client.refreshes == 2

    asyncio.run(scenario())


def test_call_hierarchy(shop: Path) -> None:
    """Who runs a function and what it runs, each with where it runs itself."""

    async def scenario() -> None:
        async with editor(shop) as client:
            params = types.CallHierarchyPrepareParams(client.document("app.py"), types.Position(9, 5))
            (wait,) = await client.text_document_prepare_call_hierarchy_async(params) or ()
            assert wait == types.CallHierarchyItem(
                "wait",
                types.SymbolKind.Function,
                client.uri("helper.py"),
                types.Range(types.Position(3, 0), types.Position(4, 17)),
                at(3, 4, 8),
                detail="helper.wait · runs on the event loop, in a worker thread",
                data={"path": "helper.py", "function": "helper.wait"},
            )
            callers = await client.call_hierarchy_incoming_calls_async(types.CallHierarchyIncomingCallsParams(wait)) or ()
            assert [(call.from_.name, call.from_.detail, list(call.from_ranges)) for call in callers] == [
                ("items", "app.items · runs on the event loop", [at(9, 4, 8)]),
                ("more", "app.more · runs in a worker thread", [at(14, 4, 8)]),
            ]
            calls = (
                await client.call_hierarchy_outgoing_calls_async(types.CallHierarchyOutgoingCallsParams(callers[0].from_)) or ()
            )
            assert [(call.to, list(call.from_ranges)) for call in calls] == [(wait, [at(9, 4, 8)])]
            nobody = types.CallHierarchyItem("x", types.SymbolKind.Function, client.uri("x.py"), at(0, 0, 1), at(0, 0, 1))
            assert await client.call_hierarchy_incoming_calls_async(types.CallHierarchyIncomingCallsParams(nobody)) == ()

    asyncio.run(scenario())


def test_fix(shop: Path) -> None:
    """A finding's fix is a quick fix, preferred only if it is safe; made, it ends the finding."""

    async def scenario() -> None:
        async with editor(shop) as client:
            await client.reported("app.py")
            await client.open("app.py")
            action, _ = await actions(client, "app.py", at(9, 6, 6))
            edits = (
                types.TextEdit(
                    types.Range(types.Position(0, 0), types.Position(1, 0)), "import asyncio\n\nfrom fastapi import FastAPI\n"
                ),
                types.TextEdit(at(9, 4, 9), "await asyncio.to_thread(wait"),
            )
            assert action == types.CodeAction(
                "run `wait` in a thread (look at it first: it may change what the program does)",
                types.CodeActionKind.QuickFix,
                is_preferred=False,
                edit=types.WorkspaceEdit(changes={client.uri("app.py"): edits}),
            )
            for edit in reversed(edits):
                client.change("app.py", edit.new_text, edit.range)
            assert await client.reported("app.py") == []

    asyncio.run(scenario())


def test_suppression(shop: Path) -> None:
    """The comment that accepts a finding is put where it counts, with a place for the reason, and is obeyed."""

    async def scenario() -> None:
        async with editor(shop) as client:
            await client.open("app.py")
            _, action = await actions(client, "app.py", at(9, 6, 6))
            edit = types.TextEdit(at(9, 10, 10), "  # asyncvet: ignore[AV101] reason")
            assert action == types.CodeAction(
                "Accept AV101 blocking-call on this line",
                types.CodeActionKind.QuickFix,
                edit=types.WorkspaceEdit(changes={client.uri("app.py"): (edit,)}),
            )
            client.change("app.py", edit.new_text, edit.range)
            await client.reported("app.py")
            assert await actions(client, "app.py", at(9, 6, 6)) == []

    asyncio.run(scenario())


FORMS = [
    ("    wait()  # as it is ", types.TextEdit(at(9, 22, 22), "  # asyncvet: ignore[AV101] reason")),
    ("    wait()  # asyncvet: ignore[AV103] so", types.TextEdit(at(9, 36, 36), ", AV101")),
    ("    wait(); '''\n    '''", types.TextEdit(at(9, 0, 0), "    # asyncvet: ignore[AV101] reason\n")),
    ("    '🙂'; wait() or \\\n    0", types.TextEdit(at(9, 0, 0), "    # asyncvet: ignore[AV101] reason\n")),
]


def test_forms_of_suppression(shop: Path) -> None:
    """The comment goes to the end of the line, into one that is there, or above where the line cannot take it."""

    async def scenario() -> None:
        async with editor(shop) as client:
            await client.open("app.py")
            for line, expected in FORMS:
                client.change("app.py", APP.replace("    wait()", line, 1))
                found = [action.edit for action in await actions(client, "app.py", at(9, 0, 99)) if "AV101" in action.title]
                assert found == [types.WorkspaceEdit(changes={client.uri("app.py"): (expected,)})]

    asyncio.run(scenario())


def test_snippet(shop: Path) -> None:
    """An editor that can lets people fill in the reason."""

    async def scenario() -> None:
        async with editor(shop, able=capabilities(snippets=True)) as client:
            _, action = await actions(client, "app.py", at(9, 6, 6))
            snippet = types.SnippetTextEdit(at(9, 10, 10), types.StringValue("  # asyncvet: ignore[AV101] ${1:reason}"))
            document = types.OptionalVersionedTextDocumentIdentifier(client.uri("app.py"))
            assert action.edit == types.WorkspaceEdit(document_changes=(types.TextDocumentEdit(document, (snippet,)),))

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("encoding", "column"),
    [
        (types.PositionEncodingKind.Utf8, 15),
        (types.PositionEncodingKind.Utf16, 12),
        (types.PositionEncodingKind.Utf32, 11),
    ],
)
def test_encodings(encoding: types.PositionEncodingKind, column: int, shop: Path) -> None:
    """Columns are counted as the editor counts, in what it says and in what it is told."""

    async def scenario() -> None:
        async with editor(shop, able=capabilities(encoding)) as client:
            await client.reported("app.py")
            await client.open("app.py")
            client.change("app.py", "'é🙂' + wait()", at(9, 4, 10))
            await client.reported("app.py")
            assert [each.range for each in client.diagnostics["app.py"] if each.code == "AV101"] == [at(9, column, column + 6)]
            client.change("app.py", "0", at(9, column, column + 6))
            assert await client.reported("app.py") == []

    asyncio.run(scenario())


def test_files_on_the_disk(shop: Path) -> None:
    """What other programs write is seen when the editor tells, files that come and go too."""

    async def scenario() -> None:
        async with editor(shop) as client:
            assert await client.reported("app.py") == ["10 AV101 Error", "9 AV601 Warning"]
            await client.write("helper.py", HARMLESS)
            client.touch("helper.py")
            assert await client.reported("app.py") == []
            await client.write("new.py", "import time\n\n\nasync def new():\n    time.sleep(1)\n")
            client.touch("new.py", types.FileChangeType.Created)
            assert await client.reported("new.py") == ["5 AV101 Error"]
            await client.remove("new.py")
            client.touch("new.py", types.FileChangeType.Deleted)
            assert await client.reported("new.py") == []
            assert client.registered == [
                {
                    "watchers": [
                        {"globPattern": f"**/{name}"} for name in ("*.py", "pyproject.toml", "asyncvet.toml", ".gitignore")
                    ]
                }
            ]

    asyncio.run(scenario())


def test_configuration(shop: Path) -> None:
    """A configuration that is not right is told of once, and what was found stays; mended, it counts."""

    async def scenario() -> None:
        async with editor(shop) as client:
            await client.reported("app.py")
            file = shop / "asyncvet.toml"
            for _ in range(2):
                await client.write(file.name, "ignore = 'AV601'\n")
                client.touch("asyncvet.toml")
                assert await hover(client, "helper.py", 3, 6) is None
            assert client.messages == [f"asyncvet: {file}: `ignore`: must be a list, not a string"]
            assert brief(client.diagnostics["app.py"]) == ["10 AV101 Error", "9 AV601 Warning"]
            await client.write(file.name, "ignore = ['AV601']\n")
            client.touch("asyncvet.toml")
            assert await client.reported("app.py") == ["10 AV101 Error"]

    asyncio.run(scenario())


def test_environment(shop: Path) -> None:
    """The environment is the editor's choice; one that is none is told of, and so is a setting of the wrong kind."""

    async def scenario() -> None:
        async with editor(shop, options={"python": "/nowhere"}) as client:
            message = "asyncvet: /nowhere: this is no Python environment: it holds no site-packages folder"
            assert await client.message() == message
            client.workspace_did_change_configuration(types.DidChangeConfigurationParams({"asyncvet": {"python": None}}))
            assert await client.reported("app.py") == ["10 AV101 Error", "9 AV601 Warning"]
            client.workspace_did_change_configuration(types.DidChangeConfigurationParams({"asyncvet": {"python": 3}}))
            assert await client.message() == (
                "asyncvet: the setting `python` must be the path of an environment or its interpreter, not 3"
            )

    asyncio.run(scenario())


def test_folders(tmp_path: Path) -> None:
    """Each folder is a project of its own, until it goes."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "app.py").write_text("import time\n\n\nasync def main():\n    time.sleep(1)\n", encoding="utf-8")

    async def scenario() -> None:
        one, two = (types.WorkspaceFolder((tmp_path / name).as_uri(), name) for name in ("one", "two"))
        async with editor(tmp_path, [tmp_path / "one"]) as client:
            assert await client.reported("one/app.py") == ["5 AV101 Error"]
            event = types.WorkspaceFoldersChangeEvent(added=[two], removed=[one])
            client.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(event))
            assert await client.reported("two/app.py") == ["5 AV101 Error"]
            assert client.diagnostics["one/app.py"] == ()

    asyncio.run(scenario())


def test_file_without_a_folder(shop: Path) -> None:
    """Without a folder, a file is a project by itself for as long as it is open."""
    (shop / "own.py").write_text("import time\n\n\nasync def main():\n    time.sleep(1)\n", encoding="utf-8")

    async def scenario() -> None:
        async with editor(shop, []) as client:
            await client.open("own.py")
            assert await client.reported("own.py") == ["5 AV101 Error"]
            client.close("own.py")
            assert await client.reported("own.py") == []
            assert set(client.diagnostics) == {"own.py"}

    asyncio.run(scenario())


def test_edits_out_of_order(shop: Path) -> None:
    """Edits that cannot be trusted are told of, and the saved file counts until a text comes whole."""

    async def scenario() -> None:
        async with editor(shop) as client:
            await client.reported("app.py")
            await client.open("helper.py")
            client.change("helper.py", HARMLESS, version=5)
            assert await client.reported("app.py") == []
            client.change("helper.py", "#", at(0, 0, 0), version=4)
            assert await client.reported("app.py") == ["10 AV101 Error", "9 AV601 Warning"]
            assert client.messages == [
                f"asyncvet: edits of {shop / 'helper.py'} came out of order; "
                "until it is opened again, findings are those of the file as it is saved"
            ]
            client.change("helper.py", HARMLESS, version=6)
            assert await client.reported("app.py") == []

    asyncio.run(scenario())


def test_unknown_documents(shop: Path) -> None:
    """What was not opened is told of; what is no file of this machine is nobody's business."""

    async def scenario() -> None:
        async with editor(shop) as client:
            client.change("helper.py", HARMLESS)
            assert (
                await client.message()
                == f"asyncvet: edits of {client.uri('helper.py')} are ignored, as the editor has not opened it"
            )
            client.close("helper.py")
            item = types.TextDocumentItem("untitled:Untitled-1", types.LanguageKind.Python, 1, WAITS)
            client.text_document_did_open(types.DidOpenTextDocumentParams(item))
            lens = types.CodeLensParams(types.TextDocumentIdentifier("untitled:Untitled-1"))
            assert await client.text_document_code_lens_async(lens) is None
            assert len(client.messages) == 1

    asyncio.run(scenario())


def test_disconnect(shop: Path) -> None:
    """An editor that is gone ends the server, with the status that says so."""

    async def scenario() -> None:
        async with editor(shop) as client:
            await client.open("helper.py")
            client.change("helper.py", HARMLESS)
            client.hang_up()
            assert await client.ended() == (1, "")

    asyncio.run(scenario())


def speak(folder: Path, *messages: object) -> tuple[int, list[dict[str, Any]], str]:
    """Exit status, messages and standard error of a server that is sent messages and then nothing more."""
    bodies = [message if isinstance(message, bytes) else json.dumps(message).encode() for message in messages]
    sent = b"".join(b"Content-Length: %d\r\n\r\n%s" % (len(body), body) for body in bodies)
    command = [sys.executable, "-m", "asyncvet", "lsp"]
    done = subprocess.run(command, input=sent, cwd=folder, capture_output=True, timeout=60, check=False)
    answers, decoder, text = [], json.JSONDecoder(), done.stdout.decode()
    while (start := text.find("{")) >= 0:
        answer, end = decoder.raw_decode(text, start)
        answers.append(answer)
        text = text[end:]
    return done.returncode, answers, done.stderr.decode()


def test_what_is_no_message(shop: Path) -> None:
    """The server says what it was sent, and lives on."""
    shutdown = {"jsonrpc": "2.0", "id": 1, "method": "shutdown"}
    leave = {"jsonrpc": "2.0", "method": "exit"}
    status, answers, errors = speak(shop, b"no JSON", {"id": 7}, shutdown, leave)
    assert [answer["params"]["message"] for answer in answers if answer.get("method") == "window/showMessage"] == [
        "asyncvet: a message of the editor could not be handled: JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
        "asyncvet: a message of the editor could not be handled: AttributeError: 'dict' object has no attribute 'jsonrpc'",
    ]
    assert (status, errors) == (0, "")


def test_a_person_starts_it() -> None:
    """At a terminal there is nobody who speaks the protocol."""
    pty = pytest.importorskip("pty")
    leader, follower = pty.openpty()
    done = subprocess.run([sys.executable, "-m", "asyncvet", "lsp"], stdin=follower, capture_output=True, text=True, check=False)
    said = "asyncvet: error: this is started by an editor, which speaks with it over standard input; the documentation says how\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)
    assert leader >= 0
