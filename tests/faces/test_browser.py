"""The file that is served, in a real browser: its WebSocket, its IndexedDB, its locks."""

from __future__ import annotations

import http.server
import json
import os
import queue
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from palaver.tests.support.served import ENVIRONMENT, PROGRAM

ROOT = Path(__file__).parents[2]

PAGE = """<!doctype html><meta charset="utf-8"><script type="module">
import { browserOutbox, Client } from "/palaver-client.js";
const say = (what) => fetch("/said", { method: "POST", body: JSON.stringify(what) });
try { await (async () => { %s })(); } catch (error) { await say({ error: String(error) }); }
</script>"""

OFFLINE = """
  const outbox = browserOutbox("palaver-ann");
  const client = new Client("ws://127.0.0.1:9", "%(token)s", { outbox });
  const room = client.conversation("%(c)s");
  room.draft.set("half a thought");
  client.connect();
  await client.enqueue("%(c)s", "one");
  await client.enqueue("%(c)s", "two");
  room.draft.set("half a thought more");
  await say({ waiting: outbox.waiting.length });
  location.href = "/online"; // the page goes without a word
"""

ONLINE = """
  const outbox = browserOutbox("palaver-ann");
  const client = new Client("%(url)s", "%(token)s", { outbox });
  const room = client.conversation("%(c)s");
  const draft = room.draft.text;
  room.onChange(async () => {
    const sent = room.messages.filter((message) => message.status === "sent");
    if (sent.length === 2 && outbox.waiting.length === 0) {
      await say({ texts: room.messages.map((message) => message.text), draft });
    }
  });
  client.connect();
"""


@pytest.fixture
def url() -> Iterator[str]:
    program = [PROGRAM, "serve", "--memory", "--dev", "--port", "0", "--http-port", "0"]
    environment = {**os.environ, **ENVIRONMENT}
    with subprocess.Popen(program, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield next(found[0] for line in server.stdout if (found := re.search(r"ws://\S+", line)))
        server.kill()


class Site:
    """Serves pages by their path, and keeps what they say."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.said: queue.Queue[dict[str, object]] = queue.Queue()
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/palaver-client.js":
                    body, kind = (ROOT / "gateway/web/palaver-client.js").read_bytes(), "javascript"
                else:
                    body, kind = site.pages.get(self.path, "").encode(), "html"
                self.send_response(200)
                self.send_header("Content-Type", f"text/{kind}")
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                site.said.put(json.loads(self.rfile.read(length)))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    thread = threading.Thread(target=site.server.serve_forever)
    thread.start()
    yield site
    site.server.shutdown()
    thread.join()
    site.server.server_close()


def chromium() -> str:
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail("Chromium is missing; `make test-faces` says what to do")
    return found


def test_CLI_02_CLI_11_what_a_page_leaves_behind_the_next_one_sends(url, site, token) -> None:
    ann = token("ann")
    c = subprocess.run(
        [*("node", "--input-type=module", "--eval", CREATE), url, ann],
        cwd=ROOT / "clients/js",
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    facts = {"url": url, "token": ann, "c": c}
    site.pages = {"/": PAGE % (OFFLINE % facts), "/online": PAGE % (ONLINE % facts)}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"]
        program = [chromium(), *options, "--no-first-run", "--disable-dev-shm-usage", site.url]
        with subprocess.Popen(
            program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        ) as browser:
            try:
                assert site.said.get(timeout=50) == {"waiting": 2}
                shown = {"texts": ["one", "two"], "draft": "half a thought more"}
                assert site.said.get(timeout=50) == shown
            finally:
                browser.terminate()


CREATE = """
import { WebSocket } from "ws";
import { Client } from "../../gateway/web/palaver-client.js";
const [url, token] = process.argv.slice(1);
const socket = (url, protocols) => new WebSocket(url, protocols);
const client = new Client(url, token, { socket });
client.connect();
console.log(await client.createDirect("bob"));
await client.close();
"""
