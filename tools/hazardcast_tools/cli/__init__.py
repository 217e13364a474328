"""`hazardcast`: one file per verb, of which only the one asked for is imported."""

from __future__ import annotations

import importlib
import os
import sys
from typing import NoReturn

import typer

from hazardcast.contract.errors import HazardcastError
from hazardcast_tools.cli.telling import spell_out_what_cannot_be_shown, tell

VERBS = {
    "demo": "The whole system on this machine: an accident, the vehicles' console, a clip.",
    "up": "Run the services for the cameras of cameras.yaml, and keep them running.",
    "emit": "Report an incident, as a camera or another system would.",
    "listen": "Verify and print the datagrams that vehicles receive.",
    "kpi": "Measure the promises on a running system, and say how surely they hold.",
    "check": "Look for what would keep the system from working, from keys to network.",
    "keys": "Make, show, rotate and revoke the keys that sign alerts.",
    "push": "Bring a webcam's, a file's or another camera's pictures to a pushed camera.",
    "clip": "Request the video around a moment by hand.",
    "verify": "Judge whether a clip is as it was when it was signed.",
    "recordings": "What is recorded, and where it has gaps.",
    "report": "How many alarms were true, by verdicts, and what auto_confidence would do.",
    "evaluate": "Measure detection over labelled clips.",
    "models": "List, fetch and check detection models.",
    "bench": "Measure latency, throughput and load on this machine.",
    "schemas": "Write the JSON Schemas, asyncapi.yaml and the documents' tables anew.",
    "version": "The version of this installation.",
}
"""Every verb and the line that tells what it is for."""

MODULES_RUN = {
    "evaluate": "detector.evaluation",
    "models": "detector.models",
    "push": "camera.push",
    "bench": "benchmarks",
    "schemas": "hazardcast_tools.generate.contracts",
}
"""Verbs that are a module of their own: the rest of the command line is passed on to it."""

EXIT_BAD_CONFIGURATION = 2


def build(verb: str | None) -> typer.Typer:
    """The command line, with `verb` imported and of the others only name and purpose."""
    app = typer.Typer(
        help="Roadside cameras see an accident, tell every vehicle nearby, and keep the video.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name, purpose in VERBS.items():
        if name != verb:
            app.command(name, help=purpose)(_not_imported)
        else:
            _add(app, name, purpose)
    return app


def _not_imported() -> None:
    """Stands for a verb that was not asked for."""


def _add(app: typer.Typer, name: str, purpose: str) -> None:
    importlib.import_module("hazardcast.service.logs").configure("WARNING", "text")
    try:
        module = importlib.import_module(f"hazardcast_tools.cli.{name}")
    except ModuleNotFoundError as error:
        if str(error.name).startswith("hazardcast"):
            raise
        _needs(name, str(error.name))
    if hasattr(module, "app"):
        app.add_typer(module.app, name=name, help=purpose)
    else:
        app.command(name, help=purpose)(getattr(module, name))


def main() -> None:
    """Run the command line; exit code 1 for a failed check, 2 for a wrong configuration.

    What the system refuses ends with 2 too, and one line that says where and what to do.
    """
    arguments = sys.argv[1:]
    verb = next((argument for argument in arguments if not argument.startswith("-")), None)
    if verb in MODULES_RUN and arguments[0] == verb:
        _run_module(verb, arguments[1:])
    spell_out_what_cannot_be_shown()
    try:
        build(verb)(prog_name="hazardcast")
    except HazardcastError as error:
        tell(f"hazardcast: {error}", err=True)
        sys.exit(EXIT_BAD_CONFIGURATION)
    except (OSError, RuntimeError) as error:
        why = importlib.import_module("hazardcast.service.lifecycle").refused(error)
        if why is None:
            raise
        tell(f"hazardcast: {why}", err=True)
        _drop_unwritten()
        sys.exit(EXIT_BAD_CONFIGURATION)


def _drop_unwritten() -> None:
    """What stdout does not take is not tried again at the end, where it would be a traceback."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run_module(verb: str, arguments: list[str]) -> None:
    """Become the module that is the verb."""
    module = MODULES_RUN[verb]
    try:
        found = importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        found = False
    if not found:
        _needs(verb, module)
    processes = importlib.import_module("hazardcast.service.processes")
    sys.exit(processes.run_module(module, arguments))


def _needs(verb: str, module: str) -> NoReturn:
    """Say what a verb lacks in an image or an installation that was made for less."""
    tell(
        f"hazardcast: {verb} needs the module {module}: run it in the project's folder, "
        "after pip install -e '.[demo]'",
        err=True,
    )
    sys.exit(EXIT_BAD_CONFIGURATION)
