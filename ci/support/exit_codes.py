"""The exit codes of all commands, as data: for the commands, their help and docs/exit-codes.md."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field


class ExitCode(enum.IntEnum):
    """Exit codes of all commands. Wrong usage has a code of its own, so it never looks like a verdict."""

    GO = 0
    NO_GO = 1
    UNDECIDED = 2
    USAGE = 64
    DATA = 65
    UNAVAILABLE = 69
    CRASH = 70
    NOT_WRITTEN = 74
    HUNG_UP = 129
    INTERRUPTED = 130
    NO_READER = 141
    STOPPED = 143


VERDICT_EXIT_CODES = {"go": ExitCode.GO, "no-go": ExitCode.NO_GO, "undecided": ExitCode.UNDECIDED}
MEANINGS: Mapping[ExitCode, str] = {
    ExitCode.GO: "go; or the command did what was asked",
    ExitCode.NO_GO: "no-go; or the command did its work, and its answer is no",
    ExitCode.UNDECIDED: "undecided: something was not seen, so there is no answer",
    ExitCode.USAGE: "wrong usage: an option, a file or an environment variable has to be changed",
    ExitCode.DATA: "a file was read, and something in it cannot be used",
    ExitCode.UNAVAILABLE: "something that the command needs does not answer or is not there",
    ExitCode.CRASH: "a crash of the command itself, or of its set-up",
    ExitCode.NOT_WRITTEN: "its output or a file could not be written: a full device, no such folder",
    ExitCode.HUNG_UP: "stopped by SIGHUP: its terminal was closed",
    ExitCode.INTERRUPTED: "stopped by SIGINT: Ctrl-C",
    ExitCode.NO_READER: "nothing reads its output any more, as after `| head -1`",
    ExitCode.STOPPED: "stopped by SIGTERM",
}
VERDICT: Mapping[int, str] = {
    0: "go: every expected test ran, and none found anything",
    1: "no-go: at least one finding",
    2: "undecided: no finding, but something was not seen, or was not written",
}
# What the first codes mean where the sentence above does not say enough, by command.
ANSWERS: Mapping[str, Mapping[int, str]] = {
    "gate": VERDICT,
    "merge": VERDICT,
    "report": {**VERDICT, 0: "go, in every environment"},
    "summary": {0: "there is a verdict, whichever", 69: "there is no verdict, or no summary of it"},
    "doctor": {0: "all is well", 2: "a gate there would be undecided"},
    "cleanup-states": {0: "no test subscriber is left", 69: "some could not be removed"},
    "deep": {0: "nothing was found", 1: "something was found", 2: "it could not run"},
    "selfcheck": {0: "every fault was found, or every variant was go", 1: "not every one"},
    "mutants": {0: "every mutant was noticed", 1: "one was not", 2: "the tests fail without any mutant"},
    "rollout": {0: "go: the plan is safe at every step", 1: "no-go: it is not", 2: "undecided"},
    "broker publish": {0: "all pacts are published", 1: "the broker refused one", 2: "undecided"},
    "broker verify": {0: "go", 1: "no-go: a pact is not honoured", 2: "undecided"},
    "broker can-i-deploy": {0: "yes", 1: "no", 2: "undecided"},
    "import-reports": {0: "every answer was taken", 65: "a passage was not taken, or there is no answer"},
    "explain": {0: "every line was explained", 65: "a line holds no answer"},
    "clean-messages-container": {0: "done", 65: "a bad backup", 69: "no server, or it denies a command"},
    "regenerate": {0: "written, or current", 1: "with --check: a file is not current"},
    "replay": {0: "the lines on standard input ended", 64: "the package cannot be judged"},
    "serve": {0: "stopped by a signal, as servers are"},
    "test": {
        0: "all passed",
        1: "a linter or a test failed",
        2: "it was interrupted, or no test ran",
    },
    "bench": {0: "measured: nothing depends on a speed"},
}


@dataclass(frozen=True)
class Trouble:
    """Something that ends a command early, with one exit code; `codes_by_command` are those of some commands.

    Without a code, it makes no difference.
    """

    what: str
    exit_code: ExitCode | None
    codes_by_command: Mapping[str, ExitCode | None] = field(default_factory=dict)

    def get_exit_code(self, command: str) -> ExitCode | None:
        return self.codes_by_command.get(command, self.exit_code)

    def describe(self, command: str) -> str:
        code = self.get_exit_code(command)
        return "-" if code is None else str(int(code))


# None of them is a no-go. docs/exit-codes.md shows them for each command, and a test tries each of them.
TROUBLES = (
    Trouble("an unknown option", ExitCode.USAGE),
    Trouble("a package is not installed", ExitCode.CRASH, {"mutants": None}),
    Trouble("`PYTHONSAFEPATH=1`", None),
    Trouble("`PYTHONHOME=/nonexistent`", None),
    Trouble("`PYTHON=/nonexistent` before the set-up", ExitCode.USAGE),
    Trouble("no `DJANGO_SETTINGS_MODULE`", None, {"clean-messages-container": ExitCode.USAGE}),
    Trouble(
        "a folder that cannot be made",
        None,
        {
            **dict.fromkeys(
                ("merge", "report", "doctor", "deep", "selfcheck", "rollout"), ExitCode.NOT_WRITTEN
            ),
            "gate": ExitCode.UNDECIDED,
            "summary": ExitCode.UNAVAILABLE,
            **dict.fromkeys(("import-reports", "regenerate", "serve fcm"), ExitCode.USAGE),
        },
    ),
    Trouble("its reader has gone", ExitCode.NO_READER),
    Trouble("a full device", ExitCode.NOT_WRITTEN),
    Trouble("SIGINT", ExitCode.INTERRUPTED),
    Trouble("SIGTERM", ExitCode.STOPPED),
    Trouble("an unexpected error", ExitCode.CRASH),
)
