"""Make the example reports that are no plain text: PDF and .docx files written by real writers of these formats.

    python -m scripts.make_reports

Sources are in scripts/written/, named for their writer: NAME.WRITER.md or NAME.WRITER; what comes out is
examples/written/NAME.pdf or .docx. typst, pdflatex and Chromium are used where they are installed; a report whose
writer is not here is left as it is. The writer lays out what stands in the source and adds nothing.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "scripts" / "written"
MADE = ROOT / "examples" / "written"
DAY = datetime(2024, 4, 2, tzinfo=UTC)
"""A fixed day, so that the same source gives the same bytes."""


class NotHere(Exception):
    """The writer is not installed."""


def blocks(source: str) -> Iterator[tuple[str, Any]]:
    """("heading", (level, text)), ("table", rows) and ("text", text) of the small Markdown of the sources."""
    rows: list[list[str]] = []
    for line in [*source.splitlines(), ""]:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip().strip("|").split("|")])
            continue
        if rows:
            yield "table", rows
            rows = []
        heading = re.match(r"(#+) (.*)", line)
        if heading:
            yield "heading", (len(heading[1]), heading[2])
        elif line.strip():
            yield "text", line.strip()


# ---------------------------------------------------------------- PDF


def with_reportlab(source: Path, target: Path) -> None:
    """Headings, justified paragraphs and tables with lines, in Bitstream Vera, which knows ≈."""
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table

    pdfmetrics.registerFont(TTFont("Vera", "Vera.ttf"))
    styles = getSampleStyleSheet()
    for style in styles.byName.values():
        if hasattr(style, "fontName"):
            style.fontName = "Vera"
    flow: list[Any] = []
    for kind, content in blocks(source.read_text("utf-8")):
        if kind == "heading":
            flow.append(Paragraph(content[1], styles[f"Heading{content[0]}"]))
        elif kind == "table":
            grid = [("GRID", (0, 0), (-1, -1), 0.5, (0, 0, 0)), ("FONTNAME", (0, 0), (-1, -1), "Vera")]
            flow += [Table(content, style=grid), Spacer(1, 6)]
        else:
            raised = re.sub(r"\^([^^]+)\^", r"<super>\1</super>", content)
            flow += [Paragraph(raised, styles["Normal"]), Spacer(1, 4)]
    SimpleDocTemplate(str(target), pagesize=A4, invariant=1).build(flow)


def with_fpdf(source: Path, target: Path) -> None:
    """Plain paragraphs in Helvetica."""
    from fpdf import FPDF

    pdf = FPDF()
    pdf.set_creation_date(DAY)
    pdf.add_page()
    for kind, content in blocks(source.read_text("utf-8")):
        pdf.set_font("Helvetica", size=16 if kind == "heading" else 11)
        pdf.multi_cell(0, 6, content[1] if kind == "heading" else content, new_x="LMARGIN", new_y="NEXT")
        pdf.ln(3)
    pdf.output(str(target))


def with_typst(source: Path, target: Path) -> None:
    """Typeset text and mathematics."""
    try:
        import typst
    except ImportError:
        raise NotHere from None
    typst.compile(str(source), output=str(target), timestamp=int(DAY.timestamp()))


def with_pdflatex(source: Path, target: Path) -> None:
    """As most students of the field write."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "report.tex"
        copy.write_bytes(source.read_bytes())
        _run(["pdflatex", "-interaction=batchmode", "-no-shell-escape", copy.name], folder)
        shutil.copy(copy.with_suffix(".pdf"), target)


