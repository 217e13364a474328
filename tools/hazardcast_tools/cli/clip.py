"""`hazardcast clip`."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer

from hazardcast.config import settings as settings_module
from hazardcast.contract.errors import ConfigError, DecodeError
from hazardcast.contract.messages import ClipRequest
from hazardcast.contract.topics import CLIP_REQUESTS, CLIPS
from hazardcast.machine.clock import SystemClock
from hazardcast_tools.cli.session import visit
from hazardcast_tools.cli.telling import tell


def clip(
    *,
    camera: Annotated[str, typer.Option(help="The camera's id.")],
    at: Annotated[
        str, typer.Option(help="The moment: RFC 3339 with a zone, epoch seconds, or `now`.")
    ] = "now",
    pre_s: Annotated[
        float | None, typer.Option("--pre", help="Seconds to keep from before it.")
    ] = None,
    post_s: Annotated[
        float | None, typer.Option("--post", help="Seconds to keep from after it.")
    ] = None,
    hold: Annotated[
        bool, typer.Option("--hold", help="Keep the clip until its .hold file is removed.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The request as JSON.")] = False,
) -> None:
    """Request the video around a moment by hand."""
    settings = settings_module.load()
    fields = {
        "event_id": f"by-hand-{secrets.token_hex(4)}",
        "camera": camera,
        "ts": SystemClock().now() if at == "now" else at,
        "pre_s": settings.clip_pre_s if pre_s is None else pre_s,
        "post_s": settings.clip_post_s if post_s is None else post_s,
        "reason": "requested by hand",
        "hold": hold or None,
    }
    try:
        request = ClipRequest.parse(fields)
    except DecodeError as error:
        raise ConfigError(f"clip: {error}") from None
    with visit(settings) as bus:
        bus.publish(CLIP_REQUESTS, request)
        if not bus.flush(5.0):
            raise ConfigError("the broker did not acknowledge the request")
    if as_json:
        tell(request.encode())
    else:
        topic = CLIPS.path(event_id=request.event_id)
        tell(f"requested {request.event_id}; its state is told on {topic}")
