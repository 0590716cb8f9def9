#pragma once

// For programs written for libtorch: its namespaces and macros, over tapedeck. Of what libtorch
// has beside its C++ frontend (TorchScript, dispatch keys, CUDA) nothing is here.

#include <tapedeck/tapedeck.h>

#include <torch/dispatch.h>
#include <torch/macros.h>
#include <torch/names.h>
