"""A server that does what a test tells it: for what a healthy server never does."""

from concurrent import futures
from contextlib import contextmanager

import grpc
from google.rpc import error_details_pb2, status_pb2

from prospero import v1
from prospero.v1 import network_service_pb2_grpc as networks
from prospero.v1 import simulation_service_pb2_grpc as simulation


class FakeNetworks(networks.NetworkServiceServicer):
    """Fails with UNAVAILABLE as often as it is told, and warns of what it is told."""

    def __init__(self):
        self.failures = 0
        self.warnings = []
        self.request_ids = []
        self.requests = []
        self.network = v1.Network(name="networks/a", uid="1")

    def CreateNetwork(self, request, context):
        self.request_ids.append(request.request_id)
        self.requests.append(request)
        if self.failures > 0:
            self.failures -= 1
            context.abort(grpc.StatusCode.UNAVAILABLE, "come again")
        network = v1.Network(
            name=f"networks/{request.network_id}",
            spec=request.network.spec,
            warnings=self.warnings,
        )
        return v1.CreateNetworkResponse(network=network)

    def GetNetwork(self, request, context):
        return v1.GetNetworkResponse(network=self.network)

    def UpdateNetwork(self, request, context):
        self.requests.append(request)
        return v1.UpdateNetworkResponse(network=request.network)


class FakeSimulation(simulation.SimulationServiceServicer):
    """`drive`, `subscribe` and `watch` are generators that a test gives, `feed` a function."""

    def __init__(self):
        self.drive = self.subscribe = self.watch = self.feed = None
        self.steps = 0

    def Step(self, request, context):
        self.steps += 1
        context.abort(grpc.StatusCode.UNAVAILABLE, "come again")

    def Drive(self, requests, context):
        yield from self.drive(requests, context)

    def Feed(self, requests, context):
        return self.feed(requests, context)

    def Subscribe(self, requests, context):
        for event in self.subscribe(requests, context):
            yield v1.SubscribeResponse(event=event)

    def Watch(self, request, context):
        for event in self.watch(request, context):
            yield v1.WatchResponse(event=event)


@contextmanager
def fake_server():
    """Yields the address and the two services."""
    server = grpc.server(futures.ThreadPoolExecutor(4))
    services = FakeNetworks(), FakeSimulation()
    networks.add_NetworkServiceServicer_to_server(services[0], server)
    simulation.add_SimulationServiceServicer_to_server(services[1], server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}", *services
    finally:
        server.stop(None).wait()


def network_of(client, mode=v1.Clock.MODE_LOCKSTEP):
    """A network that the server has not been asked about."""
    import prospero

    proto = v1.Network(name="networks/a", uid="1", clock=v1.Clock(mode=mode))
    return (prospero.aio.Network if isinstance(client, prospero.aio.Client) else prospero.Network)(
        client, proto
    )


SCALAR = v1.VariableSchema(
    uid=1, name="input.r", role=v1.VARIABLE_ROLE_INPUT, data_type=v1.DATA_TYPE_FLOAT64, shape=[1, 1]
)
RATE = v1.VariableSchema(
    uid=2,
    name="output.r",
    role=v1.VARIABLE_ROLE_STATE,
    data_type=v1.DATA_TYPE_FLOAT64,
    shape=[1, 1],
)


def attached():
    message = v1.DriveAttached(
        inputs=[SCALAR], outputs=[RATE], dt_ms=1.0, max_steps_per_advance=100
    )
    return v1.DriveResponse(attached=message)


def echo(request, step):
    """The input comes back as the output."""
    advance = request.advance
    rows = advance.inputs[0].data
    if len(rows) == 8:
        rows = rows * advance.steps
    advanced = v1.DriveAdvanced(
        tag=advance.tag,
        cursor=v1.Cursor(step=step + advance.steps),
        steps=advance.steps,
        outputs=[v1.Block(uid=2, data=rows)],
    )
    return v1.DriveResponse(advanced=advanced)


def refusal(code, reason, message="no"):
    proto = status_pb2.Status(code=code.value[0], message=message)
    proto.details.add().Pack(error_details_pb2.ErrorInfo(reason=reason, domain="prospero"))
    return proto


def abort(context, code, reason):
    details = refusal(code, reason).SerializeToString()
    context.set_trailing_metadata([("grpc-status-details-bin", details)])
    context.abort(code, "no")


def opened(step=0, selections=1):
    selected = v1.SubscriptionEvent.Opened.Selected(variables=[RATE])
    message = v1.SubscriptionEvent.Opened(
        dt_ms=1.0, cursor=v1.Cursor(step=step), selections=[selected] * selections
    )
    return v1.SubscriptionEvent(opened=message)


def samples(*steps, selection=0):
    event = v1.SubscriptionEvent()
    for step in steps:
        sample = event.samples.samples.add(cursor=v1.Cursor(step=step), selection=selection)
        sample.values.add(uid=2, data=b"\0" * 8)
    return event


def gap(first, last):
    reason = v1.SubscriptionEvent.Gap.REASON_SLOW_READER
    cursors = v1.Cursor(step=first), v1.Cursor(step=last)
    message = v1.SubscriptionEvent.Gap(
        reason=reason, first=cursors[0], last=cursors[1], count=last - first + 1
    )
    return v1.SubscriptionEvent(gap=message)
