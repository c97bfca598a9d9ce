import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

import prospero
from prospero.errors import from_rpc_error, from_status


def status(code, reason="", message="no", metadata=None, fields=()):
    proto = status_pb2.Status(code=code.value[0], message=message)
    if reason:
        info = error_details_pb2.ErrorInfo(
            reason=reason, domain="prospero", metadata=metadata or {}
        )
        proto.details.add().Pack(info)
    if fields:
        violations = [{"field": f, "description": d} for f, d in fields]
        proto.details.add().Pack(error_details_pb2.BadRequest(field_violations=violations))
    return proto


class Refusal(grpc.RpcError):
    def __init__(self, code, details, trailing):
        self.code, self.details = lambda: code, lambda: details
        self.trailing_metadata = lambda: trailing


def test_the_reason_chooses_the_class_before_the_code():
    error = from_status(status(grpc.StatusCode.FAILED_PRECONDITION, "LEASE_HELD"))
    assert type(error) is prospero.LeaseHeld
    assert isinstance(error, prospero.FailedPrecondition)
    assert (error.code, error.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "LEASE_HELD")


@pytest.mark.parametrize("code", [c for c in grpc.StatusCode if c is not grpc.StatusCode.OK])
def test_an_unknown_reason_falls_back_on_the_code(code):
    error = from_status(status(code, "SOMETHING_NEW", metadata={"step": "7"}))
    assert (
        error.code is code and error.reason == "SOMETHING_NEW" and error.metadata == {"step": "7"}
    )
    assert isinstance(error, prospero.ProsperoError)


def test_codes_are_also_pythons_own_errors():
    assert isinstance(from_status(status(grpc.StatusCode.NOT_FOUND)), LookupError)
    assert isinstance(from_status(status(grpc.StatusCode.INVALID_ARGUMENT)), ValueError)
    assert isinstance(from_status(status(grpc.StatusCode.DEADLINE_EXCEEDED)), TimeoutError)
    assert isinstance(from_status(status(grpc.StatusCode.UNAVAILABLE)), ConnectionError)


def test_field_violations_are_told():
    error = from_status(
        status(
            grpc.StatusCode.INVALID_ARGUMENT,
            "INVALID_FIELD",
            fields=[("network.spec.dt_ms", "must be positive, got -1")],
        )
    )
    assert error.field_violations[0].field == "network.spec.dt_ms"
    assert "network.spec.dt_ms: must be positive, got -1" in str(error)


def test_what_the_message_says_of_a_field_is_said_once():
    code, path = grpc.StatusCode.INVALID_ARGUMENT, "network.spec.dt_ms"
    what = "must be positive"
    error = from_status(status(code, "INVALID_FIELD", f"{path}: {what}", fields=[(path, what)]))
    assert str(error) == f"INVALID_ARGUMENT INVALID_FIELD: {path}: must be positive"


def test_details_come_from_the_trailing_metadata_of_a_call():
    proto = status(grpc.StatusCode.RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED", metadata={"limit": "x"})
    trailing = [("other", "1"), ("grpc-status-details-bin", proto.SerializeToString())]
    error = from_rpc_error(Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "no", trailing))
    assert isinstance(error, prospero.LimitExceeded) and error.metadata == {"limit": "x"}


def test_a_call_without_details_keeps_code_and_message():
    error = from_rpc_error(Refusal(grpc.StatusCode.UNAVAILABLE, "failed to connect", None))
    assert type(error) is prospero.Unavailable and error.reason == ""
    assert str(error) == "UNAVAILABLE: failed to connect"
