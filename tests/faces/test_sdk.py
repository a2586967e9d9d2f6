"""The browser client (clients/js): its own tests, and its stories against a real server."""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path

import pytest
import trio
import yaml  # type: ignore[import-untyped]

from palaver.protocol.features import COMMANDS
from palaver.tests.faces.typescript import hold
from palaver.tests.support.served import ENVIRONMENT, PROGRAM, SECRET, Served

ROOT = Path(__file__).parents[2]

SMALL = {
    "PALAVER_LIMITS__CONNECTS_PER_MIN": "0",
    "PALAVER_CONNECTIONS__OUTBOX_BYTES": "65536",
    "PALAVER_CONNECTIONS__SEND_BUFFER_BYTES": "4096",
}
"""People come back as often as they like, and a slow one is soon too slow."""


class Units:
    """What became of the tests that Node ran, by their names."""

    def __init__(self, output: str) -> None:
        self.output = output
        found = re.findall(r"^(ok|not ok) \d+ - (.*)$", output, re.M)
        self.failed = {name for verdict, name in found if verdict == "not ok"}
        self.passed = {name for verdict, name in found if verdict == "ok"}

    def hold(self, row: str) -> None:
        """Some name the row, and they pass."""
        assert any(row in name for name in self.passed), row
        assert not [name for name in self.failed if row in name]


@pytest.fixture(scope="session")
def units(sdk: Path) -> Units:
    tests = sorted(str(path) for path in (sdk / "dist/test").glob("*.test.js"))
    done = subprocess.run(
        ["node", "--test", "--test-reporter=tap", *tests],
        cwd=sdk,
        capture_output=True,
        text=True,
        check=False,
    )
    return Units(done.stdout)


def test_its_own_tests_pass(units: Units) -> None:
    assert units.passed
    assert not units.failed, units.output


def test_CLI_01_it_comes_back_by_itself(units: Units) -> None:
    units.hold("CLI-01")


def test_CLI_03_an_answer_that_does_not_come_in_time(units: Units) -> None:
    units.hold("CLI-03")


def test_CLI_04_optimistic_sending(units: Units) -> None:
    units.hold("CLI-04")


def test_CLI_06_joining_leaving_and_callbacks(units: Units) -> None:
    units.hold("CLI-06")


def test_CLI_07_history_is_fetched_when_asked_for(units: Units) -> None:
    units.hold("CLI-07")


def test_CLI_08_RCPT_13_ten_keystrokes_are_one_start(units: Units) -> None:
    units.hold("CLI-08")


def test_CLI_09_RCPT_09_reads_are_gathered(units: Units) -> None:
    units.hold("CLI-09")


def test_CLI_10_what_is_seen_is_read(units: Units) -> None:
    units.hold("CLI-10")


def test_CLI_11_drafts_are_saved(units: Units) -> None:
    units.hold("CLI-11")


def test_CLI_12_uploads_are_tried_again(units: Units) -> None:
    units.hold("CLI-12")


def test_CLI_13_states_of_the_connection(units: Units) -> None:
    units.hold("CLI-13")


def test_the_types_are_those_of_the_models() -> None:
    generate = runpy.run_path(str(ROOT / "clients/js/generate.py"))
    written = (ROOT / "clients/js/src/generated.ts").read_text()
    assert written == generate["page"](), "run `make client`"


WIDENED = """
import type { Results } from "palaver-client";
type Widened<T> =
  T extends string ? string : T extends number ? number : T extends boolean ? boolean :
  T extends readonly (infer U)[] ? Widened<U>[] :
  T extends object ? { [K in keyof T]: Widened<T[K]> } : T;
declare const told: Answers;
export const as: Widened<Omit<Results, "ack">> = told;
"""


LOOSELY_DESCRIBED = {
    "at: number | null": "at: number",  # a time that is none is null in REST, and 0 here
}


def test_answers_are_what_the_types_say(sdk: Path) -> None:
    """Every command's, as docs/asyncapi.yaml tells them, to which the server is held."""
    type_of = runpy.run_path(str(ROOT / "clients/js/generate.py"))["type_of"]
    told = yaml.safe_load((ROOT / "docs/asyncapi.yaml").read_text())["components"]
    lines = [
        f'"{name}": {type_of(reply["payload"]["properties"]["ok"], told["schemas"])};'
        for name in COMMANDS
        if (reply := told["messages"].get(f"{name}.reply")) is not None
    ]
    assert len(lines) == len(COMMANDS) - 1, "all but ack, which has none"
    program = "\n".join(["interface Answers {", *lines, "}", WIDENED])
    for said, meant in LOOSELY_DESCRIBED.items():
        assert said in program
        program = program.replace(said, meant)
    hold(sdk, "answers", {"answers": program})


