# SPDX-License-Identifier: Apache-2.0
"""docs/performance.md, whose sections are written by those who measure them, each its own.

A section NAME stands between the lines "<!-- NAME -->" and "<!-- end of NAME -->"; what stands outside is written
by hand.
"""
import os

PAGE = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))),
                    "docs/performance.md")


def replaced(page, name, text):
    """The page with `text` as the section `name`, which it must have."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    before, found, rest = page.partition(begin)
    old, closed, after = rest.partition(end)
    if not found or not closed:
        raise SystemExit(f"docs/performance.md has no lines {begin.strip()} and {end.strip()}: put them where the "
                         "section belongs")
    return f"{before}{begin}{text.strip()}\n{end}{after}"


def table(header, rows):
    return "\n".join(["| " + " | ".join(header) + " |", "|---|" + "--:|" * (len(header) - 1)]
                     + ["| " + " | ".join(row) + " |" for row in rows])


def replace(name, text, path=PAGE):
    with open(path, encoding="utf-8") as file:
        page = replaced(file.read(), name, text)
    with open(path, "w", encoding="utf-8") as file:
        file.write(page)
