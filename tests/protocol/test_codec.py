"""Both codecs: inverse on what may travel, `BadFrame` on everything else, at a bounded cost."""

import json
import struct
import tracemalloc
from random import Random
from typing import Any

import msgpack
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from palaver.protocol.codec import CODECS, Codec, JsonCodec, MsgpackCodec
from palaver.protocol.frames import parse_frame
from palaver.protocol.values import MAX_VALUES, BadFrame, check_value
from palaver.tests.support.values import FRAMES, VALUES

LIMIT = 1_048_576
SMALL = 4096

codecs = pytest.mark.parametrize("codec", [kind() for kind in CODECS], ids=lambda c: c.name)
often = settings(max_examples=10 * settings().max_examples)


def decoded(codec: Codec, data: bytes) -> Any:
    """What `data` says, or None. Anything raised but BadFrame is a failure of the test."""
    try:
        value = codec.decode(data)
    except BadFrame:
        return None
    check_value(value)
    return value


def test_the_subprotocols_by_preference():
    assert [kind.subprotocol for kind in CODECS] == ["palaver.v1.msgpack", "palaver.v1.json"]
    assert [kind.binary for kind in CODECS] == [True, False]


# Inverse.


@codecs
@given(VALUES)
@example(-0.0)
@example([2**63 - 1, -(2**63), 1.0, True, None, "", {}, []])
@example({"k": "\U0010ffff\ufffe\u2028é"})
def test_every_value_round_trips(codec: Codec, value: Any):
    # repr tells 1, 1.0 and True apart, -0.0 from 0, and the order of keys.
    assert repr(codec.decode(codec.encode(value))) == repr(value)


@codecs
@given(FRAMES)
def test_WS_01_every_frame_round_trips(codec: Codec, frame: Any):
    assert codec.decode(codec.encode(frame)) == frame
    parse_frame(frame)


@given(FRAMES)
def test_WS_02_both_codecs_carry_the_same_frames(frame: Any):
    msgpack, json = MsgpackCodec(), JsonCodec()
    assert json.decode(json.encode(msgpack.decode(msgpack.encode(frame)))) == frame


def test_an_encoding_that_fails_leaves_nothing_behind():
    codec = MsgpackCodec()
    with pytest.raises(TypeError):
        codec.encode(["half of a frame", object()])
    assert codec.decode(codec.encode("the next one")) == "the next one"


# Everything else.


@codecs
@often
@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_bad_frame(codec: Codec, data: bytes):
    decoded(codec, data)


@often
@given(st.text('{}[]",:0123456789eE+-.\\u d8truefalsnNIity\0é\U00010000', max_size=60))
def test_nothing_like_json_raises_anything_but_bad_frame(text: str):
    decoded(JsonCodec(), text.encode())


@codecs
def test_no_mutated_frame_raises_anything_but_bad_frame(codec: Codec):
    random = Random(1)
    frames: list[Any] = [
        {"t": "message.send", "id": 7, "c": "c" * 36, "d": {"text": "héllo", "client_id": "k"}},
        [{"t": "ack", "seq": 2**40}, {"t": "ping", "id": -1}],
        {"t": "x", "d": {"metadata": {"a": [1.5, None, True, {"b": [[], {}]}], "n": -(2**63)}}},
        [{"t": "typing.start", "c": str(number)} for number in range(40)],
    ]
    survived = 0
    for round in range(10_000):
        data = bytearray(codec.encode(frames[round % len(frames)]))
        for _ in range(random.randint(1, 4)):
            at = random.randrange(len(data))
            match random.randrange(4):
                case 0:
                    data[at] = random.randrange(256)
                case 1:
                    data.insert(at, random.randrange(256))
                case 2:
                    del data[at : at + random.randint(1, 8)]
                case 3:
                    data[at:at] = data[at : at + random.randint(1, 20)]
            data = data or bytearray(1)
        survived += decoded(codec, bytes(data)) is not None
    assert survived > 100, "some mutations still say something"


