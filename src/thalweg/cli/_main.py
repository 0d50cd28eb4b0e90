"""The command `thalweg`: finds commands, turns errors into one line and an exit code."""

import importlib
import os
import sys
from typing import Any

import click

from thalweg import __version__
from thalweg._core import ThalwegError
from thalweg.cli._output import say

COMMANDS = {
    "analyze": "data to limit, certificate and report",
    "flow": "the trajectory alone",
    "certify": "what can be proved about a start",
    "verify": "check the proof that certify --rigorous wrote, independently",
    "landscape": "every critical value, with what is learned there",
    "sweep": "how likely each ending is: many starts, kept in a folder",
    "push": "off a saddle, and where the flow goes from there",
    "slice": "the loss on a plane through critical points",
    "classify": "which critical point given weights are, and why",
    "descend": "training with an optimizer, and what it conserves",
    "explore": "a local web page to watch flows and walk through the landscape",
    "datasets": "the bundled data sets",
    "examples": "worked examples, such as the article's Eq. (1)",
}
DONE, BAD_INPUT, NUMERICAL, INTERRUPTED = 0, 2, 3, 130


class Commands(click.Group):
    """Imports a command only when it is called, so that ``--help`` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of a first visit."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"thalweg.cli._{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="thalweg")
def thalweg() -> None:
    """Where gradient descent on linear networks ends, how fast, and why.

    Start with `thalweg analyze digits`.
    """


def main() -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run a command and return its exit code: 0, 2 wrong input, 3 numerics, 130 interrupted."""
    try:
        return _invoke(arguments)
    except BrokenPipeError:
        # Whoever read our output has left; nothing more can be said there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


def _invoke(arguments: list[str]) -> int:
    try:
        code: Any = thalweg.main(args=arguments, prog_name="thalweg", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else DONE
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return DONE
    except click.ClickException as error:
        return _failed(error.format_message(), BAD_INPUT)
    except (click.Abort, KeyboardInterrupt):
        return _failed("interrupted", INTERRUPTED)
    except BrokenPipeError:
        raise
    except Exception as error:
        if "--traceback" in arguments:
            raise
        return _failed(*_explain(error))


def _explain(error: Exception) -> tuple[str, int]:
    """Return one line and the exit code for an error."""
    if isinstance(error, ThalwegError):
        return str(error), error.exit_code
    if isinstance(error, MemoryError):
        return "not enough memory; use smaller widths or fewer columns", NUMERICAL
    kind = type(error).__name__
    return f"internal error ({kind}: {error}); --traceback shows where", NUMERICAL


def _failed(message: str, code: int) -> int:
    say(f"thalweg: error: {' '.join(message.split())}")
    return code
