"""The disconnect table: the code alone says whether to come back."""

import pytest

from palaver.protocol.disconnects import DISCONNECTS, Disconnect, may_reconnect


def test_every_code_means_one_thing():
    assert len({disconnect.code for disconnect in DISCONNECTS}) == len(DISCONNECTS)


@pytest.mark.parametrize("disconnect", DISCONNECTS, ids=lambda disconnect: disconnect.reason)
def test_it_fits_into_a_close_frame(disconnect: Disconnect):
    assert 0 < len(disconnect.reason.encode()) <= 123
    # RFC 6455 §7.4: what an endpoint may put into a frame.
    assert disconnect.code in (1000, 1001, 1009) or 3000 <= disconnect.code < 4000


@pytest.mark.parametrize(
    ("codes", "reconnect"),
    [
        ([1000, 1001, 1006, 1008, 1011, 1012, 1013], True),
        ([1002, 1003, 1007, 1009], False),
        ([3000, 3001, 3008, 3499], True),
        ([3500, 3503, 3999, 4000, 4999], False),
    ],
)
def test_CONN_21_the_code_says_whether_to_come_back(codes: list[int], reconnect: bool):
    assert [may_reconnect(code) for code in codes] == [reconnect] * len(codes)


def test_CONN_21_which_of_ours_come_back():
    final = {disconnect.reason for disconnect in DISCONNECTS if not disconnect.reconnect}
    assert final == {
        "frame too large",
        "token refused or expired",
        "bad frame",
        "no hello in time",
        "session revoked",
        "too many connections of this user",
        "protocol version not supported",
        "no valid subscription",
        "forbidden",
    }
