"""A deployment of subscribers-errors with a database that tests can read, and targets files for it."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fixtures.targets.embedded import start_process

SERVICE = "subscribers-errors"
VARIABLE = "FCM_COMPAT_TEST_DATABASE"
# The reference services compare times as texts, so a time must be written as they write it.
SINCE = "rtrim(rtrim(rtrim(:token_since, 'Z'), '0'), '.')"
SETUP = (
    "INSERT INTO subscribers VALUES "  # noqa: S608  constants of this module
    f"(:subscriber_id, :token, {SINCE}, :firebase_app, 'active', NULL)"
)
TEARDOWN = "DELETE FROM subscribers WHERE subscriber_id = :subscriber_id"
RESET = (
    f"UPDATE subscribers SET status = 'active', postponed_until = NULL, token_since = {SINCE},"  # noqa: S608
    " token = :token, firebase_app = :firebase_app WHERE subscriber_id = :subscriber_id"
)
# The service stores JSON. Statements of a targets file are written for a table with columns.
SUBSCRIBERS_VIEW = """
CREATE VIEW subscribers AS SELECT
    id AS subscriber_id, body ->> 'token' AS token, body ->> 'token_since' AS token_since,
    body ->> 'firebase_app' AS firebase_app, body ->> 'status' AS status,
    body ->> 'postponed_until' AS postponed_until
FROM rows WHERE type = 'Subscriber';
CREATE TRIGGER subscriber_inserted INSTEAD OF INSERT ON subscribers BEGIN
    INSERT OR REPLACE INTO rows VALUES ('Subscriber', NEW.subscriber_id, json_object(
        'subscriber_id', NEW.subscriber_id, 'token', NEW.token, 'token_since', NEW.token_since,
        'firebase_app', NEW.firebase_app, 'status', NEW.status, 'postponed_until', NEW.postponed_until
    ));
END;
CREATE TRIGGER subscriber_updated INSTEAD OF UPDATE ON subscribers BEGIN
    INSERT INTO subscribers VALUES (
        NEW.subscriber_id, NEW.token, NEW.token_since, NEW.firebase_app, NEW.status, NEW.postponed_until
    );
END;
CREATE TRIGGER subscriber_deleted INSTEAD OF DELETE ON subscribers BEGIN
    DELETE FROM rows WHERE type = 'Subscriber' AND id = OLD.subscriber_id;
END;
"""
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
        with contextlib.closing(sqlite3.connect(self.database, timeout=60)) as database:
            return dict(database.execute("SELECT subscriber_id, status FROM subscribers"))

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
            database.executescript(SUBSCRIBERS_VIEW)
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
