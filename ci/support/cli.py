"""Shared by all commands: what ends one, such as a crash, a signal or a full device, has one exit code.

This module needs nothing but the standard library: it must also tell that a package is missing.
"""

import argparse
import contextlib
import errno
import functools
import io
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from ci.support.command_line import CommandParser, build_parser
from ci.support.exit_codes import ExitCode
from fixtures.core import redaction, surroundings, topology
from fixtures.core.errors import UserError
from fixtures.core.project import ROOT
from fixtures.core.settings import PATHS, find_settings, read_settings
from fixtures.results import build_folder
from fixtures.results.build_folder import RunFiles

TEMPLATES = ROOT / "ci" / "commands" / "templates"
WRITE_ERRORS = ("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EPERM", "EIO", "EEXIST", "ENOTDIR", "EISDIR")
STDOUT, STDERR = 1, 2


@dataclass(frozen=True)
class Answer:
    """What a command found out: its exit code, and what --json prints, a list as one object a line."""

    exit_code: int
    content: Any


RunCommand: TypeAlias = Callable[[CommandParser, argparse.Namespace], int | Answer]
MainFunction: TypeAlias = Callable[..., int]


class LostOutput(Exception):
    """Standard output or standard error cannot be written, or nothing reads it any more."""

    def __init__(self, descriptor: int, number: int | None) -> None:
        super().__init__(descriptor, number)
        self.descriptor, self.number = descriptor, number