SAID = """
import { Commands } from "./dist/src/commands.js";
const said = [];
class Heard extends Commands {
  call = async (...command) => (said.push(command), {});
  enqueueCall = this.call;
}
const heard = new Heard();
const { prototype } = Commands;
for (const kind of [prototype, Object.getPrototypeOf(prototype)]) {
  for (const name of Object.getOwnPropertyNames(kind)) {
    if (name === "constructor") continue;
    await heard[name]("c", "user", []);
    await heard[name]("c", "user", false).catch(() => {}); // nothing to be turned off
    if (name === "typing") await heard.typing("c", false);
  }
}
console.log(JSON.stringify(said));
"""

BY_ITSELF = {"ack", "conversation.resume", "sync.changes"}
"""What a client says without being asked: how it follows."""


def test_every_command_has_a_method(sdk: Path) -> None:
    program = ["node", "--input-type=module", "--eval", SAID]
    done = subprocess.run(program, cwd=sdk, capture_output=True, check=True)
    assert COMMANDS.keys() - {name for name, *_ in json.loads(done.stdout)} == BY_ITSELF


def test_what_is_served_is_built_from_the_source(sdk: Path, tmp_path: Path) -> None:
    built = tmp_path / "palaver-client.js"
    subprocess.run(["npm", "run", "-s", "build", "--", f"--outfile={built}"], cwd=sdk, check=True)
    served = ROOT / "gateway/web/palaver-client.js"
    assert served.read_text() == built.read_text(), "run `make client`"


CONSUMER = """
import { Client, browserOutbox, type Message as Shown } from "palaver-client";
import { ChatClient } from "palaver-client/stayeasy";
import { Messages, type Message } from "palaver-client/tutoring";

const outbox = browserOutbox("palaver-ann");
const { client } = new ChatClient("https://chat.example.org", "token", { outbox });
export const send = (text: string): Promise<Message> => new Messages(client).send(50, text);
export let shown: Shown | undefined;
console.log(client instanceof Client);
"""


def test_what_is_packed_is_all_that_one_needs(sdk: Path, tmp_path: Path) -> None:
    """In a project that has nothing else, checked more strictly than most are."""
    run = partial(subprocess.run, capture_output=True, text=True, check=False)
    packed = run(["npm", "pack", "--pack-destination", str(tmp_path)], cwd=sdk)
    assert packed.returncode == 0, packed.stderr
    place = tmp_path / "node_modules/palaver-client"
    place.mkdir(parents=True)
    (archive,) = tmp_path.glob("*.tgz")
    subprocess.run(["tar", "xzf", archive, "-C", place, "--strip-components=1"], check=True)
    (tmp_path / "page.mts").write_text(CONSUMER)
    options = ["--strict", "--exactOptionalPropertyTypes", "--target", "es2022"]
    options += ["--module", "nodenext", "--lib", "es2023,dom,dom.iterable", "--types", ""]
    tsc = str(sdk / "node_modules/.bin/tsc")
    typed = run([tsc, *options, "page.mts"], cwd=tmp_path)
    assert typed.returncode == 0, typed.stdout
    ran = run(["node", "page.mjs"], cwd=tmp_path)
    assert ran.stdout == "true\n", ran.stderr