MSGPACK_BAD = {
    "nothing": b"",
    "cut off": b"\x82\xa1t",
    "too much": b"\xc0\xc0",
    "never used": b"\xc1",
    "bin": b"\xc4\x01a",
    "empty bin": b"\xc4\x00",
    "empty bin as a key": b"\x81\xc4\x00\xc0",
    "ext": b"\xd4\x05a",
    "empty ext": b"\xc7\x00\x05",
    "timestamp": b"\xd6\xff\x00\x00\x00\x00",
    "empty timestamp": b"\xc7\x00\xff",
    "number as a key": b"\x81\x01\x01",
    "list as a key": b"\x81\x90\x01",
    "map as a key": b"\x81\x80\x01",
    "nan": b"\xcb" + struct.pack(">d", float("nan")),
    "nan of 32 bits": b"\xca" + struct.pack(">f", float("nan")),
    "infinity": b"\xcb" + struct.pack(">d", float("-inf")),
    "integer of 64 bits without a sign": b"\xcf" + b"\xff" * 8,
    "zero character": b"\xa1\0",
    "surrogate": b"\xa3\xed\xa0\x80",
    "surrogate as a key": b"\x81\xa3\xed\xa0\x80\xc0",
    "not utf-8": b"\xa1\xff",
    "half a character": b"\xa1\xc3",
    "17 deep": b"\x91" * 17 + b"\xc0",
    "1,000 deep": b"\x91" * 1_000 + b"\xc0",
    "100,000 deep": b"\x91" * 100_000 + b"\xc0",
    "array of 2**32 - 1": b"\xdd" + b"\xff" * 4,
    "map of 2**32 - 1": b"\xdf" + b"\xff" * 4,
    "string of 2**32 - 1": b"\xdb" + b"\xff" * 4,
    "bin of 2**32 - 1": b"\xc6" + b"\xff" * 4,
    "head cut off": b"\xdd\xff",
}
JSON_BAD = {
    "nothing": b"",
    "cut off": b'{"t":',
    "too much": b"null null",
    "nan": b"[NaN]",
    "infinity": b"[Infinity]",
    "minus infinity": b"-Infinity",
    "infinity in figures": b"[1e999]",
    "integer beyond 64 bits": b"9223372036854775808",
    "integer of 5,000 figures": b"1" * 5_000,
    "integer of 4,300 figures": b"1" * 4_300,
    "zero character": b'"a\\u0000b"',
    "zero character as a key": b'{"\\u0000":1}',
    "bare zero character": b'"\0"',
    "surrogate": b'"\\ud800"',
    "surrogates in the wrong order": b'"\\udc00\\ud800"',
    "surrogate as a key": b'{"\\udfff":1}',
    "surrogate in utf-8": b'"\xed\xa0\x80"',
    "not utf-8": b'"\xff"',
    "utf-16": '"a"'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf"a"',
    "17 deep": b"[" * 17 + b"]" * 17,
    "1,000 deep": b"[" * 1_000 + b"]" * 1_000,
    "100,000 deep": b'{"":' * 100_000 + b"1" + b"}" * 100_000,
    "single quotes": b"'a'",
    "comment": b"1 // one",
}


@pytest.mark.parametrize("data", MSGPACK_BAD.values(), ids=MSGPACK_BAD.keys())
def test_bad_msgpack(data: bytes):
    with pytest.raises(BadFrame):
        MsgpackCodec().decode(data)


@pytest.mark.parametrize("data", JSON_BAD.values(), ids=JSON_BAD.keys())
def test_bad_json(data: bytes):
    with pytest.raises(BadFrame):
        JsonCodec().decode(data)


def test_pairs_of_surrogates_are_one_character():
    assert JsonCodec().decode(b'"\\ud83d\\ude00"') == "\U0001f600"


def test_of_a_key_said_twice_the_last_holds():
    assert JsonCodec().decode(b'{"a":1,"a":2}') == {"a": 2}
    assert MsgpackCodec().decode(b"\x82\xa1a\x01\xa1a\x02") == {"a": 2}


