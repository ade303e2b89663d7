"""Writes scipy_golden.json, which stats_golden.rs and compare_golden.rs read: run once with SciPy 1.17, NumPy 2.4 and mpmath.

SciPy's incomplete beta function is off by up to 1e-10 where its parameters are large, and so is what it computes from it; its
inverse is wrong by orders in a few places. There mpmath's value is kept, and SciPy has to agree with it to 2e-8; it has 330
digits on its way, so that a tail may be one less the other.
"""

import json
import math
import pathlib

import mpmath
import numpy as np
from scipy import stats

tails = [1e-300, 1e-100, 1e-30, 1e-15, 1e-10, 1e-5, 1e-3, 0.01, 0.05, 0.25, 0.49, 0.5]
golden = {}
mpmath.mp.dps = 330


def beta_below(x, a, b):
    """The incomplete beta function by its series (DLMF 8.17.8)."""
    x, a, b = mpmath.mpf(x), mpmath.mpf(a), mpmath.mpf(b)
    if x > 0.5:
        return 1 - beta_below(1 - x, b, a)
    factor = mpmath.exp(a * mpmath.log(x) + b * mpmath.log1p(-x) + mpmath.loggamma(a + b) - mpmath.loggamma(a) - mpmath.loggamma(b)) / a
    term = total = mpmath.mpf(1)
    n = 0
    least = mpmath.mpf(10) ** -320
    while term > total * least:
        term *= (a + b + n) * x / (a + 1 + n)
        total += term
        n += 1
    return factor * total


def checked(exact, scipys):
    assert abs(float(exact) - scipys) <= 2e-8 * abs(scipys) + 1e-280, (exact, scipys)
    return float(exact)


def beta_cdf(x, a, b):
    return checked(beta_below(x, a, b), float(stats.beta.cdf(x, a, b)))


def beta_sf(x, a, b):
    return checked(beta_below(1 - mpmath.mpf(x), b, a), float(stats.beta.sf(x, a, b)))


def refined(x, wanted, below):
    """Newton's method in the logarithms, from SciPy's quantile, which is wrong by orders in a few places."""
    start, x = x, mpmath.mpf(x)
    step = mpmath.mpf(1)
    while abs(step) > 1e-25:
        value = below(x)
        nearby = x * (1 + mpmath.mpf(10) ** -20)
        slope = mpmath.log(below(nearby) / value) / mpmath.log(nearby / x)
        step = (mpmath.log(mpmath.mpf(wanted)) - mpmath.log(value)) / slope
        x *= mpmath.exp(step)
    if abs(float(x) - start) > 1e-9 * start:
        print(f"SciPy's quantile of {wanted} is {start}, not {float(x)}")
    return x


def beta_ppf(p, a, b):
    return float(refined(float(stats.beta.ppf(p, a, b)), p, lambda x: beta_below(x, a, b)))


def beta_isf(p, a, b):
    return float(1 - refined(float(stats.beta.ppf(p, b, a)), p, lambda x: beta_below(x, b, a)))


def at_least(k, n, p):
    return beta_cdf(p, k, n - k + 1) if k else 1.0


def at_most(k, n, p):
    return beta_sf(p, k + 1, n - k) if k < n else 1.0



def kept(rows):
    """Without what underflows or is next to one, where a relative error says nothing."""
    return [row for row in rows if math.isfinite(row[-1]) and 1e-290 < abs(row[-1])]


golden["normal_sf"] = [[z, float(stats.norm.sf(z))] for z in (-8.0, -3.0, -1.0, -0.1, 0.0, 0.1, 1.0, 1.96, 3.0, 6.0, 12.0, 25.0, 37.0)]
golden["normal_isf"] = kept([[q, float(stats.norm.isf(q))] for q in tails + [0.6, 0.9, 0.999, 1 - 1e-12] if q != 0.5])

frees = [1, 2, 3, 5, 10, 22, 58, 58.5, 200, 1e4, 1e6]
golden["student_sf"] = kept([[t, v, float(stats.t.sf(t, v))] for v in frees for t in (-30.0, -2.0, -0.01, 0.01, 0.5, 1.0, 2.0, 4.0, 10.0, 40.0, 1e3)])
golden["student_isf"] = kept([[q, v, float(stats.t.isf(q, v))] for v in frees for q in tails[3:-1] + [0.75, 0.999]])

shapes = [(a, b) for a in (0.5, 2.5, 17.0, 300.0, 1e5) for b in (0.5, 3.0, 41.5, 900.0, 1e6)]


