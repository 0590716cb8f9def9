#pragma once

#include <tapedeck/nn/functional.h>
#include <tapedeck/nn/init.h>
#include <tapedeck/nn/modules.h>
#include <tapedeck/nn/options.h>
#include <tapedeck/nn/print_style.h>
#include <tapedeck/nn/utils/clip_grad.h>
#include <tapedeck/nn/utils/parameters.h>
#include <tapedeck/nn/utils/rnn.h>
#include <tapedeck/nn/utils/summary.h>
