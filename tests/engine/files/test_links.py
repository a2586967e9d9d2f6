"""An address is good for one file, for a while."""

from urllib.parse import parse_qs, urlsplit

import pytest

from palaver.engine.files.links import SignedLinks
from palaver.protocol.errors import Rejected

PATH = "/v1/files/00000000-0000-7000-8000-000000000001"
TTL_S = 3600


class Time:
    def __init__(self) -> None:
        self.ms = 1_700_000_000_999

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def links(time: Time) -> SignedLinks:
    return SignedLinks(b"k" * 32, TTL_S, time)


def parts(url: str) -> tuple[str, int, str]:
    split = urlsplit(url)
    query = parse_qs(split.query)
    return split.path, int(query["expires"][0]), query["signature"][0]


def test_ATT_18_an_address_is_good_for_an_hour(links: SignedLinks, time: Time):
    signed = parts(links.sign(PATH))
    links.check(*signed)
    time.ms += TTL_S * 1000 - 1000
    links.check(*signed)
    time.ms += 1000
    with pytest.raises(Rejected) as no:
        links.check(*signed)
    assert no.value.code == "PERMISSION_DENIED"


def test_ATT_18_nothing_of_it_can_be_changed(links: SignedLinks, time: Time):
    path, expires, signature = parts(links.sign(PATH))
    other = parts(SignedLinks(b"x" * 32, TTL_S, time).sign(PATH))
    for changed in (
        (path + "/300", expires, signature),
        (path, expires + 1, signature),
        (path, expires, signature[:-1] + "x"),
        (path, expires, "ü"),
        (path, expires, ""),
        other,
    ):
        with pytest.raises(Rejected):
            links.check(*changed)


def test_what_lies_elsewhere_is_not_signed(links: SignedLinks):
    for url in ("https://example.org/a.png", "/other/a.png"):
        assert links.sign(url) == url
