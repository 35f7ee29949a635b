"""`python -m fixtures.faults` serves one fault, as ./ci/serve serves: it needs no standard input."""

import json
import signal
import subprocess
import sys

import pytest

from fixtures.core.project import ROOT
from fixtures.faults import FAULTS
from fixtures.faults.__main__ import SERVED, main

pytestmark = pytest.mark.process

STILL_THERE_S = 2


@pytest.mark.parametrize("before", [(), ("nohup",)], ids=["plain", "nohup"])
def test_it_stays_up_without_standard_input(before: tuple[str, ...]) -> None:
    with subprocess.Popen(  # noqa: S603  our own module
        [*before, sys.executable, "-m", "fixtures.faults", FAULTS[0].name],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["service"] == FAULTS[0].service
        try:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(STILL_THERE_S)
            process.send_signal(signal.SIGTERM)
            assert process.wait() == 0
        finally:
            process.kill()


def test_an_unknown_fault_gets_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="64"):
        main([SERVED[0][:-1]])
    assert f"nearest: {SERVED[0]}, " in capsys.readouterr().err
