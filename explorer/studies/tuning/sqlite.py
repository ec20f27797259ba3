"""The database of a study before Optuna opens it: Optuna makes its tables in whatever file it is given."""

import sqlite3
import time
from contextlib import closing
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from optuna.storages import RDBStorage
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

ATTEMPTS = 4  # to find a database ready: two processes may come first at the same time
LOOK = 0.5  # seconds between two attempts
MAGIC = b"SQLite format 3\0"  # what a file of SQLite's begins with
NOT_WHOLE = "it was made by another version of Optuna, or is not whole"
PATIENCE = 10.0  # seconds for a database that another process has locked

_TABLES = """
select master.name, info.name from sqlite_master master, pragma_table_info(master.name) info where master.type = 'table'
"""
_TRIGGERS = "select tbl_name from sqlite_master where type = 'trigger'"
_VERSION = "select version_num from alembic_version"

Schema = dict[str, set[str]]  # columns by table


def shown(url: str) -> str:
    """The database's URL as it may be shown: without its password."""
    try:
        return make_url(url).render_as_string()
    except ArgumentError:
        return url


def prepare(url: str) -> None:
    """Make the folder of an SQLite file. Raises ValueError with one sentence if the file is damaged, another program's,
    or of another version of Optuna: nothing is written into it then. Other databases are many programs' at a time.
    """
    path = _file_of(url)
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() and not path.is_symlink():
        return
    if not path.is_file():
        raise ValueError("it is no file.")
    for _ in range(ATTEMPTS - 1):
        if _problem(path) != NOT_WHOLE:
            break
        time.sleep(LOOK)  # another process may be making the tables
    if problem := _problem(path):
        raise ValueError(f"{problem}.")


def _file_of(url: str) -> Path | None:
    """The file of an SQLite database; None for others, and for one in memory."""
    parsed = make_url(url)
    name = parsed.database
    if parsed.get_backend_name() != "sqlite" or name in (None, "", ":memory:"):
        return None
    if not name.startswith("file:"):
        return Path(name)
    name = unquote(name.removeprefix("file:"))
    return Path(name) if name not in ("", ":memory:") and parsed.query.get("mode") != "memory" else None


def _problem(path: Path) -> str | None:
    """Why Optuna must not open this file; None if it may."""
    with path.open("rb") as file:  # SQLite takes a small file of anything for an empty database, and writes over it
        head = file.read(len(MAGIC))
    if not head:
        return None
    if head != MAGIC:
        return "it is no SQLite database"
    own, version = _own()
    with closing(_to_read(path)) as database:
        ((damage,),) = database.execute("pragma quick_check(1)").fetchall()
        tables = _tables(database)
        triggers = {name for (name,) in database.execute(_TRIGGERS)}
        found = {each for (each,) in database.execute(_VERSION)} if "alembic_version" in tables else set()
    if damage != "ok":
        return f"it is damaged ({damage.splitlines()[0]})"
    if not tables:
        return None
    if not own.keys() & tables.keys():
        return "another program's tables are in it"
    if any(not columns <= tables.get(name, set()) for name, columns in own.items()) or found - {version}:
        return NOT_WHOLE
    if triggers & own.keys():
        return "another program's triggers are in it"
    return None


def _to_read(path: Path) -> sqlite3.Connection:
    """The file, to read only. What a killed process left half written, SQLite puts right first, if it may write."""
    for mode in ("ro", "rw"):
        database = sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, timeout=PATIENCE)
        try:
            database.execute("pragma query_only = on")
            _tables(database)
        except sqlite3.OperationalError:
            database.close()
            if mode == "rw":
                raise
        except sqlite3.DatabaseError:
            database.close()
            raise
        else:
            return database
    raise AssertionError("unreachable")


def _tables(database: sqlite3.Connection) -> Schema:
    tables: Schema = {}
    for table, column in database.execute(_TABLES):
        tables.setdefault(table, set()).add(column)
    return tables


@cache
def _own() -> tuple[Schema, str]:
    """The tables that this Optuna makes, and their version."""
    storage = RDBStorage("sqlite:///:memory:")
    try:
        with storage.engine.connect() as connection:
            database = connection.connection.driver_connection
            ((version,),) = database.execute(_VERSION).fetchall()
            return _tables(database), version
    finally:
        storage.engine.dispose()
