"""The peer's and the floor's own environment: `.venv-bench`, from `requirements.lock` beside this file."""

import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.measuring import PROJECT

LOCK = Path(__file__).parent / "requirements.lock"
HOME = PROJECT / ".venv-bench"
PYTHON = HOME / "bin" / "python"


def interpreter() -> Path:
    """The environment's Python; the environment is made first where it is missing or its lock has changed."""
    installed = HOME / LOCK.name
    if not installed.exists() or installed.read_bytes() != LOCK.read_bytes():
        print("Installing the peer and the floor into .venv-bench, once ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", HOME], check=True)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--compile", "--require-hashes"]
        subprocess.run([PYTHON, *install, "-r", LOCK], check=True)
        shutil.copyfile(LOCK, installed)
    return PYTHON
