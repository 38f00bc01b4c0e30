# auricle_bundle(program): after each build, ONNX Runtime's file lies beside the program, and the shared library if the
# program is linked to it (so call it after target_link_libraries). The program looks beside itself, wherever its
# folder goes: what lies there is what is to be shipped.
function(auricle_bundle program)
  if(NOT TARGET auricle::onnxruntime)
    message(FATAL_ERROR "auricle_bundle(${program}): ONNX Runtime's file is not known. Use "
      "find_package(auricle CONFIG REQUIRED COMPONENTS onnxruntime), or set AURICLE_ONNXRUNTIME to its file where Auricle is built from source.")
  endif()
  add_custom_command(TARGET ${program} POST_BUILD VERBATIM
    COMMAND ${CMAKE_COMMAND} -E copy_if_different $<TARGET_FILE:auricle::onnxruntime> $<TARGET_FILE_DIR:${program}>)
  get_target_property(libraries ${program} LINK_LIBRARIES)
  if("auricle::auricle" IN_LIST libraries)
    get_target_property(name auricle::auricle IMPORTED_SONAME)
    if(NOT name OR WIN32)
      set(name $<TARGET_FILE_NAME:auricle::auricle>)
    endif()
    add_custom_command(TARGET ${program} POST_BUILD VERBATIM
      COMMAND ${CMAKE_COMMAND} -E copy_if_different $<TARGET_FILE:auricle::auricle> $<TARGET_FILE_DIR:${program}>/${name})
    if(APPLE)
      set_target_properties(${program} PROPERTIES BUILD_WITH_INSTALL_RPATH TRUE INSTALL_RPATH "@loader_path")
    elseif(NOT WIN32)
      set_target_properties(${program} PROPERTIES BUILD_WITH_INSTALL_RPATH TRUE INSTALL_RPATH "$ORIGIN")
    endif()
  endif()
endfunction()
