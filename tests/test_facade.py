"""What ``palaver`` promises to export is there, and is fetched only when asked for."""

import subprocess
import sys

import pytest

import palaver


@pytest.mark.parametrize("name", palaver.__all__)
def test_every_exported_name_resolves(name: str) -> None:
    assert getattr(palaver, name) is not None


def test_the_exported_names_are_listed() -> None:
    assert set(palaver.__all__) <= set(dir(palaver))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        palaver.nonsense  # type: ignore[attr-defined]  # noqa: B018


def test_importing_palaver_loads_none_of_its_packages() -> None:
    code = "import palaver, sys; print([m for m in sys.modules if m.startswith('palaver.')])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
