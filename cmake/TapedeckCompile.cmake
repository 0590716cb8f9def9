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
