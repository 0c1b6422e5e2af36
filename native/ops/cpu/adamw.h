#pragma once
// One step of AdamW in one pass over memory, where LibTorch's own would need a dozen that take longer than the products
// of a small batch: for bfloat16 weights whose float32 masters lie in two halves (base/halves.h), and for moments in
// few bits. Every weight is computed alone, but for the scale that a block of second moments shares. Plain twins: the
// operations of LibTorch in engine/optimizer.cpp and engine/moments.h.
#include <cstdint>

namespace mstar::cpu {

struct AdamWStep {
  float beta1, beta2, eps;
  float keep;       // 1 - lr * decay
  float step_size;  // lr / (1 - beta1^t)
  float root;       // sqrt(1 - beta2^t)
};

/** Steps n weights; high, low and the moments are changed. The gradient is float32 or bfloat16. */
void adamw(const AdamWStep& step, uint16_t* high, int16_t* low, const float* grad, float* first, float* second,
           int64_t n);
void adamw_halves(const AdamWStep& step, uint16_t* high, int16_t* low, const uint16_t* grad, float* first,
                  float* second, int64_t n);

// The root of a second moment in 8 bits: a float32's exponent and upper bits of the mantissa, for shares of the largest
// root of a block. Code 255 is that root itself, 16 codes less are half of it, and code 0 is 1.6e-5 of it.

/** Numbers whose roots share a scale. Divides `Cuts::kBlock`. */
constexpr int64_t kRootBlock = 256;
constexpr int64_t root_blocks(int64_t count) { return (count + kRootBlock - 1) / kRootBlock; }
/** Bits of the mantissa that are cut off. */
constexpr int kRootShift = 19;
/** Bits of the float32 that code 0 stands for; those of 1 are 0x3f800000. */
constexpr int32_t kLeastRoot = 0x3f800000 - (255 << kRootShift);
constexpr uint32_t kChanceFactor = 0x45d9f3b;

/** The number below 2^kRootShift that is added before bits are cut off. */
static inline uint32_t rounding_chance(uint32_t seed, uint32_t index) {
  uint32_t bits = index ^ seed;
  bits = (bits ^ bits >> 16) * kChanceFactor;
  bits = (bits ^ bits >> 16) * kChanceFactor;
  return (bits ^ bits >> 16) >> (32 - kRootShift);
}

/** Moments in few bits, of numbers that begin where a block does. */
struct SmallMoments {
  uint16_t* first;  // bfloat16
  uint8_t* roots;   // codes
  float* scales;    // largest root of each block
  uint32_t seed;    // of the rounding
  int64_t from;     // place of the first number in its parameter
};

/** Steps n weights with such moments. The weights are in two halves, or float32. */
void adamw_small(const AdamWStep& step, uint16_t* high, int16_t* low, const float* grad, const SmallMoments& moments,
                 int64_t n);
void adamw_small_halves(const AdamWStep& step, uint16_t* high, int16_t* low, const uint16_t* grad,
                        const SmallMoments& moments, int64_t n);
void adamw_small_floats(const AdamWStep& step, float* weight, const float* grad, const SmallMoments& moments,
                        int64_t n);

}  // namespace mstar::cpu
