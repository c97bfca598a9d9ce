#include "prospero/client/safety.h"

#include "durations.h"

namespace prospero::client {

SafetyBuilder& SafetyBuilder::Input(const std::string& name, const SafeInput& input) {
  v1::Safety::Input& message = *safety_.add_inputs();
  message.set_input(name);
  *message.mutable_timeout() = ToProto(input.timeout);
  message.set_fallback(input.fallback);
  if (input.fail_safe.has_value()) *message.mutable_fail_safe() = *input.fail_safe;
  return *this;
}

SafetyBuilder& SafetyBuilder::Output(const std::string& name, const SafeOutput& output) {
  v1::Safety::Output& message = *safety_.add_outputs();
  message.set_output(name);
  message.set_fallback(output.fallback);
  if (output.fail_safe.has_value()) *message.mutable_fail_safe() = *output.fail_safe;
  return *this;
}

SafetyBuilder& SafetyBuilder::DriverTimeout(absl::Duration timeout) {
  *safety_.mutable_driver_timeout() = ToProto(timeout);
  return *this;
}

SafetyBuilder& SafetyBuilder::KeepLearning() {
  safety_.set_keep_learning(true);
  return *this;
}

}  // namespace prospero::client
