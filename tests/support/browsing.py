"""Chromium on the demo chat: a server in development mode, a network that can be cut, and people,
each in a window of their own. Its fixtures are for those tests that name them.

With SCREENSHOTS=DIRECTORY the last sight of every window is kept there.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jwt
import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Locator, Page, expect, sync_playwright
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from palaver.tests.support.served import ENVIRONMENT, PROGRAM, SECRET

WEB = Path(__file__).parents[2] / "clients/web"
PHONE = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A microphone that beeps, and may be used.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
LEAD = """document.addEventListener("readystatechange", () => {
    document.querySelector("meta[name=palaver-port]").content = "%d";
});"""
LIMITS = {"PALAVER_LIMITS__CONNECTS_PER_MIN": "0"}


class Server:
    """`palaver serve --dev`, which may be killed and started again where it was."""

    def __init__(self, *args: str, **environment: str) -> None:
        self._args = args
        self._environment = {**os.environ, **ENVIRONMENT, **LIMITS, **environment}
        self.port = self.http_port = 0

    def start(self) -> None:
        ports = ["--port", str(self.port), "--http-port", str(self.http_port)]
        self._process = subprocess.Popen(
            [PROGRAM, "serve", "--dev", *ports, *self._args],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        said = ""
        for line in self._process.stdout:
            said += line
            if line.startswith("Ctrl-C"):
                break
        assert "Ctrl-C" in said, "the server did not start"
        found = re.findall(r"(?:ws|http)://[^/\s]+:(\d+)", said)
        self.port, self.http_port = map(int, found[:2])

    def kill(self) -> None:
        """kill -9. An embedded Postgres lives on."""
        self._process.kill()
        self._process.communicate()

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/ws"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}/"


class Network:
    """Between browsers and the WebSocket listener at `port`. Cut, it breaks what there is and lets
    nothing new through."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._is_cut = False
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def cut(self) -> None:
        self._is_cut = True
        for end in list(self._open):
            shut(end)

    def mend(self) -> None:
        self._is_cut = False

    def close(self) -> None:
        shut(self._listener)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._carry, args=[near]))
            self._threads[-1].start()

    def _carry(self, near: socket.socket) -> None:
        with near:
            if self._is_cut:
                return
            with socket.create_connection(("127.0.0.1", self._to)) as far:
                self._open |= {near, far}
                back = threading.Thread(target=pump, args=[far, near])
                back.start()
                pump(near, far)
                back.join()
                self._open -= {near, far}


def pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    shut(source)
    shut(target)


