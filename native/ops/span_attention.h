#pragma once
// Attention of many queries over spans of one key/value arena, with the log-sum-exp that lets several spans be merged:
// what shares a prompt's keys among its samples on a GPU. Flash attention where the device has it, else plain products.
#include <ATen/core/Tensor.h>

#include <vector>

namespace mstar {

/** Queries `query_ends[i-1] .. query_ends[i]` see the arena's tokens `begins[i] .. begins[i] + lengths[i]`. */
struct Spans {
  std::vector<int32_t> query_ends, begins, lengths;
  // The same on the device, in the form of flash attention: [S + 1] ends from 0, [S + 1] begins, [S] lengths.
  at::Tensor query_ends_device, begins_device, lengths_device;
  int64_t most_queries = 0, longest = 0;
  int64_t size() const { return static_cast<int64_t>(lengths.size()); }
  void add(int64_t queries, int64_t begin, int64_t length);
  /** Copies the lists to the device; call once after the last add. */
  void upload(const at::Device& device);
};

/** What rows see alone: the first lengths[r] tokens, at least one, of the blocks that row r of the table names. */
struct RowBlocks {
  at::Tensor table;    // int32 [R, W]
  at::Tensor lengths;  // int32 [R]
  int64_t size() const { return table.defined() ? table.size(0) : 0; }
};

/** Weighted values and their log-sum-exp: out [M, K, E] and lse [K, M] float32. */
struct Attended {
  at::Tensor out, lse;
};

/** q [M, K, E]; keys and values [arena tokens, K, E]. Where a span is empty lse is infinite, of either sign. */
Attended attend_spans(const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values, const Spans& spans,
                      double scale);

/** As attend_spans where `spans` speaks of the queries `copies` times over, so that one long span can be seen by
 * several groups of threads: one result per copy. */
std::vector<Attended> attend_copies(const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values,
                                    const Spans& spans, int64_t copies, double scale);

/** The plain twin: one softmax per span in float32. */
Attended attend_spans_plain(const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values, const Spans& spans,
                            double scale);

/** Queries [R * g, K, E], g for each row of `own`, over what that row sees. */
Attended attend_blocks(const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values, const RowBlocks& own,
                       double scale);

/** Whether the device reads spans and blocks by itself. Elsewhere they are read by the host, which waits for them. */
bool attends_on_device(const at::TensorOptions& options, int64_t head_dim);

/** Causal attention inside each of the sequences of `lengths`; q [N, H, E], k and v [N, K, E]; out [N, H, E], lse [H,
 * N]. */
Attended attend_causal(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                       const std::vector<int64_t>& lengths, double scale);

}  // namespace mstar
