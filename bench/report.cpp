// Lays the results of several benchmark programs beside each other.
//
//   bench_report <threads>:<library>:<file.json>...
//
// Prints one Markdown table for each number of threads: a row for each case of the first library
// named, its time, and how many times as long each other library takes. Of several files of one
// library the fastest run of a case counts. Cases that count floating-point operations also show
// their rate.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace {

struct Result {
  double milliseconds = std::numeric_limits<double>::infinity();
  double gflops = 0;
};

struct Table {
  std::vector<std::string> libraries;
  std::vector<std::string> cases;                                // in the first library's order
  std::map<std::string, std::map<std::string, Result>> results;  // library, case
};

double milliseconds(const nlohmann::json& run) {
  const std::string unit = run.at("time_unit");
  const double scale = unit == "ns" ? 1e-6 : unit == "us" ? 1e-3 : unit == "s" ? 1e3 : 1;
  return run.at("real_time").get<double>() * scale;
}

std::string case_name(const nlohmann::json& run) {
  std::string name = run.at("run_name");
  const std::string suffix = "/real_time";
  if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
  return name;
}

void read(const std::string& file, const std::string& library, Table& table) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error("cannot read " + file);
  if (std::find(table.libraries.begin(), table.libraries.end(), library) == table.libraries.end())
    table.libraries.push_back(library);
  for (const auto& run : nlohmann::json::parse(in).at("benchmarks")) {
    if (run.at("run_type") != "iteration" || run.value("error_occurred", false)) continue;
    const std::string name = case_name(run);
    if (library == table.libraries.front() &&
        std::find(table.cases.begin(), table.cases.end(), name) == table.cases.end())
      table.cases.push_back(name);
    Result& best = table.results[library][name];
    best.milliseconds = std::min(best.milliseconds, milliseconds(run));
    best.gflops = std::max(best.gflops, run.value("GFLOP/s", 0.0));
  }
}

std::string number(double value) {
  char text[32];
  const int decimals = value < 0.01 ? 5 : value < 1 ? 3 : value < 100 ? 2 : 0;
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

void print(int threads, const Table& table) {
  const std::string& ours = table.libraries.front();
  std::cout << "\n## " << threads << (threads == 1 ? " thread\n\n" : " threads\n\n");
  std::cout << "| case | " << ours << ", ms | GFLOP/s |";
  for (std::size_t i = 1; i < table.libraries.size(); ++i)
    std::cout << " " << table.libraries[i] << ", ms | ratio |";
  std::cout << "\n|---|---:|---:|";
  for (std::size_t i = 1; i < table.libraries.size(); ++i) std::cout << "---:|---:|";
  std::cout << "\n";
  std::map<std::string, std::pair<double, int>> logs;  // sum of log ratios, count
  for (const std::string& name : table.cases) {
    const Result& mine = table.results.at(ours).at(name);
    std::cout << "| " << name << " | " << number(mine.milliseconds) << " | "
              << (mine.gflops > 0 ? number(mine.gflops) : "") << " |";
    for (std::size_t i = 1; i < table.libraries.size(); ++i) {
      const auto& theirs = table.results.at(table.libraries[i]);
      const auto found = theirs.find(name);
      if (found == theirs.end()) {
        std::cout << " | |";
        continue;
      }
      const double ratio = found->second.milliseconds / mine.milliseconds;
      std::cout << " " << number(found->second.milliseconds) << " | " << number(ratio) << " |";
      auto& [sum, count] = logs[table.libraries[i]];
      sum += std::log(ratio);
      ++count;
    }
    std::cout << "\n";
  }
  for (const auto& [library, total] : logs)
    std::cout << "\nGeometric mean of " << total.second << " ratios to " << library << ": "
              << number(std::exp(total.first / total.second)) << "\n";
}

}  // namespace

int main(int argc, char** argv) try {
  std::map<int, Table> tables;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const auto first = argument.find(':'), second = argument.find(':', first + 1);
    if (second == std::string::npos)
      throw std::runtime_error("expected <threads>:<library>:<file>, got " + argument);
    read(argument.substr(second + 1), argument.substr(first + 1, second - first - 1),
         tables[std::stoi(argument.substr(0, first))]);
  }
  if (tables.empty()) throw std::runtime_error("usage: bench_report <threads>:<library>:<file>...");
  for (const auto& [threads, table] : tables) print(threads, table);
} catch (const std::exception& e) {
  std::cerr << "bench_report: " << e.what() << "\n";
  return 1;
}
