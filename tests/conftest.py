"""What all tests share: the real data where it is, a PostgreSQL server, a store on either database."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import settings

from broadsheet.store import Store
from tests.web.server import free_port

SHARED = Path(__file__).resolve().parents[2] / "shared"
FIXTURES = Path(__file__).resolve().parent / "fixtures"

# The same examples in every run: a change fails for what it changed. Others: BROADSHEET_TEST_CHANCE=1.
settings.register_profile("same", derandomize=True)
settings.register_profile("chance", derandomize=False)
settings.load_profile("chance" if os.environ.get("BROADSHEET_TEST_CHANCE") else "same")


@pytest.fixture(autouse=True)
def own_state_folder(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """When services may be asked again is kept for the machine; what a test does stays its own."""
    folder = tmp_path_factory.getbasetemp() / f"state-{next(_numbers)}"
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the checkout; tests that need it skip where it is not."""
    if not SHARED.is_dir():
        pytest.skip("the real data (../shared) does not stand beside this checkout")
    return SHARED


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server of our own, without database name; stopped at the end."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = str(found[-1]) if found else shutil.which("initdb")
    if not initdb:
        pytest.skip("PostgreSQL is not installed; `make test` installs it where it may")
    # Not under pytest's own folder, which only its owner may enter.
    folder = Path(tempfile.mkdtemp(prefix="broadsheet-postgres-"))
    prefix: list[str] = []
    if os.getuid() == 0:
        # PostgreSQL refuses to run as root; its package brings a user of its own.
        try:
            owner = pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("PostgreSQL does not run as root and there is no user postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        prefix = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
    port, bin_folder = free_port(), Path(initdb).parent
    data = folder / "data"
    run = {"check": True, "stdout": subprocess.DEVNULL, "cwd": folder}
    subprocess.run(
        [*prefix, initdb, "-D", data, "-A", "trust", "-U", "broadsheet", "-E", "UTF8", "-N"], **run
    )
    options = f"-c listen_addresses=127.0.0.1 -p {port} -c fsync=off -k {folder}"
    subprocess.run(
        [*prefix, bin_folder / "pg_ctl", "-D", data, "-w", "-o", options, "-l", folder / "log", "start"],
        **run,
    )
    yield f"postgresql+psycopg://broadsheet@127.0.0.1:{port}"
    subprocess.run([*prefix, bin_folder / "pg_ctl", "-D", data, "-m", "immediate", "stop"], **run)
    shutil.rmtree(folder, ignore_errors=True)


_numbers = itertools.count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'store.db'}"
        return
    server = request.getfixturevalue("postgres_server")
    name = f"broadsheet_{next(_numbers)}"
    engine = sa.create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    yield f"{server}/{name}"


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An empty store, once on SQLite and once on PostgreSQL."""
    opened = Store.open(database_url)
    yield opened
    opened.close()
