"""A deployment of subscribers-errors whose database tests can look into, and targets files for it."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from fixtures.targets.target import served

REACTOR = "subscribers-errors"
VARIABLE = "FCM_COMPAT_TEST_DATABASE"
SINCE = "rtrim(rtrim(rtrim(:token_since, 'Z'), '0'), '.')"
"""A moment as the reference services keep it: the text of one that is as old must be the same."""

SETUP = (
    "INSERT OR REPLACE INTO subscribers VALUES "  # noqa: S608  our own words
    f"(:subscriber_id, CAST(:token AS BLOB), {SINCE}, :firebase_app, 'active', NULL)"
)
TEARDOWN = "DELETE FROM subscribers WHERE subscriber_id = :subscriber_id"
RENEW = (
    f"UPDATE subscribers SET status = 'active', postponed_until = NULL, token_since = {SINCE},"  # noqa: S608
    " token = CAST(:token AS BLOB), firebase_app = :firebase_app WHERE subscriber_id = :subscriber_id"
)
SQL = f'sql = {{ url_env = "{VARIABLE}", setup = ["{SETUP}"], teardown = ["{TEARDOWN}"] }}'
POOL = f'pool = {{ file = "pool.ndjson" }}, sql = {{ url_env = "{VARIABLE}", setup = ["{RENEW}"] }}'


@dataclass(frozen=True)
class Stored:
    """Where it is, and its database."""

    url: str
    database: Path
    process: int

    def ids(self) -> set[str]:
        """Who is subscribed, or was."""
        return {row[0] for row in self._asked("SELECT subscriber_id FROM subscribers")}

    def statuses(self) -> dict[str, str]:
        """How everybody is."""
        return {row[0]: row[1] for row in self._asked("SELECT subscriber_id, status FROM subscribers")}

    def put(self, *ids: str) -> None:
        """Let somebody be there already, unsubscribed."""
        statement = (
            "INSERT INTO subscribers VALUES (?, x'61', '2020-01-01T00:00:00.000Z', ?, 'unsubscribed', NULL)"
        )
        with closing(sqlite3.connect(self.database, timeout=60, isolation_level=None)) as database:
            database.executemany(statement, [(one, str(uuid.uuid4())) for one in ids])

    def _asked(self, question: str) -> list[tuple[str, ...]]:
        with closing(sqlite3.connect(self.database, timeout=60)) as database:
            return list(database.execute(question))


@contextlib.contextmanager
def stored(folder: Path) -> Iterator[Stored]:
    """Serve it from a file until the block ends."""
    file = folder / "store.sqlite"
    options = [f"--service={REACTOR}", "--version=after", f"--store={file}"]
    with served("fixtures.services.server", *options) as (line,):
        yield Stored(line["url"], file, line["pid"])


def targets_file(folder: Path, url: str, states: str, deny: str = "") -> Path:
    """A targets file with these states."""
    file = folder / "targets.toml"
    head = f"deny = [{deny}]\n[environments.e.services.{REACTOR}]\n"
    file.write_text(f'{head}url = "{url}"\nstates = {{ {states} }}\n', encoding="utf-8")
    return file


def pool_of(folder: Path, size: int, *, with_tokens: bool = False) -> list[str]:
    """A pool of so many subscribers that nobody else knows."""
    ids = [str(uuid.uuid4()) for _ in range(size)]
    rows = [{"subscriber_id": one} | ({"token": f"pooled-{one}"} if with_tokens else {}) for one in ids]
    (folder / "pool.ndjson").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return ids