def around(a, b):
    """The mean, and points many deviations to both sides of it."""
    mean = a / (a + b)
    deviation = math.sqrt(a * b / (a + b) ** 2 / (a + b + 1))
    points = {mean + k * deviation for k in (-20, -5, -2, -0.5, 1, 3, 8, 20)}
    return sorted(float(x) for x in points if 0 < x < 1)


golden["beta_cdf"] = kept([[a, b, x, beta_cdf(x, a, b)] for a, b in shapes for x in around(a, b)])
golden["beta_sf"] = kept([[a, b, x, beta_sf(x, a, b)] for a, b in shapes for x in around(a, b)])
golden["beta_ppf"] = kept([[a, b, p, beta_ppf(p, a, b)] for a, b in shapes for p in tails[4::2]])
golden["beta_isf"] = kept([[a, b, p, beta_isf(p, a, b)] for a, b in shapes for p in tails[4::2]])

trials = [(1, 0.3), (20, 0.95), (59, 0.95), (300, 0.01), (900, 0.005), (1000, 0.5), (27000, 0.005), (10**6, 1e-4), (10**7, 0.02)]
counts = lambda n, p: sorted({min(n, max(0, round(n * p + k * math.sqrt(n * p * (1 - p))))) for k in (-30, -6, -3, -1, 0, 1, 3, 6, 30)})
golden["binomial_at_least"] = kept([[k, n, p, checked(at_least(k, n, p), float(stats.binom.sf(k - 1, n, p)))] for n, p in trials for k in counts(n, p)])
golden["binomial_at_most"] = kept([[k, n, p, checked(at_most(k, n, p), float(stats.binom.cdf(k, n, p)))] for n, p in trials for k in counts(n, p)])

golden["clopper_pearson"] = []
for bad, total in [(0, 10), (0, 299), (1, 10), (5, 120), (3, 60), (10, 10), (50, 1000), (4.5, 900.25), (1, 10**6), (99_000, 10**6)]:
    for alpha in (0.05, 0.025, 0.001, 1e-5):
        low = beta_ppf(alpha, bad, total - bad + 1) if bad else 0.0
        high = beta_isf(alpha, bad + 1, total - bad) if bad < total else 1.0
        golden["clopper_pearson"].append([bad, total, alpha, low, high])

# Canary against baseline by NumPy: bad and total of both arms in each interval, then ln ratio, error, dispersion, p.
generator = np.random.default_rng(20261122)
golden["ratios"] = []
for intervals, canary, baseline, share, times, spread, null in [
    (5, 30, 270, 0.005, 1, 0, 1), (6, 30, 270, 0.02, 3, 0, 1), (30, 150, 150, 0.005, 2, 1, 1),
    (30, 300, 2700, 0.005, 1, 1, 1), (12, 3000, 3000, 0.01, 1.2, 0.5, 1.5), (24, 40, 4000, 0.001, 9, 0, 2), (8, 50, 50, 0.0, 1, 0, 1),
]:
    n = np.vstack([generator.integers(canary // 2, canary * 2, intervals), generator.integers(baseline // 2, baseline * 2, intervals)])
    luck = generator.gamma(1 / spread**2, spread**2, n.shape) if spread else np.ones(n.shape)
    x = np.minimum(n, generator.poisson(n * share * np.array([[times], [1]]) * luck))
    mean = n * (x.sum(1) / n.sum(1))[:, None]
    chi = float(np.sum(np.divide((x - mean) ** 2, mean, out=np.zeros(n.shape), where=mean > 0)))
    df = 2 * (intervals - 1)
    dispersion = max(1.0, chi / df)
    a, b = x.sum(1) + 0.5
    ln_ratio = float(np.log(a / n[0].sum()) - np.log(b / n[1].sum()))
    error = float(np.sqrt(dispersion * (1 / a + 1 / b)))
    p = float(stats.t.sf((ln_ratio - math.log(null)) / error, df))
    lower, upper = (float(np.exp(ln_ratio + sign * stats.t.isf(0.05, df) * error)) for sign in (-1, 1))
    golden["ratios"].append({
        "bad": x.tolist(), "total": n.tolist(), "fail_ratio": null, "ln_ratio": ln_ratio, "error": error,
        "dispersion": dispersion, "df": df, "p": p, "lower": lower, "upper": upper,
    })

for name, rows in golden.items():
    print(f"{len(rows):5} {name}")
    if isinstance(rows[0], list):
        # As text, because not every reader of JSON keeps the last digit of a number.
        golden[name] = [" ".join(repr(float(value)) for value in row) for row in rows]
text = ",\n".join(f'"{name}": [\n' + ",\n".join(json.dumps(row) for row in rows) + "\n]" for name, rows in golden.items())
(pathlib.Path(__file__).parent / "scipy_golden.json").write_text("{\n" + text + "\n}\n")