@codecs
def test_the_answer_to_a_bad_frame_shows_nothing_of_it(codec: Codec):
    for data in (b'{"secret": "secret\\u0000"', b'"secret', b"\xa7secret", b"\x81\xa6secret\xc1"):
        with pytest.raises(BadFrame) as no:
            codec.decode(data)
        assert "secret" not in str(no.value.payload())


# The limits.


@codecs
def test_size(codec: Codec):
    kind: Any = type(codec)
    frame = codec.encode("x" * 90)
    assert kind(len(frame)).decode(frame) == "x" * 90
    with pytest.raises(BadFrame, match=f"larger than {len(frame) - 1} bytes"):
        kind(len(frame) - 1).decode(frame)


@codecs
def test_number_of_values(codec: Codec):
    most = [0] * (MAX_VALUES - 1)
    assert codec.decode(codec.encode(most)) == most
    with pytest.raises(BadFrame, match="more than 20000 values"):
        codec.decode(codec.encode([0, 0, *most]))


@codecs
def test_a_long_text_is_one_value(codec: Codec):
    long = {"t": "message.send", "d": {"text": "well, " * 2_000 + "é\u0710" * 2_000}}
    assert codec.decode(codec.encode(long)) == long


def test_around_the_size_at_which_counting_begins():
    for length in range(SMALL - 40, SMALL + 40):
        text = "x" * (length - 3)
        data = MsgpackCodec().encode(text)
        assert len(data) == length
        assert MsgpackCodec().decode(data) == text


@given(VALUES)
def test_counting_understands_every_kind_of_value(value: Any):
    """Above 4 KiB a walk over the heads comes first: it must not refuse what may travel."""
    codec = MsgpackCodec()
    padded = ["x" * 5_000, value]
    assert repr(codec.decode(codec.encode(padded))) == repr(padded)


@given(VALUES, st.sampled_from([0x10, 0x100, 0x10000]))
def test_counting_understands_every_size_of_value(value: Any, size: int):
    codec = MsgpackCodec()
    wide = [
        "x" * 5_000,
        "s" * size,
        list(range(min(size, 5_000))),
        {str(number): None for number in range(min(size, 3_000))},
        value,
    ]
    assert codec.decode(codec.encode(wide)) == wide


def one_of_each_head() -> dict[str, tuple[bytes, int]]:
    """A value with each first byte of msgpack, and how many values it is."""
    found = {f"{head:02x}": (bytes([head]), 1) for head in [*range(0x80), *range(0xE0, 0x100)]}
    found |= {f"{head:02x}": (bytes([head]), 1) for head in (0xC0, 0xC2, 0xC3)}
    for size in range(16):
        entries = b"".join(b"\xa1" + bytes([97 + number]) + b"\xc0" for number in range(size))
        found[f"{0x80 + size:02x}"] = (bytes([0x80 + size]) + entries, 1 + 2 * size)
        found[f"{0x90 + size:02x}"] = (bytes([0x90 + size]) + b"\xc0" * size, 1 + size)
    for size in range(32):
        found[f"{0xA0 + size:02x}"] = (bytes([0xA0 + size]) + b"x" * size, 1)
    for head, width in zip(range(0xCA, 0xD4), (4, 8, 1, 2, 4, 8, 1, 2, 4, 8), strict=True):
        found[f"{head:02x}"] = (bytes([head]) + bytes(width), 1)
    for head, width, body, values in (
        *((0xD9, 1, b"ab", 1), (0xDA, 2, b"ab", 1), (0xDB, 4, b"ab", 1)),
        *((0xDC, 2, b"\xc0\xc0", 3), (0xDD, 4, b"\xc0\xc0", 3)),
        *((0xDE, 2, b"\xa1a\xc0\xa1b\xc0", 5), (0xDF, 4, b"\xa1a\xc0\xa1b\xc0", 5)),
    ):
        found[f"{head:02x}"] = (bytes([head]) + (2).to_bytes(width, "big") + body, values)
    return found


HEADS = one_of_each_head()


