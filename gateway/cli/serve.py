"""`palaver serve`: the engine and its listeners as a process that stops well."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import AsyncIterator, Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import development
from .announcement import announcement
from .options import Config, Data, Dsn, Profile, load_settings
from .words import Problem, complain, in_words, ungrouped

if TYPE_CHECKING:
    import trio

    from ...engine.host.ports import Ports
    from ...engine.settings import Settings
    from ...engine.testing.shifted_clock import ShiftedClock
    from ..tls import Certificate


class Durability(StrEnum):
    commit = "commit"
    write_behind = "write_behind"
    relaxed = "relaxed"


class LogLevel(StrEnum):
    debug = "debug"
    info = "info"
    warning = "warning"
    error = "error"


class LogFormat(StrEnum):
    console = "console"
    json = "json"


@in_words
def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; 0.0.0.0 for all.", show_default=False)
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="WebSocket port [8765].", min=0, max=65535)
    ] = None,
    http_port: Annotated[
        int | None, typer.Option(help="HTTP port [8766].", min=0, max=65535)
    ] = None,
    dsn: Dsn = None,
    data: Data = None,
    memory: Annotated[
        bool | None, typer.Option("--memory", help="Keep nothing; for trying things out.")
    ] = None,
    profile: Profile = None,
    config: Config = None,
    dev: Annotated[
        bool | None,
        typer.Option("--dev/--no-dev", help="Development mode: make up a secret, print tokens."),
    ] = None,
    tls_cert: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Speak TLS with this certificate; SIGHUP reads it again."
        ),
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its key, if not in the same file.")
    ] = None,
    durability: Annotated[Durability | None, typer.Option(help="What a reply promises.")] = None,
    log_level: Annotated[LogLevel | None, typer.Option()] = None,
    log_format: Annotated[LogFormat | None, typer.Option()] = None,
    clock_offset: Annotated[Path | None, typer.Option(hidden=True)] = None,
    sabotage: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run the server: WebSocket, HTTP, and Postgres if you have none of your own.

    Without a secret and on this machine only, it runs in development mode and says what to try.
    """
    import trio

    settings = load_settings(
        config,
        profile=profile,
        listen={"host": host, "http_host": host, "port": port, "http_port": http_port},
        storage={"dsn": dsn, "data": data, "memory": memory},
        tls={"certificate": tls_cert, "key": tls_key},
        policy={"durability": durability},
        log_level=log_level,
        log_format=log_format,
    )
    from ...engine import StartupError

    try:
        with ungrouped():
            trio.run(_run, _with_secret(settings, dev), _rigged(clock_offset, sabotage))
    except StartupError as error:
        raise Problem(_with_advice(str(error), settings)) from None


def _rigged(clock_offset: Path | None, sabotage: str | None) -> ShiftedClock | None:
    """What `palaver chaos` does to the engine: a clock that jumps at SIGUSR1, a planted bug."""
    if sabotage is not None:
        from ...engine.testing.sabotage import plant

        plant(sabotage)
    if clock_offset is None:
        return None
    from ...engine.testing.shifted_clock import ShiftedClock

    clock = ShiftedClock(clock_offset)
    signal.signal(signal.SIGUSR1, lambda *_: clock.read())
    return clock


def _with_secret(settings: Settings, dev: bool | None) -> Settings:
    """Decide on development mode, and see to it that tokens can be checked."""
    from pydantic import SecretStr

    auth, listen = settings.auth, settings.listen
    configured = bool(auth.secret or auth.public_key or auth.public_key_file or auth.jwks)
    if dev is None:
        dev = listen.development or (not configured and _on_loopback(settings))
    if not configured:
        if not dev:
            raise Problem(_no_secret(settings))
        directory = development.data_directory(settings)
        key = development.find(directory) if directory is not None else None
        auth = auth.model_copy(update={"secret": SecretStr(key or development.make())})
    listen = listen.model_copy(update={"development": dev})
    return settings.model_copy(update={"listen": listen, "auth": auth})


def _no_secret(settings: Settings) -> str:
    where = (
        ""
        if _on_loopback(settings)
        else f"{settings.listen.host} can be reached from elsewhere, and "
    )
    return (
        f"{where}no secret is configured to check tokens with. Set PALAVER_AUTH__SECRET, or "
        "auth.secret in a --config file, to at least 32 random bytes; --dev makes one up, which is "
        "good for trying things out only."
    )


def _on_loopback(settings: Settings) -> bool:
    from ..listeners import on_loopback

    return on_loopback(settings.listen)


async def _run(settings: Settings, clock: ShiftedClock | None) -> None:
    """From opening the store to the end of the drain. Returns after a clean stop."""
    import trio

    from ...engine.logs import configure

    configure(settings)
    # In a thread of its own, so that it comes whatever hangs.
    patience = threading.Timer(settings.shutdown_s, _end, ("not everything ended in time",))
    patience.daemon = True
    try:
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async with trio.open_nursery() as nursery:
                with trio.CancelScope() as serving:
                    nursery.start_soon(_stop_on_signal, signals, serving, patience.start)
                    await _serve(settings, clock)
                nursery.cancel_scope.cancel()
    finally:
        patience.cancel()
    _say("stopped")


async def _serve(settings: Settings, clock: ShiftedClock | None) -> None:
    """Until cancelled; then the listeners drain first, the engine after them."""
    import trio

    from ...engine import Engine
    from ...engine.collector import tune
    from ..demo import DemoPeople
    from ..server import serve as listen

    ports: Ports = {}
    if settings.listen.development and settings.host.users == "any":
        ports["users"] = DemoPeople()
    async with (
        Engine(settings, clock=clock, progress=_say, **ports) as engine,
        trio.open_nursery() as nursery,
    ):
        listening = await nursery.start(listen, engine)
        if settings.listen.development:
            _keep_key(settings)
        if listening.certificate is not None:
            await nursery.start(_reload_on_signal, listening.certificate)
        typer.echo(announcement(settings, listening))
        tune()


async def _reload_on_signal(
    certificate: Certificate, *, task_status: trio.TaskStatus[None]
) -> None:
    import trio

    with trio.open_signal_receiver(signal.SIGHUP) as signals:
        task_status.started()
        async for _ in signals:
            certificate.reload()


async def _stop_on_signal(
    signals: AsyncIterator[int], serving: trio.CancelScope, draining: Callable[[], None]
) -> None:
    """The first signal drains; the second one ends the process where it stands."""
    async for _ in signals:
        if serving.cancel_called:
            _end("stopped at once")
        _say("draining; once more to stop at once")
        serving.cancel()
        draining()


def _end(why: str) -> None:
    """End the process where it stands. What was answered is stored already."""
    complain(f"{why}; what was not answered may be lost")
    os._exit(1)


def _say(sentence: str) -> None:
    typer.echo(f"palaver: {sentence}", err=True)


def _keep_key(settings: Settings) -> None:
    """Keep the key for the next time, now that the data directory is ours."""
    directory = development.data_directory(settings)
    if directory is not None and settings.auth.secret is not None:
        development.keep(settings.auth.secret.get_secret_value(), directory)


def _with_advice(reason: str, settings: Settings) -> str:
    if "address already in use" not in reason:
        return reason
    flag = "--http-port" if f":{settings.listen.http_port}:" in reason else "--port"
    return f"{reason.rstrip('.')}; stop what listens there, or choose another with {flag}."
