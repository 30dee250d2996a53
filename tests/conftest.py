"""What all tests share: a scope of their own, a cache of their own, golden files."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

# before anything of eccles is imported: tests neither use nor fill the user's cache, and check every pass
os.environ["ECCLES_CACHE_DIR"] = tempfile.mkdtemp(prefix="eccles-test-cache-")
os.environ["ECCLES_VERIFY"] = "1"
os.environ["MPLBACKEND"] = "Agg"

# what runs in the background of a shell ignores Ctrl-C, and so would the processes that tests send it to
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# no deadlines: a slow machine is not a failure; the same examples each time, so that a failure is one for all
hypothesis.settings.register_profile("eccles", deadline=None, max_examples=50, derandomize=True)
hypothesis.settings.load_profile("eccles")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="write the golden files anew")


@pytest.fixture(autouse=True)
def _own_scope() -> Iterator[None]:
    """Each test begins in a new scope, with the same seed and the usual time step."""
    from eccles.errors import forget_warnings
    from eccles.objects import magic
    from eccles.units import ms

    magic.start_scope()
    magic.defaultclock.dt = 0.1 * ms
    magic.seed(20)
    forget_warnings()
    yield
    magic.start_scope()


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with `golden/<name>` beside the test; `--golden` writes it instead."""
    folder = Path(request.path).parent / "golden"

    def compare(name: str, text: str) -> None:
        path = folder / name
        if request.config.getoption("--golden"):
            folder.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return compare
