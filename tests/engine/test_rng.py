"""Random numbers outside of a run: the same as within, whatever the shape of the arguments."""

from __future__ import annotations

import hashlib
import threading
from typing import Any

import numpy as np
import pytest

from eccles import Network, NeuronGroup, SpikeMonitor, ms, seed
from eccles.compile import ir, random
from eccles.compile.interpret import interpret
from eccles.engine import rng

KEY = 0x1234_5678_9ABC_DEF0
DRAWS = [
    *((rng.uniform, ()), (rng.normal, ()), (rng.exponential, ())),
    *((rng.poisson, (3.5,)), (rng.poisson, (70.0,)), (rng.binomial, (200, 0.4))),
]


def interpreted(name: str, args: tuple[Any, ...]) -> float:
    """One random number by the interpreter."""
    function: ir.Function = getattr(random, name)
    element = ir.Element.I64 if function.result.type is ir.I64 else ir.Element.F64
    result = ir.Buffer("result", element, 0)
    call = ir.Call(function, tuple(ir.const(a) for a in args))
    array = np.zeros(1, np.int64 if element is ir.Element.I64 else np.float64)
    interpret(ir.Program("one", (result,), (ir.Store(result, ir.const(0), call),)), [array])
    return array[0]


@pytest.mark.parametrize(("draw", "args"), DRAWS)
def test_numbers_are_those_of_the_ir(draw: Any, args: tuple[Any, ...]) -> None:
    found = draw(*args, KEY, np.arange(8), 2**40, 7)
    assert found.tolist() == [interpreted(draw.__name__, (*args, KEY, k, 2**40, 7)) for k in range(8)]


@pytest.mark.parametrize(("draw", "args"), DRAWS)
def test_arguments_are_broadcast(draw: Any, args: tuple[Any, ...]) -> None:
    elements, ordinals = np.arange(6).reshape(2, 3), np.arange(4).reshape(4, 1, 1)
    found = draw(*args, KEY, elements, ordinals, 1)
    assert found.shape == (4, 2, 3)
    assert found[3, 1, 2] == draw(*args, KEY, 5, 3, 1)
    assert draw(*args, KEY, 5, 3, 1).shape == ()
    assert draw(*args, KEY, np.zeros((0, 2), int), 3, 1).shape == (0, 2)


@pytest.mark.parametrize(("draw", "args"), DRAWS)
def test_long_arrays_are_made_of_the_same_numbers(draw: Any, args: tuple[Any, ...]) -> None:
    n = 2 * rng.CHUNK + 5
    elements = np.random.default_rng(1).permutation(n)
    found = draw(*args, KEY, elements, 1, 0)
    for part in (slice(0, 9), slice(rng.CHUNK - 2, rng.CHUNK + 3), slice(n - 7, n)):
        np.testing.assert_array_equal(found[part], draw(*args, KEY, elements[part], 1, 0))


def test_parameters_may_differ_from_element_to_element() -> None:
    elements = np.arange(50)
    lam = np.linspace(0, 100, 50)
    found = rng.poisson(lam, KEY, elements, 0, 0)
    assert found.tolist() == [int(rng.poisson(m, KEY, k, 0, 0)) for m, k in zip(lam, elements, strict=True)]
    n, p = np.arange(50), np.linspace(0, 1, 50)
    found = rng.binomial(n, p, KEY, elements, 0, 0)
    assert np.all((found >= 0) & (found <= n))
    assert found[-1] == 49


def test_the_results_have_the_types_of_their_kind() -> None:
    kinds = [draw(*args, KEY, np.arange(3), 0, 0).dtype for draw, args in DRAWS]
    assert kinds == [np.float64] * 3 + [np.int64] * 3


def test_keys_may_be_signed_or_unsigned() -> None:
    signed = rng.uniform(-2, np.arange(5), 0, 0)
    np.testing.assert_array_equal(signed, rng.uniform(2**64 - 2, np.arange(5), 0, 0))


def test_threads_do_not_disturb_each_other() -> None:
    n = 20 * rng.CHUNK
    alone = [rng.uniform(key, np.arange(n), 0, 0) for key in range(4)]
    found: dict[int, np.ndarray] = {}

    def work(key: int) -> None:
        found[key] = rng.uniform(key, np.arange(n), 0, 0)

    threads = [threading.Thread(target=work, args=(key,)) for key in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for key in range(4):
        np.testing.assert_array_equal(found[key], alone[key])


def test_keys_of_streams_are_hashes_of_all_that_names_them() -> None:
    digest = hashlib.blake2b(b"1\0neurons\0update", digest_size=8).digest()
    assert rng.stream_key(1, "neurons", "update") == int.from_bytes(digest, "little") >> 1
    named = [
        (1, "ab", "c"),
        (1, "a", "bc"),
        (11, "ab", "c"),
        (-1, "ab", "c"),
        (1, "ab", ""),
        (2**64, "ab", "c"),
    ]
    assert len({rng.stream_key(*name) for name in named}) == len(named)
    assert all(0 <= rng.stream_key(*name) < 2**63 for name in named)


def test_code_that_runs_for_many_elements_draws_the_same_counts() -> None:
    seed(5)
    neurons = NeuronGroup(300, "k : integer\nm : integer\nlam : 1", threshold="poisson(0.2) > 0", dt=1 * ms)
    neurons.lam = "i * 0.3"
    code = neurons.run_regularly("k = poisson(lam)\nm = binomial(i, 0.25)")
    spikes = SpikeMonitor(neurons)
    Network(neurons, code, spikes).run(3 * ms)
    key, elements = code.stream_key("run_regularly"), np.arange(300)
    np.testing.assert_array_equal(neurons.k[:], rng.poisson(elements * 0.3, key, elements, 2, 0))
    np.testing.assert_array_equal(neurons.m[:], rng.binomial(elements, 0.25, key, elements, 2, 1))
    key = neurons.stream_key("spike")
    wanted = [np.flatnonzero(rng.poisson(0.2, key, elements, step, 0)) for step in range(3)]
    np.testing.assert_array_equal(spikes.i[:], np.concatenate(wanted))
