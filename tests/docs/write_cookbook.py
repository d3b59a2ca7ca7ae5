"""`python -m tests.docs.write_cookbook`: put into docs/cookbook.md what its blocks print now."""

import os
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from assets.layout import DataDirectory
from pipelines.installation.instance import instance
from tests.commandline import environment_restored
from tests.docs.company import play
from tests.docs.recipes import COOKBOOK, run, written_anew


def main() -> None:
    with TemporaryDirectory() as folder, environment_restored():
        os.environ.pop("DAGSTER_HOME", None)  # pretend runs have no place in whoever's instance
        fresh = DataDirectory(Path(folder) / "fresh")
        with instance(fresh) as opened:
            assert opened.get_runs() == []
        operator = play(Path(folder) / "company", fresh.dagster_home)
        COOKBOOK.write_text(written_anew(COOKBOOK.read_text("utf-8"), partial(run, operator=operator)), "utf-8")


if __name__ == "__main__":
    main()
