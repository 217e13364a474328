"""A server that asks for a password gets the one that was made for it, from a file of its own."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from console.store import database
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hazardcast.config.settings import Settings
from hazardcast.testing import eventually
from tests.console.conftest import as_user, folder_for, missing, postgres_programs

PASSWORD = "a/secret:with@signs%2F"


@pytest.fixture
def guarded() -> Iterator[Path]:
    """The folder of a PostgreSQL's socket, as Compose's: `hazardcast` comes in with a password."""
    programs = postgres_programs()
    if programs is None:
        missing("postgresql")
    assert programs
    with folder_for("postgres") as folder:
        word, data = folder / "password", folder / "d"
        word.write_text(PASSWORD + "\n")
        word.chmod(0o644)
        made = [str(programs / "initdb"), "-D", str(data), "-A", "scram-sha-256", "-U", "hazardcast", f"--pwfile={word}", "--no-sync"]  # fmt: skip
        subprocess.run([*as_user("postgres"), *made], check=True, stdout=subprocess.DEVNULL)
        server = subprocess.Popen(
            [*as_user("postgres"), str(programs / "postgres"), "-D", str(data), "-k", str(folder), "-c", "listen_addresses="],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        eventually((folder / ".s.PGSQL.5432").exists, within_s=30)
        yield folder
        server.terminate()
        server.wait(20)
        shutil.rmtree(data)


def asks(settings: Settings) -> object:
    engine = database.connect(database.address(settings.database), at_once=1)
    try:
        with engine.connect() as connection:
            return connection.execute(text("SELECT current_user")).scalar()
    except DBAPIError as error:
        return database.reason(error)
    finally:
        engine.dispose()


def test_a_database_is_entered_with_the_password_from_its_file(guarded: Path) -> None:
    url = f"postgresql://hazardcast@/postgres?host={guarded}"
    secrets = guarded / "secrets"
    secrets.mkdir()
    (secrets / "hazardcast_database_password").write_text(PASSWORD + "\n")

    assert eventually(
        lambda: asks(Settings(database_url=url, _secrets_dir=secrets)) == "hazardcast"
    )
    assert "password" in str(asks(Settings(database_url=url)))


@pytest.mark.parametrize(
    ("url", "password", "whole"),
    [
        ("postgresql://me@host/db?a=b", "s/e:c", "postgresql://me:s%2Fe%3Ac@host/db?a=b"),
        ("postgresql://me:mine@host/db", "other", "postgresql://me:mine@host/db"),
        ("mysql://host/db", "s", "mysql://host/db"),
        ("postgresql://me@host/db", None, "postgresql://me@host/db"),
        ("sqlite:////data/a@b.sqlite", "s", "sqlite:////data/a@b.sqlite"),
    ],
)
def test_only_a_url_that_names_a_user_alone_gets_a_password(
    url: str, password: str | None, whole: str
) -> None:
    assert Settings(database_url=url, database_password=password).database == whole


def test_an_empty_url_is_none() -> None:
    assert Settings(database_url="").database.startswith("sqlite:///")
