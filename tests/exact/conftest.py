"""Exact time comes without any time grid, for what has a closed form, or as a walk through time steps."""

from __future__ import annotations

import pytest
import simulate


@pytest.fixture(params=["no grid", "in steps"])
def each_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a test without a grid, where its model can do without, and in time steps."""
    monkeypatch.setattr(simulate, "in_steps", request.param == "in steps")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a grid one time step is as good as another: all but one are slow tests."""
    for item in items:
        if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
            params = item.callspec.params
            if params.get("each_way") == "no grid" and params.get("dt", 1e-4) != 1e-4:
                item.add_marker(pytest.mark.slow)
