# Sourced by the commands of ci/: creates .venv, once for each version of the lock. Needs only Python >= 3.11.
# A failure here exits 70, which is no verdict.
trap 'echo "set-up-failed: see above; next: rm -rf .venv and try again" >&2; exit 70' ERR
unset CDPATH # it could lead `cd` elsewhere
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# Variables of Python load other code than the project's, or hide it. The commands refuse PYTHONOPTIMIZE by name.
for name in "${!PYTHON@}"; do
    case $name in PYTHON | PYTHONOPTIMIZE) ;; *) unset "$name" ;; esac
done
export PYTHONNOUSERSITE=1 PYTHONUTF8=1
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
if ! problem=$(.venv/bin/python -c pass 2>&1); then # its own exit code could be that of a verdict
    echo "no-interpreter: .venv/bin/python does not run: ${problem##*$'\n'}" >&2
    echo "  next: rm -rf .venv and try again" >&2
    exit 70
fi
export PACT_DO_NOT_TRACK=true
trap - ERR