def shut(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:  # it is already
        pass


class Window:
    """What somebody does in a window of theirs."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.input = page.get_by_label("Message", exact=True)
        self.bubbles = page.locator(".bubble")

    def expect_state(self, words: str) -> None:
        expect(self.page.locator(".connection")).to_have_text(words, timeout=20_000)

    def begin(self, *names: str, title: str | None = None) -> None:
        """A conversation with these, which is a group if it has a title."""
        self.page.get_by_role("button", name="New conversation").first.click()
        for name in names:
            self.page.get_by_label("Find people").fill(name)
            self.page.locator(".picker").get_by_role("button", name=name).click()
        if title is not None:
            self.page.get_by_label("Name of the group").fill(title)
        self.page.get_by_role("button", name=re.compile("^Begin")).click()
        expect(self.input).to_be_visible()

    def open(self, title: str) -> None:
        self.page.locator(".sidebar .row", has_text=title).first.click()
        expect(self.input).to_be_visible()

    def say(self, text: str) -> None:
        self.input.fill(text)
        self.input.press("Enter")

    def bubble(self, text: str) -> Locator:
        return self.bubbles.filter(has=self.page.locator(".text", has_text=text))

    def act(self, text: str, *buttons: str) -> None:
        """Press buttons of the message that says so, one after the other."""
        bubble = self.bubble(text)
        bubble.hover()
        for name in buttons:
            bubble.get_by_role("button", name=name, exact=True).click()

    def expect_said(self, *texts: str) -> None:
        """These, in this order, and nothing else."""
        expect(self.bubbles.locator(".text")).to_have_text(list(texts), timeout=20_000)


def picture(name: str = "light.png", width: int = 256) -> FilePayload:
    file = io.BytesIO()
    Image.radial_gradient("L").resize((width, 256)).save(file, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": file.getvalue()}


def token(user: str, ttl_s: int = 600) -> str:
    return jwt.encode({"sub": user, "exp": int(time.time()) + ttl_s}, SECRET, algorithm="HS256")


Ask = Callable[..., list[dict[str, Any]]]


@contextmanager
def speaking(server: Server, user: str) -> Iterator[Ask]:
    """`ask(name, payloads, c)` has `user` say all of these, quickly; what is answered to each."""
    with connect(server.ws_url, subprotocols=[Subprotocol("palaver.v1.json")]) as socket:

        def ask(name: str, payloads: list[dict[str, Any]], c: str | None = None) -> Any:
            there = {} if c is None else {"c": c}
            items = [{"t": name, "id": n, "d": d, **there} for n, d in enumerate(payloads)]
            socket.send(json.dumps(items))
            answers: list[dict[str, Any]] = []
            while len(answers) < len(items):
                told = json.loads(socket.recv())
                some = told if isinstance(told, list) else [told]
                answers += [item["ok"] for item in some if item["t"] == "reply"]
            return answers

        socket.send(json.dumps({"t": "hello", "id": 0, "v": 1, "d": {"token": token(user)}}))
        assert json.loads(socket.recv())["t"] == "welcome"
        yield ask


def seed(server: Server, users: tuple[str, str], title: str, texts: list[str]) -> str:
    """A group of two in which the first has said all of this; its id."""
    by, other = users
    with speaking(server, by) as ask:
        group = {"kind": "group", "members": [other], "title": title, "client_id": title}
        c = str(ask("conversation.create", [group])[0]["c"])
        for at in range(0, len(texts), 200):
            some = texts[at : at + 200]
            ask("message.send", [{"text": text, "client_id": text} for text in some], c)
    return c


def examine(page: Page, what: str) -> None:
    """axe finds no serious fault in what is shown."""
    if not page.evaluate("'axe' in window"):
        page.evaluate((WEB / "node_modules/axe-core/axe.min.js").read_text())
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")
    faults = {
        each["id"]: [node["html"] for node in each["nodes"]]
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
    }
    assert faults == {}, what


People = Callable[..., Window]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    names = [os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"]
    path = next(found for name in names if name and (found := shutil.which(name)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Keeps nothing; for all tests in which it lives on."""
    policy = {"PALAVER_POLICY__BLOCKS": "silent", "PALAVER_POLICY__RECEIPTS_OPTOUT": "true"}
    started = Server("--memory", **policy)
    started.start()
    yield started
    started.kill()


@pytest.fixture
def person(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[People]:
    """`person(server, "ann")` opens the chat as ann. What goes wrong in a page fails the test."""
    windows: list[Page] = []
    errors: list[str] = []

    def enter(
        server: Server, user: str | None, *, network: Network | None = None, **options: Any
    ) -> Window:
        settings = {"viewport": {"width": 1200, "height": 760}, "locale": "en-GB", **options}
        page = chromium.new_context(**settings).new_page()
        windows.append(page)
        page.on("pageerror", lambda error: errors.append(str(error)))
        if network is not None:
            page.add_init_script(LEAD % network.port)
        page.goto(server.url + ("" if user is None else f"?as={user}"))
        return Window(page)

    yield enter
    directory = os.environ.get("SCREENSHOTS")
    for number, page in enumerate(windows):
        if directory is not None:
            Path(directory).mkdir(parents=True, exist_ok=True)
            name = re.sub(r"\W+", "-", f"{request.node.name}-{number}")
            page.screenshot(path=Path(directory) / f"{name}.png")
        page.context.close()
    assert errors == []
