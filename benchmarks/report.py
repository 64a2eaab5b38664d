"""How long the report takes to be made, how large it is, and how fast it is in a browser.

    python benchmarks/report.py [--runs 18 300] [--rounds 3] [--browser-rounds 5]
        [--chromium PROGRAM] [--results FOLDER]

For each number of runs the results of a sweep are made up by `sweep_material.py`. Pictures and page
are made of them, each stage in a process of one thread, the two that draw at the same time, as the
workflow does on two cores. Then the page is opened in Chromium without a window.

Writes results/report.tsv beside this file.
"""

import argparse
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page, sync_playwright

from processes import HERE, ONE_THREAD
from sweep_material import SWEEPS, config_of, make
from sweep_results import Results
from unrolled.storage import Cell, write_tsv

TABLE = "report.tsv"

COLUMNS = ["runs", "measured", "median", "lowest", "highest", "rounds", "target", "within_target"]
COLUMNS += ["cores", "processor", "browser"]

AT_ONCE = (("figures", "time_figures"), ("report",))
"""Stages; those of a group run at the same time, once the group before is done."""

IN_BROWSER = {
    "first_paint_milliseconds": 1000,
    "first_contentful_paint_milliseconds": 1000,
    "sort_milliseconds": 100,
    "slowest_sort_milliseconds": 100,
    "slowest_filter_milliseconds": 100,
}
TARGETS: Mapping[int, Mapping[str, float]] = {
    18: {"build_seconds": 40, "page_megabytes": 3, **IN_BROWSER},
    300: {"build_seconds": 180, **IN_BROWSER},
}
"""What each median should be below, by the number of runs."""

PAINTS = """() => new Promise((done) => {
  const look = () => {
    const paints = performance.getEntriesByType("paint");
    if (paints.length < 2) requestAnimationFrame(look);
    else done(Object.fromEntries(paints.map((paint) => [paint.name, paint.startTime])));
  };
  look();
})"""
"""Milliseconds from when the page was asked for, by the names that browsers give to paints."""

SORTS = """() => {
  const table = document.querySelector("table.sortable");
  const buttons = [...table.tHead.querySelectorAll("button")];
  table.offsetHeight;
  return buttons.flatMap((button) => [button, button]).map((button) => {
    const began = performance.now();
    button.click();
    table.offsetHeight;
    return performance.now() - began;
  });
}"""
"""Milliseconds of each sort, every column up and down; the height is asked for since it makes the
browser lay the table out.
"""

FILTERS = """(texts) => {
  const table = document.querySelector("table.sortable");
  const filter = document.querySelector(`[aria-controls="${table.id}"]`);
  table.offsetHeight;
  return texts.map((text) => {
    const began = performance.now();
    filter.value = text;
    filter.dispatchEvent(new Event("input"));
    table.offsetHeight;
    return performance.now() - began;
  });
}"""
FILTERED_BY = ("elman", "elman depth4", "elman depth4 seed1", "no such run", "")
"""Texts that hide few runs and many; the last one shows all of them again."""

Measured = dict[str, list[float]]
"""What was measured in each round, by its name, which ends with the unit."""


def build_seconds(folder: Path) -> dict[str, float]:
    """Seconds until each stage was done after it began, until all were, and of CPU time in all."""
    found: dict[str, float] = {}
    cpu_before, began = _cpu_seconds(), time.perf_counter()
    for group in AT_ONCE:
        group_began = time.perf_counter()
        started = {stage: _started(stage, folder) for stage in group}
        while started:
            for stage in [name for name, process in started.items() if process.poll() is not None]:
                if started.pop(stage).returncode:
                    sys.exit(f"{stage} failed, see above")
                found[f"{stage}_seconds"] = time.perf_counter() - group_began
            time.sleep(0.01)
    seconds = time.perf_counter() - began
    return {"build_seconds": seconds, "build_cpu_seconds": _cpu_seconds() - cpu_before, **found}