@pytest.mark.parametrize("head", HEADS)
def test_the_count_understands_every_head(head: str):
    """After each kind of value, an array that makes the frame as full as may be, then fuller."""
    value, values = HEADS[head]
    full = MAX_VALUES - 2 - values
    start = b"\x92" + value + b"\xdd"
    data = start + struct.pack(">I", full) + b"\xc0" * full
    assert MsgpackCodec().decode(data) == msgpack.unpackb(data)
    with pytest.raises(BadFrame, match="more than 20000 values"):
        MsgpackCodec().decode(start + struct.pack(">I", full + 1) + b"\xc0" * (full + 1))


def test_every_head_is_either_understood_or_refused():
    refused = {f"{head:02x}" for head in (0xC1, *range(0xC4, 0xCA), *range(0xD4, 0xD9))}
    assert refused | HEADS.keys() == {f"{head:02x}" for head in range(256)}
    for head in refused:
        with pytest.raises(BadFrame):
            MsgpackCodec().decode(b"\x92" + bytes.fromhex(head) + bytes(5_000))


def test_the_count_ends_with_the_frame():
    """Whatever follows is not walked over, only refused."""
    with pytest.raises(BadFrame, match="ExtraData"):
        MsgpackCodec().decode(b"\xc0" + b"\xc4" * 10_000)


@codecs
def test_keys_and_values_of_maps_count(codec: Codec):
    # In JSON a key is part of its value; in msgpack it is one of its own.
    most = {str(number): None for number in range(9_999)}
    assert codec.decode(codec.encode(most)) == most
    with pytest.raises(BadFrame, match="more than 20000 values"):
        codec.decode(codec.encode([{"": 0}] * 10_000))


# The cost: of at most 4 KiB less than half a megabyte, of more at most the tenfold and 3 MiB.


