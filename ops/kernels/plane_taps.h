#pragma once

#include <cstdint>

#include <tapedeck/ops/kernels/conv_geometry.h>

namespace tapedeck::kernels {

/// How the windows of a kernel lie on a plane. On the left there is half a kernel of padding, and
/// with a stride of one OW = W.
struct PlaneWindow {
  std::int64_t H, W, OH, OW, pad_top;
  bool far;  ///< planes come from the memory, and are asked for ahead
};

/// sums[f][c][tap] += sum over images of grad[n][f] times what the tap reads in in[n][c], for every
/// filter and channel of a group.
template <typename T>
struct GroupDots {
  std::int64_t channels, filters, images;
  const T* in;
  std::int64_t in_image_step;
  const T* grad;
  std::int64_t grad_image_step;
  const T *next_in, *next_grad;  ///< what comes after these images, and is asked for if `far`
  double* sums;
};

/// Square kernels, one for each plane, on planes as they lie in the memory, one after another: the
/// inner loops of depthwise convolutions. What reaches into the padding is masked instead of read.
/// T is float or double.
template <typename T>
struct PlaneTaps {
  /// out[i] = init[i] + the convolution of in[i] with weights[i] for i < planes. `init` may be
  /// null.
  void (*sums)(const PlaneWindow&, std::int64_t planes, const T* in, const T* weights,
               const T* init, T* out);
  /// in[i] = init[i] + the adjoint of that of out[i]. Null where it is a convolution itself: with
  /// a stride of one.
  void (*adjoint)(const PlaneWindow&, std::int64_t planes, const T* out, const T* weights,
                  const T* init, T* in);
};

/// The weights' side.
template <typename T>
struct PlaneDots {
  /// sums[i][tap] = sum over images n < images of grad[n][i] times what the tap
  /// reads in in[n][i], for planes i; sums[i][taps] = sum of grad[n][i]. Images lie in_image_step
  /// and grad_image_step apart.
  void (*dots)(const PlaneWindow&, std::int64_t planes, std::int64_t images, const T* in,
               std::int64_t in_image_step, const T* grad, std::int64_t grad_image_step,
               double* sums);
  /// The same of a group with several channels and filters. Null where registers hold too few sums
  /// for it to be worth it.
  void (*group)(const PlaneWindow&, const GroupDots<T>&);
};

/// Of kernel x kernel taps, with that stride in both directions. Null where there is none: there
/// are some for 3, 5 and 7 taps and strides of 1 and 2 where the CPU has AVX-512, of these for 3
/// taps where it has AVX2.
template <typename T>
const PlaneTaps<T>* plane_taps(std::int64_t kernel, std::int64_t stride);

template <typename T>
const PlaneDots<T>* plane_dots(std::int64_t kernel, std::int64_t stride);

/// Whether a convolution's kernel, stride and padding are such, wherever there are any.
inline bool is_plane_window(const Conv2dShape& s) {
  const bool square = s.KH == s.KW && s.stride_h == s.stride_w;
  const bool dense = s.dilation_h == 1 && s.dilation_w == 1;
  return square && dense && s.pad_left == (s.KW - 1) / 2 && (s.stride_w > 1 || s.OW == s.W);
}

}  // namespace tapedeck::kernels
