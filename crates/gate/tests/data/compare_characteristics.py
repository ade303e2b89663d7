"""Writes compare_characteristics.json, which compare_simulation.rs reads: a second implementation of the comparison, in NumPy.

Each cell: total requests a second, the canary's share, the clustering's coefficient of variation, whether both arms share it,
the true ratio; then how often the canary failed, passed, and neither; the fail's median minute. Run once.
"""

import json
import pathlib

import numpy as np
from scipy import stats

BATCHES, RUNS, MINUTES, RATE, ALPHA, PASS_ALPHA = 5, 100_000, 30, 0.005, 0.05, 0.02
generator = np.random.default_rng(20261122)
spent = 2 * stats.norm.sf(stats.norm.isf(ALPHA / 2) / np.sqrt(np.arange(1, 6) / 5))
levels = np.diff(np.concatenate([[0], spent]))


def batch(rps, share, clustering, shared, times):
    canary, baseline = rps * 60 * share, rps * 60 * (1 - share)
    luck = lambda: generator.gamma(clustering**-2, clustering**2, (RUNS, MINUTES)) if clustering else np.ones((RUNS, MINUTES))
    first = luck()
    x = generator.poisson(canary * RATE * times * (first if shared else luck())), generator.poisson(baseline * RATE * first)
    failed = np.zeros(RUNS)
    for level, minutes in zip(levels, range(6, 31, 6)):
        a, b = (arm[:, :minutes].sum(1) for arm in x)
        chi = 0
        for arm in x:
            mean = arm[:, :minutes].mean(1, keepdims=True)
            chi = chi + np.where(mean > 0, (arm[:, :minutes] - mean) ** 2 / np.where(mean > 0, mean, 1), 0).sum(1)
        df = 2 * (minutes - 1)
        error = np.sqrt(np.maximum(1, chi / df) * (1 / (a + 0.5) + 1 / (b + 0.5)))
        ratio = np.log((a + 0.5) / canary) - np.log((b + 0.5) / baseline)
        failed = np.where((failed == 0) & (ratio / error > stats.t.isf(level, df)) & (a >= 5), minutes, failed)
    passed = (failed == 0) & (ratio + stats.t.isf(PASS_ALPHA, df) * error < np.log(2))
    return failed, passed


def cell(*setting):
    failed, passed = map(np.concatenate, zip(*(batch(*setting) for _ in range(BATCHES))))
    minute = int(np.median(failed[failed > 0])) if failed.any() else 0
    share_of = lambda which: round(float(which.mean()), 6)
    rps, share, clustering, shared, times = setting
    return [rps, share, clustering, int(shared), times, share_of(failed > 0), share_of(passed), share_of((failed == 0) & ~passed), minute]


settings = [(5, 0.1, 0, 0), (5, 0.1, 1, 0), (5, 0.5, 0, 0), (5, 0.5, 1, 0), (50, 0.1, 0, 0), (50, 0.1, 1, 0), (50, 0.1, 1, 1)]
cells = [cell(*setting, times) for setting in settings for times in (1, 1.5, 2, 3, 5)]
text = "[\n" + ",\n".join(map(json.dumps, cells)) + "\n]\n"
(pathlib.Path(__file__).parent / "compare_characteristics.json").write_text(text)
