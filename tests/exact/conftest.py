"""Exact time comes without any time grid, for what has a closed form, or as a walk through time steps."""

from __future__ import annotations

import pytest
import simulate


@pytest.fixture(params=["no grid", "in steps"])
def each_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a test without a grid, where its model can do without, and in time steps."""
    monkeypatch.setattr(simulate, "in_steps", request.param == "in steps")
