#!/usr/bin/env bash
# Measures many cases - hundreds of layers of known networks, random layers, training steps, memory-
# bound operations - beside libtorch at its best, or beside another build of tapedeck, in one process
# and in turns. Prints how many times as long the other one takes, and a summary by kind.
#
#   scripts/sweep.sh [--build <folder>] [--before <folder>] [options of bench/sweep/main.cpp]
#
#   scripts/sweep.sh --suite layers --below 1           # the layers that are lost
#   scripts/sweep.sh --suite random-7-100 --threads 2
#   scripts/sweep.sh --suite random-products-7-300      # products that nobody chose
#   scripts/sweep.sh --suite memory --every 10
#   scripts/sweep.sh --suite random-memory-7-100        # operations on operands that nobody chose
#   scripts/sweep.sh --before build/old --what forward  # another build folder
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

folder= before= options=() threads=1
while [ $# -gt 0 ]; do
  case "$1" in
    --help)
      sed -n '2,/^[^#]/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    --build) folder=$2 ;;
    --before) before=$2 ;;
    *)
      if [ "$1" = --threads ]; then threads=$2; fi
      options+=("$1" "${2:?$1 wants a value}")
      ;;
  esac
  shift 2
done

if [ -z "$folder" ]; then
  folder=build/release
  targets=(sweep sweep_tapedeck)
  if [ -z "$before" ]; then
    scripts/install-deps.sh --yardsticks
    configure release -DTAPEDECK_BENCH_LIBTORCH=ON
    targets+=(sweep_libtorch)
  else
    scripts/install-deps.sh
    configure release
  fi
  build release "${targets[@]}"
fi
other=$folder/bench/sweep_libtorch.so
if [ -n "$before" ]; then other=$before/bench/sweep_tapedeck.so; fi

env "${at_best[@]}" OMP_NUM_THREADS="$threads" OPENBLAS_NUM_THREADS="$threads" \
  "$folder/bench/sweep" "$folder/bench/sweep_tapedeck.so" "$other" "${options[@]}"
