#include "server/config.h"

#include <CLI/CLI.hpp>
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "server/version.h"

namespace prospero::server {
namespace {

/// PROSPERO_DRAIN_TIMEOUT for drain-timeout.
std::string EnvironmentName(const std::string& name) {
  std::string variable = "PROSPERO_";
  for (const char c : name) {
    variable += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return variable;
}

void AddServing(CLI::App* app, Config* config) {
  app->add_option("--listen", config->listen,
                  "Address to listen on: host:port (port 0: any free one) or unix:path");
  app->add_option("--port-file", config->port_file,
                  "File to write the port to, once the server listens");
  app->add_flag("--allow-insecure", config->allow_insecure,
                "Listen on an address that other machines can reach, though there are no "
                "credentials");
  app->add_option("--workers", config->workers, "Threads that step networks; 0: one per core")
      ->check(CLI::Range(0, 1024));
  app->add_option("--drain-timeout", config->drain_timeout_s,
                  "Seconds that a shutdown waits for requests in flight before it cuts them off, "
                  "and that it then takes to write checkpoints")
      ->check(CLI::Range(0.0, 86400.0));
  app->add_option("--subscription-retention", config->subscription_retention_s,
                  "Seconds that samples are retained for subscribers who were cut off")
      ->check(CLI::Range(0.0, 86400.0));
}

/// As it is said, before it is understood.
struct StorageWords {
  std::string durability = "async";
  double group_commit_ms = 10.0;
};

const std::map<std::string, v1::Durability>& Durabilities() {
  static const auto* const durabilities =
      new std::map<std::string, v1::Durability>{{"async", v1::DURABILITY_ASYNC},
                                                {"none", v1::DURABILITY_NONE},
                                                {"sync", v1::DURABILITY_SYNC}};
  return *durabilities;
}

void AddStorage(CLI::App* app, StorageWords* words, StorageOptions* storage) {
  const auto in_group = [](CLI::Option* option) { option->group("Storage"); };
  in_group(app->add_option("--data-dir", storage->data_dir,
                           "Directory in which networks, journals and snapshots are kept; one "
                           "server at a time uses it")
               ->check([](const std::string& path) {
                 return path.empty() ? std::string("must not be empty") : std::string();
               }));
  in_group(app->add_flag("--ephemeral", storage->ephemeral, "Keep nothing when the server ends"));
  in_group(app->add_option("--durability", words->durability,
                           "Of networks that are created without one: what a killed server keeps. "
                           "none: the last snapshot; async: all but some milliseconds; sync: all "
                           "that was acknowledged")
               ->check(CLI::IsMember({"none", "async", "sync"})));
  in_group(app->add_option("--group-commit", words->group_commit_ms,
                           "Milliseconds that a write gathers others while nobody waits for it")
               ->check(CLI::Range(0.0, 1000.0)));
  in_group(app->add_option("--recovery-threads", storage->recovery_threads,
                           "Threads that bring networks back at the start; 0: one per core")
               ->check(CLI::Range(0, 1024)));
}

/// As words, before they are understood.
struct LogWords {
  std::string format = "text";
  std::string level = "info";
};

const std::map<std::string, LogLevel>& Levels() {
  static const auto* const levels =
      new std::map<std::string, LogLevel>{{"debug", LogLevel::kDebug},
                                          {"error", LogLevel::kError},
                                          {"info", LogLevel::kInfo},
                                          {"warning", LogLevel::kWarning}};
  return *levels;
}

void AddLogging(CLI::App* app, LogWords* words, Logger::Options* log) {
  app->add_option("--log-format", words->format, "text, or json: one object per line")
      ->check(CLI::IsMember({"text", "json"}));
  app->add_option("--log-level", words->level, "Least level to write")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  app->add_option("--log-file", log->path, "File to append the log to; empty: stderr");
}

void AddLimits(CLI::App* app, Limits* limits) {
  const auto add = [app](const std::string& name, auto& value, const std::string& help) {
    CLI::Option* const option = app->add_option("--" + name, value, help);
    option->check(CLI::PositiveNumber)->group("Limits");
    return option;
  };
  add("max-networks", limits->max_networks, "Networks that live here");
  add("max-neurons", limits->network.max_neurons, "Neurons of one network");
  add("max-weights", limits->network.max_weights, "Weights of one network");
  add("max-network-bytes", limits->network.max_bytes, "Bytes of one network's arrays");
  add("max-total-bytes", limits->max_total_bytes,
      "Bytes of all networks' arrays and of samples kept for their observers");
  add("max-batch-size", limits->network.max_batch_size, "Trials in parallel of one network");
  add("max-populations", limits->network.max_populations, "Populations of one network");
  add("max-projections", limits->network.max_projections, "Projections of one network");
  add("max-message-bytes", limits->max_message_bytes, "Bytes of one request or response message")
      ->check(CLI::Range(int64_t{1} << 16, int64_t{1} << 30));
  add("max-steps-per-advance", limits->max_steps_per_advance, "Steps of one Drive or Step request");
  add("max-subscriptions-per-network", limits->max_subscriptions_per_network,
      "Observers of one network");
  app->add_option("--realtime-share", limits->realtime_share,
                  "Share of the workers that the steps of all REALTIME networks may take")
      ->check(CLI::Range(0.0, 1.0))
      ->group("Limits");
  add("max-pending-samples", limits->max_pending_samples, "Samples kept for one slow reader");
  add("max-snapshots", limits->max_snapshots_per_network, "Snapshots of one network");
  add("max-retained-bytes", limits->max_retained_bytes,
      "Bytes of samples retained for those who subscribe to the same");
}

/// Who has given an option a value; the later beats the earlier.
enum class Source : uint8_t { kNobody, kFile, kEnvironment, kFlag };

Source SourceOf(const CLI::App& app, const std::string& name, int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const absl::string_view word = argv[i];
    if (word == "--" + name || absl::StartsWith(word, "--" + name + "=")) return Source::kFlag;
  }
  const char* const value = std::getenv(EnvironmentName(name).c_str());
  if (value != nullptr && *value != '\0') return Source::kEnvironment;
  return app.count("--" + name) > 0 ? Source::kFile : Source::kNobody;
}

/// An ephemeral server has no use for what says how things are kept. Where `ephemeral` comes from
/// a stronger source than that, it wins; else somebody is mistaken.
void CheckEphemeral(const CLI::App& app, const std::string& durability, int argc,
                    const char* const* argv) {
  const Source ephemeral = SourceOf(app, "ephemeral", argc, argv);
  const auto check = [&](const std::string& name) {
    const Source source = SourceOf(app, name, argc, argv);
    if (source == Source::kNobody || source < ephemeral) return;
    throw CLI::ValidationError("--" + name, "does not go with --ephemeral, which keeps nothing");
  };
  check("data-dir");
  if (durability != "none") check("durability");
}

/// What the environment says, as flags before those of the command line: the last one wins,
/// and a flag beats the file.
std::vector<std::string> Arguments(CLI::App* app, int argc, const char* const* argv) {
  std::vector<std::string> arguments;
  for (CLI::Option* option : app->get_options()) {
    const std::string name = option->get_single_name();
    if (name == "help" || name == "version") continue;
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    option->description(option->get_description() + " [$" + EnvironmentName(name) + "]");
    const char* const value = std::getenv(EnvironmentName(name).c_str());
    if (value != nullptr && *value != '\0') arguments.push_back("--" + name + "=" + value);
  }
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  return {arguments.rbegin(), arguments.rend()};  // as CLI11 wants them
}

}  // namespace

absl::variant<Config, ExitNow> ReadConfig(int argc, const char* const* argv) {
  Config config;
  config.limits.max_total_bytes = DefaultTotalBytes();
  CLI::App app("prosperod: hosts networks that learn while they run", "prosperod");
  app.set_version_flag("--version", "prosperod " + Version());
  app.set_config("--config", "", "Configuration file (INI or TOML): a line `name = value` each");
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.option_defaults()->always_capture_default();
  AddServing(&app, &config);
  StorageWords storage_words;
  AddStorage(&app, &storage_words, &config.storage);
  LogWords words;
  AddLogging(&app, &words, &config.log);
  AddLimits(&app, &config.limits);
  app.footer(
      "Each option can also stand in the environment, or without the dashes in the\n"
      "configuration file. A flag beats the environment, and that the file.");
  try {
    app.parse(Arguments(&app, argc, argv));
    if (config.storage.ephemeral) CheckEphemeral(app, storage_words.durability, argc, argv);
  } catch (const CLI::ParseError& error) {
    return ExitNow{app.exit(error)};
  }
  config.storage.durability = Durabilities().at(storage_words.durability);
  config.storage.group_commit = absl::Milliseconds(storage_words.group_commit_ms);
  config.log.json = words.format == "json";
  config.log.level = Levels().at(words.level);
  return config;
}

}  // namespace prospero::server
