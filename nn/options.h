#pragma once

#include <tapedeck/nn/options/activation.h>
#include <tapedeck/nn/options/conv.h>
#include <tapedeck/nn/options/distance.h>
#include <tapedeck/nn/options/dropout.h>
#include <tapedeck/nn/options/embedding.h>
#include <tapedeck/nn/options/fold.h>
#include <tapedeck/nn/options/linear.h>
#include <tapedeck/nn/options/loss.h>
#include <tapedeck/nn/options/normalization.h>
#include <tapedeck/nn/options/padding.h>
#include <tapedeck/nn/options/pooling.h>
#include <tapedeck/nn/options/rnn.h>
#include <tapedeck/nn/options/transformer.h>
#include <tapedeck/nn/options/upsampling.h>
#include <tapedeck/nn/options/vision.h>
