"""The report in a real browser: no script of a student's runs, and a phone need not scroll sideways."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

from grader.render import render
from tests.tool import reports
from tests.tool.browser import CHROMIUM, needs_chromium

FLAGS = (
    "--headless",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--hide-scrollbars",
    "--allow-file-access-from-files",
    "--virtual-time-budget=3000",
)
OWNED = "document.documentElement.setAttribute('data-owned','yes')"
PAYLOADS = (
    f"<script>{OWNED}</script>",
    f'"><img src=x onerror="{OWNED}">',
    f'<svg onload="{OWNED}"><a href="javascript:{OWNED}">x</a></svg>',
    f'</style></pre></td><iframe srcdoc="<script>parent.{OWNED}</script>"></iframe>',
    "{{ 7 * 7 }}{% raw %}",
    f"javascript:{OWNED}",
)

pytestmark = needs_chromium


def dom_of(page: Path, profile: Path) -> str:
    """The document after its scripts, if any, have run."""
    assert CHROMIUM is not None
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    command = [CHROMIUM, *FLAGS, *sandbox, f"--user-data-dir={profile}", "--dump-dom", page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def attacked_report() -> str:
    """A report with a payload in every text that a student can influence."""
    base = reports.hostile()
    words = " ".join(PAYLOADS)
    checks = [
        replace(
            check,
            message=payload,
            hint=payload,
            evidence=replace(
                check.evidence,
                asked=payload,
                obtained=payload,
                output=words,
                where=payload,
                location=payload,
                notes=PAYLOADS,
            ),
        )
        for check, payload in zip(base.checks, PAYLOADS * len(base.checks), strict=False)
    ]
    return render(replace(base, submission_name=words, checks=tuple(checks), notes=PAYLOADS), "html")


def test_no_script_of_a_student_runs(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    text = attacked_report()
    assert OWNED.replace("'", "&#39;") in text
    page.write_text(text, encoding="utf-8")
    dom = dom_of(page, tmp_path / "profile")
    assert "</html>" in dom
    assert 'data-owned="yes"' not in dom
    assert "<iframe" not in dom
    assert "<script" not in dom


def test_the_browser_would_have_run_it(tmp_path: Path) -> None:
    """The test above can fail: the same payload, unescaped and without the page's policy, does run."""
    page = tmp_path / "control.html"
    page.write_text(f"<!doctype html><html><body>{PAYLOADS[1]}</body></html>", encoding="utf-8")
    assert 'data-owned="yes"' in dom_of(page, tmp_path / "profile")


def test_the_policy_alone_would_have_stopped_it(tmp_path: Path) -> None:
    """Two layers: were one text left unescaped, the page's own policy still lets no script run."""
    page = tmp_path / "unescaped.html"
    text = render(reports.full_marks(), "html")
    assert "</main>" in text
    page.write_text(text.replace("</main>", f"{PAYLOADS[0]}{PAYLOADS[1]}</main>", 1), encoding="utf-8")
    assert 'data-owned="yes"' not in dom_of(page, tmp_path / "profile")


def test_a_phone_need_not_scroll_sideways(tmp_path: Path) -> None:
    """A frame as wide as a phone holds the page; a script beside it, not in it, tells how wide it came out."""
    text = render(reports.every_status(), "html")
    (tmp_path / "report.html").write_text(text, encoding="utf-8")
    probe = tmp_path / "probe.html"
    probe.write_text(
        "<!doctype html><html><body><iframe id=f src=report.html style='width:360px;height:800px;border:0'></iframe>"
        "<script>f.onload=()=>{const d=f.contentDocument;document.title="
        "d?'width '+d.documentElement.scrollWidth:'closed'}</script></body></html>",
        encoding="utf-8",
    )
    dom = dom_of(probe, tmp_path / "profile")
    assert "<title>width 360</title>" in dom
