#pragma once

#include <tapedeck/autograd/variable.h>
#include <tapedeck/nn/options/fold.h>

namespace tapedeck::nn::functional {

/// Adds up windows: [(N,) C KH KW, L] -> [(N,) C, H, W]. The adjoint of unfold.
Tensor fold(const Tensor& input, const FoldFuncOptions& options);
/// Windows as columns: [(N,) C, H, W] -> [(N,) C KH KW, L].
Tensor unfold(const Tensor& input, const UnfoldFuncOptions& options);
/// [..., C r r, H, W] -> [..., C, H r, W r], and back.
Tensor pixel_shuffle(const Tensor& input, const PixelShuffleFuncOptions& options);
Tensor pixel_unshuffle(const Tensor& input, const PixelUnshuffleFuncOptions& options);

}  // namespace tapedeck::nn::functional
