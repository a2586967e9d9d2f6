"""`palaver config`: the default configuration, commented."""

from __future__ import annotations

import typer

from .words import in_words


@in_words
def config() -> None:
    """Print every setting with its default, as a TOML file to start from.

    palaver config > palaver.toml && palaver serve --config palaver.toml
    """
    from ...engine.default_config import default_toml

    typer.echo(default_toml(), nl=False)
