"""Without PyTorch there is one clear line, and records can still be read."""

import subprocess
import sys


def test_one_line_and_no_import():
    code = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "import thalweg as tw\n"
        "from thalweg.monitor import Record, read\n"
        "try:\n"
        "    tw.monitor.watch(None, None)\n"
        "except tw.MissingExtraError as error:\n"
        "    assert isinstance(error, ImportError)\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "thalweg.monitor needs PyTorch: pip install 'thalweg[torch]'\n"


def test_importing_the_stage_does_not_import_torch():
    code = "import sys, thalweg.monitor\nassert 'torch' not in sys.modules\n"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
