"""The robot's machine: makes the network, obeys its commands and tells what it sees.

    near_side.py ADDRESS NAME

Writes lines of JSON: first {"ready": name}; then samples (`step`, `unsafe`, `command`, `rate`,
`weights`: a checksum) and notices (`notice`, `variable`, `message`) until it is killed.
"""

import json
import sys
import zlib
from typing import Any

import prospero

SAFE_COMMAND = [0.25, -0.25]


def make(client: prospero.Client, name: str) -> prospero.Network:
    safety = (
        prospero.Safety(driver_timeout=0.4)
        .input("input", timeout=0.3)
        .output("output", fail_safe=SAFE_COMMAND)
    )
    # 200 steps in a second: slow enough for a machine that is busy with other tests.
    spec = prospero.gle.chain([4, 16, 2], dt_ms=5.0, tau_m=50.0, learning_rate=0.05, seed=7)
    network = client.create_network(spec, name, clock="realtime", safety=safety)
    return network.start()


def tell(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


def watch(network: prospero.Network) -> None:
    with network.subscribe("output.command", "output.r", "safety.unsafe", "*.W", every=5) as samples:
        tell({"ready": network.name})
        for event in samples.events():
            if isinstance(event, prospero.Notice):
                tell(
                    {"notice": event.kind, "variable": event.variable, "message": event.message}
                )
            elif isinstance(event, prospero.Sample):
                weights = [event[name] for name in event.values if name.endswith(".W")]
                tell(
                    {
                        "step": event.step,
                        "unsafe": bool(event["safety.unsafe"]),
                        "command": event["output.command"].ravel().tolist(),
                        "rate": event["output.r"].ravel().tolist(),
                        "weights": zlib.crc32(b"".join(w.tobytes() for w in weights)),
                    }
                )


if __name__ == "__main__":
    with prospero.Client(sys.argv[1]) as near:
        near.wait_ready()
        watch(make(near, sys.argv[2]))
