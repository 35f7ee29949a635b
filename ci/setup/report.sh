#!/usr/bin/env bash
# Prints the path of the Node that runs Allure 3 for the report. With --install, it first installs Allure into
# ci/allure/node_modules, once for each lock. Without, it fails if Allure is not there.
# Allure's quality gate needs Node 22. If the installed Node is older or missing, the lock's own Node is used.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../allure"
stamp=node_modules/.lock-$(cksum < package-lock.json | cut -d' ' -f1)
if [ ! -e "$stamp" ]; then
    if [ "${1:-}" != --install ]; then
        echo "it is not installed" >&2
        exit 64
    fi
    if ! command -v npm > /dev/null; then
        echo "no-npm: the Allure report needs npm, which comes with Node.js" >&2
        exit 64
    fi
    omit=()
    if node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 22)' 2> /dev/null; then
        omit=(--omit=optional)
    fi
    rm -rf node_modules
    npm ci ${omit[@]+"${omit[@]}"} --ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retries=1 --fetch-retry-mintimeout=1000 \
        --fetch-timeout=20000 >&2
    touch "$stamp"
fi
own=(node_modules/node-*/bin/node)
if [ -x "${own[0]}" ]; then
    echo "$PWD/${own[0]}"
else
    command -v node
fi
