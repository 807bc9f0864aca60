"""Draws a Timeline: JSON on stdin → a PNG on stdout. A program of its own, so that the bot never imports this.

It is as wide as a phone is, and as high as its lanes need. What bars reads is dark and hatched, so it stands out
without its colour, too.
"""

import json
import resource
import sys
from io import BytesIO
from typing import Any

from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, MaxNLocator

from bot.timeline import BARS, RUNS, Bar, Lane, Timeline

#: Seconds of the processor's time after which the system ends this program, whoever still waits for it.
LONGEST = 30

#: In inches; the width of 1080 pixels is a phone's.
WIDTH, MARGIN, LANE, HEADING = 7.2, 0.3, 0.56, 0.46
TITLE, WARNING, SCALE, LEGEND = 0.9, 0.24, 0.42, 0.24
DPI = 150

INK, MUTED, LINE, PAPER = "#1c2126", "#59616a", "#ebe8e1", "#ffffff"
#: Statements are blue. Locks go from pale yellow to dark red: apart by lightness alone, for every kind of eye.
COLOURS = {
    RUNS: "#3b6ea8",
    "SHARE": "#fecc5c",
    "SHARE ROW EXCLUSIVE": "#fd8d3c",
    "EXCLUSIVE": "#e31a1c",
    "ACCESS EXCLUSIVE": "#7a0019",
}
WORST = "ACCESS EXCLUSIVE"
#: What lies behind the statements while reads wait.
SHADE = "#f8ecee"
#: The narrowest that a bar is drawn, in parts of the whole width.
NARROWEST = 0.006
THICK = 0.2
BOX = "\N{WHITE VERTICAL RECTANGLE}"

#: From so many seconds on the scale is said in this unit, the largest first.
_UNITS = ((120.0, 60.0, "min"), (1.0, 1.0, "s"), (0.0, 0.001, "ms"))


def main() -> int:
    """Read, draw, write."""
    resource.setrlimit(resource.RLIMIT_CPU, (LONGEST, LONGEST))
    said = json.dumps(json.load(sys.stdin), ensure_ascii=False)
    sys.stdout.buffer.write(drawn(Timeline.from_json(json.loads(legible(said)))))
    return 0


def legible(text: str) -> str:
    """Letters that the one font lacks are boxes, without a warning for each and another font to draw them from."""
    font = get_font(findfont("DejaVu Sans"))
    return "".join(letter if font.get_char_index(ord(letter)) or letter < " " else BOX for letter in text)


def drawn(picture: Timeline) -> bytes:
    """The PNG; the same for the same picture."""
    rcParams.update({"text.parse_math": False, "font.size": 11.5, "hatch.linewidth": 1.2, "hatch.color": PAPER})
    head = TITLE + (WARNING if picture.warning else 0)
    body = 2 * HEADING + LANE * (len(picture.statements) + max(len(picture.locks), 1))
    foot = SCALE + LEGEND * ((len(_modes(picture)) + 1) // 2)
    height = head + body + foot
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor=PAPER)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((MARGIN / WIDTH, foot / height, 1 - 2 * MARGIN / WIDTH, body / height))
    _title(figure, picture, height)
    _scale(axes, picture.seconds, body)
    _body(axes, picture)
    _legend(figure, _modes(picture))
    out = BytesIO()
    canvas.print_png(out, metadata={"Software": None})
    return out.getvalue()


def _modes(picture: Timeline) -> list[str]:
    """The modes of locks that occur, the weakest first."""
    there = {bar.kind for lane in picture.locks for bar in lane.bars}
    return [mode for mode in BARS if mode in there]


def _title(figure: Figure, picture: Timeline, height: float) -> None:
    def line(text: str, down: float, **look: Any) -> None:
        figure.text(MARGIN / WIDTH, 1 - down / height, text, va="top", **look)

    line(picture.title, 0.24, size=17, weight="bold", color=INK)
    line(picture.subtitle, 0.6, color=MUTED)
    line(picture.warning, 0.84, weight="bold", color=COLOURS[WORST])


