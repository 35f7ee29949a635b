"""A deployment of subscribers-errors with a database that tests can read, and targets files for it."""

import contextlib
import json
import sqlite3
import tomllib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fixtures.targets.embedded import start_process

SERVICE = "subscribers-errors"
VARIABLE = "FCM_COMPAT_TEST_DATABASE"
STATEMENTS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
SETUP, TEARDOWN, RESET = (STATEMENTS[name] for name in ("setup", "teardown", "reset"))
SQL = f'sql = {{ url_env = "{VARIABLE}", setup = ["{SETUP}"], teardown = ["{TEARDOWN}"] }}'
POOL = f'pool = {{ file = "pool.ndjson" }}, sql = {{ url_env = "{VARIABLE}", setup = ["{RESET}"] }}'


@dataclass(frozen=True)
class SqlService:
    url: str
    database: Path

    def ids(self) -> set[str]:
        return set(self.statuses())

    def statuses(self) -> dict[str, str]:
        """The status of each subscriber, by id."""
        return self._select("status")

    def tokens(self) -> dict[str, str]:
        """The token of each subscriber, by id."""
        return self._select("token")

    def _select(self, column: str) -> dict[str, str]:
        with contextlib.closing(sqlite3.connect(self.database, timeout=60)) as database:
            return dict(database.execute(f"SELECT subscriber_id, {column} FROM subscribers"))  # noqa: S608

    def insert(self, *ids: str) -> None:
        """Insert unsubscribed subscribers."""
        values = "VALUES (?, 'a', '2020-01-01T00:00:00.000Z', ?, 'unsubscribed', NULL)"
        rows = [(subscriber_id, str(uuid.uuid4())) for subscriber_id in ids]
        connection = sqlite3.connect(self.database, timeout=60, isolation_level=None)
        with contextlib.closing(connection) as database:
            database.executemany(f"INSERT INTO subscribers {values}", rows)


@contextlib.contextmanager
def start_sql_service(folder: Path) -> Iterator[SqlService]:
    file = folder / "store.sqlite"
    options = [f"--service={SERVICE}", "--version=after", f"--store={file}"]
    with start_process("fixtures.services.server", *options) as (line,):
        with contextlib.closing(sqlite3.connect(file, timeout=60)) as database:
            database.executescript(STATEMENTS["view"])
        yield SqlService(line["url"], file)


def write_targets_file(folder: Path, url: str, states: str, deny: str = "") -> Path:
    file = folder / "targets.toml"
    head = f"deny = [{deny}]\n[environments.e.services.{SERVICE}]\n"
    file.write_text(f'{head}url = "{url}"\nstates = {{ {states} }}\n', encoding="utf-8")
    return file


def write_pool(folder: Path, size: int, *, with_tokens: bool = False) -> list[str]:
    """Write a pool of new subscribers. Returns their ids."""
    ids = [str(uuid.uuid4()) for _ in range(size)]
    rows = [{"subscriber_id": value} | ({"token": f"pooled-{value}"} if with_tokens else {}) for value in ids]
    (folder / "pool.ndjson").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return ids
