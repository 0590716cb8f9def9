#include "bench/results.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <ostream>
#include <stdexcept>

#include <nlohmann/json.hpp>

namespace bench {

namespace {

double milliseconds(const nlohmann::json& run) {
  const std::string unit = run.at("time_unit");
  const double scale = unit == "ns" ? 1e-6 : unit == "us" ? 1e-3 : unit == "s" ? 1e3 : 1;
  return run.at("real_time").get<double>() * scale;
}

std::string case_name(const nlohmann::json& run) {
  std::string name = run.at("run_name");
  for (const std::string suffix : {"/real_time", "/iterations:1"})
    if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
  return name;
}

template <typename T>
void add_once(std::vector<T>& list, const T& item) {
  if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
}

void improve(Result& best, const nlohmann::json& run) {
  best.milliseconds = std::min(best.milliseconds, milliseconds(run));
  best.gflops = std::max(best.gflops, run.value("GFLOP/s", 0.0));
  best.gigabytes = std::max(best.gigabytes, run.value("GB/s", 0.0));
  if (const double held = run.value("MB", 0.0); held > 0)
    best.megabytes = best.megabytes > 0 ? std::min(best.megabytes, held) : held;
}

nlohmann::ordered_json to_json(const Result& result) {
  nlohmann::ordered_json json{{"ms", result.milliseconds}};
  if (result.gflops > 0) json["GFLOP/s"] = result.gflops;
  if (result.gigabytes > 0) json["GB/s"] = result.gigabytes;
  if (result.megabytes > 0) json["MB"] = result.megabytes;
  return json;
}

}  // namespace

double Table::ratio(const std::string& library, const std::string& name) const {
  const auto ours = results.at(libraries.front()).find(name),
             theirs = results.at(library).find(name);
  if (ours == results.at(libraries.front()).end() || theirs == results.at(library).end()) return 0;
  return theirs->second.cost() / ours->second.cost();
}

double Table::mean_ratio(const std::string& library) const {
  double logarithms = 0;
  int count = 0;
  for (const std::string& name : cases)
    if (const double r = ratio(library, name); r > 0) {
      logarithms += std::log(r);
      ++count;
    }
  return count == 0 ? 1 : std::exp(logarithms / count);
}

void read_results(const std::string& file, const std::string& library, Table& table) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error("cannot read " + file);
  const bool is_machine = library == "machine";
  if (!is_machine) add_once(table.libraries, library);
  const nlohmann::json contents = nlohmann::json::parse(in);
  for (const auto& run : contents.at("benchmarks")) {
    if (run.at("run_type") != "iteration" || run.value("error_occurred", false)) continue;
    const std::string name = case_name(run);
    improve(is_machine ? table.peaks : table.results[library][name], run);
    if (!is_machine && library == table.libraries.front()) add_once(table.cases, name);
  }
}

std::string number(double value) {
  char text[32];
  const int decimals = value < 0.01 ? 5 : value < 1 ? 3 : value < 100 ? 2 : 0;
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

void write_json(const Tables& tables, std::ostream& out) {
  nlohmann::ordered_json json;
  for (const auto& [threads, table] : tables) {
    nlohmann::ordered_json& part = json[std::to_string(threads) + " threads"];
    if (table.peaks.gflops > 0)
      part["peaks"] = {{"GFLOP/s", table.peaks.gflops}, {"GB/s", table.peaks.gigabytes}};
    for (const std::string& library : table.libraries) {
      if (library != table.libraries.front())
        part["geometric mean of ratios"][library] = table.mean_ratio(library);
      for (const std::string& name : table.cases)
        if (const auto& all = table.results.at(library); all.count(name))
          part["cases"][name][library] = to_json(all.at(name));
    }
  }
  out << json.dump(2) << "\n";
}

}  // namespace bench
