"""The SQL of docs/targets.md makes and removes subscribers in a real PostgreSQL."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy.exc import DBAPIError

from fixtures.core import schemas
from fixtures.core.payloads import IdFactory
from fixtures.core.project import ROOT
from fixtures.core.topology import PROVIDERS
from fixtures.targets.config import Deployment
from fixtures.targets.provisioning import config as settings
from fixtures.targets.provisioning import sql
from fixtures.targets.target import Target

pytestmark = pytest.mark.process

VARIABLE = "STAGING_DATABASE"
PAGE = ROOT / "docs" / "targets.md"
TABLE = (
    "CREATE TABLE subscribers "
    "(id uuid PRIMARY KEY, app uuid, token text, token_since timestamptz, status text)"
)
START_S = 60.0


def binary(name: str) -> str:
    """A program of PostgreSQL's server; Debian keeps them out of the PATH."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *map(str, folders)]))
    assert found, f"no-postgresql: no {name}; next: apt-get install postgresql"
    return found


@pytest.fixture(scope="module")
def database() -> Iterator[sqlalchemy.Engine]:
    """A fresh server on this machine; it refuses to run as root."""
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    folder = Path(tempfile.mkdtemp(prefix="fcm-compat-postgresql-"))
    os.chown(folder, user.pw_uid, user.pw_gid)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = folder / "data"
    made = [binary("initdb"), "--auth=trust", "--username=tester", "--encoding=UTF8", f"--pgdata={data}"]
    subprocess.run(made, user=user.pw_uid, check=True, capture_output=True, cwd=folder)  # noqa: S603
    served = [binary("postgres"), "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", "", "-F"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(served, user=user.pw_uid, stdout=log, stderr=log, cwd=folder)  # noqa: S603
    engine = sqlalchemy.create_engine(f"postgresql+pg8000://tester@127.0.0.1:{port}/postgres")
    try:
        _wait_for(engine, server)
        yield engine
    finally:
        engine.dispose()
        server.terminate()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(engine: sqlalchemy.Engine, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_S
    while True:
        try:
            with engine.begin() as asked:
                asked.execute(sqlalchemy.text(TABLE))
        except DBAPIError:
            assert server.poll() is None
            assert time.monotonic() < end
            time.sleep(0.1)
        else:
            return


def on_the_page() -> list[settings.States]:
    """The states of each example on the page."""
    found = []
    for block in re.findall(r"(?s)```toml\n(.*?)```", PAGE.read_text(encoding="utf-8")):
        data = tomllib.loads(block)
        row = data["environments"]["staging"]["services"]["subscribers-errors"]
        schemas.validate({"url": "http://127.0.0.1:9", **row}, "targets.schema.json#/$defs/service")
        found.append(settings.read(row["states"], ROOT))
    return found


def test_the_statements_of_the_page_work(
    database: sqlalchemy.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(database.url))
    _, by_sql, from_pool = on_the_page()
    assert isinstance(from_pool, settings.FromPool)
    assert isinstance(from_pool.reset, settings.BySql)
    place = Deployment("subscribers-errors", "http://127.0.0.1:9", provisioning=by_sql)
    target = Target(PROVIDERS[place.name], "after", place.url, embedded=False, deployment=place)
    ids = [IdFactory().next()[2] for _ in range(3)]
    since = {"token_since": "2026-01-02T03:04:05.678Z", "firebase_app": ids[0]}
    target.set_state("reachable", {})
    for token in ("another one", "fünf'; --"):  # the second time, they are there already
        rows = [{"subscriber_id": one, "token": token, **since} for one in ids]
        target.set_state("subscribers exist", {"subscribers": rows})
    with database.begin() as asked:
        shown = asked.execute(sqlalchemy.text("SELECT * FROM subscribers")).all()
    assert {str(row.id) for row in shown} == set(ids)
    assert {(row.token, row.status, row.token_since.isoformat()) for row in shown} == {
        ("fünf'; --", "active", "2026-01-02T03:04:05.678000+00:00")
    }
    sql.run(database, from_pool.reset.setup, [{**row, "token": "pooled"} for row in rows])
    with database.begin() as asked:
        assert set(asked.execute(sqlalchemy.text("SELECT token FROM subscribers")).scalars()) == {"pooled"}
    target.set_state("subscribers exist", {"subscribers": rows}, action="teardown")
    with database.begin() as asked:
        assert asked.execute(sqlalchemy.text("SELECT * FROM subscribers")).all() == []
    target.close()
