"""What users install works outside of the checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SMOKE = """
import sys
from pathlib import Path
import eccles
from eccles.cli import main
assert Path(eccles.__file__).is_relative_to(sys.argv[1]), eccles.__file__
sys.argv[1:] = ["beats", "--duration", "100ms", "--figure", "beats.svg", "--out", "beats.nc",
                "--report", "report"]
main()
"""


@pytest.mark.slow
def test_the_wheel_is_pure_and_runs_the_main_job(tmp_path: Path) -> None:
    dist, site = tmp_path / "dist", tmp_path / "site"
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(dist), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = dist.glob("*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")
    assert "eccles/py.typed" in zipfile.ZipFile(wheel).namelist()
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    smoke = tmp_path / "smoke.py"
    smoke.write_text(SMOKE, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(smoke), str(site)],
        cwd=tmp_path, env={"PYTHONPATH": str(site), "PATH": "", "ECCLES_CACHE_DIR": str(tmp_path / "cache")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "beats.svg").stat().st_size > 1000
    assert (tmp_path / "beats.nc").stat().st_size > 1000
    assert (tmp_path / "report" / "report.html").stat().st_size > 1000
