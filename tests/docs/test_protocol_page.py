"""docs/protocol.md says what the code does: names, fields, codes, bytes."""

import json
import re
from pathlib import Path

import pytest

from palaver.protocol.codec import CODECS, JsonCodec, MsgpackCodec
from palaver.protocol.commands import Command, DurableCommand
from palaver.protocol.disconnects import DISCONNECTS
from palaver.protocol.errors import ERRORS
from palaver.protocol.features import COMMANDS, EVENTS, SIGNALS, USER_EVENTS
from palaver.protocol.roles import PERMISSIONS

PAGE = (Path(__file__).parents[2] / "docs/protocol.md").read_text()


def section(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- end -->", PAGE, re.S)
    assert found is not None
    return found[1]


def rows(name: str) -> dict[str, str]:
    """The table of a section: what stands in backquotes in the first column → the whole row."""
    return {
        match[1]: match[0]
        for match in re.finditer(r"^\| `?([^`|]+?)`? \|.*$", section(name), re.M)
        if not match[1].startswith(("-", "command", "event", "signal", "entry", "code"))
    }


@pytest.mark.parametrize(
    ("table", "kinds"),
    [
        ("commands", COMMANDS),
        ("events", EVENTS),
        ("signals", SIGNALS),
        ("user events", USER_EVENTS),
    ],
)
def test_every_kind_has_its_row_with_every_field(table, kinds):
    documented = rows(table)
    assert documented.keys() == kinds.keys()
    for name, kind in kinds.items():
        fields = kind.model_fields if issubclass(kind, Command) else kind.field_names()
        for field in set(fields) - DurableCommand.model_fields.keys():
            assert f"`{field}`" in documented[name], f"{name}: {field} is not documented"


def test_GRP_05_the_table_of_permissions_is_the_code_s():
    documented = rows("permissions")
    documented.pop("permission")
    assert documented.keys() == PERMISSIONS.keys()
    for permission, least in PERMISSIONS.items():
        assert f"| `{permission}` | `{least}` |" in documented[permission]


def test_durable_commands_are_said_to_be_durable():
    for name, kind in COMMANDS.items():
        assert ("durable" in rows("commands")[name]) == issubclass(kind, DurableCommand), name


def test_ERR_02_every_error_code_is_documented():
    documented = rows("errors")
    assert documented.keys() == ERRORS.keys()
    for code, kind in ERRORS.items():
        retryable = "yes" if kind.retryable else "no"
        assert documented[code] == f"| `{code}` | {kind.http} | {retryable} | {kind.sentence} |"


def test_CONN_21_every_close_code_is_documented():
    documented = rows("disconnects")
    assert documented.keys() == {str(disconnect.code) for disconnect in DISCONNECTS}
    for disconnect in DISCONNECTS:
        again = "yes" if disconnect.reconnect else "no"
        row = documented[str(disconnect.code)]
        assert row == f"| {disconnect.code} | {again} | {disconnect.reason} |"


def test_the_subprotocols_are_documented():
    for codec in CODECS:
        assert f"`{codec.subprotocol}`" in PAGE


EXAMPLES = re.findall(r"```json\n(.*?)\n```\n```hex\n(.*?)\n```", section("bytes"), re.S)


def test_there_are_byte_exact_examples():
    assert len(EXAMPLES) >= 4


@pytest.mark.parametrize(("text", "hexadecimal"), EXAMPLES)
def test_WS_01_example_bytes_are_exact(text, hexadecimal):
    data = bytes.fromhex(hexadecimal.replace("\n", ""))
    value = json.loads(text)
    assert MsgpackCodec().encode(value) == data
    assert MsgpackCodec().decode(data) == value
    assert JsonCodec().encode(value).decode() == text
