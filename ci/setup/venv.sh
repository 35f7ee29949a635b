# Sourced by the commands of ci/: creates .venv, once for each version of the lock. Needs only Python >= 3.11.
# A failure here exits 70, which is no verdict.
trap 'echo "set-up-failed: see above; next: rm -rf .venv and try again" >&2; exit 70' ERR
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
stamp=.venv/.lock-$(cksum < requirements.lock | cut -d' ' -f1)
if [ ! -e "$stamp" ]; then
    python=${PYTHON:-python3}
    if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        echo "old-python: $("$python" --version 2>&1 || echo "no $python"): Python 3.11 or newer is needed" >&2
        echo "  next: PYTHON=/path/to/python3.11 $0 $*" >&2
        exit 64
    fi
    echo "Setting up .venv from requirements.lock ..." >&2
    rm -rf .venv
    "$python" -m venv .venv
    .venv/bin/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes --no-deps \
        -r requirements.lock >&2
    touch "$stamp"
fi
export PACT_DO_NOT_TRACK=true
unset PYTHONDONTWRITEBYTECODE # a run starts many processes; compiling all modules each time costs a third of it
trap - ERR