def _cpu_seconds() -> float:
    """CPU time of all processes that were started here and have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _started(stage: str, folder: Path) -> subprocess.Popen[bytes]:
    command: list[str | Path] = [sys.executable, HERE / "report_worker.py", stage, folder]
    return subprocess.Popen(command, env={**os.environ, **ONE_THREAD})


def seen_in_browser(browser: Browser, path: Path) -> dict[str, float]:
    """What is measured of a page that is opened for the first time."""
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(path.as_uri())
        return {**_paints(page), **_table_at_work(page)}
    finally:
        context.close()


def _paints(page: Page) -> dict[str, float]:
    paints: dict[str, float] = page.evaluate(PAINTS)
    return {f"{name.replace('-', '_')}_milliseconds": found for name, found in paints.items()}


def _table_at_work(page: Page) -> dict[str, float]:
    sorts: list[float] = page.evaluate(SORTS)
    return {
        "sort_milliseconds": median(sorts),
        "slowest_sort_milliseconds": max(sorts),
        "slowest_filter_milliseconds": max(page.evaluate(FILTERS, FILTERED_BY)),
    }


def measure(results: Results, browser: Browser, rounds: int, browser_rounds: int) -> Measured:
    """Make the page some times, then open it some times."""
    measured: Measured = {}
    for _ in range(rounds):
        _add(measured, build_seconds(results.folder))
    _add(measured, {"page_megabytes": results.page.stat().st_size / 1e6})
    for _ in range(browser_rounds):
        _add(measured, seen_in_browser(browser, results.page))
    return measured


def _add(measured: Measured, found: Mapping[str, float]) -> None:
    for name, value in found.items():
        measured.setdefault(name, []).append(value)


def rows_of(
    runs: int, measured: Measured, machine: Mapping[str, Cell]
) -> Iterator[dict[str, Cell]]:
    """A row for everything that was measured; targets where there are some."""
    for name, values in measured.items():
        middle, target = median(values), TARGETS[runs].get(name)
        yield {
            "runs": runs,
            "measured": name,
            "median": round(middle, 2),
            "lowest": round(min(values), 2),
            "highest": round(max(values), 2),
            "rounds": len(values),
            "target": target,
            "within_target": None if target is None else "yes" if middle < target else "no",
            **machine,
        }


def machine_of(browser: Browser) -> dict[str, Cell]:
    """What it was measured on."""
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "browser": f"{browser.browser_type.name} {browser.version}",
    }


def _processor() -> str:
    """Its name as Linux knows it; elsewhere what Python says."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description="The report: making it, its size, its speed.")
    parser.add_argument("--runs", type=int, nargs="+", choices=SWEEPS, default=list(SWEEPS))
    parser.add_argument("--rounds", type=int, default=3, help="how often the page is made")
    parser.add_argument("--browser-rounds", type=int, default=5, help="how often it is opened")
    parser.add_argument(
        "--chromium", default=shutil.which("chromium"), help="the browser's program"
    )
    parser.add_argument("--results", type=Path, default=HERE / "results")
    found = parser.parse_args(arguments)
    if found.chromium is None:
        parser.error("there is no program chromium; say where one is with --chromium")
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the command line says."""
    given = parsed(arguments)
    rows: list[dict[str, Cell]] = []
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as name:
        browser = playwright.chromium.launch(executable_path=given.chromium)
        for runs in given.runs:
            results = make(Path(name) / str(runs), config_of(SWEEPS[runs]))
            measured = measure(results, browser, given.rounds, given.browser_rounds)
            rows += rows_of(runs, measured, machine_of(browser))
        browser.close()
    write_tsv(given.results / TABLE, COLUMNS, rows)
    for row in rows:
        print("  ".join(f"{key} {row[key]}" for key in COLUMNS[:8]))


if __name__ == "__main__":
    main()
