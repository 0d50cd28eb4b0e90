import dataclasses

import pytest

from thalweg.cli._main import run


@dataclasses.dataclass
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def thalweg(capsys, tmp_path, monkeypatch):
    """Run the command line in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        code = run([str(item) for item in arguments])
        text = capsys.readouterr()
        return Outcome(code, text.out, text.err)

    return call
