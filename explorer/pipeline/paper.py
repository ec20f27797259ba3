"""The paper kit: figures, table, caption, citation, settings, and the program that makes the result again, as a ZIP."""

import io
import json
import zipfile
from collections.abc import Mapping
from urllib.parse import urlencode

import explorer
from explorer.classifiers import find_card
from explorer.evidence import METHODS, trust
from explorer.figures.paper import FIGURES, Shown, figure
from explorer.images import to_png, to_uint8
from explorer.knobs import knobs
from explorer.palette import LOOKS
from explorer.pipeline.address import query_of
from explorer.pipeline.escaping import latex, one_line
from explorer.pipeline.exploration import Exploration, percent
from explorer.pipeline.exports import pixels_csv, report, snippet
from explorer.pipeline.restoring import restorable
from explorer.types import PixelLabel

PAPER = "paper.zip"  # the kit's file, where it lies beside others
FORMATS = ("pdf", "svg")
LISTED = 25  # pixels in the LaTeX table, the largest numbers first; pixels.csv has them all
HOME = "http://localhost:8501/"  # where the app is by default
PICTURE, ADVERSARIAL, PROGRAM = "picture.png", "adversarial.png", "reproduce.py"

PAPERS = {
    "arXiv 2506.17250": """@misc{lin2025sparse,
  title         = {Towards Interpretable Adversarial Examples via Sparse Adversarial Attack},
  author        = {Lin, Fudong and Lou, Jiadong and Wang, Hao and Jalaian, Brian and Yuan, Xu},
  year          = {2025},
  eprint        = {2506.17250},
  archivePrefix = {arXiv},
}""",
    "arXiv 2402.01879": """@misc{cina2024sigmazero,
  title         = {{$\\sigma$-zero}: Gradient-based Optimization of {$\\ell_0$}-norm Adversarial Examples},
  author        = {Cin{\\`a}, Antonio Emanuele and others},
  year          = {2024},
  eprint        = {2402.01879},
  archivePrefix = {arXiv},
}""",
    "arXiv 2006.12834": """@misc{croce2020sparsers,
  title         = {{Sparse-RS}: a Versatile Framework for Query-Efficient Sparse Black-Box Adversarial Attacks},
  author        = {Croce, Francesco and others},
  year          = {2020},
  eprint        = {2006.12834},
  archivePrefix = {arXiv},
}""",
    "arXiv 1811.02248": """@misc{modas2018sparsefool,
  title         = {{SparseFool}: a few pixels make a big difference},
  author        = {Modas, Apostolos and Moosavi-Dezfooli, Seyed-Mohsen and Frossard, Pascal},
  year          = {2018},
  eprint        = {1811.02248},
  archivePrefix = {arXiv},
}""",
    "arXiv 1909.05040": """@misc{croce2019pgd0,
  title         = {Sparse and Imperceivable Adversarial Attacks},
  author        = {Croce, Francesco and Hein, Matthias},
  year          = {2019},
  eprint        = {1909.05040},
  archivePrefix = {arXiv},
}""",
    "arXiv 2405.05075": """@misc{zhong2024sparsepgd,
  title         = {{Sparse-PGD}: A Unified Framework for Sparse Adversarial Perturbations Generation},
  author        = {Zhong, Xuyang and Liu, Chen and others},
  year          = {2024},
  eprint        = {2405.05075},
  archivePrefix = {arXiv},
}""",
}
METHOD_PAPER = "arXiv 2506.17250"  # that of the two kinds of pixel, whatever the attack

README = """What is in this folder

figures/*.pdf, *.svg   before, after, marks, scatter, bars, and sheet with all of them; text of 8 points, fonts inside
table.tex              two tables for LaTeX, with \\usepackage{{booktabs}} and \\usepackage[T1]{{fontenc}}
caption.tex, .txt      a caption for the sheet
citation.bib           what to cite
settings.json          every setting, number and version
picture.png            the clean picture; uploaded on the page, it puts its settings back as well
adversarial.png        the attacked picture
pixels.csv             every changed pixel
link.txt               {link}
{program}"""


