#!/usr/bin/env bash
# Schemathesis and Specmatic, for `python -m benchmarks.peers`, in an environment of their own. Specmatic needs Java 17.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source ci/setup/own-environment.sh
own_environment .venv-peers requirements-peers.lock
