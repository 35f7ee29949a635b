"""A reference service, or a faulty one, as a deployment: a process that works until it is ended."""

import argparse
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn

from fixtures.faults.runtime import find_variant
from fixtures.platform import redis_container, sqs
from fixtures.platform.isolated_service import create_peer
from fixtures.platform.over_http.service_host import ServiceHost
from fixtures.platform.redis_container import RedisContainer
from fixtures.platform.sqs import SqsQueue
from fixtures.services import load
from fixtures.services.asgi import current_time
from fixtures.services.http_environment import HttpEnvironment
from fixtures.services.http_server import bind_port, run_server, uvicorn_config
from fixtures.services.infrastructure import Container, MemoryContainer, MemoryQueue, Queue


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("name", "store", "port"):
        parser.add_argument(name)
    for option in ("--peer", "--redis", "--queue", "--dead-letters", "--variant"):
        parser.add_argument(option, default="")
    options = parser.parse_args()
    variant = find_variant(options.variant)
    service = (variant.load if variant else load)(options.name, "after")
    container: Container = MemoryContainer()
    if options.redis:
        container = RedisContainer(redis_container.connect(options.redis), lambda: None)
    environment = HttpEnvironment(
        urls={create_peer(options.name).name: options.peer},
        container=container,
        queue=open_queue(options.queue),
        dead_letters=open_queue(options.dead_letters),
        alert=lambda _name, _reason: None,
    )
    host = ServiceHost(service, environment, Path(options.store), (), current_time)
    application = host.application(lambda _request, _reply: None)
    run_server(uvicorn.Server(uvicorn_config(application)), [bind_port(int(options.port))], with_parent=False)
    host.stop()
    host.close()


def open_queue(url: str) -> Queue:
    if not url:
        return MemoryQueue(lambda: 0)
    parts = urlsplit(url)
    return SqsQueue(sqs.connect(f"{parts.scheme}://{parts.netloc}"), url)


if __name__ == "__main__":
    main()
