#pragma once

#include <tapedeck/nn/functional/activation.h>
#include <tapedeck/nn/functional/attention.h>
#include <tapedeck/nn/functional/conv.h>
#include <tapedeck/nn/functional/distance.h>
#include <tapedeck/nn/functional/dropout.h>
#include <tapedeck/nn/functional/embedding.h>
#include <tapedeck/nn/functional/fold.h>
#include <tapedeck/nn/functional/linear.h>
#include <tapedeck/nn/functional/loss.h>
#include <tapedeck/nn/functional/normalization.h>
#include <tapedeck/nn/functional/padding.h>
#include <tapedeck/nn/functional/pooling.h>
#include <tapedeck/nn/functional/upsampling.h>
#include <tapedeck/nn/functional/vision.h>
