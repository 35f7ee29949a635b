#!/usr/bin/env bash
# Installs Schemathesis and Specmatic for the benchmarks, in their own environment .venv-peers. Specmatic needs Java 17.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source ci/setup/own-environment.sh
own_environment .venv-peers requirements-peers.lock
