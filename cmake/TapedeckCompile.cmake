include_guard()

# Whether the CPU that this runs on has the AVX-512 that kernels are compiled for.
if(TAPEDECK_SANITIZE)
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -march=native -dM -E -x c++ /dev/null
                  OUTPUT_VARIABLE macros ERROR_QUIET)
  string(FIND "${macros}" "__AVX512BW__" avx512_position)
endif()

# Warnings, sanitizers and the instruction set of a target of this project. Private to the target:
# nothing of it reaches a user's compile line, except that sanitizers must be linked by everybody.
function(tapedeck_compile_options target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wcast-align
                                           -Woverloaded-virtual)
  # g++ 12 warns of overlapping copies inside std::string that do not happen (GCC bug 105651), and of
  # elements past the size of a DimVector, which nobody reads.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
    target_compile_options(${target} PRIVATE -Wno-restrict -Wno-maybe-uninitialized)
  endif()
  if(TAPEDECK_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(TAPEDECK_NATIVE)
    target_compile_options(${target} PRIVATE -march=native)
  endif()
  if(TAPEDECK_SANITIZE)
    target_compile_options(${target} PUBLIC -fsanitize=${TAPEDECK_SANITIZE}
                                            -fno-omit-frame-pointer)
    if(TAPEDECK_SANITIZE MATCHES "undefined")
      # AddressSanitizer finds null and short objects as well; checking for them at each inlined
      # vector operation would take the compiler half as long again.
      target_compile_options(${target} PUBLIC -fno-sanitize-recover=undefined
                                              -fno-sanitize=null,object-size)
    endif()
    target_link_options(${target} PUBLIC -fsanitize=${TAPEDECK_SANITIZE})
    if(avx512_position EQUAL -1)
      target_compile_definitions(${target} PRIVATE TAPEDECK_WITHOUT_AVX512)
    endif()
  endif()
endfunction()

# Vectorised kernels, all of them inlined lambdas over locals, take the compiler minutes under a
# sanitizer. Of these sources, those that Highway compiles for each instruction set are spared what
# costs the most: under AddressSanitizer, marking the life of every inlined local, which takes
# binary_fused.cpp six times as long; under ThreadSanitizer, with clang, the many accesses to memory
# that -O1 leaves, which take winograd_transforms.cpp three times as long as those of -O2.
function(tapedeck_cheapen_sanitizers)
  if(TAPEDECK_SANITIZE MATCHES "address")
    set(options -fno-sanitize-address-use-after-scope)
  elseif(TAPEDECK_SANITIZE MATCHES "thread")
    set(options -O2)
  else()
    return()
  endif()
  foreach(source IN LISTS ARGN)
    file(STRINGS ${source} vectorised REGEX "foreach_target" LIMIT_COUNT 1)
    if(vectorised)
      set_property(SOURCE ${source} APPEND PROPERTY COMPILE_OPTIONS ${options})
    endif()
  endforeach()
endfunction()
