// Lays the results of several benchmark programs beside each other.
//
//   bench_report [--json <file>] [--plot <file.svg>] <threads>:<library>:<file.json>...
//
// Prints one Markdown table for each number of threads: a row for each case of the first library
// named, its time (or the memory that its process held), and how many times as much each other
// library takes. Of several files of one library the best run of a case counts. Where the library
// "machine" was measured, rates are also shown in percent of what the machine can do.
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>

#include "bench/results.h"

namespace {

using bench::number;
using bench::Result;
using bench::Table;

std::string percent(double part, double of) {
  if (of <= 0) return "";
  char text[32];
  std::snprintf(text, sizeof text, " (%.0f %%)", 100 * part / of);
  return text;
}

std::string rate(const Result& result, const Result& peaks) {
  if (result.gflops > 0)
    return number(result.gflops) + " GFLOP/s" + percent(result.gflops, peaks.gflops);
  if (result.gigabytes > 0)
    return number(result.gigabytes) + " GB/s" + percent(result.gigabytes, peaks.gigabytes);
  return "";
}

std::string cost(const Result& result) {
  return number(result.cost()) + (result.megabytes > 0 ? " MB" : " ms");
}

void print(int threads, const Table& table) {
  const std::string& ours = table.libraries.front();
  std::cout << "\n## " << threads << (threads == 1 ? " thread\n\n" : " threads\n\n");
  if (table.peaks.gflops > 0)
    std::cout << "Peaks of the machine: " << number(table.peaks.gflops) << " GFLOP/s, "
              << number(table.peaks.gigabytes) << " GB/s\n\n";
  std::cout << "| case | " << ours << " | rate |";
  for (std::size_t i = 1; i < table.libraries.size(); ++i)
    std::cout << " " << table.libraries[i] << " | ratio |";
  std::cout << "\n|---|---:|---:|";
  for (std::size_t i = 1; i < table.libraries.size(); ++i) std::cout << "---:|---:|";
  std::cout << "\n";
  for (const std::string& name : table.cases) {
    const Result& mine = table.results.at(ours).at(name);
    std::cout << "| " << name << " | " << cost(mine) << " | " << rate(mine, table.peaks) << " |";
    for (std::size_t i = 1; i < table.libraries.size(); ++i) {
      const double ratio = table.ratio(table.libraries[i], name);
      if (ratio > 0)
        std::cout << " " << cost(table.results.at(table.libraries[i]).at(name)) << " | "
                  << number(ratio) << " |";
      else
        std::cout << " | |";
    }
    std::cout << "\n";
  }
  for (std::size_t i = 1; i < table.libraries.size(); ++i)
    std::cout << "\nGeometric mean of the ratios to " << table.libraries[i] << ": "
              << number(table.mean_ratio(table.libraries[i])) << "\n";
}

template <typename Write>
void write_to(const std::string& file, Write write) {
  if (file.empty()) return;
  std::ofstream out(file);
  write(out);
  if (!out.flush()) throw std::runtime_error("cannot write " + file);
}

}  // namespace

int main(int argc, char** argv) try {
  bench::Tables tables;
  std::string json, plot;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--json" || argument == "--plot") {
      if (++i == argc) throw std::runtime_error(argument + ": expected a file");
      (argument == "--json" ? json : plot) = argv[i];
      continue;
    }
    const auto first = argument.find(':'), second = argument.find(':', first + 1);
    if (second == std::string::npos)
      throw std::runtime_error("expected <threads>:<library>:<file>, got " + argument);
    bench::read_results(argument.substr(second + 1), argument.substr(first + 1, second - first - 1),
                        tables[std::stoi(argument.substr(0, first))]);
  }
  for (const auto& [threads, table] : tables)
    if (table.libraries.empty()) throw std::runtime_error("no library was measured");
  if (tables.empty()) throw std::runtime_error("usage: bench_report <threads>:<library>:<file>...");
  for (const auto& [threads, table] : tables) print(threads, table);
  write_to(json, [&](std::ostream& out) { bench::write_json(tables, out); });
  write_to(plot, [&](std::ostream& out) { bench::write_plot(tables, out); });
} catch (const std::exception& e) {
  std::cerr << "bench_report: " << e.what() << "\n";
  return 1;
}
