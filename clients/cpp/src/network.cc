#include "prospero/client/network.h"

#include "absl/strings/str_cat.h"
#include "blocks.h"
#include "connection.h"
#include "feed_stream.h"

namespace prospero::client {

using Stub = v1::NetworkService::Stub;

namespace {

/// Makes a call whose answer is a network.
template <class Request, class Response>
absl::StatusOr<v1::Network> CallForNetwork(const Connection& connection,
                                           grpc::Status (Stub::*method)(grpc::ClientContext*,
                                                                        const Request&, Response*),
                                           const Request& request) {
  auto response = Call(connection, *connection.networks, method, request);
  if (!response.ok()) return response.status();
  return std::move(*response->mutable_network());
}

template <class Request>
Request Named(const std::string& name) {
  Request request;
  request.set_name(name);
  return request;
}

}  // namespace

absl::StatusOr<v1::Network> Network::Get() const {
  return CallForNetwork(*connection_, &Stub::GetNetwork, Named<v1::GetNetworkRequest>(name_));
}

absl::StatusOr<std::vector<v1::VariableSchema>> Network::Schema() const {
  const auto response = Call(*connection_, *connection_->networks, &Stub::GetNetworkSchema,
                             Named<v1::GetNetworkSchemaRequest>(name_));
  if (!response.ok()) return response.status();
  return std::vector<v1::VariableSchema>(response->variables().begin(),
                                         response->variables().end());
}

absl::StatusOr<Cursor> Network::Update(const Changes& changes) const {
  v1::UpdateNetworkRequest request;
  request.set_request_id(NewRequestId());
  request.set_etag(changes.etag);
  auto& network = *request.mutable_network();
  network.set_name(name_);
  if (changes.learning.has_value()) {
    network.set_learning(*changes.learning);
    request.mutable_update_mask()->add_paths("learning");
  }
  if (changes.clock.has_value()) {
    *network.mutable_clock() = *changes.clock;
    request.mutable_update_mask()->add_paths("clock");
  }
  if (changes.safety.has_value()) {
    *network.mutable_safety() = *changes.safety;
    request.mutable_update_mask()->add_paths("safety");
  }
  if (changes.durability.has_value()) {
    network.set_durability(*changes.durability);
    request.mutable_update_mask()->add_paths("durability");
  }
  if (changes.snapshot_policy.has_value()) {
    *network.mutable_snapshot_policy() = *changes.snapshot_policy;
    request.mutable_update_mask()->add_paths("snapshot_policy");
  }
  if (changes.labels.has_value()) {
    network.mutable_labels()->insert(changes.labels->begin(), changes.labels->end());
    request.mutable_update_mask()->add_paths("labels");
  }
  request.mutable_parameters()->insert(changes.parameters.begin(), changes.parameters.end());
  const auto response = Call(*connection_, *connection_->networks, &Stub::UpdateNetwork, request);
  if (!response.ok()) return response.status();
  return ToCursor(response->applied_at());
}

absl::StatusOr<Cursor> Network::SetParameter(const std::string& variable, double value) const {
  return Update({.parameters = {{variable, MakeScalar(value)}}});
}

absl::StatusOr<Cursor> Network::SetLearning(bool learning) const {
  return Update({.learning = learning});
}

absl::StatusOr<v1::Network> Network::Start() const {
  return CallForNetwork(*connection_, &Stub::StartNetwork, Named<v1::StartNetworkRequest>(name_));
}

absl::StatusOr<v1::Network> Network::Pause() const {
  return CallForNetwork(*connection_, &Stub::PauseNetwork, Named<v1::PauseNetworkRequest>(name_));
}

absl::StatusOr<v1::Network> Network::Reset(const ResetOptions& options) const {
  auto request = Named<v1::ResetNetworkRequest>(name_);
  request.set_request_id(NewRequestId());
  for (const auto scope : options.scopes) request.add_scopes(scope);
  if (options.seed.has_value()) request.set_seed(*options.seed);
  return CallForNetwork(*connection_, &Stub::ResetNetwork, request);
}

absl::StatusOr<Network> Network::Clone(const std::string& id,
                                       const std::map<std::string, std::string>& labels) const {
  auto request = Named<v1::CloneNetworkRequest>(name_);
  request.set_network_id(id);
  request.set_request_id(NewRequestId());
  request.mutable_labels()->insert(labels.begin(), labels.end());
  const auto clone = CallForNetwork(*connection_, &Stub::CloneNetwork, request);
  if (!clone.ok()) return clone.status();
  return Network(connection_, clone->name());
}

absl::Status Network::Delete(bool force) const {
  auto request = Named<v1::DeleteNetworkRequest>(name_);
  request.set_force(force);
  request.set_request_id(NewRequestId());
  return Call(*connection_, *connection_->networks, &Stub::DeleteNetwork, request).status();
}

absl::StatusOr<StepResult> Network::Step(const StepOptions& options) const {
  v1::StepRequest request;
  request.set_network(name_);
  request.set_steps(options.steps);
  request.mutable_inputs()->insert(options.inputs.begin(), options.inputs.end());
  request.mutable_outputs()->Add(options.outputs.begin(), options.outputs.end());
  if (options.at_step.has_value()) request.set_at_step(*options.at_step);
  request.set_output_every(options.output_every);
  auto response =
      Call(*connection_, *connection_->simulations, &v1::SimulationService::Stub::Step, request);
  if (!response.ok()) return response.status();
  StepResult result;
  result.cursor = ToCursor(response->cursor());
  for (auto& [name, tensor] : *response->mutable_outputs()) {
    result.outputs.emplace(name, std::move(tensor));
  }
  if (response->has_loss()) result.loss = response->loss();
  return result;
}

absl::StatusOr<Drive> Network::Attach(const AttachOptions& options) const {
  AttachOptions chosen = options;
  if (!chosen.heartbeat.has_value()) {
    const auto network = Get();
    if (!network.ok()) return network.status();
    const v1::Clock::Mode mode = network->clock().mode();
    const bool runs_on = mode == v1::Clock::MODE_FREE || mode == v1::Clock::MODE_REALTIME;
    chosen.heartbeat = runs_on ? kDefaultHeartbeat : absl::ZeroDuration();
  }
  return Drive::Attach(connection_, name_, chosen);
}

absl::StatusOr<Feed> Network::OpenFeed(const std::string& input, const FeedOptions& options) const {
  const auto schema = Schema();
  if (!schema.ok()) return schema.status();
  Schemas inputs;
  for (const v1::VariableSchema& variable : *schema) {
    if (variable.role() != v1::VARIABLE_ROLE_INPUT) continue;
    inputs.push_back(std::make_shared<const v1::VariableSchema>(variable));
  }
  const auto* const found = FindPort(inputs, input);
  if (found == nullptr) return absl::NotFoundError(absl::StrCat("no input '", input, "'"));
  v1::FeedOpen open;
  open.set_network(name_);
  open.set_input((*found)->name());
  open.set_between(options.between);
  open.set_late(options.late);
  if (options.max_age.has_value()) *open.mutable_max_age() = ToProto(*options.max_age);
  open.set_preempt(options.preempt);
  open.set_max_pending(options.max_pending);
  auto stream = std::make_unique<Feed::Stream>(connection_, *found, options.queue);
  stream->Open(open);
  return Feed(std::move(stream));
}

absl::StatusOr<Subscription> Network::Subscribe(const Selection& selection,
                                                const SubscribeOptions& options) const {
  return Subscribe(std::vector<Selection>{selection}, options);
}

absl::StatusOr<Subscription> Network::Subscribe(const std::vector<Selection>& selections,
                                                const SubscribeOptions& options) const {
  return Subscription::Open(connection_, name_, selections, options);
}

}  // namespace prospero::client
