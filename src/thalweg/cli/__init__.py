"""The command line: one file for each command."""

from thalweg.cli._main import main as main
