"""Runs every test, kind by kind, and counts them: python -m tests.run"""

import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rig import tools

TESTS = Path(__file__).resolve().parent
STAGE_TIMEOUT_S = 900
PARALLEL = ["-n", "3", "--dist", "worksteal"]
PARALLEL_BROWSERS = ["-n", "2", "--dist", "worksteal"]


@dataclass
class Result:
    """What came of one kind of test."""

    kind: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    reason: str = ""

    @property
    def is_good(self) -> bool:
        return self.passed > 0 and not self.failed and not self.reason

    def __str__(self) -> str:
        counts = [f"{self.passed:5} passed"]
        counts += [f"{self.failed} failed"] if self.failed else []
        counts += [f"{self.skipped} skipped"] if self.skipped else []
        counts += [self.reason] if self.reason else []
        return f"{self.kind:28}{', '.join(counts)}"


def main() -> int:
    results = [
        run_pytest("unit", "unit"),
        run_pytest("integration on SQLite", "integration", "--database=sqlite", *PARALLEL),
        run_pytest("integration on PostgreSQL", "integration", "--database=postgresql", *PARALLEL),
        with_tool(tools.chromium, "browser", run_browser),
        with_tool(tools.node, "JavaScript", run_node),
    ]
    print("\n" + "\n".join(map(str, results)))
    print(Result("all", *(sum(getattr(r, count) for r in results) for count in ("passed", "failed", "skipped"))))
    return 0 if all(result.is_good for result in results) else 1


def with_tool(find: Callable[[], str], kind: str, run: Callable[[str, str], Result]) -> Result:
    try:
        tool = find()
    except tools.Missing as missing:
        return Result(kind, reason=str(missing))
    return run(kind, tool)


def run_browser(kind: str, chromium: str) -> Result:
    os.environ["CHROMIUM"] = chromium
    return run_pytest(kind, "browser", *PARALLEL_BROWSERS)


def run_pytest(kind: str, folder: str, *options: str) -> Result:
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        command = [sys.executable, "-m", "pytest", "--quiet", f"--junitxml={report.name}", *options]
        code = run(kind, [*command, str(TESTS / folder)])
        return count_pytest(kind, code, report.read().decode())


def run_node(kind: str, node: str) -> Result:
    """Node 18 has the browser's `crypto` behind an option only. What it says is shown when something failed."""
    options = ["--experimental-global-webcrypto"] if tools.major_version(node) < 19 else []
    files = sorted(str(path) for path in (TESTS / "js").rglob("*.test.js"))
    with tempfile.NamedTemporaryFile(suffix=".tap") as report, tempfile.NamedTemporaryFile(suffix=".txt") as words:
        reporters = ["--test-reporter=spec", f"--test-reporter-destination={words.name}"]
        reporters += ["--test-reporter=tap", f"--test-reporter-destination={report.name}"]
        code = run(kind, [node, *options, "--test", *reporters, *files])
        if code != 0:
            print(words.read().decode())
        return count_tap(kind, code, report.read().decode())


def run(kind: str, command: list[str]) -> int | None:
    """The exit code; None after a time-out."""
    print(f"\n== {kind}", flush=True)
    try:
        return subprocess.run(command, cwd=TESTS.parent, timeout=STAGE_TIMEOUT_S).returncode
    except subprocess.TimeoutExpired:
        return None


def count_pytest(kind: str, code: int | None, report: str) -> Result:
    if not report:
        return Result(kind, reason=why(code))
    suite = xml.etree.ElementTree.fromstring(report)[0].attrib
    failed = int(suite["failures"]) + int(suite["errors"])
    skipped = int(suite["skipped"])
    passed = int(suite["tests"]) - failed - skipped
    return Result(kind, passed, failed, skipped, reason="" if failed else why(code))


def count_tap(kind: str, code: int | None, report: str) -> Result:
    counts = {name: int(count) for name, count in re.findall(r"^# (pass|fail|skipped) (\d+)$", report, re.M)}
    passed, failed, skipped = (counts.get(name, 0) for name in ("pass", "fail", "skipped"))
    return Result(kind, passed, failed, skipped, reason="" if failed else why(code))


def why(code: int | None) -> str:
    if code is None:
        return f"stopped after {STAGE_TIMEOUT_S} s"
    return f"ended with exit code {code}" if code else ""


if __name__ == "__main__":
    sys.exit(main())
