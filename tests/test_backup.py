"""A home as one file and back: complete, of one moment, never half, on both databases."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
import sqlalchemy as sa

from broadsheet.backup import Backup, BackupError, back_up, restore
from broadsheet.config import Settings, load_settings
from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Author, Link, Listing, Record, Version
from broadsheet.search.encoder.install import install
from broadsheet.search.vectors import Vectors
from broadsheet.store import Store, StoreError
from broadsheet.store.connection import WriteTransaction, connect, upgrade
from broadsheet.store.dumping import snapshot
from broadsheet.store.schema import REVISION, metadata
from broadsheet.workspace import Workspace
from tests.search import tiny
from tests.test_cli import printed, run
from tests.web.server import running_server


def records(first: int = 1, last: int = 40) -> list[Record]:
    return [
        Record(
            f"Paper number {n} – “Tauben” 🕊 of $x_{n}$",
            "arxiv",
            identifiers=[Identifier("arxiv", f"2605.{n:05}"), Identifier("doi", f"10.1000/{n}")],
            abstract=f"About {n}.\n\nAnd a second paragraph.",
            authors=[Author("Ada Dove", {"user": "ada"}), Author("Bo Ärm")],
            categories=["cs.CV", "cs.LG"],
            versions=[Version(1, "2026-05-28T10:30:00Z")],
            links=[Link("code", f"https://github.com/a/{n}", data={"stars": n})],
            listings=[Listing("daily_papers", "2026-05-29", n, "daily_papers", upvotes=n)],
            upvotes=n,
            extra={"thumbnail": "", "list": [1, 2.5, None, "ä"]},
        )
        for n in range(first, last + 1)
    ]


@pytest.fixture
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Makes the URL of another empty database, on ``sqlite`` or ``postgresql``."""
    numbers = itertools.count(1)

    def make(kind: str) -> str:
        number = next(numbers)
        if kind == "sqlite":
            (tmp_path / f"db{number}").mkdir()
            return f"sqlite:///{tmp_path / f'db{number}' / 'broadsheet.db'}"
        server = request.getfixturevalue("postgres_server")
        name = f"backup_{os.getpid()}_{tmp_path.name.replace('-', '_').lower()[-30:]}_{number}"
        engine = sa.create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sa.text(f'CREATE DATABASE "{name}"'))
        engine.dispose()
        return f"{server}/{name}"

    return make


def settings(home: Path, url: str = "") -> Settings:
    return Settings(home=home, database_url=url)


def filled(url: str) -> None:
    store = Store.open(url)
    assert not store.add(records()).rejected
    store.close()


def content(url: str) -> dict[str, list[bytes]]:
    """Every row of every table of a database, in an order that both databases agree on."""
    with snapshot(url) as taken:
        return {table: sorted(map(_canonical, taken.lines(table))) for table in taken.rows}


def _canonical(line: bytes) -> bytes:
    return orjson.dumps(orjson.loads(line), option=orjson.OPT_SORT_KEYS)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    filled(f"sqlite:///{folder / 'broadsheet.db'}")
    return folder


@pytest.fixture
def backup_file(home: Path, tmp_path: Path) -> Path:
    file = tmp_path / "home.zip"
    back_up(settings(home), file)
    return file


@pytest.mark.parametrize("source", ["sqlite", "postgresql"])
@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_everything_comes_back_on_either_database(
    source: str, target: str, new_url: Callable[[str], str], tmp_path: Path
) -> None:
    first, second = new_url(source), new_url(target)
    filled(first)
    before = content(first)
    written = back_up(settings(tmp_path / "a", first), tmp_path / "b.zip")
    assert (written.papers, written.rows) == (40, sum(map(len, before.values())))
    with Backup(tmp_path / "b.zip") as backup:
        restore(settings(tmp_path / "b", second), backup)
    assert content(second) == before
    store = Store.open(second)
    assert store.paper("10.1000/7").title == "Paper number 7 – “Tauben” 🕊 of $x_7$"
    # Keys and change numbers go on where they were: none is given twice.
    last = store.last_change()
    assert store.add(records()).unchanged == 40
    assert store.add(records(41, 41)).new == 1
    assert store.last_change() == last + 1
    store.close()


