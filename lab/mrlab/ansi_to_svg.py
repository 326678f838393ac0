#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A terminal's screen as a picture: what `tmux capture-pane -p -e` wrote, as SVG."""

import re
import sys
from xml.sax.saxutils import escape

WIDTH, HEIGHT, MARGIN = 8.43, 18, 10    # of one cell, and around all, in pixels
BACKGROUND, FOREGROUND = "#1b1d23", "#d7dae0"
COLOURS = {"31": "#ff6b6b", "32": "#8fd17f", "33": "#e8c268", "34": "#7aa9f7", "35": "#c792ea", "36": "#6cc7d9"}


def runs(line):
    """(column, text, style) of a line; style: a tuple of SGR numbers."""
    column, style = 0, ()
    for piece in re.split(r"(\x1b\[[0-9;]*m)", line):
        code = re.fullmatch(r"\x1b\[([0-9;]*)m", piece)
        if code is None:
            if piece.strip():
                yield column, piece, style
            column += len(piece)
            continue
        for number in (code.group(1) or "0").split(";"):
            if number in ("", "0"):
                style = ()
            elif number == "39":
                style = tuple(one for one in style if one not in COLOURS)
            else:
                style = tuple(one for one in style if not (one in COLOURS and number in COLOURS)) + (number,)


def attributes(style):
    text = "".join(f' fill="{COLOURS[number]}"' for number in style if number in COLOURS)
    if "1" in style:
        text += ' font-weight="bold"'
    if "2" in style:
        text += ' opacity="0.65"'
    return text


def picture(screen, columns, rows, title):
    width, height = columns * WIDTH + 2 * MARGIN, rows * HEIGHT + 2 * MARGIN
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}">',
             f"<!-- SPDX-License-Identifier: Apache-2.0 --><title>{escape(title)}</title>",
             f'<rect width="100%" height="100%" rx="6" fill="{BACKGROUND}"/>',
             f'<g font-family="DejaVu Sans Mono,Menlo,Consolas,monospace" font-size="14" fill="{FOREGROUND}" xml:space="preserve">']
    for number, line in enumerate(screen.split("\n")[:rows]):
        y = MARGIN + number * HEIGHT + 14
        for column, text, style in runs(line):
            # Every word begins in its column, whatever font the reader has.
            for word in re.finditer(r"\S+(?: \S+)*", text):
                x = MARGIN + (column + word.start()) * WIDTH
                lines.append(f'<text x="{x:.1f}" y="{y}" textLength="{len(word.group()) * WIDTH:.1f}"{attributes(style)}>'
                             f"{escape(word.group())}</text>")
    return "\n".join(lines + ["</g>", "</svg>"]) + "\n"


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit("Usage: lab/ansi_to_svg.py COLUMNS ROWS TITLE CAPTURE >PICTURE.svg")
    with open(sys.argv[4], encoding="utf-8") as captured:
        sys.stdout.write(picture(captured.read(), int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
