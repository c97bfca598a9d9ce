#!/usr/bin/python3
"""Runs all benchmarks of a build and says which goals are met.

    tests/bench/run.py --build build/release --out results

writes results/bench.md, with tables, and results/bench.json, with all that was measured; --paste
puts the tables under the last heading of README.md as well. The machine should have nothing else
to do: what is best of many short runs hardly suffers from others, what goes through the wire does.
On one that is shared with others, --rounds 3 runs each program three times, apart from each other,
and takes what `several` says. --quick measures small networks only, for an instant each. The exit
status is 1 when a benchmark fails, not when a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

# Steps per second of the published code in PyTorch (float32, one thread, an idle Xeon at 2.5 GHz),
# by chain and batch, and how many times as quick ours should be. The quicker a machine is than that
# one, the more this ratio flatters; what PyTorch does on the same machine is the better measure.
PUBLISHED = [
    ("10-100-100-10", 1, 662, 500),
    ("64-512-512-10", 1, 324, 60),
    ("256-1024-1024-10", 1, 98.9, 40),
    ("256-1024-1024-10", 32, 5.0, 50),
]

# Programs that write Google Benchmark's JSON, and which of their benchmarks --quick runs.
PROGRAMS = {
    "gle_bench": "(10-100|64-512).*batch:1$",
    "activation_bench": "tanh",
    "runtime_bench": "Bare|Inline/1/|Crowd/1/|WrittenDown/frames",
    "realtime_bench": "networks:1/",
    "snapshot_bench": "small|medium",
    "replay_bench": "gle_10",
    "durability_bench": "Frames/networks:1/|Restart/networks:1/frames:0/",
    "packed_bench": "medium_one_at_a_time/K:(1|256)/",
    "subscribe_bench": "readers:(1|10)(/|$)",
}
# Beside the counters, a benchmark's JSON says how it was run; none of that is in the tables.
KEPT = ("real_time", "cpu_time", "time_unit", "iterations", "label")
NOT_COUNTERS = KEPT + (
    "name", "family_index", "per_family_instance_index", "run_name", "run_type", "repetitions",
    "repetition_index", "threads", "aggregate_name", "aggregate_unit", "error_occurred",
    "error_message",
)  # fmt: skip

Results = dict[str, dict[str, Any]]  # of one program: what each benchmark counted


@dataclass
class Goal:
    what: str
    goal: str
    measured: float
    met: bool


def run(program: Path, *arguments: str) -> None:
    """Its own output goes to ours."""
    print(f"-- {program.name}", flush=True)
    subprocess.run([str(program), *arguments], check=True)


def several(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """The counters of one benchmark in several rounds: rates and limits are the best that were
    seen, percentages follow from them, and of all else, ratios above all, it is the median."""
    limits = {"bandwidth_%": "limit_GB/s", "fma_%": "limit_GFLOP/s"}
    merged = dict(rounds[0])
    for key, value in rounds[0].items():
        if not isinstance(value, (int, float)):
            continue
        values = [counters[key] for counters in rounds]
        if key.startswith(("best_", "limit_")):
            merged[key] = max(values)
        elif (limit := limits.get(key)) in merged:
            reached = max(counters[key] * counters[limit] for counters in rounds)
            merged[key] = reached / max(counters[limit] for counters in rounds)
        else:
            merged[key] = statistics.median(values)
    return merged


def run_google_benchmark(program: Path, options: argparse.Namespace) -> tuple[Results, dict]:
    """What was counted in one round, and what the library says about the machine."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        arguments = [f"--benchmark_out={out}", "--benchmark_out_format=json"]
        if options.quick:
            arguments += [f"--benchmark_filter={PROGRAMS[program.name]}"]
        arguments += [f"--benchmark_min_time={0.01 if options.quick else options.min_time}"]
        run(program, *arguments)
        written = json.loads(out.read_text())
    results: Results = {}
    for benchmark in written["benchmarks"]:
        name = benchmark["name"]
        if benchmark.get("error_occurred"):
            raise RuntimeError(f"{program.name} {name}: {benchmark['error_message']}")
        results[name] = {key: benchmark[key] for key in KEPT if key in benchmark}
        results[name].update({k: v for k, v in benchmark.items() if k not in NOT_COUNTERS})
    if not results:
        raise RuntimeError(f"{program.name} ran no benchmark")
    return results, written["context"]