@contextmanager
def in_memory(**environment: str) -> Iterator[list[str]]:
    """The addresses of a server that keeps nothing: for WebSockets, and for HTTP."""
    program = [PROGRAM, "serve", "--memory", "--port", "0", "--http-port", "0"]
    environment = {**os.environ, **ENVIRONMENT, **SMALL, **environment}
    with subprocess.Popen(program, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        told = (
            found[0] for line in server.stdout for found in re.finditer(r"(ws|http)://\S+", line)
        )
        try:
            yield list(islice(told, 2))
        finally:
            server.kill()


@pytest.fixture(scope="module")
def urls() -> Iterator[list[str]]:
    """For all stories in which the server lives on."""
    with in_memory(PALAVER_POLICY__DELETE_RECOVERY_DAYS="60") as urls:
        yield urls


Act = Callable[[], Awaitable[None]]


async def play(sdk: Path, story: str, urls: Sequence[str], acts: Mapping[str, Act]) -> None:
    """Run a story of test/e2e/stories.ts; what it asks to be done to the server is in `acts`."""
    program = ["node", "dist/test/e2e/main.js", story, urls[0], SECRET, *urls[1:]]
    async with trio.open_nursery() as nursery:
        process = await nursery.start(
            partial(
                trio.run_process,
                program,
                cwd=sdk,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
            )
        )
        said = b""
        async for data in process.stdout:
            said += data
            while (line := re.match(rb"@(\w+)\n", said)) is not None:
                said = said[line.end() :]
                await acts[line[1].decode()]()
                await process.stdin.send_all(b"\n")
    assert process.returncode == 0, said.decode()


E2E = ROOT / "clients/js/test/e2e"
PYTHON = ROOT / "tests/gateway/client/test_against_the_gateway.py"


def told_in(file: Path, story: str) -> list[str]:
    return re.findall(story, file.read_text(), re.M)


STORIES, OWN, NAMES = (
    told_in(E2E / file, r"^export async function (\w+)")
    for file in ("stories.ts", "own-stories.ts", "names.ts")
)
GOING_AWAY = [
    "a_drain_is_quick_and_says_when_to_come_back",
    "kill_9_loses_and_doubles_nothing",
    "an_outbox_is_sent_again",
]
"""In these the server is stopped, and comes back with what it had stored."""

ONLY_HERE = {
    "what_is_one_s_own_is_on_all_devices": "the Python client has no models",
    "whatever_happens_all_devices_show_the_same": "nor anything to show",
    "a_slow_consumer_catches_up": "it needs the kernel's buffers; there the streams are in memory",
    "kill_9_loses_and_doubles_nothing": "tests/journeys kill the server under that client",
    "a_file_gets_through_at_last": "test_uploads.py does so, without sockets",
    "an_outbox_is_sent_again": "test_outgoing_disk.py kills that client in between",
}
ABOVE_THE_RATE = "a_backlog_above_the_rate_arrives_whole_and_in_order"


def test_both_clients_play_the_same_stories() -> None:
    told = told_in(PYTHON, r"^async def test_(?:[A-Z]+_\d+_)*(\w+)")
    assert sorted(STORIES) == sorted(told)
    assert set(OWN) == ONLY_HERE.keys()


@pytest.mark.parametrize("story", sorted({*STORIES, *OWN} - {*GOING_AWAY, ABOVE_THE_RATE}))
async def test_story(sdk, urls, story):
    """CLI-02, CLI-05, SEND-05, CONN-21."""
    await play(sdk, story, urls, {})


async def test_CLI_02_story_above_the_rate(sdk):
    with in_memory(PALAVER_LIMITS__MESSAGES_PER_MIN="60") as urls:
        await play(sdk, ABOVE_THE_RATE, urls, {})


def test_CLI_14_names_of_methods(units: Units) -> None:
    units.hold("CLI-14")


@pytest.mark.parametrize("story", NAMES)
async def test_CLI_06_CLI_14_the_example_of_the_product_s_own_page(sdk, story):
    with in_memory(PALAVER_PROFILE=story.partition("_")[0]) as urls:
        await play(sdk, story, urls, {})


@pytest.mark.parametrize("story", GOING_AWAY)
@pytest.mark.timeout(120)
async def test_SEND_06_CLI_05_story_with_a_server_that_goes_away(sdk, served, story):
    """Each on the embedded Postgres, which keeps what was replied to."""
    async with trio.open_nursery() as nursery:
        runs: list[Served] = []

        async def start():
            port = runs[-1].ws_url.rsplit(":", 1)[1].partition("/")[0] if runs else "0"
            run = served.start("--port", port, **SMALL)
            await run.__aenter__()
            runs.append(run)

        async def kill():
            await runs[-1].__aexit__()

        async def stop():
            run = runs[-1]
            assert await run.stop() == 0

        await start()
        try:
            await play(sdk, story, [runs[0].ws_url], {"start": start, "kill": kill, "stop": stop})
        finally:
            for run in runs:
                with trio.CancelScope(shield=True):
                    await run.__aexit__()
        nursery.cancel_scope.cancel()
