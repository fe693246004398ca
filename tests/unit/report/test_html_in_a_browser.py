"""The page in a real browser, if one is installed: its filters, its links, and that it never asks for anything else."""

import contextlib
import functools
import http.server
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from asyncvet.report import Output, load
from tests.unit.report.formats import report

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")

DRIVER = """<!DOCTYPE html><iframe src="report.html#f-own" width="360" height="800"></iframe><pre></pre><script>
const frame = document.querySelector("iframe");
frame.addEventListener("load", async () => {
  const page = frame.contentDocument, form = page.querySelector("form"), steps = [];
  const causes = [...page.querySelectorAll("details.cause")];
  function note(what) {
    const shown = causes.filter((cause) => cause.getClientRects().length).map((cause) => cause.id);
    steps.push([what, shown, causes.filter((cause) => cause.open).map((cause) => cause.id), page.querySelector("output").textContent]);
  }
  function change(act) { act(); form.dispatchEvent(new Event("input", {bubbles: true})); }
  note("loaded");
  change(() => { form.querySelector("[value=critical]").checked = false; });
  note("not critical");
  form.reset(); await new Promise((done) => setTimeout(done, 50));
  note("reset");
  change(() => { form.elements.rule.value = "AV301"; });
  note("rule AV301");
  form.reset(); await new Promise((done) => setTimeout(done, 50));
  change(() => { form.elements.file.value = "MORE"; });
  note("file more");
  page.getElementById("fold").click();
  note("fold");
  const root = page.documentElement, fits = root.scrollWidth <= root.clientWidth;
  document.querySelector("pre").textContent = JSON.stringify({steps, fits, harmless: frame.contentWindow.evil === undefined});
});
</script>"""


@contextlib.contextmanager
def served(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """The folder as a site: its address, and the paths that are asked for."""
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002, ARG002
            asked.append(self.path)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
def test_filters(tmp_path: Path) -> None:
    evil = "</script><script>evil = 1</script><img src=x onerror='evil = 1'>"
    (tmp_path / "report.html").write_text(load("html")(report(evil), Output()), encoding="utf-8")
    (tmp_path / "index.html").write_text(DRIVER, encoding="utf-8")
    with served(tmp_path) as (address, asked):
        command = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000", "--dump-dom"]
        profile = f"--user-data-dir={tmp_path / 'profile'}"
        result = subprocess.run([*command, profile, f"{address}/"], capture_output=True, text=True, check=True, timeout=60)
    (told,) = re.findall(r"<pre>(.*)</pre>", result.stdout)
    content: dict[str, Any] = json.loads(unescape(told))
    assert content["steps"] == [
        ["loaded", ["f-print", "f-own"], ["f-print", "f-own"], "2 of 2 root causes"],
        ["not critical", ["f-own"], ["f-print", "f-own"], "1 of 2 root causes"],
        ["reset", ["f-print", "f-own"], ["f-print", "f-own"], "2 of 2 root causes"],
        ["rule AV301", ["f-own"], ["f-print", "f-own"], "1 of 2 root causes"],
        ["file more", ["f-print"], ["f-print", "f-own"], "1 of 2 root causes"],
        ["fold", ["f-print"], [], "1 of 2 root causes"],
    ]
    assert (content["fits"], content["harmless"]) == (True, True)
    assert set(asked) - {"/favicon.ico"} == {"/", "/report.html"}
