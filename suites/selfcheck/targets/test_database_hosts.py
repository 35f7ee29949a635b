"""A database is guarded like a service: every host in its URL, by each driver that is used."""

import socket
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.dialects import sqlite

from fixtures.targets.config import TargetError
from fixtures.targets.host_policy import HostDenyList
from fixtures.targets.provisioning import sql
from fixtures.targets.target import Unobservable
from suites.selfcheck.http_double import serve_answers
from suites.selfcheck.targets.sql_service import SQL, VARIABLE
from suites.selfcheck.targets.test_provisioning import connect_to

DATABASES: Mapping[str, tuple[str, str]] = {
    "denied": ("postgresql+pg8000://u@db.prod.example/x", "denied-target"),
    "denied in the query": ("postgresql+pg8000:///x?host=db.prod.example:5432", "denied-target"),
    "denied among several": ("postgresql://u@localhost,db.prod.example/x", "denied-target"),
    "denied in several options": ("postgresql:///x?host=localhost:1&host=db.prod.example:1", "denied-target"),
    "denied behind a comma": ("postgresql+pg8000://u@localhost%2Cdb.prod.example/x", "denied-target"),
    "denied and percent-encoded": ("postgresql+pg8000://u@db%2Eprod.example/x", "denied-target"),
    "denied as an address": ("postgresql://u@localhost,203.0.113.7/x", "denied-target"),
    "denied as an address in IPv6": ("postgresql://u@localhost,%3A%3Affff%3A203.0.113.7/x", "denied-target"),
    "denied as a number": ("postgresql://u@localhost,3405803783/x", "denied-target"),
    "denied with ports of their own": (
        "postgresql:///x?host=localhost,db.prod.example&port=1,2",
        "denied-target",
    ),
    "denied after a socket": ("postgresql:///x?host=/run/postgresql,db.prod.example", "denied-target"),
    "an address beside the host": ("postgresql://u@localhost/x?hostaddr=203.0.113.7", "hidden-database"),
    "several addresses": ("postgresql://u@a,b/x?hostaddr=127.0.0.1,203.0.113.7", "hidden-database"),
    "a host without a name": ("postgresql://u@localhost,/x", "hidden-database"),
    "one not owned among several": ("postgresql://u@localhost,db.example/x", "not-owned"),
    "denied beside a socket": (
        "postgresql://u@db.prod.example/x?host=/run/postgresql",
        "denied-target",
    ),
    "denied in IDNA": ("postgresql+pg8000://u@xn--strae-oqa.example/x", "denied-target"),
    "not owned": ("postgresql+pg8000://u@db.example/x", "not-owned"),
    "a socket": ("postgresql+pg8000:///x?host=/run/postgresql", "not-owned"),
    "a socket beside this machine": ("postgresql+pg8000://u@localhost/x?host=/cloudsql/a:b:c", "not-owned"),
    "a socket of pg8000": ("postgresql+pg8000://u@localhost/x?unix_sock=/run/postgresql/s", "not-owned"),
    "a socket of MySQL": ("mysql+pymysql://u@localhost/x?unix_socket=/run/mysqld/s", "not-owned"),
    "a percent-encoded socket": ("postgresql://u@%2Fcloudsql%2Fa/x", "not-owned"),
    "no host": ("postgresql+pg8000:///x", "hidden-database"),
    "another way": ("postgresql+pg8000://u@localhost/x?service=prod", "hidden-database"),
    "no URL": ("what is this: p4ssword", "bad-database-url"),
    "no driver": ("oracle://u@localhost/x", "no-driver"),
    "no server": ("postgresql+pg8000://u:p4ssword@localhost:9/x", "sql-failed"),
}


@pytest.mark.parametrize(("url", "slug"), DATABASES.values(), ids=DATABASES)
def test_a_database_is_guarded_like_a_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, slug: str
) -> None:
    monkeypatch.setenv(VARIABLE, url)
    with (
        serve_answers() as service,
        pytest.raises((TargetError, Unobservable)) as caught,
        connect_to(
            service.url, SQL, tmp_path, deny='"*.prod.example", "straße.example", "203.0.113.0/24"'
        ) as target,
    ):
        target.set_state("reachable", {})
    assert slug in str(caught.value)
    assert "p4ssword" not in str(caught.value)


# The names of hosts that the tests resolve, with their addresses.
ADDRESSES = {"a.example": ["192.0.2.1", "192.0.2.2"], "b.example": ["192.0.2.3"]}

# The options of a driver of libpq, and what it gets instead: each address with its name and port.
HOSTS: Mapping[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "one": (
        {"host": "a.example", "port": 5},
        {"host": "a.example,a.example", "hostaddr": "192.0.2.1,192.0.2.2", "port": "5,5"},
    ),
    "several": (
        {"host": "a.example,b.example"},
        {"host": "a.example,a.example,b.example", "hostaddr": "192.0.2.1,192.0.2.2,192.0.2.3"},
    ),
    "several with ports": (
        {"host": "b.example,a.example", "port": "1,2"},
        {
            "host": "b.example,a.example,a.example",
            "hostaddr": "192.0.2.3,192.0.2.1,192.0.2.2",
            "port": "1,2,2",
        },
    ),
    "a socket": ({"host": "/run/postgresql"}, {"host": "/run/postgresql", "hostaddr": ""}),
    "a socket and a host": (
        {"host": "/run/postgresql,b.example"},
        {"host": "/run/postgresql,b.example", "hostaddr": ",192.0.2.3"},
    ),
}


@pytest.fixture
def dialect(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A dialect that runs SQLite, so that the driver under test need not be installed."""

    def look_up(host: str, *_arguments: Any, **_options: Any) -> list[Any]:
        return [(None, None, 0, "", (address, 0)) for address in ADDRESSES[host]]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return sqlite.dialect


@pytest.mark.parametrize(("options", "expected"), HOSTS.values(), ids=HOSTS)
def test_libpq_gets_every_address_checked(
    dialect: Any, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], expected: dict[str, Any]
) -> None:
    events: list[Any] = []

    def connect(_dialect: Any, **options: Any) -> sqlite3.Connection:
        events.append(options)
        return sqlite3.connect(":memory:")

    monkeypatch.setattr(dialect, "driver", "psycopg")
    monkeypatch.setattr(dialect, "create_connect_args", lambda *_: ([], options))
    monkeypatch.setattr(dialect, "connect", connect)
    engine = sql.create_engine("DATABASE", "sqlite://", events.append, HostDenyList())
    sql.run_statements(engine, [], [])
    engine.dispose()
    assert events[0] == [address for address in expected["hostaddr"].split(",") if address]
    assert events[1] == expected


@pytest.mark.parametrize("driver", ["mysqldb", "pyodbc", "pymssql", "cx_oracle", "asyncpg", "psycopg2cffi"])
def test_another_driver_is_refused_by_name(
    dialect: Any, monkeypatch: pytest.MonkeyPatch, driver: str
) -> None:
    monkeypatch.setattr(dialect, "driver", driver)
    problem = rf"unguarded-driver: 'DATABASE': {driver} may connect .*; allowed: pg8000, pymysql, .*psycopg2"
    with pytest.raises(TargetError, match=problem):
        sql.create_engine("DATABASE", "sqlite://", lambda _: None, HostDenyList())
