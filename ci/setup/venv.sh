# Sourced by the commands of ci/: creates .venv, once for each version of the lock. Needs only Python >= 3.11.
# A failure here exits 70, which is no verdict.
trap 'echo "set-up-failed: see above; next: rm -rf ${environment:-.venv} and try again" >&2; exit 70' ERR
unset CDPATH # it could lead `cd` elsewhere
case ${PYTHON:-} in */*) [[ $PYTHON = /* ]] || PYTHON=$PWD/$PYTHON ;; esac # as the caller means it
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# Variables of Python load other code than the project's, or hide it. The commands refuse PYTHONOPTIMIZE by name.
for name in "${!PYTHON@}"; do
    case $name in PYTHON | PYTHONOPTIMIZE) ;; *) unset "$name" ;; esac
done
export PYTHONNOUSERSITE=1 PYTHONUTF8=1
require_python() {
    if ! "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        echo "old-python: $("$1" --version 2>&1 || echo "no $1"): Python 3.11 or newer is needed" >&2
        echo "  next: PYTHON=/path/to/python3.11 $0 ${*:2}" >&2
        exit 64
    fi
}
stamp_of() { echo "$1/.lock-$(cksum < "$2" | cut -d' ' -f1)"; }
environment=.venv lock=requirements.lock
# The cleaner needs few packages: it makes an environment of its own, unless the large one is there.
if [ "${0##*/}" = clean-messages-container ] && [ ! -e "$(stamp_of .venv requirements.lock)" ]; then
    environment=.venv-cleaner lock=requirements-cleaner.lock
fi
[ "${command:-}" != completion ] || environment=.venv-completion lock=requirements-completion.lock
stamp=$(stamp_of $environment $lock)
if [ ! -e "$stamp" ]; then
    python=${PYTHON:-python3}
    require_python "$python" "$@"
    echo "Setting up $environment from $lock ..." >&2
    rm -rf $environment
    "$python" -m venv $environment
    $environment/bin/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes --no-deps \
        -r $lock >&2
    touch "$stamp"
fi
if ! problem=$($environment/bin/python -c pass 2>&1); then # its own exit code could be that of a verdict
    echo "no-interpreter: $environment/bin/python does not run: ${problem##*$'\n'}" >&2
    echo "  next: rm -rf $environment and try again" >&2
    exit 70
fi
export PACT_DO_NOT_TRACK=true
trap - ERR
