#pragma once

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tapedeck/array/error.h>

/// The statement throws tapedeck::Error (or a subclass) whose message contains the text.
#define EXPECT_ERROR(statement, text)                                     \
  do {                                                                    \
    try {                                                                 \
      static_cast<void>(statement);                                       \
      ADD_FAILURE() << "expected an error with: " << (text);              \
    } catch (const ::tapedeck::Error& error) {                            \
      EXPECT_THAT(std::string(error.what()), ::testing::HasSubstr(text)); \
    }                                                                     \
  } while (false)
