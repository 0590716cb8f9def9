#pragma once

#include <iosfwd>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace bench {

/// The best that several runs of one case with one library came to.
struct Result {
  double milliseconds = std::numeric_limits<double>::infinity();
  double gflops = 0;     ///< 10^9 floating-point operations a second, 0 where nobody counted
  double gigabytes = 0;  ///< GB a second, 0 where nobody counted
  double megabytes = 0;  ///< The memory that a process held, where that was measured

  /// What is compared: memory where it was measured, else the time.
  double cost() const { return megabytes > 0 ? megabytes : milliseconds; }
};

/// What was measured with one number of threads.
struct Table {
  std::vector<std::string> libraries;                            ///< ours first
  std::vector<std::string> cases;                                ///< in our order
  std::map<std::string, std::map<std::string, Result>> results;  ///< library, case
  Result peaks;  ///< What the machine can do: its rates

  /// How many times as much as ours a library needs; 0 where either has no such case.
  double ratio(const std::string& library, const std::string& name) const;
  /// Over the cases that both have; 1 where there are none.
  double mean_ratio(const std::string& library) const;
};

/// Number of threads -> table.
using Tables = std::map<int, Table>;

/// Adds a file that a benchmark program wrote. The library "machine" gives the machine's peaks.
void read_results(const std::string& file, const std::string& library, Table& table);

/// Three digits or so.
std::string number(double value);

void write_json(const Tables& tables, std::ostream& out);
/// Bars of the ratios, on a logarithmic axis: one picture in SVG.
void write_plot(const Tables& tables, std::ostream& out);

}  // namespace bench
