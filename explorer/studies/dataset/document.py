"""An HTML document in one file: its parts in order, numbered figures and tables, and a policy to load nothing."""

import html
from collections.abc import Sequence
from typing import Any

from explorer.figures import embedded, library

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #1c1c22; background: #fff; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.7rem; line-height: 1.25; } h2 { font-size: 1.25rem; margin-top: 2.5rem; } h3 { font-size: 1.05rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.875rem; margin: 0.75rem 0; font-variant-numeric: tabular-nums; }
caption, figcaption { text-align: left; font-size: 0.875rem; color: #45454f; margin: 0.5rem 0; }
th, td { padding: 0.2rem 0.75rem 0.2rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid #e3e3e8;
  overflow-wrap: anywhere; min-width: 3.5rem; }
thead th { border-bottom: 2px solid #9a9aa6; }
.n { text-align: right; white-space: nowrap; }
figure { margin: 1rem 0 1.75rem; break-inside: avoid; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 1rem; }
.pictures figure { margin: 0; } .pair { display: grid; grid-template-columns: 1fr 1fr; gap: 0.35rem; }
.pair img, .pair svg { width: 100%; image-rendering: pixelated; display: block; }
.swatch { display: inline-block; width: 0.9em; height: 0.9em; border: 1px solid #777; vertical-align: -0.1em; }
code { font-size: 0.85em; overflow-wrap: anywhere; }
details summary { cursor: pointer; font-weight: 600; }
@media print { body { margin: 0; max-width: none; } details { display: none; } }
"""


class Document:
    """The document's parts in order, and the numbers of its figures and tables."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._figures, self._tables = 0, 0

    def add(self, part: str) -> None:
        self._parts.append(part)

    def figure(self, figure: Any, caption: str) -> None:
        self._figures += 1
        name = f"figure-{self._figures}"
        self.add(
            f'<figure aria-label="Figure {self._figures}">{embedded(figure, name)}'
            f"<figcaption><strong>Figure {self._figures}.</strong> {text(caption)}</figcaption></figure>"
        )

    def table(self, rows: Sequence[dict[str, str]], caption: str, raw: Sequence[str] = ()) -> str:
        """The rows under their keys; cells in the columns `raw` are HTML already."""
        self._tables += 1
        head = "".join(f'<th scope="col">{text(name)}</th>' for name in rows[0])
        body = "".join(
            "<tr>"
            + "".join(f"<td>{value if name in raw else text(value)}</td>" for name, value in row.items())
            + "</tr>"
            for row in rows
        )
        return (
            f'<div class="wide"><table><caption><strong>Table {self._tables}.</strong> {text(caption)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )

    def written(self, title: str) -> str:
        """The whole of it."""
        return (
            f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{text(title)}</title>\n<style>{STYLE}</style>\n<script>{library()}</script>\n</head>\n"
            "<body>\n<main>\n" + "\n".join(self._parts) + "\n</main>\n</body>\n</html>\n"
        )


def text(value: object) -> str:
    """Text from anywhere, for the document: it stands for itself."""
    return html.escape("".join(letter if letter.isprintable() else " " for letter in str(value)))