class CheckedFile(io.FileIO):
    """A file that raises LostOutput, which no library takes for an error of its own."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data) or 0
        except OSError as error:
            raise LostOutput(self.fileno(), error.errno) from error


class Stopped(KeyboardInterrupt):
    """A signal ends the command, as Ctrl-C does: what is open is closed first."""


def stop(number: int, _frame: object) -> NoReturn:
    raise Stopped(number)


@contextlib.contextmanager
def stop_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as Ctrl-C does, unless they are ignored, as under nohup."""
    numbers = [name for name in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(name) == signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def check_streams() -> None:
    """Let standard output and standard error raise LostOutput, and print texts that no encoding has."""
    for name, descriptor in (("stdout", STDOUT), ("stderr", STDERR)):
        stream = getattr(sys, name)
        if not isinstance(stream, io.TextIOWrapper):
            continue
        stream.reconfigure(errors="backslashreplace")
        # A test captures its output in a stream of its own, which stays.
        if stream is getattr(sys, f"__{name}__") and not isinstance(stream.buffer, CheckedBuffer):
            stream.flush()
            checked = io.TextIOWrapper(
                CheckedBuffer(CheckedFile(descriptor, "w", closefd=False)),
                encoding=stream.encoding,
                errors="backslashreplace",
                line_buffering=stream.line_buffering,
            )
            setattr(sys, name, checked)
            setattr(sys, f"__{name}__", checked)


class CheckedBuffer(io.BufferedWriter):
    """The buffer of a CheckedFile."""


def flush_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


def guard(run: Callable[[], int], *, crashed: str, interrupted: str) -> int:
    """Run, and return the exit code of whatever ended it; 1 is only what `run` itself returns.

    `crashed` and `interrupted` are printed at an error that is not the user's, and at a signal.
    """
    check_streams()
    try:
        try:
            with stop_by_signals():
                exit_code = run()
        except SystemExit:  # a usage error, or --help
            flush_streams()
            raise
        except KeyboardInterrupt as error:
            print(interrupted, file=sys.stderr)
            exit_code = 128 + (error.args[0] if isinstance(error, Stopped) else signal.SIGINT)
        except LostOutput:
            raise
        except Exception as error:  # noqa: BLE001  Python would exit with 1, as for a no-go
            exit_code = report_error(error, crashed)
        flush_streams()
    except LostOutput as lost:
        return report_lost_output(lost)
    return exit_code


def report_error(error: Exception, crashed: str) -> ExitCode:
    """Print an error without secrets. Returns its exit code."""
    if isinstance(error, OSError) and is_write_error(error):
        file = f"{str(error.filename)!r}: " if error.filename else ""
        next_step = "give it room, or name a folder of yours"
        print(f"cannot-write: {file}{error.strerror}\n  next: {next_step}", file=sys.stderr)
        return ExitCode.NOT_WRITTEN
    print(redaction.REDACTOR.redact_text(traceback.format_exc()), file=sys.stderr)
    print(crashed, file=sys.stderr)
    return ExitCode.CRASH


def report_lost_output(lost: LostOutput) -> ExitCode:
    """Drop what cannot be written, so that the end of the process is silent. Returns the exit code."""
    with open(os.devnull, "wb") as nothing:  # noqa: PTH123  a file descriptor
        os.dup2(nothing.fileno(), lost.descriptor)
        try:
            if lost.descriptor == STDOUT and lost.number != errno.EPIPE:
                problem = f"{os.strerror(lost.number or errno.EIO)}: some of the output is lost"
                print(f"cannot-write: standard output: {problem}\n  next: give it room", file=sys.stderr)
            flush_streams()
        except LostOutput as other:
            os.dup2(nothing.fileno(), other.descriptor)
    return ExitCode.NO_READER if lost.number == errno.EPIPE else ExitCode.NOT_WRITTEN


def is_write_error(error: OSError) -> bool:
    """Whether an error says that files cannot be written here. Any other OSError is a crash."""
    # If no folder for temporary files can be written, `tempfile` raises ENOENT without a file name.
    has_no_temporary_folder = error.errno == errno.ENOENT and error.filename is None
    return has_no_temporary_folder or errno.errorcode.get(error.errno or 0) in WRITE_ERRORS


def command(name: str, *, crashed: str = "", interrupted: str = "") -> Callable[[RunCommand], MainFunction]:
    """Make the `main` of a command from a function that runs it with its parser and its options.

    A UserError is wrong usage. With --json, only the content of the Answer is printed on standard output.
    """

    def decorate(run: RunCommand) -> MainFunction:
        @functools.wraps(run)
        def main(argv: Sequence[str] | None = None) -> int:
            def run_parsed() -> int:
                parser = build_parser(name)
                try:
                    surroundings.prepare_process()
                    topology.use_release("")
                    return run_with_answer(run, parser, parse_options(parser, argv))
                except UserError as error:
                    parser.refuse(error)

            return guard(
                run_parsed,
                crashed=crashed or f"{name}-crashed: this says nothing",
                interrupted=interrupted or "interrupted: this says nothing",
            )

        return main

    return decorate


def run_with_answer(run: RunCommand, parser: CommandParser, options: argparse.Namespace) -> int:
    """Run a command. With --json, standard output is for its Answer, and all other lines go to stderr."""
    with contextlib.ExitStack() as stack:
        if getattr(options, "json", False):
            stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        result = run(parser, options)
    if not isinstance(result, Answer):
        return result
    if getattr(options, "json", False):
        for row in result.content if isinstance(result.content, list) else [result.content]:
            print(json.dumps(row, ensure_ascii=False))
    return result.exit_code


def parse_options(parser: CommandParser, argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse a command line, with the settings of fcm-compat.toml where it says nothing.

    All paths of settings are absolute afterwards. The file is named first of all; it is `settings_file`.
    """
    options = parser.parse_args(argv)
    names = [name for name in options.settings if hasattr(options, name)] if "settings" in options else []
    file = find_settings(Path(options.caller_folder)) if names and not options.no_config else None
    settings = {name: value for name, value in read_settings(file).items() if name in names} if file else {}
    lists = {name: value for name, value in settings.items() if isinstance(value, list)}
    if file:
        parser.set_defaults(**{name: settings[name] for name in settings.keys() - lists.keys()})
        options = parser.parse_args(argv)
        vars(options).update({name: value for name, value in lists.items() if getattr(options, name) is None})
        used = [name for name, value in settings.items() if getattr(options, name) == value]
        print(f"settings: {file}: {', '.join(used) or 'none is used here'}", file=sys.stderr, flush=True)
    options.settings_file = file
    for name in set(names) & set(PATHS) - {"build", "history"}:
        if path := getattr(options, name):
            setattr(options, name, str(resolve_path(options.caller_folder, path)))
    return options


def resolve_path(caller_folder: str, path: str) -> Path:
    """Resolve a path of the command line relative to the caller's folder."""
    return Path(path) if Path(path).is_absolute() else Path(caller_folder, path).resolve()


def resolve_build_folder(options: argparse.Namespace) -> Path:
    """The folder of --build, marked as ours. Raises UserError for a folder that holds anything else."""
    return build_folder.adopt(build_folder.find_build_folder(options.caller_folder, options.build))


def resolve_run_files(options: argparse.Namespace) -> RunFiles:
    """The files that --build and --history name."""
    build = resolve_build_folder(options)
    history = resolve_path(options.caller_folder, options.history) if options.history else build / "history"
    return RunFiles(build, history)


def require_positive(parser: CommandParser, options: argparse.Namespace, *names: str) -> None:
    """Refuse a number below 1; an option that was not given is None."""
    for name in names:
        if (number := getattr(options, name)) is not None and number < 1:
            parser.error(f"--{name} {number}: allowed: 1 or more")