def run_drive_bench(program: Path, options: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        run(program, f"--json={out}", f"--round_trips={1000 if options.quick else 20000}")
        return json.loads(out.read_text())


def merge(name: str, rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Of the round trips, which are thousands, the round with the median ratio is kept as it is."""
    if name == "drive_bench":
        by_ratio = sorted(rounds, key=lambda r: r["drive"]["p50_us"] / r["echo"]["p50_us"])
        return by_ratio[len(rounds) // 2]
    return {benchmark: several([r[benchmark] for r in rounds]) for benchmark in rounds[0]}


def machine(context: dict) -> dict[str, Any]:
    """What a reader must know of it, and nothing that names it."""
    info: dict[str, str] = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        info.setdefault(key.strip(), value.strip())
    flags = info.get("flags", "").split()
    caches = [
        f"L{c['level']} {c['type'].lower()} {c['size'] >> 10} KiB"
        for c in context.get("caches", [])
    ]
    return {
        "cpu": info.get("model name", "unknown"),
        "family_model_stepping": [info.get(key, "") for key in ("cpu family", "model", "stepping")],
        "mhz": context.get("mhz_per_cpu"),
        "cores": os.cpu_count(),
        "avx512": "avx512f" in flags,
        "caches": caches,
        "load_before": round(os.getloadavg()[0], 2),
    }


def largest_chain(steps: Results) -> str | None:
    """The one past the last-level cache, unless --quick left it out."""
    chains = {name.split("/")[1] for name in steps if name.startswith("Step/1024-")}
    chains.discard("1024-4096-4096-10")
    return chains.pop() if chains else None


def engine_goals(steps: Results) -> Iterator[Goal]:
    def counter(name: str, key: str) -> float | None:
        return steps.get(f"Step/{name}", {}).get(key)

    largest = largest_chain(steps)
    for suffix, threads in (("", "1 thread"), ("/threads:all/real_time", "all threads")):
        percent = counter(f"{largest}/float32/sgd/batch:1{suffix}", "bandwidth_%")
        if percent is not None:
            what = f"{largest}, float32, SGD, {threads}: of the bandwidth, past the cache"
            yield Goal(what, ">= 90 %", percent, percent >= 90)
    for suffix, threads in (("", "1 thread"), ("/threads:all/real_time", "all threads")):
        percent = counter(f"1-1024-1024/float32/sgd/batch:64{suffix}", "fma_%")
        if percent is not None:
            what = f"1024x1024, batch 64, float32, {threads}: of the peak of multiply-adds"
            yield Goal(what, ">= 55 %", percent, percent >= 55)
    for chain in dict.fromkeys(name.split("/")[1] for name in steps if name.startswith("Step/")):
        plastic = counter(f"{chain}/float32/sgd/batch:1", "best_steps/s")
        frozen = counter(f"{chain}/float32/frozen/batch:1", "best_steps/s")
        if plastic and frozen:
            cost = plastic / frozen
            learning_limit = counter(f"{chain}/float32/sgd/batch:1", "limit_GB/s") or 0.0
            reading_limit = counter(f"{chain}/float32/frozen/batch:1", "limit_GB/s") or 1.0
            least = learning_limit / reading_limit / 2
            what = f"{chain}: cost of a frozen step, of a learning one ({least:.2f} by the limits)"
            yield Goal(what, "<= 0.5", cost, cost <= 0.5)
    for chain, batch, published, times in PUBLISHED:
        rate = counter(f"{chain}/float32/sgd/batch:{batch}", "best_steps/s")
        if rate is not None:
            what = f"{chain}, batch {batch}: times the published code's {published:g} steps/s"
            yield Goal(what, f">= {times}", rate / published, rate / published >= times)


def hosting_goals(found: dict[str, Any]) -> Iterator[Goal]:
    for name, counters in found.get("runtime_bench", {}).items():
        if name.startswith("Crowd/1000/"):
            reached = counters["of_cores"]
            what = "1000 networks of 10-100-100-10: of cores x one alone"
            yield Goal(what, ">= 0.85", reached, reached >= 0.85)
    for name, counters in found.get("packed_bench", {}).items():
        if name.startswith("Drive/medium_one_at_a_time/K:256/"):
            ratio = counters["ratio"]
            what = "Drive, 64-512-512-10, K = 256, batch 1: of the engine's own rate"
            yield Goal(what, ">= 0.9", ratio, ratio >= 0.9)
    for name, counters in found.get("durability_bench", {}).items():
        if name.startswith("Frames/networks:16/"):
            ratio = counters["sync_ratio"]
            what = "SYNC durability, 16 networks: of the frames of NONE"
            yield Goal(what, ">= 0.5", ratio, ratio >= 0.5)
    latency = found.get("drive_bench")
    if latency:
        for rank, most in (("p50", 1.2), ("p99", 1.5)):
            ratio = latency["drive"][f"{rank}_us"] / latency["echo"][f"{rank}_us"]
            what = f"Drive, one step in a message: {rank}, of a bare echo's"
            yield Goal(what, f"<= {most}", ratio, ratio <= most)


def number(value: Any) -> str:
    """Four digits that count, thousands set apart."""
    if not isinstance(value, (int, float)):
        return str(value)
    if abs(value) >= 1000:
        return f"{float(f'{value:.4g}'):,.0f}"
    return f"{value:.4g}" if abs(value) < 1 else f"{value:.3g}"


def table(header: list[str], rows: list[list[Any]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "| --- " + "| ---: " * (len(header) - 1) + "|"]
    lines += ["| " + " | ".join(number(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def counters_table(results: Results, columns: dict[str, str]) -> str:
    """One row for each benchmark that has all of the columns' counters."""
    rows = []
    for name, counters in results.items():
        if not all(key in counters for key in columns):
            continue
        label = f" ({counters['label']})" if counters.get("label") else ""
        rows.append([f"{name.removesuffix('/real_time').removesuffix('/manual_time')}{label}"])
        rows[-1] += [counters[key] for key in columns]
    return table(["", *columns.values()], rows) if rows else ""


def only(results: Results, keep: Callable[[str], bool]) -> Results:
    return {name: counters for name, counters in results.items() if keep(name)}


def engine_tables(steps: Results) -> Iterator[tuple[str, str]]:
    columns = {
        "best_steps/s": "steps/s",
        "bandwidth_%": "% of bandwidth",
        "fma_%": "% of FMA peak",
        "limit_GB/s": "limit [GB/s]",
        "limit_GFLOP/s": "limit [GFLOP/s]",
    }
    yield "Steps", counters_table(steps, columns)
    columns = {"best_steps/s": "steps/s", "eigen_steps/s": "Eigen", "ratio": "ratio"}
    yield "Against a plain implementation", counters_table(steps, columns)


def neuron_tables(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    columns = {"ns": "ns", "std_ns": "standard library", "times_as_quick": "ratio"}
    neurons = found.get("activation_bench", {})
    yield "Activations and noise, one value", counters_table(neurons, columns)


def hosting_tables(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    runtime = found.get("runtime_bench", {})
    per_step = only(runtime, lambda name: name.startswith(("Bare", "Inline", "Queued")))
    yield (
        "Hosting: steps per second of a small network",
        counters_table(per_step, {"items_per_second": "steps/s"}),
    )
    columns = {"steps/s": "steps/s", "alone_steps/s": "one alone", "of_cores": "of cores x one"}
    yield "Many networks", counters_table(runtime, columns)
    columns = {"steps/s": "steps/s", "alone_steps/s": "one worker", "gain": "gain"}
    yield "One large network on all cores", counters_table(runtime, columns)
    columns = {"small_keep": "the small ones keep", "large_keeps": "the large one keeps"}
    yield "Small networks beside a large one", counters_table(runtime, columns)
    columns = {
        "lag_p50_us": "lag p50 [us]",
        "lag_p99_us": "lag p99 [us]",
        "bare_p50_us": "bare thread p50 [us]",
        "bare_p99_us": "bare thread p99 [us]",
        "overruns_%": "% overruns",
    }
    yield "Real time at 1 kHz", counters_table(found.get("realtime_bench", {}), columns)
    columns = {"steps/s": "steps/s", "keeps": "of those without a journal"}
    written = only(runtime, lambda name: name.startswith("WrittenDown"))
    yield "Networks that write down what they see", counters_table(written, columns)
    columns = {
        "MB": "MB",
        "pause_us": "pause [us]",
        "ratio": "of a copy",
        "steps": "[steps]",
        "room_us": "memory, before [us]",
    }
    yield "Snapshots", counters_table(found.get("snapshot_bench", {}), columns)
    yield from durability_tables(found)


def durability_tables(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    columns = {
        "replayed_steps/s": "steps/s",
        "ratio": "of the bare network's",
        "real_times": "x real time",
        "bytes": "bytes of a step",
    }
    yield "Replay of a journal", counters_table(found.get("replay_bench", {}), columns)
    durability = found.get("durability_bench", {})
    columns = {
        "none_frames/s": "NONE",
        "async_frames/s": "ASYNC",
        "sync_frames/s": "SYNC",
        "async_ratio": "ASYNC / NONE",
        "sync_ratio": "SYNC / NONE",
        "sync_us": "a sync of the disk [us]",
    }
    yield "Durability: frames per second", counters_table(durability, columns)
    columns = {
        "steps": "steps to replay",
        "killed_ms": "killed [ms]",
        "shutdown_ms": "shut down [ms]",
        "replayed/s": "steps/s",
    }
    yield "Starts: until all networks are back", counters_table(durability, columns)


def wire_tables(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    columns = {"drive_steps/s": "through Drive", "engine_steps/s": "engine", "ratio": "ratio"}
    columns["cpu_ratio"] = "of CPU time"
    yield "K steps in a message [steps/s]", counters_table(found.get("packed_bench", {}), columns)
    latency = found.get("drive_bench")
    if latency:
        ranks = [key for key in latency["drive"] if key.endswith("_us")]
        rows = [
            [rank.removesuffix("_us"), drive, echo, drive / echo]
            for rank in ranks
            for drive, echo in [(latency["drive"][rank], latency["echo"][rank])]
        ]
        yield "Round trips of one step", table(["", "Drive [us]", "echo [us]", "ratio"], rows)
        counts = zip(latency["edges_us"], latency["drive"]["counts"], latency["echo"]["counts"])
        rows = [[edge, drive, echo] for edge, drive, echo in counts if drive + echo > 0]
        yield "Their histogram", table(["from [us]", "Drive", "echo"], rows)
    watched = found.get("subscribe_bench", {})
    columns = {"steps/s": "steps/s", "ratio": "of unwatched", "ns_per_sample": "ns per sample"}
    yield "Readers, on the strand", counters_table(watched, columns)
    columns = {
        "steps/s": "steps/s",
        "ratio": "of unwatched",
        "samples/s": "samples/s",
        "cpu_us_per_sample": "CPU us per sample",
        "lost_%": "% lost",
    }
    yield "Readers, through the wire", counters_table(watched, columns)
    columns = {"p50_ratio": "round trips, p50", "p99_ratio": "p99, of those without readers"}
    yield "Readers that do not read", counters_table(watched, columns)


def markdown(about: dict[str, Any], goals: list[Goal], found: dict[str, Any]) -> str:
    parts = [
        f"{about['cpu']} (family, model, stepping {', '.join(about['family_model_stepping'])}), "
        f"{about['cores']} cores, AVX-512 {'yes' if about['avx512'] else 'no'}; "
        f"{', '.join(about['caches'])}. Load before: {about['load_before']}.",
    ]
    if about["load_before"] > 0.5:
        parts.append("**Others used the machine**: what needs several threads would be quicker.")
    rows = [[g.what, g.goal, g.measured, "yes" if g.met else "**no**"] for g in goals]
    if rows:
        parts += ["### Goals", table(["", "goal", "measured", "met"], rows)]
    tables = [*engine_tables(found.get("gle_bench", {})), *neuron_tables(found)]
    for title, body in [*tables, *hosting_tables(found), *wire_tables(found)]:
        if body:
            parts += [f"### {title}", body]
    return "\n\n".join(parts) + "\n"


def paste(tables: str) -> None:
    readme = Path(__file__).parent / "README.md"
    heading = "\n## Results\n"
    before, found, _ = readme.read_text().partition(heading)
    if not found:
        raise RuntimeError(f"{readme.name} has no heading for the results")
    readme.write_text(f"{before}{heading}\n{tables}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--build", type=Path, default=Path("build/release"), help="build folder")
    parser.add_argument("--out", type=Path, default=Path("."), help="where the results go")
    parser.add_argument("--quick", action="store_true", help="small networks only, and short")
    parser.add_argument("--min-time", type=float, default=0.5, help="seconds for each benchmark")
    parser.add_argument("--rounds", type=int, default=1, help="times that each program runs")
    parser.add_argument("--only", nargs="+", metavar="PROGRAM", help="and no others")
    parser.add_argument("--paste", action="store_true", help="put the tables into README.md")
    options = parser.parse_args()
    if options.paste and options.only:
        parser.error("--paste replaces all tables: leave out --only")

    rounds: dict[str, list[dict[str, Any]]] = {}
    about: dict[str, Any] = {}
    for name in [*PROGRAMS, "drive_bench"] * options.rounds:
        program = options.build / "tests" / "bench" / name
        if (options.only and name not in options.only) or not program.exists():
            continue
        if name == "drive_bench":
            rounds.setdefault(name, []).append(run_drive_bench(program, options))
        else:
            results, context = run_google_benchmark(program, options)
            rounds.setdefault(name, []).append(results)
            about = about or machine(context)
    found = {name: merge(name, results) for name, results in rounds.items()}
    if not about:
        print(f"no benchmarks in {options.build}", file=sys.stderr)
        return 1
    goals = [*engine_goals(found.get("gle_bench", {})), *hosting_goals(found)]
    options.out.mkdir(parents=True, exist_ok=True)
    tables = markdown(about, goals, found)
    (options.out / "bench.md").write_text(tables)
    if options.paste:
        paste(tables)
    everything = {"machine": about, "goals": [asdict(goal) for goal in goals], "found": found}
    (options.out / "bench.json").write_text(json.dumps(everything, indent=1) + "\n")
    print(tables)
    return 0


if __name__ == "__main__":
    sys.exit(main())