def paper_kit(
    exploration: Exploration, query: Mapping[str, str] | None = None, home: str = HOME, device: str = ""
) -> bytes:
    """The kit as a ZIP file. `query`: what the page's address says, where it is known better than from the run alone;
    `home`: the page's address; `device`: see snippet. It has no program where no other could load the network by
    its name.
    """
    return _zipped(kit_files(exploration, query, home, device))


def kit_files(
    exploration: Exploration, query: Mapping[str, str] | None = None, home: str = HOME, device: str = ""
) -> dict[str, str | bytes]:
    """The same by the files' names."""
    each = exploration
    query = query_of(each) if query is None else query
    uploaded = query.get("picture") == "upload"
    files: dict[str, str | bytes] = {
        f"figures/{name}.{kind}": figure(name, _shown(each), kind) for name in FIGURES for kind in FORMATS
    }
    files |= {
        "table.tex": table_tex(each),
        "caption.tex": f"% \\caption{{...}} takes this\n{caption(each, tex=True)}\n",
        "caption.txt": f"{caption(each)}\n",
        "citation.bib": citation(each),
        "settings.json": json.dumps(report(each) | {"software": _software()}, indent=1) + "\n",
        PICTURE: restorable(each),
        ADVERSARIAL: to_png(each.adversarial),
        "pixels.csv": pixels_csv(each.evidence),
        "link.txt": f"{home}?{urlencode(query)}\n",
    }
    program = ""
    if _loadable(each):
        files[PROGRAM] = snippet(each, PICTURE, device, expected=ADVERSARIAL)
        program = (
            "reproduce.py           makes the result again, and compares it with adversarial.png: run it in this "
            "folder,\n                       after `pip install` of the program\n"
        )
    link = "the page with these settings" + ("; then upload picture.png there" if uploaded else "")
    files["README.txt"] = README.format(link=link, program=program)
    return files


def table_tex(exploration: Exploration) -> str:
    """Two tables for LaTeX with booktabs: the result, and the pixels with the largest numbers."""
    each = exploration
    stages = " \\ensuremath{\\rightarrow} ".join(
        f"{int(count):,} ({name})" for name, count in each.result.stage_pixels().items()
    )
    rows = {
        "network": each.network,
        "attack": f"{type(each.attack).title}, {type(each.attack).source}",
        "seen before": f"{each.class_names[each.label]}, {percent(each.before[each.label])}",
        "seen after": f"{each.class_names[each.adversarial_label]}, {percent(each.after[each.adversarial_label])}",
        "changed pixels": f"{each.n_pixels:,} of {each.size:,}",
        "changed values": f"{each.n_entries:,}",
    }
    lines = [r"\begin{tabular}{ll}", r"\toprule", *(f"{name} & {latex(value)} \\\\" for name, value in rows.items())]
    lines += [f"after each stage & {stages} \\\\"]
    if each.evidence:
        lines += [f"{kind} & {each.evidence.count(kind)} \\\\" for kind in LOOKS]
        lines += [f"trust & {trust(each.evidence).colour} \\\\"]
    lines += [r"\bottomrule", r"\end{tabular}", ""]
    if each.evidence:
        lines += _pixel_table(each)
    return "\n".join(lines) + "\n"


def _pixel_table(each: Exploration) -> list[str]:
    pixels = sorted(each.evidence.pixels, key=lambda pixel: max(pixel.obscuring, pixel.leading), reverse=True)
    lines = [r"\begin{tabular}{rrlllrrl}", r"\toprule"]
    lines += ["row & column & before & after & kind & obscuring & leading & reversal \\\\", r"\midrule"]
    lines += [" & ".join(_cells(pixel)) + r" \\" for pixel in pixels[:LISTED]]
    if len(pixels) > LISTED:
        lines += [r"\midrule", f"\\multicolumn{{8}}{{l}}{{and {len(pixels) - LISTED:,} more}} \\\\"]
    return [*lines, r"\bottomrule", r"\end{tabular}", f"% obscuring and leading in {one_line(each.evidence.unit)}"]


