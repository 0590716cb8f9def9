#include <tapedeck/data/locate.h>

#include <cstdlib>
#include <filesystem>

#include <tapedeck/array/error.h>

namespace tapedeck::data {

namespace {

namespace fs = std::filesystem;

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

std::optional<std::string> in_folder(const fs::path& place, const std::string& name) {
  if (is_folder(place / name)) return (place / name).string();
  if (place.filename() == name && is_folder(place)) return place.string();
  return std::nullopt;
}

}  // namespace

std::optional<std::string> locate(const std::string& name, const std::string& explicit_path) {
  if (!explicit_path.empty()) {
    TAPEDECK_CHECK(is_folder(explicit_path), "locate: '", explicit_path, "' is not a folder");
    const std::optional<std::string> found = in_folder(explicit_path, name);
    return found ? found : explicit_path;
  }
  if (const char* variable = std::getenv("TAPEDECK_DATA"); variable && *variable) {
    if (!is_folder(variable)) return std::nullopt;
    if (std::optional<std::string> found = in_folder(variable, name)) return found;
  }
  std::error_code error;
  for (fs::path folder = fs::current_path(error); !error && !folder.empty();
       folder = folder.parent_path()) {
    for (const char* place : {"data", "shared/data", "../shared/data"})
      if (std::optional<std::string> found = in_folder(folder / place, name))
        return fs::path(*found).lexically_normal().string();
    if (folder == folder.root_path()) break;
  }
  return std::nullopt;
}

}  // namespace tapedeck::data
