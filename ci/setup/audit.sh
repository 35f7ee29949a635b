#!/usr/bin/env bash
# Writes build/sbom.cdx.json, a CycloneDX list of the packages of the gate. Exits 1 if one of them has a known weakness, or
# if the network has no answer about one: pip-audit alone would pass over it. For a scheduled job.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source ci/setup/own-environment.sh
own_environment .venv-audit requirements-audit.lock
mkdir -p build
.venv-audit/bin/cyclonedx-py requirements --pyproject pyproject.toml -o build/sbom.cdx.json requirements.lock
exec .venv-audit/bin/pip-audit --strict --require-hashes --disable-pip -r requirements.lock
