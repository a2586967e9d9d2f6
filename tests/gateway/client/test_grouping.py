"""Messages that belong together on a screen."""

import pytest

from palaver.gateway.client import grouped

MINUTE = 60_000


def said(spoken: str) -> list[dict[str, object]]:
    """ann@0 bob@1.5: who, at which minute; "-" is the system."""
    pairs = [each.split("@") for each in spoken.split()]
    return [
        {"ts": round(float(minute) * MINUTE), **({} if who == "-" else {"by": who})}
        for who, minute in pairs
    ]


@pytest.mark.parametrize(
    ("spoken", "sizes"),
    [
        ("", []),
        ("ann@0", [1]),
        ("ann@0 ann@1 ann@5.9", [3]),
        ("ann@0 ann@5", [2]),
        ("ann@0 ann@5.001", [1, 1]),
        ("ann@0 ann@4 ann@8 ann@12", [4]),
        ("ann@0 bob@0 ann@0", [1, 1, 1]),
        ("ann@0 ann@0 bob@1 bob@1 ann@2", [2, 2, 1]),
        ("-@0 -@0", [1, 1]),
        ("ann@0 -@0 ann@0", [1, 1, 1]),
    ],
)
def test_MSG_31_same_sender_and_close_in_time(spoken: str, sizes: list[int]):
    messages = said(spoken)
    groups = grouped(messages)
    assert [len(group) for group in groups] == sizes
    assert [message for group in groups for message in group] == messages


def test_MSG_31_how_close_is_the_callers_choice():
    assert len(grouped(said("ann@0 ann@1"), within_s=59)) == 2
