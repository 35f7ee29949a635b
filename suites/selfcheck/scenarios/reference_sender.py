"""The reference go-sender, or a faulty one, as a deployment: a process that works until it is ended."""

import argparse
import logging
import tempfile
import threading
from pathlib import Path

from fixtures.faults.runtime import find_variant
from fixtures.platform import redis_container
from fixtures.platform.over_http.service_host import ServiceHost
from fixtures.platform.redis_container import RedisContainer
from fixtures.scenarios.sender.senders import list_container_keys
from fixtures.services import load
from fixtures.services.asgi import current_time
from fixtures.services.http_environment import HttpEnvironment
from fixtures.services.infrastructure import MemoryQueue

LOG = logging.getLogger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("fcm", "events", "redis"):
        parser.add_argument(name)
    parser.add_argument("--variant", default="")
    options = parser.parse_args()
    variant = find_variant(options.variant)
    environment = HttpEnvironment(
        urls={"fcm": options.fcm, "events-proxy": options.events},
        container=RedisContainer(redis_container.connect(options.redis), lambda: None),
        queue=MemoryQueue(lambda: 0),
        dead_letters=MemoryQueue(lambda: 0),
        alert=lambda _, reason: LOG.warning(reason),
        timeout_s=1,
    )
    service = (variant.load if variant else load)("go-sender", "after")
    with tempfile.TemporaryDirectory() as folder:
        ServiceHost(service, environment, Path(folder) / "store.sqlite", list_container_keys(), current_time)
        threading.Event().wait()


if __name__ == "__main__":
    main()
