#pragma once

#include <cstdint>

namespace tapedeck::kernels::detail {

/// to[i] += from[i]; the two do not overlap.
void add_row(float* to, const float* from, std::int64_t n);
void add_row(double* to, const double* from, std::int64_t n);

/// memcpy by vectors: rows of a few KB are slower by the instruction for strings, which the C
/// library may take, and so are operands that lie a multiple of a page apart.
void copy_bytes(char* to, const char* from, std::int64_t bytes);

/// The same past the caches: what is written is not read from memory first, and comes from there
/// when it is read again, as an array of so many bytes does anyway. Other threads see it after
/// end_stream().
inline constexpr std::int64_t kBeyondCaches = std::int64_t{24} << 20;
void stream_bytes(char* to, const char* from, std::int64_t bytes);
void end_stream();

/// Every second of the elements of `size` bytes, 4 or 8, from the first on, n of them, one behind
/// the other; in each of `rows` rows, which lie `to_next` and `from_next` bytes apart.
void copy_every_second(char* to, std::int64_t to_next, const char* from, std::int64_t from_next,
                       std::int64_t size, std::int64_t n, std::int64_t rows);

/// Copies `rows` rows of `bytes`, which lie `to_next` and `from_next` bytes apart.
void copy_rows(char* to, std::int64_t to_next, const char* from, std::int64_t from_next,
               std::int64_t bytes, std::int64_t rows);

/// Repeats a pattern of 8 bytes, in which the elements are the same, over `bytes` of whole
/// elements.
void fill_bytes(void* data, std::uint64_t pattern, std::int64_t bytes);

/// The same over each of `rows` rows that lie `stride` bytes apart.
void fill_rows(void* data, std::uint64_t pattern, std::int64_t bytes, std::int64_t rows,
               std::int64_t stride);

/// Repeats each of `count` elements of `size` bytes, 4 or 8, that lie `stride` bytes apart, n
/// times. Up to 64 bytes behind the last one are written, too.
void spread_column(char* to, const char* from, std::int64_t stride, std::int64_t size,
                   std::int64_t count, std::int64_t n);

/// Whether the sign bit of no element of from[0, n), nor of last less it, is set.
bool all_up_to(const std::int64_t* from, std::int64_t n, std::int64_t last);

/// data[i] = value where flags[i] is not zero.
void fill_where(std::uint8_t* data, const std::uint8_t* flags, std::uint8_t value, std::int64_t n);
void fill_where(std::uint32_t* data, const std::uint8_t* flags, std::uint32_t value,
                std::int64_t n);
void fill_where(std::uint64_t* data, const std::uint8_t* flags, std::uint64_t value,
                std::int64_t n);

}  // namespace tapedeck::kernels::detail
