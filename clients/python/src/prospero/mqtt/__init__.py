"""A bridge between MQTT and a network: topics to inputs, outputs and notices to topics.

    python -m prospero.mqtt --network robot --broker localhost \\
        --input robot/camera=camera --output arm.command=robot/arm/command

It needs `pip install "prospero[mqtt]"`. A message on an input's topic is a frame of a Feed, so
the network must run with the clock REALTIME or FREE; every sample of an output is a message.
Payloads are JSON arrays, or raw little-endian float32 or float64. Both sides are connected
again when they break.
"""

from prospero.mqtt.bridge import Bridge
from prospero.mqtt.config import Config, Input, Output

__all__ = ["Bridge", "Config", "Input", "Output"]
