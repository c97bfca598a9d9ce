"""The asynchronous client against a real server: the same verbs, the same answers."""

import asyncio
import uuid
from contextlib import aclosing

import numpy as np
import pytest

import prospero


@pytest.fixture
def run(server):
    """Runs `scenario(client)` in an event loop of its own."""

    def run(scenario):
        async def main():
            async with prospero.aio.Client(server.target) as client:
                await client.wait_ready()
                await scenario(client)

        asyncio.run(main())

    return run


def test_the_control_plane_answers_alike(run, chain):
    async def scenario(client):
        mark = uuid.uuid4().hex[:8]
        network = await client.create_network(chain(), labels={"mark": mark})
        assert (await client.get_network(network.id)).uid == network.uid
        assert [n.id async for n in client.list_networks(f'labels.mark = "{mark}"')] == [network.id]
        assert (await network.schema())["hidden.u"].shape == (1, 3)
        assert (await network.step(steps=5)).cursor.step == 5
        assert (await network.set({"hidden_to_output.W": 0.5})).step == 5
        assert np.all((await network.read("hidden_to_output.W"))["hidden_to_output.W"] == 0.5)
        assert (await network.pause()).state == "paused"
        assert (await network.start()).state == "running"
        clone = await network.clone()
        assert (await clone.refresh()).cursor.step == 5
        await clone.delete()
        assert (await network.reset("step")).cursor.step == 0
        await network.update(learning=False)
        assert not (await network.refresh()).learning
        await network.delete()
        with pytest.raises(prospero.NotFound):
            await client.get_network(network.id)
        assert (await client.validate_network(chain())) == network.footprint
        assert (await client.server_info()).product == "prosperod"

    run(scenario)


def test_a_drive_gives_the_same_bits(run, make, chain):
    x, t = np.random.default_rng(1).normal(size=(300, 2)), np.ones((300, 1))
    with make(chain()).drive() as drive:
        expected = drive.run({"input": x, "output": t})

    async def scenario(client):
        network = await client.get_network(make(chain()).id)
        async with network.drive() as drive:
            single = await drive.advance({"input": x[0], "output": t[0]})
            assert np.array_equal(single["output.r"], expected["output.r"][0])
            rest = await drive.run({"input": x[1:], "output": t[1:]}, chunk=7)
            assert np.array_equal(rest["output.r"], expected["output.r"][1:])

    run(scenario)


def test_a_refused_frame_raises_and_the_drive_goes_on(run, make, chain):
    async def scenario(client):
        network = await client.get_network(make(chain()).id)
        async with network.drive() as drive:
            with pytest.raises(prospero.InvalidArgument):
                await drive.advance({"input": [np.nan, 0.0]})
            async with aclosing(drive.stream({"input": np.ones((100, 2))}, chunk=5)) as stream:
                async for _ in stream:
                    break
            step = drive.cursor.step
            assert (await drive.advance({"input": [0.0, 0.0]})).cursor.step == step + 1

    run(scenario)


def test_a_preempted_driver_is_told_why(run, make, chain):
    async def scenario(client):
        network = await client.get_network(make(chain()).id)
        async with network.drive() as first:
            with pytest.raises(prospero.LeaseHeld):
                await network.drive().open()
            async with network.drive(preempt=True) as second:
                await second.advance()
                with pytest.raises(prospero.LeaseLost):
                    await first.advance()

    run(scenario)


@pytest.mark.parametrize("verb", ["subscribe", "watch"])
def test_samples_come_while_another_task_drives(run, make, chain, verb):
    async def scenario(client):
        network = await client.get_network(make(chain()).id)

        async def work():
            async with network.drive() as drive:
                await drive.run({"input": np.ones((400, 2)), "output": [1.0]}, chunk=10)

        async with getattr(network, verb)("loss", "*.W.norm", every=40) as samples:
            task = asyncio.create_task(work())
            steps = []
            async for sample in samples:
                steps.append(sample.step)
                if sample.step == 400:
                    break
            await task
        assert steps == list(range(40, 401, 40))

    run(scenario)


def test_many_loops_share_one_client(run, make, chain):
    ids = [make(chain(seed=i)).id for i in range(20)]

    async def scenario(client):
        async def work(id):
            network = await client.get_network(id)
            async with network.drive() as drive:
                for _ in range(20):
                    advanced = await drive.advance({"input": [1.0, 1.0], "output": [0.0]})
                return advanced.cursor.step

        assert await asyncio.gather(*map(work, ids)) == [20] * 20

    run(scenario)


def test_a_deleted_network_ends_its_streams_with_the_reason(run, make, chain):
    async def scenario(client):
        network = await client.get_network(make(chain()).id)
        async with network.subscribe("output.r") as samples, network.drive() as drive:
            await network.delete()
            with pytest.raises(prospero.NetworkDeleted):
                await samples.__anext__()
            with pytest.raises(prospero.NetworkDeleted):
                await drive.advance()

    run(scenario)


def test_the_reason_stays_when_grpc_puts_its_own_words_over_it(run, make, chain):
    """As it does when a write is on its way while the stream ends: before the status of the
    server is there, or after it."""

    async def scenario(client):
        for is_first in (True, False):
            network = await client.get_network(make(chain()).id)
            async with network.drive() as drive:
                call = drive._stream._call
                if is_first:
                    call._cython_call.set_internal_error("as by a write")
                await network.delete()
                if not is_first:
                    await call.code()
                    call._cython_call.set_internal_error("as by a write")
                with pytest.raises(prospero.NetworkDeleted):
                    await drive.advance()

    run(scenario)
