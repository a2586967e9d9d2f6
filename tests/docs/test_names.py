"""Names that the pages tell of are names that there are: settings, metrics, endpoints, files."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from palaver.engine import Settings
from palaver.tests.docs.blocks import PAGES, ROOT
from palaver.tests.docs.commands import check_endpoint
from palaver.tests.support.web import web

SECTIONS = {
    name: set(field.annotation.model_fields)
    for name, field in Settings.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
}
DEFAULTS = Settings()
SETTING = rf"(?<![\w/])({'|'.join(SECTIONS)})\.(?!py\b)([a-z]\w*)"
ROOM = r"(?:\.ci|actors|benchmarks|clients|docs|engine|gateway|hosting|persistence|protocol|tests)"
EXAMPLES = {"protocol/features/flags.py", "tests/protocol/features/test_flags.py"}

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def inline(page: Path) -> str:
    """What stands in backquotes in the text, one a line."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    return "\n".join(re.findall(r"`([^`\n]+)`", text))


@each_page
def test_settings_are_there(page):
    for section, name in re.findall(SETTING, inline(page)):
        assert name in SECTIONS[section], f"{section}.{name}"
    for section, name in re.findall(r"PALAVER_([A-Z]+)__(\w+)", page.read_text()):
        assert name.lower() in SECTIONS[section.lower()]


UNITS = {"": 1, " s": 1, " ms": 0.001, " MB": 1_000_000, " KiB": 1024, " MiB": 1024**2}


@each_page
def test_defaults_are_what_they_are_said_to_be(page):
    for section, name, number, unit in re.findall(
        rf"`({'|'.join(SECTIONS)})\.(\w+)` \(([\d.,]*\d)({'|'.join(UNITS)})[),]", page.read_text()
    ):
        default = getattr(getattr(DEFAULTS, section), name)
        assert float(number.replace(",", "")) * UNITS[unit] == default, f"{section}.{name}"


@each_page
def test_endpoints_are_there(page):
    told = re.findall(r"^(GET|POST|PUT|PATCH|DELETE) (/[^\s?]+)\S*$", inline(page), re.M)
    for method, path in told:
        check_endpoint(method, path if path.startswith(("/v1/", "/metrics")) else f"/v1{path}")


@each_page
def test_files_are_there(page):
    for path in re.findall(rf"^{ROOM}/[\w./-]*$", inline(page), re.M):
        assert (ROOT / path).exists() or path in EXAMPLES, path


async def test_every_metric_is_told_of_and_no_other():
    async with web() as here:
        figures = (await here.http.get("/metrics")).text
    there = set(re.findall(r"^# TYPE (\w+)(?<!_created) ", figures, re.M))
    told = set(re.findall(r"palaver_\w+", "".join(page.read_text() for page in PAGES)))
    assert told == there


def test_every_directory_is_on_the_map():
    rooms = {
        each.parent.name for each in ROOT.glob("*/*.py") if not each.parent.name.startswith(".")
    }
    rows = re.findall(r"^\| `(\w+)/` \|", (ROOT / "docs/architecture.md").read_text(), re.M)
    assert set(rows) == rooms | {"clients", "tests"}
