"""The messages of the wire, `prospero.v1`, as protoc writes them.

Most programs never need them: `Client` and the builders speak for them.
"""

from prospero.v1.components_pb2 import *  # noqa: F403
from prospero.v1.gle_pb2 import *  # noqa: F403
from prospero.v1.latent_equilibrium_pb2 import *  # noqa: F403
from prospero.v1.microcircuit_pb2 import *  # noqa: F403
from prospero.v1.network_pb2 import *  # noqa: F403
from prospero.v1.network_service_pb2 import *  # noqa: F403
from prospero.v1.server_service_pb2 import *  # noqa: F403
from prospero.v1.simulation_service_pb2 import *  # noqa: F403
from prospero.v1.state_service_pb2 import *  # noqa: F403
from prospero.v1.tensor_pb2 import *  # noqa: F403