def test_every_column_is_of_a_kind_that_a_backup_holds() -> None:
    held = (sa.Text, sa.Integer, sa.Float, sa.Boolean, sa.JSON, sa.LargeBinary)
    wrong = [str(column) for table in metadata.sorted_tables for column in table.columns
             if not isinstance(column.type, held)]  # fmt: skip
    assert wrong == []


ADDING = """
import sys
from broadsheet.store import Store
from tests.test_backup import records
store = Store.open(sys.argv[1])
store.add(records(1, 1_100))
store.close()
"""


def test_what_another_process_writes_meanwhile_is_left_out_altogether(database_url: str) -> None:
    filled(database_url)
    before = content(database_url)
    with snapshot(database_url) as taken:
        subprocess.run([sys.executable, "-c", ADDING, database_url], check=True)
        assert {table: sorted(map(_canonical, taken.lines(table))) for table in taken.rows} == before
    assert len(content(database_url)["papers"]) == 1_100


def test_a_serving_home_is_backed_up_and_restored_by_the_command_line(home: Path, tmp_path: Path) -> None:
    file, other = tmp_path / "b.zip", tmp_path / "other"
    with running_server(home):
        (home / "broadsheet.env").write_text("BROADSHEET_SITE_NAME=The Dove\n")
        (home / "feeds.opml").write_text("<opml/>")
        # It signs the links in mails that were sent: they must lead somewhere afterwards.
        (home / "secret.key").write_text("0f" * 32)
        told = printed(run("backup", file, home=home))
        refused = run("restore", file, "--force", home=home)
        assert refused.returncode == 1
        assert "stop the server" in " ".join(refused.stderr.decode().split())
    assert (told["papers"], told["bytes"]) == (40, file.stat().st_size)
    assert file.stat().st_mode & 0o077 == 0, "the settings may hold keys"
    assert printed(run("restore", file, "--check"))["whole"] is True
    done = printed(run("restore", file, home=other))
    assert (done["papers"], done["notes"]) == (40, [])
    assert load_settings(other).site_name == "The Dove"
    assert (other / "feeds.opml").read_text() == "<opml/>"
    assert (other / "secret.key").read_text() == "0f" * 32
    assert (other / "secret.key").stat().st_mode & 0o077 == 0
    refused = run("restore", file, home=other)
    assert refused.returncode == 1
    assert "--force" in refused.stderr.decode()
    assert not list(tmp_path.glob("**/*restoring*"))


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_force_keeps_what_was_there_under_another_name(
    kind: str, new_url: Callable[[str], str], backup_file: Path, tmp_path: Path
) -> None:
    url, home = new_url(kind), tmp_path / "other"
    store = Store.open(url)
    store.add([Record("A paper of before", "arxiv", identifiers=[Identifier("arxiv", "2401.00001")])])
    store.close()
    (home / "index" / "words").mkdir(parents=True)
    with Backup(backup_file) as backup:
        with pytest.raises(BackupError, match="--force"):
            restore(settings(home, url), backup)
        [note] = restore(settings(home, url), backup, force=True).notes
    store = Store.open(url)
    assert store.counts()["papers"] == 40
    store.close()
    # An index of the former papers beside the new ones would find wrong ones.
    assert [path.name for path in home.glob("index*")] == [f"index{_stamp(note)}"]
    if kind == "sqlite":
        [aside] = Path(sa.make_url(url).database).parent.glob("*.before-restore-*")
        assert str(aside) in note
        assert sqlite3.connect(aside).execute("SELECT title FROM papers").fetchall() == [
            ("A paper of before",)
        ]
    else:
        engine = sa.create_engine(url)
        [schema] = [name for name in sa.inspect(engine).get_schema_names() if "before" in name]
        assert schema in note
        with engine.connect() as connection:
            titles = connection.execute(sa.text(f"SELECT title FROM {schema}.papers")).scalars().all()
        engine.dispose()
        assert titles == ["A paper of before"]


def _stamp(note: str) -> str:
    return ".before-restore-" + note.split("before")[-1].split("restore")[1][1:16].upper()


