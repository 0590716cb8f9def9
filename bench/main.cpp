// The main() of every benchmark program.
#include "bench/suite.h"

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  bench::add_all();
  benchmark::RunSpecifiedBenchmarks();
}
