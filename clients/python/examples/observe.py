#!/usr/bin/env python3
"""Watches the weights of a network live while somebody else drives it.

    python clients/python/examples/observe.py --target 127.0.0.1:50051 [--network ID]

An observer needs no lease and disturbs nobody: it names what it wants, how often, and the
server computes weight statistics only while somebody watches. Without --network it takes the
first one that is being driven, for example that of `ecg.py` or `closed_loop.py`.
"""

from __future__ import annotations

import argparse
import sys
from itertools import islice

import prospero


def find(client: prospero.Client, id: str | None) -> prospero.Network:
    if id is not None:
        return client.get_network(id)
    for network in client.list_networks("state = RUNNING"):
        if network.driven:
            return network
    raise SystemExit(
        "nobody drives a network here; start ecg.py or closed_loop.py, or give --network"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Watches weights while a network learns.")
    parser.add_argument("--target", default="127.0.0.1:50051", help="host:port of the server")
    parser.add_argument("--network", help="its id")
    parser.add_argument("--rate", type=float, default=5.0, help="samples per second, at most")
    parser.add_argument("--count", type=int, help="stop after so many samples")
    arguments = parser.parse_args()
    with prospero.Client(arguments.target) as client:
        network = find(client, arguments.network)
        print(f"{network.name} at step {network.cursor.step}")
        with network.subscribe(
            prospero.Selection(
                ["*.W.norm", "*.W.std", "*.W.update_ratio"], max_rate=arguments.rate
            ),
            prospero.Selection("loss", max_rate=arguments.rate, aggregation="mean"),
            start="snapshot",
        ) as samples:
            try:
                for sample in islice(samples, arguments.count):
                    lost = f"  ({sample.gap.count} lost)" if sample.gap else ""
                    cells = "  ".join(f"{n} {v.item():.4g}" for n, v in sample.values.items())
                    print(f"step {sample.step:9d}  {cells}{lost}", flush=True)
            except prospero.NetworkDeleted:
                print("the network is gone")
            except KeyboardInterrupt:
                print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
