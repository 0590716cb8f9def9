#!/usr/bin/env bash
# Runs the benchmarks, and the same ones against libtorch and oneDNN where those are installed, and
# prints how they compare, for one and for two threads. All in one run and in turns, so that a busy
# machine is busy for all of them; of the rounds the fastest counts.
#
#   scripts/bench.sh [options] [suites]      suites: conv matmul tape pointwise train (default: all)
#
#   --filter <regex>   only these cases
#   --threads "1 2"    numbers of threads
#   --rounds 3         rounds
#   --min-time 0.1     seconds that each case runs in each round
#   --yardsticks       install libtorch and oneDNN first
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

filter=. threads="1 2" rounds=3 min_time=0.1 yardsticks=()
suites=()
while [ $# -gt 0 ]; do
  case "$1" in
    --filter) filter=$2; shift ;;
    --threads) threads=$2; shift ;;
    --rounds) rounds=$2; shift ;;
    --min-time) min_time=$2; shift ;;
    --yardsticks) yardsticks=(--yardsticks) ;;
    conv | matmul | tape | pointwise | train) suites+=("$1") ;;
    *)
      sed -n '2,/^[^#]/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
      exit 2
      ;;
  esac
  shift
done
[ ${#suites[@]} -gt 0 ] || suites=(conv matmul tape pointwise train)

scripts/install-deps.sh "${yardsticks[@]}"
installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
options=() libraries=(bench)
if installed libtorch-dev; then
  options+=(-DTAPEDECK_BENCH_LIBTORCH=ON) libraries+=(libtorch)
fi
if installed libdnnl-dev; then
  options+=(-DTAPEDECK_BENCH_ONEDNN=ON) libraries+=(onednn)
fi
configure release "${options[@]}"
targets=(bench_report)
for library in "${libraries[@]}"; do
  for suite in "${suites[@]}"; do
    if [ "$library" != onednn ] || [ "$suite" = conv ]; then targets+=("${library}_$suite"); fi
  done
done
build release "${targets[@]}"

# libtorch returns large blocks to the system at each step and pays for fresh pages at the next.
# These settings of the C library's allocator are those at which it is fastest.
export MALLOC_MMAP_THRESHOLD_=2000000000 MALLOC_TRIM_THRESHOLD_=4000000000

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
files=()
for count in $threads; do
  for round in $(seq "$rounds"); do
    for target in "${targets[@]:1}"; do
      label=${target%%_*}
      [ "$label" != bench ] || label=tapedeck
      json=$results/$count-$round-$target.json
      echo "threads $count, round $round: $target" >&2
      OMP_NUM_THREADS=$count OPENBLAS_NUM_THREADS=$count TAPEDECK_NUM_THREADS=$count \
        "build/release/bench/$target" --benchmark_filter="$filter" \
        --benchmark_min_time="$min_time" --benchmark_out="$json" \
        --benchmark_out_format=json >/dev/null
      if [ -s "$json" ]; then files+=("$count:$label:$json"); fi
    done
  done
done
grep -m 1 'model name' /proc/cpuinfo | sed 's/^[^:]*: */CPU: /'
build/release/bench/bench_report "${files[@]}"
