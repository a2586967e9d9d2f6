"""What `palaver.gateway` promises to export is there, and is loaded only when it is asked for."""

import subprocess
import sys

import pytest

import palaver.gateway


@pytest.mark.parametrize("name", palaver.gateway.__all__)
def test_every_exported_name_resolves(name: str) -> None:
    assert getattr(palaver.gateway, name) is not None
    assert name in dir(palaver.gateway)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        palaver.gateway.nonsense  # type: ignore[attr-defined]  # noqa: B018


def test_a_client_does_not_load_a_server() -> None:
    code = "import palaver.gateway.client, sys; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert "palaver.gateway.client" in loaded
    assert not loaded & {"fastapi", "hypercorn", "websockets", "asyncpg", "palaver.engine"}
