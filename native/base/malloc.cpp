// See malloc.h. Other C libraries than glibc are left alone.
#include "base/malloc.h"

#include <cstdlib>
#include <cstring>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace mstar {

const char* raise_malloc_thresholds() {
#if defined(__GLIBC__)
  const char* wish = std::getenv("MSTAR_MALLOC");
  if (wish != nullptr && std::strcmp(wish, "default") == 0) return "default";
  // Blocks up to 1 GiB come from the heap instead of a fresh mmap; 2 GiB at its top are kept; it grows by 64 MiB.
  const bool ok =
      mallopt(M_MMAP_THRESHOLD, 1 << 30) && mallopt(M_TRIM_THRESHOLD, 0x7fffffff) && mallopt(M_TOP_PAD, 64 << 20);
  return ok ? "raised" : "refused";
#else
  return "not glibc";
#endif
}

}  // namespace mstar
