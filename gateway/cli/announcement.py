"""What `palaver serve` says when it is up: where it listens, and what to type next."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from . import development
from .options import duration, local_url

if TYPE_CHECKING:
    from ...engine.settings import Settings
    from ..listening import Listening

DEVELOPERS = ("ann", "bob")
TOKEN_LIFE = "30d"


def announcement(settings: Settings, listening: Listening) -> str:
    """Where it listens and, in development mode, what to type next."""
    from ... import __version__

    product = "" if settings.profile is None else f" as {settings.policy.profile}"
    lines = [
        f"palaver {__version__}{product}, keeping {_kept(settings)}",
        "",
        f"  WebSocket   {listening.ws_url}",
        f"  HTTP        {listening.http_url}",
    ]
    if settings.listen.development:
        lines += ["", f"Open {listening.http_url}/ in a browser."]
        lines += ["", *_what_to_type(settings, listening)]
    return "\n".join([*lines, "", "Ctrl-C stops it."])


def _kept(settings: Settings) -> str:
    storage = settings.storage
    if storage.memory:
        return "nothing: all is gone when it stops"
    if storage.dsn is not None:
        return "its data in your Postgres"
    return f"its data in {development.data_directory(settings)}"


def _what_to_type(settings: Settings, listening: Listening) -> list[str]:
    """Two chats, and two tokens for one's own client, that work as they stand here."""
    from ...engine import StartupError

    ttl = duration(TOKEN_LIFE)
    try:
        tokens = {user: listening.issue_token(user, ttl_s=ttl) for user in DEVELOPERS}
    except StartupError:
        return ["Development mode. Tokens are checked with your public key, so bring your own."]
    told = [f"  {user}  {token}" for user, token in tokens.items()]
    if "direct" not in settings.policy.kinds:  # which chat would open
        return [f"Development mode. Tokens for your own client, good for {TOKEN_LIFE}:", "", *told]
    options = _options_of_chat(settings, listening)
    kept = _key_is_kept(settings)
    chats = [
        f"  {_program()} chat --as {user} --with {other}{options}"
        + ("" if kept else f" --token {tokens[user]}")
        for user, other in zip(DEVELOPERS, reversed(DEVELOPERS), strict=True)
    ]
    lines = ["Development mode. Try it in two more terminals:", "", *chats, ""]
    if not kept:
        return [
            *lines,
            f"The tokens work for your own client, too; they are good for {TOKEN_LIFE}.",
        ]
    return [*lines, f"Tokens for your own client, good for {TOKEN_LIFE}:", "", *told]


def _key_is_kept(settings: Settings) -> bool:
    """Whether chat will find the key by itself and make tokens with it."""
    directory = development.data_directory(settings)
    secret = settings.auth.secret
    if directory is None or secret is None:
        return False
    return development.find(directory) == secret.get_secret_value()


def _options_of_chat(settings: Settings, listening: Listening) -> str:
    """What chat must be told, because it is not as it is by default."""
    options = ""
    tls = listening.certificate is not None
    if (url := local_url(listening.host, listening.port, tls=tls)) != local_url():
        options += f" --url {url}"
    if tls:
        options += f" --ca {shlex.quote(str(settings.tls.certificate))}"
    if settings.storage.data is not None and not settings.storage.memory:
        options += f" --data {shlex.quote(str(settings.storage.data))}"
    return options


def _program() -> str:
    """How this program is called from here."""
    called = Path(sys.argv[0])
    found = shutil.which("palaver")
    if found is not None and called.exists() and Path(found).samefile(called):
        return "palaver"
    return shlex.quote(os.path.relpath(called)) if called.name == "palaver" else "palaver"
