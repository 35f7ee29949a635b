# Sourced by the commands of ci/, or run: sets up .venv with requirements.lock, or with other `locks` of its caller.
# Needs only Python >= 3.11. A failure here exits 70, which is no verdict.
set -o errtrace # the trap holds in functions, too
trap 'echo "set-up-failed: see above; next: rm -rf ${environment:-.venv} and try again" >&2; exit 70' ERR
unset CDPATH # it could lead `cd` elsewhere
case ${PYTHON:-} in */*) [[ $PYTHON = /* ]] || PYTHON=$PWD/$PYTHON ;; esac # as the caller means it
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
case $(uname -s) in
Linux | Darwin) ;;
*)
    echo "unsupported-system: $(uname -s): allowed: Linux and macOS; Windows has no file locks and signals of this kind" >&2
    echo "  next: on Windows, wsl --install; then clone the project inside of WSL, and run $0 there" >&2
    exit 64
    ;;
esac
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
source ci/setup/own-environment.sh
# The cleaner needs few packages: it makes an environment of its own, unless the large one is there.
environment=.venv locks=${locks:-requirements.lock}
if [ "${0##*/}" = clean-messages-container ] && ! is_installed .venv requirements.lock; then
    environment=.venv-cleaner locks=requirements-cleaner.lock
fi
[ "${command:-}" != completion ] || environment=.venv-completion locks=requirements-completion.lock
[ -x $environment/bin/python ] || require_python "${PYTHON:-python3}" "$@"
own_environment $environment $locks
if ! problem=$($environment/bin/python -c pass 2>&1); then # its own exit code could be that of a verdict
    echo "no-interpreter: $environment/bin/python does not run: ${problem##*$'\n'}" >&2
    echo "  next: rm -rf $environment and try again" >&2
    exit 70
fi
export PACT_DO_NOT_TRACK=true
trap - ERR
set +o errtrace
