#!/usr/bin/env bash
# Real clients of FCM, each in an environment of its own: for suites/contracts/clients. Needs Python, Node and npm.
# The two pyfcm cannot share one. Made once for each lock; a broken set-up is made anew.
# And what judges our documents as others would: for suites/contracts/readers.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${PYTHON:-python3}

environment() {
    local folder=$1 lock=$2
    local stamp=$folder/.lock-$(cksum < "$lock" | cut -d' ' -f1)
    [ -e "$stamp" ] && return
    echo "Setting up $folder from $lock ..." >&2
    rm -rf "$folder"
    "$python" -m venv "$folder"
    "$folder/bin/python" -m pip install --quiet --quiet --disable-pip-version-check --require-hashes --no-deps \
        -r "$lock" >&2
    touch "$stamp"
}

packages() {
    local folder=$1
    local stamp=$folder/node_modules/.lock-$(cksum < "$folder/package-lock.json" | cut -d' ' -f1)
    [ -e "$stamp" ] && return
    if ! command -v npm > /dev/null; then
        echo "no-npm: $folder needs Node 18 or newer, with npm" >&2
        echo "  next: install them, then run ./ci/setup-clients.sh again" >&2
        exit 64
    fi
    echo "Setting up $folder/node_modules from package-lock.json ..." >&2
    npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error >&2
    touch "$stamp"
}

environment .venv-clients requirements-clients.lock
environment .venv-clients-legacy requirements-clients-legacy.lock
packages suites/contracts/clients/node
packages suites/contracts/readers/node