def with_chromium(source: Path, target: Path) -> None:
    """A page printed from a browser, as notebooks and web editors do."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        page.write_bytes(source.read_bytes())
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"]
        private = ["--disable-background-networking", "--disable-component-update"]
        where = [f"--user-data-dir={folder}/profile", "--no-pdf-header-footer", f"--print-to-pdf={target}"]
        _run(["chromium", *options, *private, *where, page.as_uri()], folder)
    dated = rb"(/(?:Creation|Mod)Date \(D:)[0-9]{14}"
    target.write_bytes(re.sub(dated, rb"\g<1>" + DAY.strftime("%Y%m%d%H%M%S").encode(), target.read_bytes()))


def _run(command: list[str], folder: str) -> None:
    if shutil.which(command[0]) is None:
        raise NotHere
    environment = {"SOURCE_DATE_EPOCH": str(int(DAY.timestamp())), "FORCE_SOURCE_DATE": "1"}
    path = {"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": folder}
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120, env=environment | path)


# ---------------------------------------------------------------- Word

_MATH = "http://schemas.openxmlformats.org/officeDocument/2006/math"


def with_docx(source: Path, target: Path) -> None:
    """Headings, tables, raised digits, and formulas as Word's equation editor stores them."""
    from docx import Document

    document = Document()
    document.core_properties.created = document.core_properties.modified = DAY
    document.core_properties.author = ""
    for kind, content in blocks(source.read_text("utf-8")):
        if kind == "heading":
            document.add_heading(content[1], content[0] - 1)
        elif kind == "table":
            table = document.add_table(len(content), len(content[0]), style="Table Grid")
            for row, cells in enumerate(content):
                for column, text in enumerate(cells):
                    _runs(table.cell(row, column).paragraphs[0], text)
        else:
            _runs(document.add_paragraph(), content)
    document.save(str(target))
    _fix_times(target)


def _runs(paragraph: Any, text: str) -> None:
    """ "2.7 × 10^-4^" with a raised run; "$$ … $$" as a formula."""
    for i, piece in enumerate(re.split(r"\$\$(.*?)\$\$", text)):
        if i % 2:
            paragraph._p.append(_formula(piece.strip()))
            continue
        for j, run in enumerate(piece.split("^")):
            if run:
                paragraph.add_run(run).font.superscript = bool(j % 2)


def _formula(text: str) -> Any:
    from docx.oxml import parse_xml

    def plain(piece: str) -> str:
        written = piece.replace("&", "&amp;").replace("<", "&lt;")
        return f'<m:r><m:t xml:space="preserve">{written}</m:t></m:r>' if piece else ""

    def raised(piece: str) -> str:
        parts = re.split(r"(\w+)\^([^^]+)\^", piece)
        out = ""
        for base, power, after in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
            sup = f"<m:sSup><m:e>{plain(base)}</m:e><m:sup>{plain(power)}</m:sup></m:sSup>"
            out += sup + plain(after)
        return plain(parts[0]) + out

    def with_fractions(piece: str) -> str:
        found = re.search(r"frac\(((?:[\d,]*\d|[^,()])+), ([^()]+)\)", piece)
        if not found:
            return raised(piece)
        over = f"<m:f><m:num>{raised(found[1])}</m:num><m:den>{raised(found[2])}</m:den></m:f>"
        return raised(piece[: found.start()]) + over + with_fractions(piece[found.end() :])

    return parse_xml(f'<m:oMath xmlns:m="{_MATH}">{with_fractions(text)}</m:oMath>')


def _fix_times(target: Path) -> None:
    """The time of writing inside the zip is that of the day above."""
    with zipfile.ZipFile(target) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name, DAY.timetuple()[:6]), content, zipfile.ZIP_DEFLATED)


WRITERS: dict[str, tuple[Callable[[Path, Path], None], str]] = {
    ".reportlab.md": (with_reportlab, ".pdf"),
    ".fpdf.md": (with_fpdf, ".pdf"),
    ".docx.md": (with_docx, ".docx"),
    ".typ": (with_typst, ".pdf"),
    ".pdflatex.tex": (with_pdflatex, ".pdf"),
    ".chromium.html": (with_chromium, ".pdf"),
}


def main() -> int:
    """Make them all; returns the number that could not be made here."""
    left = 0
    for source in sorted(SOURCES.iterdir()):
        for ending, (write, kind) in WRITERS.items():
            if not source.name.endswith(ending):
                continue
            target = MADE / (source.name.removesuffix(ending) + kind)
            try:
                write(source, target)
                print(f"{target.relative_to(ROOT)}: {target.stat().st_size:,} bytes, from {source.name}")
            except NotHere:
                left += 1
                print(f"{target.relative_to(ROOT)}: left as it is, the writer of {source.name} is not here")
    return left


if __name__ == "__main__":
    sys.exit(main())
