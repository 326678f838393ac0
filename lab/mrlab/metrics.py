# SPDX-License-Identifier: Apache-2.0
"""Prometheus's text format, as the monitor writes it."""

import re


def samples(text):
    """{(name, labels): value}."""
    found = {}
    for line in text.splitlines():
        if line.startswith("#") or not line:
            continue
        name, labels, value = re.fullmatch(r'([a-z_:]+)(?:\{(.*)\})? (\S+)', line).groups()
        found[name, tuple(sorted(re.findall(r'(\w+)="([^"]*)"', labels or "")))] = float(value)
    return found


def total(found, name, **labels):
    return sum(value for (one, have), value in found.items() if one == name and set(labels.items()) <= set(have))


def by(found, metric, *labels):
    """{values of these labels: count}, without zeros."""
    counts = {}
    for (name, have), value in found.items():
        if name == metric and value:
            key = tuple(dict(have).get(label) for label in labels)
            counts[key] = counts.get(key, 0) + int(value)
    return counts
