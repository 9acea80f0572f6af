"""signloom serve: the studio page and the HTTP API, on this machine."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Annotated

import typer

from signloom.errors import MissingExtraError, UsageError


def run(
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="Checkpoint folder or hub id; may be given several times. The first that can do a task "
            "is its usual model.  [default: the bundled translator and recogniser]"
        ),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 = any that is free.")] = 8765,
    host: Annotated[
        str, typer.Option(help="Address to listen on; beyond loopback an access token is wanted.")
    ] = "127.0.0.1",
    token: Annotated[
        str | None,
        typer.Option(
            envvar="SIGNLOOM_TOKEN",
            help="Access token.  [default: none on loopback, else a new one, which is printed]",
        ),
    ] = None,
    max_mib: Annotated[int, typer.Option(min=1, help="Most MiB of one upload.")] = 2048,
    max_seconds: Annotated[
        float, typer.Option(min=1, help="Longest recording, seconds.")
    ] = 10_800.0,
    keep: Annotated[
        float, typer.Option(min=1, help="Seconds that results stay after a job ended.")
    ] = 900.0,
    holistic: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the unpacked npm package @mediapipe/holistic: the page then takes skeletons "
            "in the browser, and videos stay there.  [default: videos are sent to this server]"
        ),
    ] = None,
) -> None:
    """Serve the studio, a page in the browser, and an HTTP API with the same four tasks.

    Nothing leaves this machine; a video is deleted when its poses are extracted. Stop it with
    Ctrl-C.
    """
    import importlib.util

    for module in ("fastapi", "uvicorn", "python_multipart", "prometheus_client", "websockets"):
        if importlib.util.find_spec(module) is None:
            raise MissingExtraError("the server", "serve")
    import secrets

    import uvicorn

    from signloom.web.guard import LOOPBACK
    from signloom.web.holistic import checked_folder
    from signloom.web.limits import Limits
    from signloom.web.models import USUAL, Models
    from signloom.web.server import build

    local = host in LOOPBACK
    if token is None and not local:
        token = secrets.token_urlsafe(24)
    if token is not None and not re.fullmatch(r"[A-Za-z0-9._-]+", token):
        raise UsageError("the access token may have letters, digits and . _ - alone; give another")
    package = None if holistic is None else checked_folder(holistic)
    listening = bound(host, port)
    limits = Limits(bytes=max_mib << 20, seconds=max_seconds, keep=keep)
    models = Models.loaded(model or USUAL)
    app = build(models, limits, token, LOOPBACK if local else None, package)
    at = f"[{host}]" if ":" in host else host
    query = "" if token is None else f"/?token={token}"
    named = ", ".join(held.name for held in models.held)
    typer.echo(
        f"signloom studio: http://{at}:{listening.getsockname()[1]}{query} ({named}); Ctrl-C stops it"
    )
    config = uvicorn.Config(
        app,
        log_level="warning",
        lifespan="on",
        ws="websockets-sansio",
        ws_max_size=2 * limits.message_bytes,
        ws_per_message_deflate=False,
        server_header=False,
    )
    uvicorn.Server(config).run(sockets=[listening])


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens on the address. Raises UsageError where it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)  # who reads the address may call at once
    except OSError as error:
        listening.close()
        raise UsageError(
            f"cannot listen on {host}, port {port} ({error.strerror or error}); choose another with "
            "--port, or --port 0 for any that is free"
        ) from None
    return listening
