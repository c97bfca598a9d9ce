// What the thread sanitizer cannot know: the packaged Abseil is built without it, so the
// counter by which copies of an absl::Status share their payload is invisible to it.
extern "C" const char* __tsan_default_suppressions();   // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __tsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
  return "race:absl::*::Status::Unref*\n";
}
