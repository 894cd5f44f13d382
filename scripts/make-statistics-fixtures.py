#!/usr/bin/env python3
"""Writes Tests/TocsinStreamTests/StatisticsFixtures.swift: random windows and their statistics by NumPy and SciPy.

    python3 scripts/make-statistics-fixtures.py

Needs numpy and scipy. Same versions, same file: the seed is fixed.
"""

import pathlib
import warnings

import numpy
import scipy.stats

START = 1_700_000_040  # a whole minute since the epoch
WINDOW = 60_000_000_000  # ns
TARGET = pathlib.Path(__file__).resolve().parent.parent / "Tests/TocsinStreamTests/StatisticsFixtures.swift"


def crossing_rate(x):
    if len(x) < 2:
        return numpy.nan
    signs = numpy.sign(x - x.mean())
    occupied = numpy.flatnonzero(signs)
    signs = signs[occupied[0]:] if len(occupied) else signs[:0]
    for i in range(1, len(signs)):
        if signs[i] == 0:
            signs[i] = signs[i - 1]
    return numpy.count_nonzero(signs[1:] != signs[:-1]) / (len(x) - 1)


def divided(numerator, denominator):
    return numerator / denominator if denominator != 0 else numpy.nan


def statistics(x, t):
    """All statistics but completeness, in the order of WindowStatistic."""
    n = len(x)
    # For what does not depend on the level: exact where values lie close together on a large common offset.
    shifted = x - x[0]
    deviations = shifted - shifted.mean()
    p5, p25, p50, p75, p95 = numpy.percentile(x, [5, 25, 50, 75, 95])
    variance = numpy.var(shifted, ddof=1) if n > 1 else numpy.nan
    rms = numpy.sqrt(numpy.mean(x * x))
    slope = scipy.stats.linregress(t, shifted).slope if n > 1 else numpy.nan
    constant = numpy.ptp(x) == 0
    return {
        "count": n,
        "sum": x.sum(),
        "mean": x.mean(),
        "variance": variance,
        "standardDeviation": numpy.sqrt(variance),
        "minimum": x.min(),
        "maximum": x.max(),
        "range": numpy.ptp(x),
        "median": p50,
        "p5": p5,
        "p25": p25,
        "p75": p75,
        "p95": p95,
        "interquartileRange": scipy.stats.iqr(x),
        "medianAbsoluteDeviation": scipy.stats.median_abs_deviation(x),
        "skewness": numpy.nan if constant else scipy.stats.skew(shifted),
        "kurtosis": numpy.nan if constant else scipy.stats.kurtosis(shifted),
        "first": x[0],
        "last": x[-1],
        "change": x[-1] - x[0],
        "slope": slope,
        "rootMeanSquare": rms,
        "crestFactor": divided(numpy.abs(x).max(), rms),
        "meanAbsoluteChange": numpy.abs(numpy.diff(x)).mean() if n > 1 else numpy.nan,
        "meanCrossingRate": crossing_rate(x),
        "autocorrelation": divided((deviations[1:] * deviations[:-1]).sum(), (deviations**2).sum()),
        "coefficientOfVariation": divided(numpy.sqrt(variance), abs(x.mean())),
    }


def every_second(n):
    return numpy.arange(n, dtype=numpy.int64) * 1_000_000_000


def irregular(random, n):
    return numpy.sort(random.choice(WINDOW, size=n, replace=False)).astype(numpy.int64)


def cases(random):
    yield "normal", every_second(60), random.normal(20, 3, 60)
    yield "heavyTail", irregular(random, 80), random.standard_t(2, 80)
    yield "constant", every_second(30), numpy.full(30, 5.25)
    yield "largeOffset", irregular(random, 60), 1e9 + random.normal(0, 1, 60)
    yield "one", every_second(1), random.normal(0, 1, 1)
    yield "two", irregular(random, 2), random.normal(0, 1, 2)
    yield "three", irregular(random, 3), random.normal(0, 1, 3)
    yield "ties", every_second(50), random.integers(-3, 4, 50).astype(float)
    yield "meanHit", every_second(12), numpy.array([0, 0, 1, 0, -1, -1, 0, 1, 0, 0, 0, 0], dtype=float)
    yield "irregular", irregular(random, 70), random.lognormal(0, 1.5, 70)
    seconds = irregular(random, 100)
    yield "trend", seconds, -50 + 0.3 * seconds / 1e9 + numpy.sin(seconds / 4e9) + random.normal(0, 0.1, 100)
    times = numpy.concatenate([irregular(random, 20) // 12, 55_000_000_000 + irregular(random, 6) // 12])
    yield "gap", times, random.normal(-1, 100, 26)


def literal(number):
    return ".nan" if numpy.isnan(number) else repr(float(number))


def lines(numbers, indent):
    line = indent
    for number in numbers:
        piece = number + ", "
        if len(line) + len(piece) > 118:
            yield line.rstrip()
            line = indent
        line += piece
    yield line.rstrip().rstrip(",")


def main():
    random = numpy.random.default_rng(20250101)
    out = [
        f"// Written by scripts/make-statistics-fixtures.py with NumPy {numpy.__version__} and SciPy {scipy.__version__}.",
        "// swift-format-ignore-file",
        "",
        "/// A window of one minute from `StatisticsFixture.start`, and what NumPy and SciPy say of it.",
        "struct StatisticsFixture {",
        f"    static let start: Int64 = {START * 1_000_000_000}",
        "    var name: String",
        "    /// Nanoseconds after the start.",
        "    var times: [Int64]",
        "    var values: [Double]",
        "    /// In the order of `WindowStatistic`, without completeness.",
        "    var expected: [Double]",
        "}",
        "",
        "extension StatisticsFixture {",
        "    static let all: [StatisticsFixture] = [",
    ]
    names = []
    for name, times, values in cases(random):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = statistics(values, times / 1e9)
        names.append(name)
        out += ["        StatisticsFixture(", f'            name: "{name}",']
        out += ["            times: ["]
        out += lines([str(int(t)) for t in times], " " * 16)
        out += ["            ],", "            values: ["]
        out += lines([literal(v) for v in values], " " * 16)
        out += ["            ],", "            expected: ["]
        out += lines([literal(v) for v in expected.values()], " " * 16)
        out += ["            ]),"]
    out += ["    ]", "}", ""]
    TARGET.write_text("\n".join(out))
    print(f"{TARGET.name}: {', '.join(names)}")


if __name__ == "__main__":
    main()
