#pragma once
// Counter-based randomness: a draw is a pure function of (seed, key, sample, position), so neither batch composition
// nor order nor thread count changes it. Philox4x32-10 (Salmon et al., SC'11). Leaves what is drawn from it to the
// sampler.
#include <cstdint>
#include <string_view>

namespace mstar {

/** 64-bit FNV-1a of a request key. */
inline uint64_t hash_key(std::string_view key) {
  uint64_t hash = 1469598103934665603ull;
  for (unsigned char byte : key) hash = (hash ^ byte) * 1099511628211ull;
  return hash;
}

/** Uniform in [0, 1) with 53 bits, from a 64-bit key (seed) and a 128-bit counter (stream, sample, position). */
inline double philox_uniform(uint64_t seed, uint64_t stream, uint32_t sample, uint32_t position) {
  uint32_t counter[4] = {position, sample, static_cast<uint32_t>(stream), static_cast<uint32_t>(stream >> 32)};
  uint32_t key[2] = {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = 0xD2511F53ull * counter[0], b = 0xCD9E8D57ull * counter[2];
    const uint32_t next[4] = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b),
                              static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(a)};
    for (int i = 0; i < 4; ++i) counter[i] = next[i];
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  const uint64_t bits = (static_cast<uint64_t>(counter[0]) << 32 | counter[1]) >> 11;
  return static_cast<double>(bits) * 0x1.0p-53;
}

}  // namespace mstar
