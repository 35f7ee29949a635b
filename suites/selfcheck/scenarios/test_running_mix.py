"""A version mix ends before another one begins, because each has a hundred files and connections open."""

import contextlib
import functools
from collections.abc import Iterator

from fixtures.core.topology import VERSION_MIXES
from fixtures.platform.fcm.emulator import Emulator
from fixtures.platform.in_memory import InMemoryPlatform
from fixtures.scenarios.end_to_end import EndToEndScenario, ask_emulator
from fixtures.scenarios.running_mix import RunningMix


def test_one_mix_runs_at_a_time() -> None:
    events: list[str] = []

    @contextlib.contextmanager
    def run(mix: str) -> Iterator[EndToEndScenario]:
        events.append(f"{mix} begins")
        emulator = Emulator()
        with contextlib.closing(InMemoryPlatform(functools.partial(ask_emulator, emulator))) as platform:
            yield EndToEndScenario(mix, VERSION_MIXES[mix], platform, emulator)
        events.append(f"{mix} ends")

    with contextlib.closing(RunningMix(run)) as running:
        for mix in ("mixed", "mixed", "all-after-v1"):
            assert running.switch_to(mix).name == mix
    assert events == ["mixed begins", "mixed ends", "all-after-v1 begins", "all-after-v1 ends"]
