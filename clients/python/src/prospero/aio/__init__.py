"""The client for asyncio: the same verbs as `prospero`, awaited.

async with prospero.aio.Client("127.0.0.1:50051") as client:
    network = await client.create_network(spec)
    async with network.drive() as drive:
        advanced = await drive.advance({"input": x, "output": target})
    async for sample in network.subscribe("loss", every=100):
        print(sample.step, sample["loss"])
"""

from prospero.aio.client import Client
from prospero.aio.drive import Drive
from prospero.aio.feed import Feed
from prospero.aio.network import Network
from prospero.aio.record import Record
from prospero.aio.subscription import Subscription

__all__ = ["Client", "Drive", "Feed", "Network", "Record", "Subscription"]
