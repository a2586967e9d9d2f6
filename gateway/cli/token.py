"""`palaver token`: a signed token for a user, for trying things out and for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from . import development
from .options import Config, Data, duration, load_settings
from .words import Problem, in_words

if TYPE_CHECKING:
    from ...engine.sections import Auth


def mint(user: str, secret: str, ttl: int, auth: Auth) -> str:
    """A token for `user`, good for `ttl` seconds, as a server with the settings `auth` wants it."""
    from pydantic import SecretStr, ValidationError

    from ...engine import StartupError
    from ..auth import issue_token

    try:
        return issue_token(
            auth.model_copy(update={"secret": SecretStr(secret)}), user, ttl_s=float(ttl)
        )
    except ValidationError:
        raise Problem(f"{user!r} is no user id: 1 to 128 printable characters.") from None
    except StartupError as error:
        raise Problem(f"{error}.") from None


@in_words
def token(
    user: Annotated[str, typer.Argument(help="Who the token is for.")],
    ttl: Annotated[str, typer.Option(metavar="TIME", help="How long it is good: 90s, 30d.")] = "1h",
    secret: Annotated[
        str | None, typer.Option(help="The server's secret; by default as configured.")
    ] = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Print a token for USER, signed with the secret of the server's settings."""
    settings = load_settings(config, storage={"data": data})
    secret = secret or development.local_secret(settings)
    if secret is None:
        raise Problem(
            "no secret to sign with: give --secret or --config, or start `palaver serve` once in "
            "development mode."
        )
    typer.echo(mint(user, secret, duration(ttl), settings.auth))
