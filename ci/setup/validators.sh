#!/usr/bin/env bash
# Installs what suites/contracts/validators reads our API documents, results and CI templates with. Needs Python and npm.
# The linter of the Jenkinsfiles needs Java 17, too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source ci/setup/own-environment.sh
own_environment .venv-linters requirements-linters.lock
node_packages suites/contracts/validators/node
