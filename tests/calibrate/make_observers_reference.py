#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes observers_reference.json: what the observers by histogram find on small data, computed by NumPy and SciPy.

The data come from integers alone, so that the test makes the same ones. Debian: python3-numpy python3-scipy.
"""
import json
import pathlib

import numpy as np
import scipy.stats

COUNT = 20000


def uniform_words(seed):
    state = seed
    while True:
        state = (1103515245 * state + 12345) % 2**31
        yield state >> 15


def bell(seed):
    """Sums of 12 uniform words in units of 2^-14: nearly normal, exact."""
    words = uniform_words(seed)
    return np.array([sum(next(words) for _ in range(12)) - 12 * 32768 for _ in range(COUNT)]) / 2.0**14


def datasets():
    normal = bell(1)
    outliers = normal.copy()
    outliers[::997] *= 8
    yield "normal", normal
    yield "outliers", outliers
    yield "relu", np.maximum(outliers, 0)
    yield "peaked", normal * bell(2) / 16
    yield "far", np.abs(normal) + 100


def kl_threshold(values, levels, first_bin=True, bins=2048):
    magnitudes = np.abs(values.astype(np.float32)).astype(np.float64)
    counts, edges = np.histogram(magnitudes, bins=bins, range=(0, magnitudes.max()))
    if not first_bin:
        counts[0] = 0
    best, best_kept = np.inf, None
    for kept in range(levels, bins):
        p = counts[:kept].astype(np.float64)
        p[-1] += counts[kept:].sum()
        per_level = kept // levels
        level = np.minimum(np.arange(kept) // per_level, levels - 1)
        mass = np.bincount(level, weights=counts[:kept], minlength=levels)
        occupied = np.bincount(level, weights=counts[:kept] > 0, minlength=levels)
        q = np.where(counts[:kept] > 0, mass[level] / np.maximum(occupied[level], 1), 0)
        divergence = scipy.stats.entropy(p, q) if q.sum() > 0 else np.inf
        if divergence < best:
            best, best_kept = divergence, kept
    if best_kept is None:
        return None
    return (best_kept + 0.5) * (edges[1] - edges[0])


def squared_error(values, low, high, levels):
    low, high = min(low, 0.0), max(high, 0.0)
    scale = (high - low) / (levels - 1)
    zero = np.clip(np.round(-low / scale), 0, levels - 1)
    q = np.clip(np.round(values / scale) + zero, 0, levels - 1)
    return float(np.mean((values - (q - zero) * scale) ** 2))


def least_error(values, levels):
    """Of all pairs of 64 lower and 64 upper ends."""
    low, high = values.min(), values.max()
    return min(
        squared_error(values, low * i / 64, high * k / 64, levels)
        for i in range(1, 65)
        for k in range(1, 65)
        if low * i / 64 < high * k / 64
    )


def main():
    written = {}
    for name, values in datasets():
        values = values.astype(np.float32).astype(np.float64)
        written[name] = {
            "first": values[:4].tolist(),
            "width": float((values.max() - values.min()) / 2048),
            "percentiles": {
                str(share): [
                    float(np.percentile(values, 100 - share, method="inverted_cdf")),
                    float(np.percentile(values, share, method="inverted_cdf")),
                ]
                for share in (99.0, 99.9, 99.99)
            },
            "kl": {str(levels): kl_threshold(values, levels) for levels in (128, 8)},
            "kl_without_first_bin": {str(levels): kl_threshold(values, levels, False) for levels in (128, 8)},
            "least_error": {str(bits): least_error(values[::10], 2**bits) for bits in (8, 4)},
        }
    path = pathlib.Path(__file__).with_name("observers_reference.json")
    path.write_text(json.dumps(written, indent=1) + "\n")


if __name__ == "__main__":
    main()
