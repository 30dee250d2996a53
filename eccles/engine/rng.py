"""TEMPORARY."""

import hashlib, numpy as np


def stream_key(seed, name, purpose):
    return (
        int.from_bytes(hashlib.blake2b(f"{seed}|{name}|{purpose}".encode(), digest_size=8).digest(), "little")
        >> 1
    )


def _g(key, e, o, d):
    return np.random.default_rng([key & 0xFFFFFFFF, key >> 32, int(o), int(d)])


def uniform(key, e, o, d):
    return _g(key, e, o, d).random(np.shape(e))


def normal(key, e, o, d):
    return _g(key, e, o, d).standard_normal(np.shape(e))


def exponential(key, e, o, d):
    return _g(key, e, o, d).exponential(size=np.shape(e))


def poisson(lam, key, e, o, d):
    return _g(key, e, o, d).poisson(lam, np.shape(e))


def binomial(n, p, key, e, o, d):
    return _g(key, e, o, d).binomial(n, p, np.shape(e))
