"""Steps per second of Prospero against PyTorch and Nengo, on one thread, in one run.

    compare.py [--prosperod PATH | --target HOST:PORT] [--seconds 1] [--json FILE]

Why: whoever decides to run such networks on Prospero wants to know what it gains over the code
that the papers came with. First the two codes are shown to be the same algorithm: from the same
weights, 100 steps with changing inputs must end at the same weights, to the accuracy of single
precision. Then each network runs on both sides in turns, a second each, so that the ratio does
not depend on how busy the machine is; the best turn counts.

Prospero's steps go through the server and this client, many in one message, one worker thread;
`engine` is what the server says it has spent in steps. PyTorch runs in this process on one thread.
The last column compares with the authors' own package on an idle machine of this kind.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

# One thread, also for what NumPy and PyTorch call.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

try:
    import nengo_pes
    import numpy as np
    import torch
    from published_gle import Chain

    import prospero
except ImportError as missing:
    here = Path(__file__).resolve()
    sys.exit(
        f"{missing}. In a virtual environment of your own (PyTorch is large), run\n"
        f"  pip install -r {here.parent / 'requirements.txt'} {here.parents[3] / 'clients/python'}"
    )

# Chains, batch, and steps per second of the authors' package.
CASES = (
    ((10, 100, 100, 10), 1, 660.0),
    ((64, 512, 512, 10), 1, 320.0),
    ((256, 1024, 1024, 10), 1, 100.0),
    ((10, 100, 100, 10), 32, None),
    ((64, 512, 512, 10), 32, None),
    ((256, 1024, 1024, 10), 32, 5.0),
)
# Neurons and dimensions of Nengo's task.
READ_OUTS = ((100, 10), (1000, 10), (4000, 64))
DT, TAU_M, TAU_R = 0.1, 1.0, 0.1
ROUNDS = 3
RATE = 1e-3  # of the check


def spec(sizes, batch, learning_rate, chain=None):
    """The chain of published_gle.Chain; with one, also its weights."""
    given = {}
    if chain is not None:
        given["weights"] = [layer.linear.weight.detach().numpy() for layer in chain.layers]
        given["biases"] = [layer.linear.bias.detach().numpy() for layer in chain.layers]
    return prospero.gle.chain(
        sizes,
        dt_ms=DT,
        tau_m=TAU_M,
        tau_r=TAU_R,
        output_activation="tanh",
        learning_rate=learning_rate,
        batch=batch,
        **given,
    )


def names(layers):
    """The projections of a chain."""
    hidden = ["hidden"] if layers == 2 else [f"hidden{k}" for k in range(1, layers)]
    populations = ["input", *hidden, "output"]
    return [f"{pre}_to_{post}" for pre, post in zip(populations, populations[1:])]


def check(client: prospero.Client, sizes, batch) -> float:
    """The greatest distance of any weight after 100 steps, relative to how far weights went."""
    torch.manual_seed(1)
    chain = Chain(sizes, batch, dt=DT, tau_m=TAU_M, tau_r=TAU_R, learning_rate=RATE)
    before = [layer.linear.weight.detach().clone() for layer in chain.layers]
    network = client.create_network(spec(sizes, batch, RATE, chain))
    # Slow waves: fast ones would be amplified from layer to layer until roundings show.
    time_ms = DT * np.arange(100, dtype=np.float32)[:, None, None]
    phase = np.random.default_rng(1).uniform(0, 2 * np.pi, size=(2, batch, max(sizes)))
    x = np.sin(0.5 * time_ms + phase[0, :, : sizes[0]]).astype(np.float32)
    target = 0.5 * np.sin(0.3 * time_ms + phase[1, :, : sizes[-1]]).astype(np.float32)
    for x_n, target_n in zip(x, target):
        chain.step(torch.from_numpy(x_n), torch.from_numpy(target_n))
    if batch == 1:
        x, target = x[:, 0], target[:, 0]
    with network.drive() as drive:
        drive.run({"input": x, "output": target})
    worst = 0.0
    for name, layer, first in zip(names(len(chain.layers)), chain.layers, before):
        ours = network.read(f"{name}.W")[f"{name}.W"]
        theirs = layer.linear.weight.detach().numpy()
        moved = np.abs(theirs - first.numpy()).max()
        worst = max(worst, float(np.abs(ours - theirs).max() / moved))
    network.delete()
    return worst


def rate(step: Callable[[int], None], seconds: float) -> float:
    """Steps per second of `step(count)`, over about so many seconds."""
    count = 1
    while True:
        start = time.perf_counter()
        step(count)
        spent = time.perf_counter() - start
        if spent >= seconds / 2:
            return count / spent
        count = math.ceil(count * min(10.0, 1.2 * seconds / max(spent, 1e-9)))


def race(seconds: float, **sides: Callable[[int], None]) -> dict[str, float]:
    """The best rate of each, in turns."""
    best = dict.fromkeys(sides, 0.0)
    for _ in range(ROUNDS):
        for name, step in sides.items():
            best[name] = max(best[name], rate(step, seconds))
    return best


class Hosted:
    """Steps of a network on the server, with an input and a target that hold."""

    def __init__(self, drive: prospero.Drive, x: np.ndarray, target: np.ndarray) -> None:
        self.drive, self.inputs, self.engine = drive, {"input": x, "output": target}, 0.0

    def step(self, count: int) -> None:
        spent = 0.0
        for first in range(0, count, 100_000):
            steps = min(100_000, count - first)
            spent += self.drive.advance(self.inputs, steps=steps, output_every=steps).stepping
        self.engine = max(self.engine, count / spent)


def compare_chain(client: prospero.Client, sizes, batch, seconds) -> dict[str, float]:
    chain = Chain(sizes, batch, dt=DT, tau_m=TAU_M, tau_r=TAU_R)
    x = np.sin(np.arange(batch * sizes[0], dtype=np.float32)).reshape(batch, sizes[0])
    target = np.full((batch, sizes[-1]), 0.3, dtype=np.float32)

    def published(count: int) -> None:
        frame, goal = torch.from_numpy(x), torch.from_numpy(target)
        for _ in range(count):
            chain.step(frame, goal)

    network = client.create_network(spec(sizes, batch, 1e-5))
    shown = (x[0], target[0]) if batch == 1 else (x, target)
    with network.drive() as drive:
        hosted = Hosted(drive, *shown)
        best = race(seconds, prospero=hosted.step, other=published)
    network.delete()
    return {**best, "engine": hosted.engine}


def compare_read_out(client: prospero.Client, neurons, dimensions, seconds) -> dict[str, float]:
    read_out = prospero.gle.Spec(1.0)
    read_out.population("input", dimensions, "input")
    read_out.population("hidden", neurons, activation="tanh", tau_m=10.0, bias=False)
    read_out.population("output", dimensions, "output", activation="linear", tau_m=10.0, bias=False)
    read_out.projection("input", "hidden")
    read_out.projection("hidden", "output", plasticity=prospero.SGD(1e-5))
    network = client.create_network(read_out)
    x = np.sin(np.arange(dimensions, dtype=np.float32))
    target = np.full(dimensions, 0.3, dtype=np.float32)
    with nengo_pes.build(neurons, dimensions) as simulator, network.drive() as drive:
        hosted = Hosted(drive, x, target)
        best = race(seconds, prospero=hosted.step, other=simulator.run_steps)
    network.delete()
    return {**best, "engine": hosted.engine}


@contextmanager
def server(options: argparse.Namespace) -> Iterator[str]:
    """The address of the server to measure; one of its own, if none was named."""
    if options.target:
        yield options.target
        return
    with tempfile.TemporaryDirectory() as folder:
        port = Path(folder) / "port"
        command = [options.prosperod, "--ephemeral", "--listen", "127.0.0.1:0", "--port-file", str(port)]
        process = subprocess.Popen(
            [*command, "--workers", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            while not (port.exists() and port.read_text().strip()):
                if process.poll() is not None:
                    sys.exit(f"{options.prosperod} did not start")
                time.sleep(0.05)
            yield "127.0.0.1:" + port.read_text().strip().rpartition(":")[2]
        finally:
            process.terminate()
            process.wait(30)


def table(rows: list[dict]) -> str:
    lines = [
        "| network | batch | other | steps/s | Prospero steps/s | engine steps/s | ratio "
        "| to the published package |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        published = row.get("published")
        beside = f"{row['prospero'] / published:,.0f} ({published:,.0f}/s)" if published else ""
        lines.append(
            f"| {row['network']} | {row['batch']} | {row['against']} | {row['other']:,.0f} "
            f"| {row['prospero']:,.0f} | {row['engine']:,.0f} "
            f"| **{row['prospero'] / row['other']:,.1f}** | {beside} |"
        )
    return "\n".join(lines)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--prosperod", default=os.environ.get("PROSPEROD", "prosperod"))
    arguments.add_argument("--target", help="a server that runs already")
    arguments.add_argument("--seconds", type=float, default=1.0, help="of one turn")
    arguments.add_argument("--json", type=Path, help="also writes the figures there")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    rows = []
    with server(options) as target, prospero.Client(target) as client:
        client.wait_ready()
        for sizes, batch, published in CASES:
            worst = check(client, sizes, batch)
            if worst > 1e-3:
                print(f"{sizes}, batch {batch}: not the same algorithm, off by {worst:.1e}")
                return 1
            figures = compare_chain(client, sizes, batch, options.seconds)
            network = "-".join(map(str, sizes))
            print(f"{network}, batch {batch}: weights within {worst:.1e} of how far they went")
            rows.append(
                {"network": network, "batch": batch, "against": f"PyTorch {torch.__version__}"}
                | {"published": published, "weights_off": worst, **figures}
            )
        for neurons, dimensions in READ_OUTS:
            figures = compare_read_out(client, neurons, dimensions, options.seconds)
            network = f"read-out {dimensions}-{neurons}-{dimensions}"
            against = f"Nengo {nengo_pes.nengo.__version__} PES"
            rows.append({"network": network, "batch": 1, "against": against, **figures})
    print(table(rows))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
