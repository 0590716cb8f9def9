include(CMakePackageConfigHelpers)

install(TARGETS tapedeck tapedeck_torch_compat EXPORT tapedeck-targets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
foreach(layer IN LISTS layers)
  install(DIRECTORY ${layer} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tapedeck
          FILES_MATCHING PATTERN "*.h" PATTERN "kernels" EXCLUDE PATTERN "internal" EXCLUDE)
endforeach()
install(FILES tapedeck.h xtensor.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tapedeck)

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/tapedeck)
install(EXPORT tapedeck-targets NAMESPACE tapedeck:: DESTINATION ${config_dir})
configure_package_config_file(cmake/tapedeck-config.cmake.in
  ${PROJECT_BINARY_DIR}/tapedeck-config.cmake INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/tapedeck-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/tapedeck-config.cmake
              ${PROJECT_BINARY_DIR}/tapedeck-config-version.cmake
        DESTINATION ${config_dir})
