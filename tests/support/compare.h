#pragma once

#include <exception>
#include <functional>
#include <string>

#include <tapedeck/array/array.h>

namespace tapedeck::testing_support {

/// Largest |a - b| over the largest |b|; infinite where the shapes differ or one is NaN alone.
double relative_error(const Array& a, const Array& b);
/// Largest |a - b|; infinite where the shapes differ or one is not finite.
double largest_difference(const Array& a, const Array& b);
/// sum(a * b) in double; NaN where the shapes differ.
double inner_product(const Array& a, const Array& b);
/// The same shape, dtype and, both being row-major, bytes.
bool same_bits(const Array& a, const Array& b);
/// Whether f() gives the same bits with 1, 2, 3 and 5 threads.
bool same_bits_for_any_threads(const std::function<Array()>& f);
/// The message of the Error that f throws; "no error" where it throws none.
std::string error_of(const std::function<void()>& f);
/// The same for an error of that class: "no such error" where it throws none or another.
template <typename E>
std::string error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  } catch (const std::exception&) {
  }
  return "no such error";
}

}  // namespace tapedeck::testing_support