def test_a_backup_of_the_first_released_schema_is_restored_and_brought_to_the_newest(
    database_url: str, backup_file: Path, tmp_path: Path, new_url: Callable[[str], str]
) -> None:
    with Backup(backup_file) as backup:
        lines = {table: list(backup.lines(table)) for table in backup.rows}
    engine = connect(database_url)
    with WriteTransaction(engine) as connection:
        upgrade(connection, "0001")
        released = sa.MetaData()
        released.reflect(connection)
        for table in released.sorted_tables:
            rows = [orjson.loads(line) for line in lines.get(table.name, [])]
            names = [column.name for column in table.columns]
            if rows:
                connection.execute(sa.insert(table), [{name: row[name] for name in names} for row in rows])
    engine.dispose()
    file, url = tmp_path / "first.zip", new_url("sqlite" if "postgresql" in database_url else "postgresql")
    back_up(settings(tmp_path, database_url), file)
    with Backup(file) as backup:
        assert backup.manifest["revision"] == "0001"
        assert restore(settings(tmp_path / "new", url), backup).papers == 40
    with snapshot(url) as taken:
        assert taken.revision == REVISION
    # What is backed up stays as it is: an operator does so before an upgrade.
    with snapshot(database_url) as taken:
        assert taken.revision == "0001"
    store = Store.open(url)
    assert store.paper("2605.00007").extra == records(7, 7)[0].extra
    assert store.add(records()).unchanged == 40
    store.close()


def test_with_the_index_nothing_is_encoded_again(home: Path, tmp_path: Path) -> None:
    encoder, file, other = tmp_path / "encoder", tmp_path / "b.zip", tmp_path / "other"
    install(tiny.files(), encoder)
    (home / "broadsheet.env").write_text(f"BROADSHEET_ENCODER={encoder}\n")
    workspace = Workspace.open(home)
    assert workspace.engine.follow(workspace.store).vectors == 40
    workspace.close()
    assert back_up(settings(home), file, with_index=True).with_index
    with Backup(file) as backup:
        assert restore(settings(other), backup).with_index
    # Without any encoder installed, the copy that came along answers.
    shutil.rmtree(encoder)
    workspace = Workspace.open(other)
    assert workspace.engine.state().vectors == 40
    done = workspace.engine.follow(workspace.store)
    assert (done.words, done.vectors) == (40, 0)
    assert workspace.engine.search("graph network", limit=1).hits[0].meaning is not None
    workspace.close()


def test_the_place_of_the_database_is_not_restored(home: Path, tmp_path: Path) -> None:
    env = home / "broadsheet.env"
    env.write_text("BROADSHEET_SITE_NAME=Dove\nBROADSHEET_DATABASE_URL=postgresql+psycopg://u:p@old/x\n")
    file = tmp_path / "b.zip"
    back_up(settings(home), file)
    with Backup(file) as backup:
        done = restore(settings(tmp_path / "a"), backup)
        assert (load_settings(tmp_path / "a").database_url, load_settings(tmp_path / "a").site_name) == (
            "",
            "Dove",
        )
        assert "BROADSHEET_DATABASE_URL" in done.notes[0] and "u:p" not in done.notes[0]
        # Settings that stand in the home already go before those of the backup.
        (tmp_path / "b").mkdir()
        (tmp_path / "b" / "broadsheet.env").write_text("BROADSHEET_SITE_NAME=Mine\n")
        done = restore(settings(tmp_path / "b"), backup)
    assert load_settings(tmp_path / "b").site_name == "Mine"
    assert "from-backup" in done.notes[0]


# -- damage


def _rewritten(
    file: Path, out: Path, changed: dict[str, bytes], added: dict[str, bytes] | None = None
) -> Path:
    """``file`` with other contents of some members: a right archive, but not what was written."""
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, changed.get(name, old.read(name)))
        for name, body in (added or {}).items():
            new.writestr(name, body)
    return out


