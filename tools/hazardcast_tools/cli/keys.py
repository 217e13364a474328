"""`hazardcast keys`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from hazardcast.config import settings as settings_module
from hazardcast.config import site
from hazardcast.signing import key_rotation, trust
from hazardcast_tools.cli.telling import tell

app = typer.Typer(no_args_is_help=True)
Station = Annotated[
    int | None, typer.Option(help="The station's id; that of cameras.yaml when left out.")
]
Algorithm = Annotated[
    Literal["EdDSA", "HS256"],
    typer.Option(help="With HS256 whoever verifies can also forge: only for closed test networks."),
]
AsJson = Annotated[bool, typer.Option("--json", help="As one JSON object.")]


def _keys_dir() -> Path:
    return settings_module.load().keys_dir


def _station(given: int | None) -> int:
    if given is not None:
        return given
    config = settings_module.load().config
    return site.load(config).site.station_id if config.exists() else site.Site().station_id


@app.command()
def init(station: Station = None, algorithm: Algorithm = "EdDSA") -> None:
    """Make signing key, trust store and HTTP token where they do not exist yet."""
    folder = _keys_dir()
    trust.ensure_keys(folder, station=_station(station), algorithm=algorithm)
    trust.ensure_clip_key(
        settings_module.load().clip_key_path,
        station=_station(station),
        truststore=folder / trust.TRUSTSTORE_FILE,
    )
    kid = trust.load_signer(folder / trust.SIGNING_KEY_FILE).kid
    tell(f"{folder}: signing with {kid}")
    tell(f"bring {folder / trust.TRUSTSTORE_FILE} to the vehicles; keep the rest here")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show the keys that vehicles trust, and which one signs."""
    folder = _keys_dir()
    version, entries = key_rotation.read_entries(folder / trust.TRUSTSTORE_FILE)
    signing = trust.load_signer(folder / trust.SIGNING_KEY_FILE).kid
    rows = [
        {
            "kid": entry["kid"],
            "station": entry["station"],
            "state": entry["state"],
            "algorithm": "HS256" if entry["jwk"]["kty"] == "oct" else "EdDSA",
            "signs": entry["kid"] == signing,
        }
        for entry in entries
    ]
    if as_json:
        tell(json.dumps({"version": version, "keys": rows}))
        return
    for row in rows:
        mark = "signs alerts" if row["signs"] else ""
        tell(f"{row['kid']}  {row['algorithm']}  station {row['station']}  {row['state']:8} {mark}")


@app.command()
def rotate(
    prepare: Annotated[
        bool,
        typer.Option("--prepare", help="Only make the next key, so that vehicles can learn it."),
    ] = False,
    station: Station = None,
    algorithm: Algorithm = "EdDSA",
) -> None:
    """Sign with another key; the old one stays trusted until it is revoked."""
    folder, number = _keys_dir(), _station(station)
    if prepare:
        kid = key_rotation.prepare(folder, station=number, algorithm=algorithm)
        tell(f"next key {kid}: bring {folder / trust.TRUSTSTORE_FILE} to the vehicles, then rotate")
        return
    old, new = key_rotation.rotate(folder, station=number, algorithm=algorithm)
    tell(f"signing with {new}, {old} is retired; a running alerter takes it up by itself")


@app.command()
def revoke(kid: Annotated[str, typer.Argument(help="The key's id, as `keys list` shows.")]) -> None:
    """Trust a key no longer."""
    folder = _keys_dir()
    key_rotation.revoke(folder, kid)
    tell(f"{kid} is revoked; bring {folder / trust.TRUSTSTORE_FILE} to the vehicles")
