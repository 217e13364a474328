"""The databases that the store must hold on: the same tests run on each."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from console.store import database, migrate
from console.store.store import Store
from console.store.tables import Base
from sqlalchemy import create_engine, delete, text
from sqlalchemy.exc import DBAPIError

from hazardcast.machine.clock import SystemClock
from hazardcast.testing import eventually

SITE = "junction-12"


def missing(what: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and CI must have it")
    pytest.skip(f"{what} is missing on this machine")


def postgres_programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return found[-1].parent if found else None


def as_user(name: str) -> list[str]:
    """Servers refuse to run as root."""
    return (
        ["setpriv", f"--reuid={name}", f"--regid={name}", "--clear-groups"]
        if os.geteuid() == 0
        else []
    )


class Server:
    """A database server of our own, on a socket in a folder of our own."""

    def __init__(self, command: list[str], url: str) -> None:
        self.url = url
        self.prepared: str | None = None
        self.command = command
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        eventually(self._answers, within_s=30, what="the server answers")

    def _answers(self) -> bool:
        engine = create_engine(self.url)
        try:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
            return True
        except DBAPIError:
            return False
        finally:
            engine.dispose()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()


@contextlib.contextmanager
def folder_for(user: str) -> Iterator[Path]:
    """A folder with a short path (sockets allow 107 characters), that the server's user owns.

    Not below pytest's: the next run on this machine closes that to every other user.
    """
    with tempfile.TemporaryDirectory(prefix=f"{user[:2]}-", ignore_cleanup_errors=True) as name:
        if os.geteuid() == 0:
            with contextlib.suppress(LookupError):  # no such user: its server is missing, too
                shutil.chown(name, user, user)
        yield Path(name)


@pytest.fixture(scope="session")
def postgres_folder() -> Iterator[Path]:
    with folder_for("postgres") as folder:
        yield folder


@pytest.fixture(scope="session")
def mysql_folder() -> Iterator[Path]:
    with folder_for("mysql") as folder:
        yield folder


@pytest.fixture(scope="session")
def postgresql(postgres_folder: Path) -> Iterator[Server]:
    programs = postgres_programs()
    if programs is None:
        missing("postgresql")
    assert programs
    folder, data = postgres_folder, postgres_folder / "d"
    subprocess.run(
        [*as_user("postgres"), programs / "initdb", "-D", data, "-A", "trust", "-U", "hazardcast", "-E", "UTF8", "--no-sync"],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    command = [*as_user("postgres"), str(programs / "postgres"), "-D", str(data), "-k", str(folder), "-c", "listen_addresses=", "-c", "shared_buffers=16MB", "-c", "fsync=off"]  # fmt: skip
    server = Server(
        command, f"postgresql+psycopg://hazardcast@/postgres?host={folder}&connect_timeout=2"
    )
    yield server
    server.close()


@pytest.fixture(scope="session")
def mariadb(mysql_folder: Path) -> Iterator[Server]:
    program = shutil.which("mariadbd", path=os.environ["PATH"] + ":/usr/sbin")
    if program is None:
        missing("mariadb-server")
    assert program
    folder = mysql_folder
    data, socket = folder / "d", folder / "s"
    subprocess.run(
        [*as_user("mysql"), "mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    command = [*as_user("mysql"), program, "--no-defaults", f"--datadir={data}", f"--socket={socket}", "--skip-networking", "--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=0", f"--pid-file={folder / 'p'}"]  # fmt: skip
    server = Server(command, f"mysql+pymysql://root@localhost/mysql?unix_socket={socket}")
    yield server
    server.close()


DATABASES = ("sqlite", "postgresql", "mariadb")


def new_database(server: Server, name: str) -> str:
    engine = create_engine(server.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    url = engine.url.set(database=name)
    engine.dispose()
    return url.render_as_string(hide_password=False)


@pytest.fixture(params=DATABASES)
def new_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database in which there is nothing, not even tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'console.sqlite'}"
    return new_database(request.getfixturevalue(request.param), "fresh")


@pytest.fixture(scope="session")
def prepared_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("prepared") / "console.sqlite"
    engine = database.connect(database.address(f"sqlite:///{file}"))
    migrate.to_newest(engine, SystemClock())
    engine.dispose()
    return file


@pytest.fixture
def sqlite_url(prepared_sqlite: Path, tmp_path: Path) -> str:
    """A file with tables and no rows."""
    shutil.copy(prepared_sqlite, tmp_path / "console.sqlite")
    return f"sqlite:///{tmp_path / 'console.sqlite'}"


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest) -> str:
    """A database without rows; its tables are made once, which takes a while."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    server: Server = request.getfixturevalue(request.param)
    server.prepared = server.prepared or new_database(server, "prepared")
    engine = create_engine(server.prepared)
    migrate.to_newest(engine, SystemClock())
    with engine.begin() as connection:
        for table in Base.metadata.tables.values():
            connection.execute(delete(table))
    engine.dispose()
    return server.prepared


@pytest.fixture
def opened() -> Iterator[Callable[..., Store]]:
    """Opens stores, and closes them at the end."""
    stores: list[Store] = []

    def open_store(url: str, **options: Any) -> Store:
        store = Store(url, site=SITE, **options)
        stores.append(store)
        store.open()
        return store

    yield open_store
    for store in stores:
        store.close()


@pytest.fixture
def store(database_url: str, opened: Callable[..., Store]) -> Store:
    return opened(database_url)


@pytest.fixture
def settled(store: Store) -> Callable[[], None]:
    """Waits until what was handed over is committed."""
    return lambda: store.ask("test", lambda _transaction: None)