def chain(head: bytes, end: bytes, size: int = LIMIT) -> bytes:
    return head * ((size - len(end)) // len(head)) + end


def row(one: bytes, size: int, *, wide: bool = True) -> bytes:
    """An array of as many `one` as fit into `size` bytes."""
    number = (size - 5) // len(one)
    head = b"\xdd" + struct.pack(">I", number) if wide else b"\xdc" + struct.pack(">H", number)
    return head + one * number


def announced(head: bytes, width: int, levels: int, size: int) -> bytes:
    """`levels` of arrays or maps inside each other, each announcing as much as there are bytes."""
    fill = size - levels * (1 + width) - 5
    return (
        (head + size.to_bytes(width, "big")) * levels
        + b"\xdb"
        + struct.pack(">I", fill)
        + (b"a" * fill)
    )


ENTRY = b"\x81\xa0\xc0"  # a map of one entry: 3 bytes that become 232
UNIQUE = [b"\xa3" + chr(0x4E00 + number).encode() for number in range(20_000)]

MSGPACK_COST = {
    **{
        f"{name}, {size}": data(size)
        for size in (SMALL, SMALL + 1, LIMIT)
        for name, data in {
            "empty maps": lambda size: row(b"\x80", size),
            "empty arrays": lambda size: row(b"\x90", size),
            "maps of one entry": lambda size: row(ENTRY, size),
            "arrays of one value": lambda size: row(b"\x91\xc0", size),
            "maps of maps": lambda size: row(b"\x81\xa0\x81\xa0\x81\xa0\x80", size),
            "fifteen announced, deep": lambda size: chain(b"\x9f", b"", size),
            "arrays announced, deep": lambda size: announced(b"\xdd", 4, 500, size),
            "maps announced, deep": lambda size: announced(b"\xdf", 4, 500, size),
            "one array announced": lambda size: announced(b"\xdd", 4, 1, size),
            "maps, deep": lambda size: chain(b"\x81\xa0", b"\xc0", size),
            "arrays, deep": lambda size: chain(b"\x91", b"\xc0", size),
            "integers": lambda size: row(b"\xcf\x7f\xff\xff\xff\xff\xff\xff\xff", size),
            "floats": lambda size: row(b"\xcb\x3f\xf1\x11\x11\x11\x11\x11\x11", size),
            "one key": lambda size: (
                b"\xdf" + struct.pack(">I", size // 3 - 2) + b"\xa1a\xc0" * (size // 3 - 2)
            ),
            "a text": lambda size: b"\xdb" + struct.pack(">I", size - 5) + b"a" * (size - 5),
            "a wide text": lambda size: (
                b"\xdb" + struct.pack(">I", size - 5) + "\U0001f600".encode() + b"a" * (size - 9)
            ),
            "16 bits announced": lambda size: b"\xdc\x0b\xb0" * (size // 3),
        }.items()
    },
    "just as many maps as may be": row(ENTRY, 3 * (MAX_VALUES // 3)),
    "just as many texts as may be": b"\xdc" + struct.pack(">H", 19_999) + b"".join(UNIQUE[1:]),
    "just as many keys as may be": b"\xde"
    + struct.pack(">H", 9_999)
    + b"".join(key + b"\xc0" for key in UNIQUE[:9_999]),
}
JSON_COST = {
    **{
        f"{name}, {size}": data(size)
        for size in (SMALL, SMALL + 1, LIMIT)
        for name, data in {
            "empty maps": lambda size: b"[" + b"{}," * (size // 3 - 2) + b"0]",
            "empty arrays": lambda size: b"[" + b"[]," * (size // 3 - 2) + b"0]",
            "maps of one entry": lambda size: b"[" + b'{"":0},' * (size // 7 - 2) + b"0]",
            "maps, ten deep": lambda size: (
                b"[" + (b'{"":' * 10 + b"0" + b"}" * 10 + b",") * (size // 52 - 2) + b"0]"
            ),
            "maps, 900 deep": lambda size: (
                b"[" + (b'{"":' * 900 + b"0" + b"}" * 900 + b",") * (size // 4502) + b"0]"
            ),
            "maps, deep": lambda size: chain(b'{"":', b"0", size),
            "arrays, deep": lambda size: chain(b"[", b"0", size),
            "integers": lambda size: b"[" + b"1234567890123," * (size // 14 - 2) + b"0]",
            "long integers": lambda size: b"[" + (b"9" * 4_000 + b",") * (size // 4_001) + b"0]",
            "one key": lambda size: b"{" + b'"a":0,' * (size // 6 - 2) + b'"a":0}',
            "a text": lambda size: b'"' + b"a" * (size - 2) + b'"',
            "a wide text": lambda size: b'"' + "\U0001f600".encode() + b"a" * (size - 6) + b'"',
            "a text of escapes": lambda size: b'"' + b"\\n" * (size // 2 - 1) + b'"',
            "white space": lambda size: b" " * size,
        }.items()
    },
    "just as many maps as may be": b"[" + b'{"":0},' * 9_998 + b"0]",
    "just as many texts as may be": json.dumps(
        [chr(0x4E00 + number) for number in range(19_998)], ensure_ascii=False
    ).encode(),
    "just as many keys as may be": json.dumps(
        {chr(0x4E00 + number): 0 for number in range(19_998)}, ensure_ascii=False
    ).encode(),
}


def cost(codec: Codec, data: bytes) -> int:
    tracemalloc.start()
    try:
        decoded(codec, data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def check_cost(codec: Codec, data: bytes):
    """What other threads allocate meanwhile counts, too, but not every time."""
    assert len(data) <= LIMIT
    allowed = 500_000 if len(data) <= SMALL else 10 * len(data) + 3 * 2**20
    assert any(cost(codec, data) <= allowed for _ in range(3))


@pytest.mark.parametrize("data", MSGPACK_COST.values(), ids=MSGPACK_COST.keys())
def test_the_cost_of_msgpack(data: bytes):
    check_cost(MsgpackCodec(), data)


@pytest.mark.parametrize("data", JSON_COST.values(), ids=JSON_COST.keys())
def test_the_cost_of_json(data: bytes):
    check_cost(JsonCodec(), data)
