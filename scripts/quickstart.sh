#!/usr/bin/env bash
# From a fresh clone to a trained network: installs what is missing, builds the library and one
# example, and trains a convolutional network on MNIST for two epochs, to 99 %, within a
# minute on two CPUs.
#
#   scripts/quickstart.sh [arguments for the example]      e.g. scripts/quickstart.sh --epochs 5
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

scripts/install-deps.sh
configure release
build release mnist_cnn
arguments=("$@")
[ $# -gt 0 ] || arguments=(--epochs 2 --lr 0.002)
exec build/release/examples/mnist_cnn "${arguments[@]}"
