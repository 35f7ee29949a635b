"""The sender on firebase-admin for Node is started by the suite and judged as docs/senders.md says."""

import json
from pathlib import Path

import pytest

from ci.scoring.fault_runs import run_tests
from fixtures.core.project import ROOT
from fixtures.core.run_config import RunConfig

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("clients")]

SENDER = Path(__file__).resolve().parent / "node" / "sender.cjs"
ROW = f"""\
[environments.node.services.go-sender]
observe_within_s = 15
start = {json.dumps(["node", str(SENDER), "{redis_url}", "{events_url}", "{firebase_app}"])}
env = {{ HTTPS_PROXY = "{{fcm_proxy}}", NODE_EXTRA_CA_CERTS = "{{fcm_ca}}" }}
"""
# What the library does right, and a case that it takes for a dead token.
CASES = "v1-UNREGISTERED or v1-SENDER_ID_MISMATCH or v1-bare-404"


@pytest.mark.nightly
def test_the_sender_is_started_and_judged(tmp_path: Path) -> None:
    targets = tmp_path / "targets.toml"
    targets.write_text(ROW, encoding="utf-8")
    config = RunConfig(targets=str(targets), environment="node", examples=1)
    result = run_tests([f"{ROOT}/suites/compat/test_go_sender.py", "-k", CASES], config)
    assert {
        (finding["rule"], finding["case"]) for finding in result.findings if finding["rank"] == "promise"
    } == {("sender.outcome", "v1-bare-404")}
    assert result.broken == ()
