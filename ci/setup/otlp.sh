#!/usr/bin/env bash
# Installs the OpenTelemetry SDK for ./ci/gate --otlp, in its own environment .venv-otlp.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source ci/setup/own-environment.sh
own_environment .venv-otlp requirements-otlp.lock
