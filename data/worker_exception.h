#pragma once

#include <exception>
#include <string>
#include <utility>

#include <tapedeck/array/error.h>

namespace tapedeck::data {

/// What the loader throws for an exception of a worker thread.
struct WorkerException : public Error {
  explicit WorkerException(std::exception_ptr original)
      : Error("Caught exception in DataLoader worker thread."),
        original_exception(std::move(original)),
        message("Caught exception in DataLoader worker thread.") {
    try {
      std::rethrow_exception(original_exception);
    } catch (const std::exception& e) {
      message += " Original message: ";
      message += e.what();
    } catch (...) {
      message += " It is no std::exception.";
    }
  }

  const char* what() const noexcept override { return message.c_str(); }

  std::exception_ptr original_exception;
  std::string message;
};

}  // namespace tapedeck::data
