#pragma once
// Row-wise pieces of a decoder layer on CPU: RMSNorm, rotary embedding, SwiGLU, with their gradients; softmax
// statistics. Each row is computed alone and in a fixed order. The plain twins are in models/layers (ATen).
#include <cstdint>

namespace mstar::cpu {

/** out[r] = x[r] / sqrt(mean(x[r]^2) + eps) * weight, for rows of `width` floats. */
void rms_norm(const float* x, const float* weight, float eps, float* out, int64_t rows, int64_t width);

/** Rotates `heads` heads of `head_dim` in place by the two-halves rule; cosine and sine hold head_dim / 2 values. */
void rotate_half(float* x, const float* cosine, const float* sine, int64_t heads, int64_t head_dim);

/** Gradients of rms_norm: dx from those of out, dy; the weight's is added to `dweight` row by row. */
void rms_norm_backward(const float* x, const float* weight, float eps, const float* dy, float* dx, float* dweight,
                       int64_t rows, int64_t width);

/** out = silu(gate) * up, for rows of `width` floats; those of gate and up begin `stride` floats apart. */
void swiglu(const float* gate, const float* up, int64_t stride, float* out, int64_t rows, int64_t width);

/** Gradients of swiglu from those of out, dy. */
void swiglu_backward(const float* gate, const float* up, int64_t stride, const float* dy, float* dgate, float* dup,
                     int64_t rows, int64_t width);

/** exp((x[i] - max) * scale) into out; returns the sum, in double. `scale` > 0. n need not be a multiple of 8. */
double exp_scaled(const float* x, float max, float scale, float* out, int64_t n);

/** Sum of a[i] * b[i]. */
float dot(const float* a, const float* b, int64_t n);

/** A row of attention's backward, in place. `weight` holds scores and gets p = exp((score - max) * scale), where
 * max * scale is their log-sum-exp; `slope` holds the gradients of p and gets those of the unscaled scores,
 * p * (slope - along) * scale. */
void softmax_backward(float* weight, float* slope, float max, float scale, float along, int64_t n);

/** Gradients of x[i] * scale - log(sum of e^(x * scale)) of a row's target by its logits x, but for the target's own
 * share: out[i] = -into * scale * e^(x[i] * scale - lse). */
void logprob_backward(const float* x, float scale, float lse, float into, float* out, int64_t n);

/** x[i] += y[i]. */
void add(float* x, const float* y, int64_t n);

/** Largest value. */
float max_of(const float* x, int64_t n);

}  // namespace mstar::cpu