def _scale(axes: Axes, span: float, height: float) -> None:
    """Time from left to right in one unit; inches from top to bottom."""
    unit, name = next((scale, name) for least, scale, name in _UNITS if span >= least)
    axes.set(xlim=(0, span), ylim=(height, 0), yticks=[])
    axes.set_xticks([at * unit for at in MaxNLocator(nbins=6).tick_values(0, span / unit) if 0 <= at * unit <= span])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: f"{at / unit:,.10g} {name}" if at else "0"))
    axes.tick_params(axis="x", length=0, labelcolor=MUTED, pad=4)
    axes.grid(axis="x", color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    axes.spines["bottom"].set(visible=True, color=MUTED)


def _body(axes: Axes, picture: Timeline) -> None:
    down = _heading(axes, "Statements", 0.0)
    for lane in picture.statements:
        down = _lane(axes, lane, down)
    for bar in (bar for lane in picture.locks for bar in lane.bars if bar.kind == WORST):
        _rectangle(axes, bar, HEADING - 0.08, down, facecolor=SHADE, zorder=0.4)
    down = _heading(axes, "Locks that keep others waiting", down)
    for lane in picture.locks:
        down = _lane(axes, lane, down)
    if not picture.locks:
        axes.text(0, down + 0.14, "none: nobody who reads or writes would wait", color=MUTED, va="center")


def _heading(axes: Axes, words: str, down: float) -> float:
    axes.text(0, down + 0.26, words, size=13, weight="bold", color=INK, va="center")
    return down + HEADING


def _lane(axes: Axes, lane: Lane, down: float) -> float:
    """A line of words, and below it what they are about; gives where the next one begins."""
    figure = axes.text(axes.get_xlim()[1], down + 0.14, lane.figure, color=MUTED, va="center", ha="right")
    if lane.kind == WORST:
        figure.set(color=COLOURS[WORST], weight="bold")
    _fit(axes.text(0, down + 0.14, lane.name, color=INK, va="center"), room=_left(axes) - _broad(figure))
    for bar in lane.bars:
        look = {"facecolor": COLOURS.get(bar.kind, COLOURS[WORST]), "hatch": "//" if bar.kind == WORST else ""}
        _rectangle(axes, bar, down + 0.27, down + 0.27 + THICK, zorder=3, **look)
    return down + LANE


def _left(axes: Axes) -> float:
    """How much room there is for words, in pixels."""
    return axes.get_window_extent().width - 0.15 * DPI


def _broad(text: Text) -> float:
    return text.get_window_extent().width


def _fit(text: Text, *, room: float) -> None:
    """What does not fit is cut, whatever letters it is written in."""
    words = text.get_text()
    while len(words) > 1 and _broad(text) > room:
        words = words[:-1]
        text.set_text(f"{words}…")


def _rectangle(axes: Axes, bar: Bar, top: float, bottom: float, **look: Any) -> None:
    """A bar that is wide enough to be seen, and stays within the picture."""
    span = axes.get_xlim()[1]
    width = max(bar.seconds, NARROWEST * span)
    at = min(bar.at, span - width)
    axes.add_patch(Rectangle((at, top), width, bottom - top, linewidth=0, **look))


def _legend(figure: Figure, modes: list[str]) -> None:
    """What the colours that occur mean, two in a row."""
    if modes:
        figure.legend(
            [
                Rectangle((0, 0), 1, 1, facecolor=COLOURS[one], hatch="//" * (one == WORST), linewidth=0)
                for one in modes
            ],
            [f"{one}: {BARS[one]}" for one in modes],
            loc="lower left",
            bbox_to_anchor=(MARGIN / WIDTH - 0.012, 0),
            ncols=2,
            fontsize=9.5,
            labelcolor=MUTED,
            frameon=False,
            handlelength=1.2,
            columnspacing=1.2,
        )


if __name__ == "__main__":
    sys.exit(main())
