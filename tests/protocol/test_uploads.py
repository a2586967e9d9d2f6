"""What may be uploaded, and what it is called."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver.engine.profiles import NAMES
from palaver.engine.settings import Settings
from palaver.protocol.errors import Rejected
from palaver.protocol.policy import Policy
from palaver.protocol.uploads import (
    EXTENSIONS,
    Content,
    Upload,
    announced,
    safe_name,
    served_here,
)

ID = "00000000-0000-7000-8000-000000000001"
PDF = "application/pdf"


def announce(name: str = "a.pdf", mime: str = PDF, size: int = 1, **policy: Any) -> Upload:
    return announced(ID, "ann", name, mime, size, 5, Policy.model_validate(policy))


def refusal(*args: Any, **policy: Any) -> tuple[str, Any]:
    with pytest.raises(Rejected) as no:
        announce(*args, **policy)
    return no.value.code, no.value.details


def test_ATT_06_what_is_allowed_can_be_announced():
    for type, mimes in Policy().attachment_types.items():
        for mime in mimes:
            for ending in EXTENSIONS[mime]:
                upload = announce(f"a.{ending.upper()}", mime)
                assert (upload.type, upload.mime, upload.content) == (type, mime, None)
    assert announce("nothing after a point").name == "nothing after a point"


@pytest.mark.parametrize("profile", [None, *NAMES])
def test_ATT_06_every_type_that_a_product_allows_is_known(profile: str | None):
    policy = Settings(profile=profile).policy
    assert {each for mimes in policy.attachment_types.values() for each in mimes} <= {*EXTENSIONS}


def test_ATT_06_what_is_not_allowed_is_refused_with_what_is():
    types = {"image": ["image/png"], "file": ["application/pdf"]}
    details = {"field": "mime", "allowed": ["image/png", "application/pdf"]}
    for mime in ("application/x-msdownload", "image/gif", "IMAGE/PNG", ""):
        no = refusal("a.exe", mime, 1, attachment_types=types)
        assert no == ("INVALID_FILE_TYPE", details)
    only_files = {"file": 10}
    no = refusal("a.png", "image/png", 1, attachment_types=types, attachment_limits=only_files)
    assert no[1]["allowed"] == ["application/pdf"]


def test_ATT_07_the_ending_must_fit_the_type():
    code, details = refusal("report.exe", PDF)
    assert (code, details) == ("INVALID_FILE_TYPE", {"field": "name", "allowed": ["pdf"]})
    assert refusal("a.pdf.exe", PDF)[0] == "INVALID_FILE_TYPE"


def test_ATT_05_a_file_of_the_limit_is_not_too_large():
    limits = {"file": 1000}
    assert announce(size=1000, attachment_limits=limits).size == 1000
    no = refusal("a.pdf", PDF, 1001, attachment_limits=limits)
    assert no == ("ATTACHMENT_TOO_LARGE", {"field": "size", "max_bytes": 1000})


@pytest.mark.parametrize(
    ("original", "name"),
    [
        ("../../x<>.png", "x.png"),
        ("C:\\Windows\\win.ini", "win.ini"),
        ("a\0b\r\n.txt", "ab.txt"),
        ("CON.txt", "CON_.txt"),
        (".hidden.", "hidden"),
        ("grüße 世界.pdf", "grüße 世界.pdf"),
        ('"quoted".txt', "quoted.txt"),
    ],
)
def test_ATT_08_names_are_made_safe(original: str, name: str):
    assert safe_name(original) == name
    upload = announce(original, "text/plain") if name.endswith("txt") else None
    assert upload is None or (upload.name, upload.original_name) == (name, original)


@given(st.text(max_size=400))
def test_ATT_08_whatever_it_was_called(original: str):
    try:
        name = safe_name(original)
    except Rejected:  # nothing is left of it
        return
    assert 0 < len(name) <= 255
    assert not {*'/\\<>:"|?*\0\r\n'} & {*name}
    assert not name.startswith(".")


def test_ATT_01_only_what_is_ready_can_be_sent():
    upload = announce()
    with pytest.raises(Rejected) as no:
        upload.attachment()
    assert (no.value.code, no.value.details) == ("ATTACHMENT_NOT_READY", {"upload": ID})


def test_ATT_29_what_a_client_needs_to_show_it_before_it_is_loaded():
    upload = Upload(ID, "ann", "image", "image/png", 9, "a.png", "a.png", 5)
    content = Content(7, b"", 40, 20, (150, 300, 600))
    assert replace(upload, content=content).attachment() == {
        "type": "image",
        "url": f"/v1/files/{ID}",
        "thumbnail_url": f"/v1/files/{ID}/300",
        "name": "a.png",
        "mime": "image/png",
        "size": 7,
        "width": 40,
        "height": 20,
    }


@pytest.mark.parametrize(
    ("url", "found"),
    [
        (f"/v1/files/{ID}", (ID, None)),
        (f"/v1/files/{ID}/300", (ID, 300)),
        (f"/v1/files/{ID}/", None),
        (f"/v1/files/../{ID}", None),
        (f"https://example.org/v1/files/{ID}", None),
        (f"/v1/files/{ID}?x", None),
        ("/v1/files/x", None),
    ],
)
def test_what_is_served_here(url: str, found: object):
    assert served_here(url) == found


def test_ATT_06_a_product_may_allow_what_is_not_known_here():
    upload = announce(
        "a.epub", "application/epub+zip", attachment_types={"file": [PDF, "application/epub+zip"]}
    )
    assert (upload.type, upload.mime) == ("file", "application/epub+zip")
