"""`hazardcast version`."""

from __future__ import annotations

import json
import platform
from typing import Annotated

import typer

from hazardcast import __version__
from hazardcast_tools.cli.telling import tell


def version(
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """The version of this installation."""
    facts = {"hazardcast": __version__, "python": platform.python_version()}
    if as_json:
        tell(json.dumps(facts))
    else:
        tell(f"hazardcast {__version__} (Python {facts['python']})")