def _damaged(file: Path, folder: Path) -> dict[str, Path]:
    body = file.read_bytes()
    manifest = json.loads(zipfile.ZipFile(file).read("manifest.json"))
    rows = zipfile.ZipFile(file).read("tables/papers.jsonl")

    def told(**other: object) -> dict[str, bytes]:
        return {"manifest.json": json.dumps(manifest | other).encode()}

    def bytes_of(name: str, content: bytes) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    outside = manifest["members"] | {"index/../../escaped": {"bytes": 1, "sha256": ""}}
    made = {
        "only the beginning": bytes_of("cut", body[: len(body) // 2]),
        "no backup": bytes_of("text", b"dear diary, today was a long day\n" * 9),
        "no backup ": bytes_of("empty", b""),
        "but no backup of Broadsheet": folder / "photos.zip",
        "papers.jsonl is not what": _rewritten(
            file, folder / "row", {"tables/papers.jsonl": rows.replace(b"About 7", b"About 8")}
        ),
        "papers.jsonl is not what ": _rewritten(file, folder / "less", {"tables/papers.jsonl": rows[:-200]}),
        "install a newer": _rewritten(file, folder / "revision", told(revision="9999")),
        "never released": _rewritten(file, folder / "unreleased", told(revision="0000x")),
        "restore it with the Broadsheet that wrote it": _rewritten(file, folder / "version", told(version=9)),
        "escaped": _rewritten(file, folder / "outside", told(members=outside), {"index/../../escaped": b"x"}),
        "the list of what it holds": _rewritten(file, folder / "more", {}, {"extra": b"x"}),
        "manifest": _rewritten(file, folder / "json", {"manifest.json": b'{"format": '}),
    }
    with zipfile.ZipFile(made["but no backup of Broadsheet"], "w") as archive:
        archive.writestr("photo.jpg", b"x")
    return made


def test_what_is_damaged_altered_or_something_else_is_refused_and_nothing_is_made(
    backup_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad").mkdir()
    for reason, bad in _damaged(backup_file, tmp_path / "bad").items():
        home = tmp_path / "never"
        with pytest.raises(StoreError, match=reason.strip()), Backup(bad) as backup:
            restore(settings(home), backup)
        assert not (home / "broadsheet.db").exists(), reason
        assert not list(home.glob("*restoring*")), reason
    assert not (tmp_path / "escaped").exists()


def test_no_changed_byte_goes_unnoticed(backup_file: Path, tmp_path: Path) -> None:
    with Backup(backup_file) as backup:
        whole = backup.manifest, {table: list(backup.lines(table)) for table in backup.rows}
    body, bad = bytearray(backup_file.read_bytes()), tmp_path / "bad.zip"
    for place in range(0, len(body), max(1, len(body) // 150)):
        body[place] ^= 0x55
        bad.write_bytes(body)
        body[place] ^= 0x55
        try:
            with Backup(bad) as backup:
                backup.check()
                # Bytes that mean nothing, as the time of a member, may be others.
                assert (backup.manifest, {table: list(backup.lines(table)) for table in backup.rows}) == whole
        except BackupError as error:
            assert str(bad) in str(error)


def test_a_file_that_is_no_backup_is_not_overwritten(home: Path, tmp_path: Path, backup_file: Path) -> None:
    precious = tmp_path / "library.bib"
    precious.write_text("@article{a, title={A}}")
    with pytest.raises(BackupError, match="is no backup"):
        back_up(settings(home), precious)
    assert precious.read_text() == "@article{a, title={A}}"
    with pytest.raises(BackupError, match="is a folder"):
        back_up(settings(home), tmp_path)
    assert back_up(settings(home), backup_file).papers == 40


def test_a_home_without_papers_to_back_up_says_so_and_is_not_made(tmp_path: Path) -> None:
    done = run("backup", tmp_path / "b.zip", home=tmp_path / "none")
    assert done.returncode == 1
    assert "no database" in done.stderr.decode()
    assert not list(tmp_path.iterdir())


# -- crashes and full disks

KILLED = """
import os, sys
from pathlib import Path
from broadsheet.backup import Backup, back_up, restore
from broadsheet.config import Settings

done = 0
def progress(rows, total=0):
    global done
    done += rows
    if done > int(sys.argv[3]):
        os.kill(os.getpid(), 9)

home, file = Settings(home=Path(sys.argv[2]), database_url=sys.argv[5]), Path(sys.argv[4])
if sys.argv[1] == "backup":
    back_up(home, file, progress=progress)
else:
    with Backup(file) as backup:
        restore(home, backup, progress=progress)
"""


def _killed(what: str, home: Path, rows: int, file: Path, url: str = "") -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, what, home, str(rows), file, url], check=False)
    assert done.returncode == -9


def test_a_killed_backup_leaves_the_former_and_the_next_leaves_nothing_else(
    home: Path, backup_file: Path, tmp_path: Path
) -> None:
    former = backup_file.read_bytes()
    _killed("backup", home, 200, backup_file)
    assert backup_file.read_bytes() == former
    back_up(settings(home), backup_file)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "home.zip"]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_killed_restore_leaves_an_empty_home_and_the_next_completes(
    kind: str, new_url: Callable[[str], str], backup_file: Path, tmp_path: Path
) -> None:
    url, home = new_url(kind), tmp_path / "other"
    _killed("restore", home, 200, backup_file, url)
    with Backup(backup_file) as backup:
        assert restore(settings(home, url), backup).papers == 40
    store = Store.open(url)
    assert store.counts()["papers"] == 40
    store.close()
    assert not list(tmp_path.glob("**/*restoring*"))


@pytest.mark.parametrize("what", ["backup", "restore"])
def test_a_full_disk_is_an_error_that_names_the_file_and_leaves_nothing_half(
    what: str, home: Path, backup_file: Path, tmp_path: Path
) -> None:
    # No file may grow beyond this: what a full disk does, without filling one.
    limit = 100_000
    (home / "broadsheet.env").write_text(f"BROADSHEET_TAGLINE={os.urandom(limit).hex()}\n")
    program = Path(sys.executable).with_name("broadsheet")
    folder = tmp_path / "full"
    folder.mkdir()
    file, where = (folder / "b.zip", home) if what == "backup" else (backup_file, folder)
    done = subprocess.run(
        [program, what, file, "--home", where],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        check=False,
    )
    message = done.stderr.decode()
    assert done.returncode == 1, message
    assert "Traceback" not in message
    assert str(folder) in message.replace("\n", "")
    assert list(folder.iterdir()) == []


def test_vectors_that_are_being_written_are_backed_up_as_they_were_at_one_moment(tmp_path: Path) -> None:
    home, encoder, file = tmp_path / "home", tmp_path / "encoder", tmp_path / "b.zip"
    install(tiny.files(), encoder)
    home.mkdir()
    url = f"sqlite:///{home / 'broadsheet.db'}"
    store = Store.open(url)
    store.add(records(1, 1_500))
    store.close()
    following = subprocess.Popen(
        [sys.executable, "-m", "tests.search.tiny", encoder, home], stdout=subprocess.DEVNULL
    )
    seen = set()
    while following.poll() is None or not seen:
        if not back_up(settings(home), file, with_index=True).with_index:
            continue
        folder = tmp_path / f"index{len(seen)}"
        with Backup(file) as backup:
            backup.check()
            backup.extract_index(folder)
        [made] = folder.glob("vectors-*")
        # Opening compares the newest rows with their checksums.
        vectors = Vectors(made, tiny.CONFIG["hidden_size"])
        assert vectors.count <= vectors.cursor <= 1_500
        seen.add(vectors.cursor)
        shutil.rmtree(folder)
    assert following.returncode == 0
    assert seen


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("wrong", ["twice", "column", "table"])
def test_what_was_altered_with_right_checksums_but_fits_no_schema_leaves_the_database_empty(
    wrong: str, kind: str, new_url: Callable[[str], str], backup_file: Path, tmp_path: Path
) -> None:
    name = "tables/papers.jsonl"
    rows = zipfile.ZipFile(backup_file).read(name)
    manifest = json.loads(zipfile.ZipFile(backup_file).read("manifest.json"))
    if wrong == "twice":
        rows += rows.splitlines(keepends=True)[0]
    elif wrong == "column":
        rows = rows.replace(b'"title":', b'"headline":', 1)
    manifest["members"][name] = {
        "bytes": len(rows),
        "sha256": hashlib.sha256(rows).hexdigest(),
        "rows": rows.count(b"\n"),
    }
    changed, added = {name: rows}, {}
    if wrong == "table":
        added = {"tables/customers.jsonl": b""}
        empty = {"bytes": 0, "sha256": hashlib.sha256().hexdigest(), "rows": 0}
        manifest["members"]["tables/customers.jsonl"] = empty
    changed["manifest.json"] = json.dumps(manifest).encode()
    file, url = _rewritten(backup_file, tmp_path / "altered.zip", changed, added), new_url(kind)
    with Backup(file) as backup:
        backup.check()
        with pytest.raises(StoreError, match=r"papers|customers"):
            restore(settings(tmp_path / "other", url), backup)
    with Backup(backup_file) as backup:
        assert restore(settings(tmp_path / "other", url), backup).papers == 40
