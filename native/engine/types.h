#pragma once
// What crosses into the engine and back, as plain structs. The addon fills them; the engine never sees JavaScript.
//
// Shape letters at the end of tensor names: N packed tokens, M response positions, B sequences, T longest sequence, D
// hidden width, H query heads, K kv heads, E head width, V vocabulary, I image tokens, P patches, C channels.
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/pulse.h"

namespace mstar {

/** Decoded 8-bit RGB, row by row. Equal keys mean equal pixels. */
struct Image {
  int64_t width = 0, height = 0;
  std::vector<uint8_t> rgb;
  std::string key;
};
using ImagePtr = std::shared_ptr<const Image>;

struct Prompt {
  std::vector<int64_t> tokens;  // one image-context id per image token
  std::vector<ImagePtr> images;
};

struct RolloutRequest {
  Prompt prompt;
  std::vector<int64_t> prefix;  // response so far, to be continued
  int64_t n = 1;
  std::string key;
};

struct Sampling {
  double temperature = 1.0, top_p = 1.0;
  int64_t top_k = 0, max_tokens = 0;
  uint64_t seed = 0;
  std::vector<int64_t> stop;
  bool scaled_logprobs = false;  // those of responses: at `temperature`, else at 1; never cut by top_p and top_k
};

enum class Finish { stop, length };

struct Response {
  std::vector<int32_t> tokens;
  std::vector<float> logprobs;
  Finish finish = Finish::length;
};

struct RolloutResult {
  std::vector<std::vector<Response>> responses;  // [request][sample]
  int64_t vision_encodes = 0, prefill_tokens = 0, decode_tokens = 0;
  int64_t cached_prompts = 0;     // taken from an earlier call instead of prefilled
  int64_t recomputed_tokens = 0;  // of rows that gave up their memory and went on later
  int64_t kv_bytes = 0;           // most memory that keys and values held at once
  double seconds = 0;
};

struct RolloutHooks {
  std::function<void(int64_t request, int64_t sample, const Response&)> on_response;  // any thread
  std::function<void(int64_t done, int64_t total, int64_t tokens)> on_progress;  // any thread, a few times a second
};

/** How a response was sampled and what came of it, for the policy objective. */
struct Sampled {
  double advantage = 0;
  std::vector<float> logprobs;   // of its tokens in the distribution that they were drawn from
  std::vector<float> reference;  // the same by a reference policy; empty: none
};

struct Example {
  Prompt prompt;
  std::vector<int64_t> response;
  std::vector<float> labels;  // step objective: one per response token
  double weight = 1;          // multiplies the losses of its tokens; may be negative
  std::optional<Sampled> sampled;
};

/** What losses of tokens are divided by: the tokens of their response, and the responses; all tokens; or a constant for
 * each response. */
enum class Aggregation { response, token, constant };

/** What a training step lowers. */
struct Objective {
  enum Kind { response, step, policy } kind = response;
  // Of the policy objective, which policy_loss.h defines.
  double temperature = 1;  // that responses were sampled at
  double clip_low = 0, clip_high = 0;
  double kl = 0;
  Aggregation aggregation = Aggregation::token;
  int64_t length = 0;  // the constant, in tokens
};

/** Of the policy objective, summed or averaged over response tokens. */
struct PolicyMeasures {
  double clipped = 0;     // tokens whose ratio is clipped
  double kl = 0;          // estimates of the divergence from the reference; 0 where there is none
  double difference = 0;  // absolute differences of log-probabilities, now and when they were sampled
  double largest = 0;     // the largest of these, not summed
};

struct OptimizerSettings {
  double lr = 0, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0, clip = 0;
  int64_t warmup_steps = 0;
  int64_t decay_steps = 0, total_steps = 0;  // the rate falls to 0 over the last decay_steps of total_steps; 0: never
  std::vector<std::string> frozen;           // parameter-name prefixes
};

struct StepReport {
  double loss = 0, grad_norm = 0, lr = 0;
  int64_t tokens = 0, version = 0;
  std::optional<PolicyMeasures> policy;  // means over tokens, of the policy objective
};

/** Polled between decode steps and micro-batches. */
using StopFlag = std::shared_ptr<std::atomic<bool>>;

struct Cancelled : std::runtime_error {
  Cancelled() : std::runtime_error("the operation was cancelled") {}
};

inline void throw_if(const StopFlag& stop) {
  beat();  // what comes here often enough to be stopped gets on
  if (stop && stop->load(std::memory_order_relaxed)) throw Cancelled();
}

}  // namespace mstar
