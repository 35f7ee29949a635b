"""The SQL of docs/targets.md makes and removes subscribers in a real PostgreSQL."""

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
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy.exc import DBAPIError

from fixtures.core import schemas
from fixtures.core.payloads import IdFactory
from fixtures.core.project import ROOT
from fixtures.core.topology import PROVIDERS
from fixtures.targets.config import Deployment, TargetError
from fixtures.targets.deployed import prepare_target
from fixtures.targets.host_policy import HostDenyList
from fixtures.targets.provisioning.config import check_states
from fixtures.targets.provisioning.inventory import INVENTORY_FILE, Inventory
from fixtures.targets.provisioning.sql import run_statements
from fixtures.targets.rate_limit import RateLimiter

pytestmark = pytest.mark.process

VARIABLE = "STAGING_DATABASE"
DOCS_PAGE = ROOT / "docs" / "targets.md"
TABLE = (
    "CREATE TABLE subscribers "
    "(id uuid PRIMARY KEY, app uuid, token text, token_since timestamptz, status text)"
)
START_TIMEOUT_S = 60.0


def find_program(name: str) -> str:
    """A program of PostgreSQL's server, which Debian does not put into the PATH."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    path = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *map(str, folders)]))
    assert path, f"no-postgresql: no {name}; next: apt-get install postgresql"
    return path


@pytest.fixture(scope="module")
def database() -> Iterator[sqlalchemy.Engine]:
    """A new server on this machine. PostgreSQL refuses to run as root."""
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    folder = Path(tempfile.mkdtemp(prefix="fcm-compat-postgresql-"))
    os.chown(folder, user.pw_uid, user.pw_gid)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = folder / "data"
    options = ["--auth=trust", "--username=tester", "--encoding=UTF8", f"--pgdata={data}"]
    initdb = [find_program("initdb"), *options]
    subprocess.run(initdb, user=user.pw_uid, check=True, capture_output=True, cwd=folder)  # noqa: S603
    postgres = [find_program("postgres"), "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", "", "-F"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(postgres, user=user.pw_uid, stdout=log, stderr=log, cwd=folder)  # noqa: S603
    engine = sqlalchemy.create_engine(f"postgresql+pg8000://tester@127.0.0.1:{port}/postgres")
    try:
        create_table(engine, server)
        yield engine
    finally:
        engine.dispose()
        server.terminate()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def create_table(engine: sqlalchemy.Engine, server: subprocess.Popen[bytes]) -> None:
    """Create the table as soon as the server accepts connections."""
    end = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            with engine.begin() as connection:
                connection.execute(sqlalchemy.text(TABLE))
        except DBAPIError:
            assert server.poll() is None
            assert time.monotonic() < end
            time.sleep(0.1)
        else:
            return


def read_examples() -> list[dict[str, Any]]:
    """The states of each example in docs/targets.md."""
    examples = []
    for block in re.findall(r"(?s)```toml\n(.*?)```", DOCS_PAGE.read_text(encoding="utf-8")):
        row = tomllib.loads(block)["environments"]["staging"].get("services", {}).get("subscribers-errors")
        if row is None:
            continue
        schemas.validate({"url": "http://127.0.0.1:9", **row}, "targets.schema.json#/$defs/service")
        check_states(row["states"])
        examples.append(row["states"])
    return examples


def test_the_statements_of_the_page_work(
    database: sqlalchemy.Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(VARIABLE, str(database.url))
    _, by_sql, from_pool = read_examples()
    assert from_pool.keys() == {"pool", "sql"}
    deployment = Deployment("subscribers-errors", "http://127.0.0.1:9", provisioning=by_sql)
    inventory = Inventory(tmp_path / INVENTORY_FILE)
    target = prepare_target(deployment, RateLimiter(), PROVIDERS[deployment.name], inventory)
    ids = [IdFactory().next()[2] for _ in range(3)]
    members = {"token_since": "2026-01-02T03:04:05.678Z", "firebase_app": ids[0]}
    target.set_state("reachable", {})
    for token in ("another one", "fünf'; --"):  # the second set-up replaces the subscribers
        rows = [{"subscriber_id": value, "token": token, **members} for value in ids]
        target.set_state("subscribers exist", {"subscribers": rows})
    with database.begin() as connection:
        stored = connection.execute(sqlalchemy.text("SELECT * FROM subscribers")).all()
    assert {str(row.id) for row in stored} == set(ids)
    assert {(row.token, row.status, row.token_since.isoformat()) for row in stored} == {
        ("fünf'; --", "active", "2026-01-02T03:04:05.678000+00:00")
    }
    run_statements(database, from_pool["sql"]["setup"], [{**row, "token": "pooled"} for row in rows])
    with database.begin() as connection:
        tokens = connection.execute(sqlalchemy.text("SELECT token FROM subscribers")).scalars()
        assert set(tokens) == {"pooled"}
    target.set_state("subscribers exist", {"subscribers": rows}, action="teardown")
    with database.begin() as connection:
        assert connection.execute(sqlalchemy.text("SELECT * FROM subscribers")).all() == []
    target.close()


def test_a_database_at_a_denied_address_gets_no_login(
    database: sqlalchemy.Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(VARIABLE, str(database.url))
    monkeypatch.setattr(HostDenyList, "denial_reason", lambda *_: None)  # as if its address changed later
    deployment = Deployment(
        "subscribers-errors",
        "http://127.0.0.1:9",
        provisioning=read_examples()[1],
        deny=HostDenyList(("127.0.0.0/8",)),
    )
    inventory = Inventory(tmp_path / INVENTORY_FILE)
    target = prepare_target(deployment, RateLimiter(), PROVIDERS[deployment.name], inventory)
    with pytest.raises(TargetError, match=f"denied-target: '{VARIABLE}': it connects to 127.0.0.1"):
        target.set_state("reachable", {})
    target.close()
