"""Whether Eccles works on this machine, and what it found there."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

__all__ = ["OPTIONAL", "Finding", "examine"]

# packages beyond the core -> what they are for
OPTIONAL = {
    "matplotlib": "figures",
    "xarray": "labelled results",
    "h5netcdf": "result files (.nc)",
    "h5py": "result files (.nc)",
    "zarr": "result folders (.zarr), and sweeps that go on after an interruption",
    "distributed": "sweeps on a Dask cluster",
    "neo": "results as Neo blocks",
    "pynwb": "results as NWB files",
}
ANEW = "every process compiles its programs anew"


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes
    ----------
    state : {'ok', 'note', 'broken'}
        'note' is worth knowing but nothing is wrong; 'broken' makes `eccles doctor` fail.
    """

    what: str
    found: str
    state: Literal["ok", "note", "broken"] = "ok"


def examine() -> list[Finding]:
    """All findings; a check that fails becomes a finding too."""
    findings = []
    for what, check in _CHECKS.items():
        try:
            findings += check()
        except Exception as error:  # whatever is wrong with the machine, the report goes on
            findings.append(Finding(what, f"{type(error).__name__}: {error}", "broken"))
    return findings


def _versions() -> list[Finding]:
    import numpy

    from eccles import __version__

    return [
        Finding("Eccles", __version__),
        Finding(
            "Python", f"{platform.python_version()} ({platform.python_implementation()}, {sys.platform})"
        ),
        Finding("NumPy", numpy.__version__),
    ]


def _compiler() -> list[Finding]:
    from eccles.compile.llvm import host_target, version

    target = host_target()
    llvmlite, llvm = version().split("|")
    fused = "with" if target.fma else "without"
    return [
        Finding("llvmlite", f"{llvmlite} (LLVM {llvm})"),
        Finding("CPU", f"{target.cpu or 'unknown'}, {platform.machine()}"),
        Finding("vectors", f"{target.lanes} doubles at once, {fused} fused multiply-add"),
    ]


def _cache() -> list[Finding]:
    from eccles.compile import cache

    folder = cache.directory()
    if folder is None:
        return [Finding("cache", f"no private folder; {ANEW}; ECCLES_CACHE_DIR can name another one", "note")]
    key = "0f" * 32  # of no program: 64 hexadecimal digits
    cache.write(key, b"self-test")
    kept = cache.read(key)
    (folder / f"{key}{cache.SUFFIX}").unlink(missing_ok=True)
    files, size = cache.size()
    if kept != b"self-test":
        return [Finding("cache", f"{folder} cannot be written to; {ANEW}", "note")]
    return [Finding("cache", f"{folder}: {files} programs, {size / 2**20:.1f} MiB")]


def _self_test() -> list[Finding]:
    """A leaky neuron with a known answer, compiled without the caches."""
    import math

    from eccles.compile.pipeline import compile_program
    from eccles.objects import Network, NeuronGroup
    from eccles.units import ms

    group = NeuronGroup(5, "dv/dt = (1 - v)/tau : 1", method="exact", namespace={"tau": 10 * ms})
    network = Network(group)
    began = time.perf_counter()
    network.run(10 * ms)
    first = time.perf_counter() - began
    began = time.perf_counter()
    compile_program(network.loop.program, cache=False)
    compiled = time.perf_counter() - began
    off = abs(float(group.v[0]) - (1 - math.exp(-1)))
    if not off < 1e-12:
        return [Finding("self-test", f"a leaky neuron is off by {off:.2g} after one time constant", "broken")]
    return [
        Finding("self-test", f"right; compiled in {1e3 * compiled:.0f} ms, first run {1e3 * first:.0f} ms")
    ]


def _optional() -> list[Finding]:
    findings = []
    for package, purpose in OPTIONAL.items():
        if importlib.util.find_spec(package) is None:
            findings.append(Finding(package, f"not installed: needed for {purpose}", "note"))
        else:
            findings.append(Finding(package, importlib.metadata.version(package)))
    return findings


_CHECKS: dict[str, Callable[[], list[Finding]]] = {
    "versions": _versions,
    "compiler": _compiler,
    "cache": _cache,
    "self-test": _self_test,
    "optional packages": _optional,
}
