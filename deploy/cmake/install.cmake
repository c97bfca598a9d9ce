# Installs prospero for other CMake projects: find_package(prospero) gives prospero::engine, which
# needs no wire, and prospero::client. Included at the end of the top-level file.
include(CMakePackageConfigHelpers)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/prospero)
set(include_folder ${CMAKE_INSTALL_INCLUDEDIR}/prospero)

# prospero_library(target folder): the target's public headers are below `folder` when installed.
function(prospero_library target folder)
  target_include_directories(${target} INTERFACE $<INSTALL_INTERFACE:${folder}>)
endfunction()

# The engine. Its headers are included as "engine/core/network.h".
add_library(prospero_engine INTERFACE)
add_library(prospero::engine ALIAS prospero_engine)
set_target_properties(prospero_engine PROPERTIES EXPORT_NAME engine)
target_link_libraries(prospero_engine INTERFACE prospero_core prospero_models prospero_runtime)
foreach(target prospero_core prospero_models prospero_runtime)
  prospero_library(${target} ${include_folder})
endforeach()
install(TARGETS prospero_engine prospero_core prospero_models prospero_runtime prospero_options
  EXPORT prosperoEngine)
install(EXPORT prosperoEngine NAMESPACE prospero:: DESTINATION ${package_folder})
install(DIRECTORY engine DESTINATION ${include_folder} FILES_MATCHING PATTERN *.h)

# The client and the messages of the API. Generated headers have a folder of their own: other
# packages ship google/rpc too.
if(PROSPERO_BUILD_CLIENT)
  set_target_properties(prospero_client PROPERTIES EXPORT_NAME client)
  prospero_library(prospero_client ${CMAKE_INSTALL_INCLUDEDIR})
  prospero_library(prospero_proto ${include_folder}/generated)
  install(TARGETS prospero_client prospero_proto EXPORT prosperoClient)
  install(EXPORT prosperoClient NAMESPACE prospero:: DESTINATION ${package_folder})
  install(DIRECTORY clients/cpp/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(DIRECTORY ${PROJECT_BINARY_DIR}/proto/generated/ DESTINATION ${include_folder}/generated
    FILES_MATCHING PATTERN *.pb.h)
  install(DIRECTORY proto/prospero proto/google DESTINATION ${CMAKE_INSTALL_DATADIR}/prospero/proto
    FILES_MATCHING PATTERN *.proto)
endif()

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/prosperoConfig.cmake.in
  ${PROJECT_BINARY_DIR}/prosperoConfig.cmake INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/prosperoConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/prosperoConfig.cmake
  ${PROJECT_BINARY_DIR}/prosperoConfigVersion.cmake DESTINATION ${package_folder})
