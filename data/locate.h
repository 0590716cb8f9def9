#pragma once

#include <optional>
#include <string>

namespace tapedeck::data {

/// The folder of a data set ("mnist", "fashion-mnist", "cifar10", ...), or nothing. Looked for as
/// <place>/<name>, or as <place> itself where its own name is <name>, in this order:
///   `explicit_path`, if not empty (a folder without <name> in it is taken as the data set itself);
///   the folder that the environment variable TAPEDECK_DATA names;
///   data, shared/data and ../shared/data of the current folder and of every folder above it.
/// Where TAPEDECK_DATA is set to what is no folder there is no data, wherever it lies otherwise.
/// \throws Error where explicit_path is given but is no folder.
std::optional<std::string> locate(const std::string& name, const std::string& explicit_path = "");

}  // namespace tapedeck::data
