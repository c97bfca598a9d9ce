#!/usr/bin/python3
"""Adds up what tests/run.sh left in its folder of results, and prints one line of totals.

A folder holds `NAME.check` (passed or failed), `NAME.ctest.xml` with the cases of its programs in
`NAME/PROGRAM.xml`, and `NAME.pytest.xml`. The exit status is 1 when something failed, or when
nothing ran.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as xml
from collections import Counter
from pathlib import Path


def of_case(case: xml.Element) -> str:
    """Of one test case as JUnit writes it: ctest, GoogleTest and pytest differ a little."""
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    if case.get("status") in ("disabled", "notrun") or case.find("skipped") is not None:
        return "skipped"
    return "failed" if case.get("status") == "fail" else "passed"


def of_program(case: xml.Element, cases: Path) -> Counter[str]:
    """Of one ctest test: its cases, when it is a program that wrote them down.

    A program that failed without a failed case died, or was found out at its end: that counts.
    """
    if not cases.exists():
        return Counter([of_case(case)])
    total = Counter(of_case(c) for c in xml.parse(cases).iter("testcase"))
    if of_case(case) == "failed" and total["failed"] == 0:
        total["failed"] = 1
    return total


def count(folder: Path) -> Counter[str]:
    total: Counter[str] = Counter()
    for check in sorted(folder.glob("*.check")):
        total[check.read_text().strip()] += 1
        if check.read_text().strip() == "failed":
            print(f"failed: {check.stem}")
    for report in sorted(folder.glob("*.xml")):
        name, kind, _ = report.name.split(".")
        part: Counter[str] = Counter()
        for case in xml.parse(report).iter("testcase"):
            cases = folder / name / f"{case.get('name')}.xml"
            result = of_program(case, cases) if kind == "ctest" else Counter([of_case(case)])
            if result["failed"]:
                print(f"failed: {name}: {case.get('name')}")
            part += result
        total += part or Counter(["failed"])  # a report of nothing is a failure
    return total


def main() -> int:
    total = count(Path(sys.argv[1]))
    line = f"{total['passed']} passed, {total['failed']} failed"
    print(line + (f", {total['skipped']} skipped" if total["skipped"] else ""))
    return 0 if total["passed"] and not total["failed"] else 1


if __name__ == "__main__":
    sys.exit(main())