def _cells(pixel: PixelLabel) -> list[str]:
    colours = [latex("#{:02x}{:02x}{:02x}".format(*rgb)) for rgb in (pixel.before, pixel.after)]
    numbers = [f"${number:.3f}$" for number in (pixel.obscuring, pixel.leading)]
    kind = pixel.kind + (", weak" if pixel.weak else "")
    return [str(pixel.row), str(pixel.col), *colours, kind, *numbers, pixel.reversal_kind]


def caption(exploration: Exploration, tex: bool = False) -> str:
    """What the sheet shows, in a few sentences, as plain text or for LaTeX."""
    each, told = exploration, latex if tex else one_line
    before, after = (each.class_names[label] for label in (each.label, each.adversarial_label))
    parts = [
        f"A sparse adversarial example for {told(each.network)}.",
        f"(a) The clean picture, seen as {told(before)} ({told(percent(each.before[each.label]))}).",
        f"(b) The attacked picture, seen as {told(after)} ({told(percent(each.after[each.adversarial_label]))}), of "
        f"which {each.n_pixels:,} of {each.size:,} pixels were changed.",
    ]
    if each.evidence:
        counts = " and ".join(
            f"{each.evidence.count(kind)} {kind} ({colour} {LOOKS[kind].shape}s)"
            for kind, colour in (("obscuring", "blue"), ("leading", "orange"))
        )
        weak = ", hollow where the label is weak" if any(pixel.weak for pixel in each.evidence.pixels) else ""
        method = METHODS[each.evidence.method].title
        parts += [
            f"(c) The changed pixels: {counts}{weak}.",
            "(d) How much each lowers the score of the true class (obscuring) and raises that of the wrong one "
            f"(leading), in {told(each.evidence.unit)}, by {told(method)}. {told(trust(each.evidence).sentence)}",
        ]
    parts.append("(e) The probabilities of the likeliest classes before and after.")
    if not each.succeeded:
        parts.append("The network was not fooled." if each.target is None else "The target was not reached.")
    settings = ", ".join(
        f"{knob.name} = {getattr(each.attack, knob.name)}"
        for knob in knobs(each.attack).values()
        if getattr(each.attack, knob.name) != knob.default
    )
    attack = type(each.attack)
    parts.append(
        told(f"Attack: {attack.title} ({attack.source}), {settings or 'default settings'}, seed {each.attack.seed}.")
    )
    return " ".join(parts)


def citation(exploration: Exploration) -> str:
    """BibTeX entries: the papers, and this software with the run."""
    papers = dict.fromkeys([METHOD_PAPER, type(exploration.attack).source])
    entries = [PAPERS[source] for source in papers if source in PAPERS]
    software = _software()
    entries.append(
        f"""@software{{sparseattackexplorer,
  title   = {{{latex(software["name"])}}},
  version = {{{latex(software["version"])}}},
  license = {{MIT}},
  note    = {{{latex(exploration.story)}; network {latex(exploration.network)}}},
}}"""
    )
    return "\n\n".join(entries) + "\n"


def _software() -> dict[str, str]:
    return {"name": "Sparse attack explorer", "version": explorer.__version__}


def _shown(each: Exploration) -> Shown:
    top = each.top()
    seen = [
        f"{one_line(each.class_names[label])}, {percent(shares[label])}"
        for label, shares in ((each.label, each.before), (each.adversarial_label, each.after))
    ]
    return Shown(
        to_uint8(each.image),
        to_uint8(each.adversarial),
        each.evidence.pixels if each.evidence else (),
        [one_line(each.class_names[label]) for label in top],
        each.before[top].tolist(),
        each.after[top].tolist(),
        *seen,
        each.evidence.unit if each.evidence else "logits",
    )


def _loadable(each: Exploration) -> bool:
    """Whether the network is one that a program loads by its name."""
    try:
        return find_card(each.network).dataset == each.dataset
    except (ValueError, RuntimeError):
        return False


def _zipped(files: Mapping[str, str | bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()
