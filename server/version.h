#pragma once

#include <string>

namespace prospero::server {

/// Of the product: "0.1.0".
std::string Version();
/// Compiler and kind of build: "gcc 12.2.0, optimised".
std::string BuildDescription();

}  // namespace prospero::server
