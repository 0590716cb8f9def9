#!/usr/bin/env bash
# Runs the benchmarks, and the same ones against libtorch and oneDNN where those are installed, and
# prints how they compare, for one and for two threads. All in one run and in turns, so that a busy
# machine is busy for all of them; of the rounds the best counts. libtorch is measured twice: as it
# is installed, and at its best.
#
#   scripts/bench.sh [options] [suites]
#                      suites: conv matmul tape pointwise train memory data (default: all)
#
#   --filter <regex>     only these cases
#   --random <seed>      conv: also a hundred random layers, another hundred for each seed
#   --threads "1 2"      numbers of threads
#   --rounds 3           rounds
#   --min-time 0.1       seconds that each case runs in each round
#   --before <revision>  also tapedeck as it was then, or as it was built in that folder
#   --build <folder>     use what is built there, and install and build nothing
#   --json <file>        everything that was measured
#   --plot <file.svg>    the ratios as a picture
#   --yardsticks         install libtorch and oneDNN first
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

all_suites=(conv matmul tape pointwise train memory data)
filter=. threads="1 2" rounds=3 min_time=0.1 yardsticks=() before= folder= report=() suites=()
usage() {
  sed -n '2,/^[^#]/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
}
while [ $# -gt 0 ]; do
  case "$1" in
    --filter | --random | --threads | --rounds | --min-time | --before | --build | --json | --plot)
      [ $# -gt 1 ] || usage
      case "$1" in
        --filter) filter=$2 ;;
        --random) export TAPEDECK_BENCH_RANDOM=$2 ;;
        --threads) threads=$2 ;;
        --rounds) rounds=$2 ;;
        --min-time) min_time=$2 ;;
        --before) before=$2 ;;
        --build) folder=$2 ;;
        *) report+=("$1" "$2") ;;
      esac
      shift
      ;;
    --yardsticks) yardsticks=(--yardsticks) ;;
    *)
      [[ " ${all_suites[*]} " == *" $1 "* ]] || usage
      suites+=("$1")
      ;;
  esac
  shift
done
[ ${#suites[@]} -gt 0 ] || suites=("${all_suites[@]}")

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

if [ -z "$folder" ]; then
  folder=build/release
  scripts/install-deps.sh "${yardsticks[@]}"
  options=() targets=(bench_report machine_peaks "${suites[@]/#/bench_}")
  if installed libtorch-dev; then
    options+=(-DTAPEDECK_BENCH_LIBTORCH=ON) targets+=("${suites[@]/#/libtorch_}")
  fi
  if installed libdnnl-dev && [[ " ${suites[*]} " == *" conv "* ]]; then
    options+=(-DTAPEDECK_BENCH_ONEDNN=ON) targets+=(onednn_conv)
  fi
  configure release "${options[@]}"
  build release "${targets[@]}"
fi

# The earlier revision is built beside, from a worktree of its own.
before_folder=$before
if [ -n "$before" ] && [ ! -d "$before/bench" ]; then
  commit=$(git rev-parse --verify "$before^{commit}")
  source_folder=$root/build/before/${commit:0:12}
  before_folder=$source_folder/build
  [ -d "$source_folder" ] || git worktree add --detach "$source_folder" "$commit" >&2
  cmake -S "$source_folder" -B "$before_folder" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DTAPEDECK_BUILD_EXAMPLES=OFF >&2
  for suite in "${suites[@]}"; do
    [ ! -f "$source_folder/bench/bench_$suite.cpp" ] || echo "bench_$suite"
  done | xargs cmake --build "$before_folder" --parallel "$(jobs_for_build)" --target >&2
fi

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
files=()
# run <threads> <round> <label> <program> [settings]
run() {
  local count=$1 round=$2 label=$3 program=$4 json cases=$filter
  shift 4
  [ -x "$program" ] || return 0
  if [ "$label" = machine ]; then cases=.; fi
  json="$results/$count-$round-$label-$(basename "$program").json"
  echo "threads $count, round $round: $label, $(basename "$program")" >&2
  env "$@" OMP_NUM_THREADS="$count" OPENBLAS_NUM_THREADS="$count" TAPEDECK_NUM_THREADS="$count" \
    "$program" --benchmark_filter="$cases" --benchmark_min_time="$min_time" \
    --benchmark_out="$json" --benchmark_out_format=json >/dev/null
  if [ -s "$json" ]; then files+=("$count:$label:$json"); fi
}
for count in $threads; do
  for round in $(seq "$rounds"); do
    run "$count" "$round" machine "$folder/bench/machine_peaks"
    for suite in "${suites[@]}"; do
      run "$count" "$round" tapedeck "$folder/bench/bench_$suite"
      if [ -n "$before" ]; then run "$count" "$round" before "$before_folder/bench/bench_$suite"; fi
      run "$count" "$round" libtorch "$folder/bench/libtorch_$suite" "${at_best[@]}"
      run "$count" "$round" "libtorch as installed" "$folder/bench/libtorch_$suite"
      if [ "$suite" = conv ]; then run "$count" "$round" onednn "$folder/bench/onednn_conv"; fi
    done
  done
done
grep -m 1 'model name' /proc/cpuinfo | sed 's/^[^:]*: */CPU: /'
"$folder/bench/bench_report" "${report[@]}" "${files[@]}"
