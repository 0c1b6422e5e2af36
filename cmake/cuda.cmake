# libmstar_cuda.so: the CUDA kernels of native/ops/cuda and their glue to LibTorch, beside mstar.node.
# enable_language takes those of the environment.
if(NOT CMAKE_CUDA_ARCHITECTURES AND NOT DEFINED ENV{CUDAARCHS})
  set(CMAKE_CUDA_ARCHITECTURES "80;90;120" CACHE STRING "GPU architectures")
endif()
enable_language(CUDA)
set(CMAKE_CUDA_STANDARD 17)  # all that the kernels need; CMake before 3.28 refuses 20 with recent nvcc
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
set(CMAKE_CUDA_EXTENSIONS OFF)
find_package(CUDAToolkit REQUIRED)
foreach(lib c10_cuda torch_cuda)
  if(NOT EXISTS "${TORCH_ROOT}/lib/lib${lib}.so")
    message(FATAL_ERROR "the CUDA plug-in needs a CUDA LibTorch: ${TORCH_ROOT}/lib/lib${lib}.so is missing")
  endif()
  add_library(${lib} SHARED IMPORTED)
  set_target_properties(${lib} PROPERTIES IMPORTED_LOCATION "${TORCH_ROOT}/lib/lib${lib}.so"
    INTERFACE_INCLUDE_DIRECTORIES "${CUDAToolkit_INCLUDE_DIRS}")
endforeach()
file(GLOB cuda_kernels CONFIGURE_DEPENDS "native/ops/cuda/*.cu")
file(GLOB cuda_glue CONFIGURE_DEPENDS "native/ops/cuda/*.cpp")
# NCCL's header comes with the wheel of NCCL that a wheel of LibTorch brings along, or with the system.
find_path(NCCL_INCLUDE nccl.h HINTS "${TORCH_ROOT}/../nvidia/nccl/include" "${CUDAToolkit_INCLUDE_DIRS}")
if(NCCL_INCLUDE)
  set_source_files_properties(native/ops/cuda/nccl.cpp PROPERTIES
    INCLUDE_DIRECTORIES "${NCCL_INCLUDE}" COMPILE_DEFINITIONS "USE_DISTRIBUTED;USE_C10D_NCCL")
else()
  list(FILTER cuda_glue EXCLUDE REGEX "nccl.cpp$")
  message(STATUS "training over several GPUs skipped: no nccl.h (set NCCL_INCLUDE to its folder)")
endif()
add_library(mstar_cuda SHARED ${cuda_kernels} ${cuda_glue})
target_include_directories(mstar_cuda PRIVATE native)
target_link_libraries(mstar_cuda PRIVATE torch_cpu c10 c10_cuda CUDA::cudart)
target_compile_options(mstar_cuda PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr --threads=2>)
# libtorch_cuda registers its operators when it is loaded; no symbol of it is named here.
target_link_options(mstar_cuda PRIVATE
  "LINKER:--no-as-needed,${TORCH_ROOT}/lib/libtorch_cuda.so,--as-needed" "LINKER:--allow-shlib-undefined")
set_target_properties(mstar_cuda PROPERTIES CUDA_RUNTIME_LIBRARY Shared
  LIBRARY_OUTPUT_DIRECTORY "$<1:${MSTAR_OUTPUT_DIR}>" BUILD_RPATH "${TORCH_ROOT}/lib")
install(TARGETS mstar_cuda LIBRARY DESTINATION .)
