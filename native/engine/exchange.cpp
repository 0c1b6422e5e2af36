// See exchange.h. Tensors of any type travel as bytes; what is few and small goes through the CPU.
#include "engine/exchange.h"

#include <ATen/Parallel.h>

#include <cmath>
#include <numeric>

namespace mstar {
namespace {

/** Parts begin in a message where numbers of every type may lie. */
constexpr int64_t kAlign = 64;

at::Tensor flat(const at::Tensor& tensor) { return tensor.detach().reshape({-1}); }
at::Tensor part(const at::Tensor& tensor, const Span& span) { return flat(tensor).narrow(0, span.from, span.count); }

/** The numbers at a place of a message. */
at::Tensor numbers(const at::Tensor& message, int64_t at, int64_t count, at::ScalarType type) {
  return message.narrow(0, at, count * static_cast<int64_t>(c10::elementSize(type))).view(type);
}

/** Adds to a sum. The first is taken in its own type; with the second the sum becomes float32, for sums of rounded
 * gradients must not lose precision with the number of micro-batches. */
void add_to(at::Tensor& sum, at::Tensor&& grad, bool own) {
  if (sum.defined()) {
    sum = sum.to(at::kFloat).add_(grad);
  } else {
    sum = own ? std::move(grad) : grad.clone(at::MemoryFormat::Contiguous);
  }
}

template <class Cell>
double sum_of_squares(const Cell* values, int64_t count) {
  constexpr int64_t kLanes = 8;
  double lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (int64_t l = 0; l < kLanes; ++l) {
      const double value = static_cast<float>(values[i + l]);
      lanes[l] += value * value;
    }
  for (; i < count; ++i) {
    const double value = static_cast<float>(values[i]);
    lanes[i % kLanes] += value * value;
  }
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  return sum;
}

/** Sums of the squares of each block, appended to `out`. */
void append_squares(const at::Tensor& values, int64_t block, std::vector<double>& out) {
  const int64_t count = values.numel(), blocks = (count + block - 1) / block;
  const size_t before = out.size();
  out.resize(before + static_cast<size_t>(blocks));
  if (blocks == 0) return;
  double* sums = out.data() + before;
  if (values.is_cpu()) {
    at::parallel_for(0, blocks, 16, [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b) {
        const int64_t from = b * block, size = std::min(block, count - from);
        sums[b] = values.scalar_type() == at::kFloat
                      ? sum_of_squares(values.const_data_ptr<float>() + from, size)
                      : sum_of_squares(values.const_data_ptr<at::BFloat16>() + from, size);
      }
    });
    return;
  }
  // Always as many blocks at a time, so that LibTorch adds each in the same way.
  constexpr int64_t kAtOnce = 1024;
  std::vector<at::Tensor> found;
  for (int64_t from = 0; from < count; from += kAtOnce * block) {
    const int64_t size = std::min(kAtOnce * block, count - from);
    const auto wide = at::constant_pad_nd(values.narrow(0, from, size).to(at::kDouble), {0, kAtOnce * block - size});
    found.push_back(wide.square().view({kAtOnce, block}).sum(1));
  }
  std::copy_n(at::cat(found).cpu().const_data_ptr<double>(), blocks, sums);
}

void add_measures(PolicyMeasures& sums, const PolicyMeasures& more) {
  sums.clipped += more.clipped;
  sums.kl += more.kl;
  sums.difference += more.difference;
  sums.largest = std::max(sums.largest, more.largest);
}

/** Makes a collective. That it fails says that another rank is lost, and not which. */
template <class Collective>
void with_all(const Collective& collective) {
  try {
    collective();
  } catch (const std::exception& error) {
    const std::string why = error.what();
    throw PeerFailed("an exchange with the other ranks failed: " + why.substr(0, why.find('\n')));
  }
}

}  // namespace

void add_gradient(std::vector<at::Tensor>& sums, size_t index, at::Tensor grad) {
  const at::NoGradGuard no_grad;
  // Autograd may hand out one storage for two parameters.
  const bool own = grad.is_contiguous() && grad.use_count() == 1 && grad.storage().use_count() == 1;
  add_to(sums[index], std::move(grad), own);
}

Exchange::Exchange(const Parameters& parameters, const std::vector<std::string>& names, std::shared_ptr<Group> group,
                   ExchangeSizes sizes)
    : group_(group && group->size() > 1 ? std::move(group) : nullptr),
      rank_(group_ ? group_->rank() : 0),
      device_(parameters.device()) {
  std::vector<int64_t> counts;
  int64_t bytes = 0;
  for (const std::string& name : names) {
    const at::Tensor& parameter = parameters[name];
    if (counts.empty() || bytes + static_cast<int64_t>(parameter.nbytes()) > sizes.message) {
      messages_.emplace_back(counts.size(), counts.size());
      bytes = 0;
    }
    ++messages_.back().second;
    bytes += static_cast<int64_t>(parameter.nbytes());
    counts.push_back(parameter.numel());
    types_.push_back(parameter.scalar_type());
  }
  cuts_ = Cuts(std::move(counts), group_ ? group_->size() : 1, sizes.block);
}

int64_t Exchange::room(size_t parameter, int rank) const {
  const auto size = static_cast<int64_t>(c10::elementSize(types_[parameter]));
  return (cuts_.of(parameter, rank).count * size + kAlign - 1) / kAlign * kAlign;
}

std::vector<double> Exchange::all_doubles(const std::vector<double>& mine) const {
  const auto count = static_cast<int64_t>(mine.size());
  const auto in = at::from_blob(const_cast<double*>(mine.data()), {count}, at::kDouble);
  const auto out = at::empty({count * ranks()}, at::kDouble);
  with_all([&] { group_->all_gather(out, in); });
  const double* values = out.const_data_ptr<double>();
  return {values, values + out.numel()};
}

bool Exchange::all(bool mine) const {
  if (!group_) return mine;
  const auto found = all_doubles({mine ? 1.0 : 0.0});
  return std::all_of(found.begin(), found.end(), [](double one) { return one != 0; });
}

void Exchange::add(MicroGradients mine, GradientSums& sums) const {
  const at::NoGradGuard no_grad;
  const size_t count = cuts_.parameters();
  sums.grads.resize(count);
  if (!group_) {
    if (mine.error) std::rethrow_exception(mine.error);
    sums.loss += mine.loss;
    add_measures(sums.policy, mine.policy);
    for (size_t p = 0; p < mine.grads.size(); ++p)
      if (mine.grads[p].defined()) add_gradient(sums.grads, p, std::move(mine.grads[p]));
    return;
  }
  // What each rank has: whether it failed, its loss and what was measured with it, which parameters it reached.
  const auto& [clipped, kl, difference, largest] = mine.policy;
  std::vector<double> told{mine.error ? 1.0 : 0.0, mine.loss, clipped, kl, difference, largest};
  const size_t first_parameter = told.size();
  told.resize(first_parameter + count);
  for (size_t p = 0; p < mine.grads.size(); ++p) told[first_parameter + p] = mine.grads[p].defined() ? 1 : 0;
  const auto all = all_doubles(told);
  const auto of = [&](int rank, size_t what) { return all[static_cast<size_t>(rank) * told.size() + what]; };
  if (mine.error) std::rethrow_exception(mine.error);
  const auto reached = [&](int rank, size_t p) { return of(rank, first_parameter + p) != 0; };
  for (int rank = 0; rank < ranks(); ++rank) {
    if (of(rank, 0) != 0) throw PeerFailed("rank " + std::to_string(rank) + " failed in a training step");
    sums.loss += of(rank, 1);
    add_measures(sums.policy, {of(rank, 2), of(rank, 3), of(rank, 4), of(rank, 5)});
  }
  const auto options = at::TensorOptions(at::kByte).device(device_);
  for (const auto& [first, last] : messages_) {
    std::vector<int64_t> sent(static_cast<size_t>(ranks())), received(sent);
    int64_t sent_bytes = 0, received_bytes = 0;
    for (int rank = 0; rank < ranks(); ++rank) {
      for (size_t p = first; p < last; ++p) {
        if (reached(rank_, p)) sent[static_cast<size_t>(rank)] += room(p, rank);
        if (reached(rank, p)) received[static_cast<size_t>(rank)] += room(p, rank_);
      }
      sent_bytes += sent[static_cast<size_t>(rank)];
      received_bytes += received[static_cast<size_t>(rank)];
    }
    const auto out = at::empty({received_bytes}, options), in = at::empty({sent_bytes}, options);
    int64_t at = 0;
    for (int rank = 0; rank < ranks(); ++rank)
      for (size_t p = first; p < last; ++p) {
        if (!reached(rank_, p)) continue;
        const Span span = cuts_.of(p, rank);
        numbers(in, at, span.count, types_[p]).copy_(part(mine.grads[p], span));
        at += room(p, rank);
      }
    for (size_t p = first; p < std::min(last, mine.grads.size()); ++p) mine.grads[p].reset();
    with_all([&] { group_->all_to_all(out, in, received, sent); });
    at = 0;
    for (int rank = 0; rank < ranks(); ++rank)
      for (size_t p = first; p < last; ++p) {
        if (!reached(rank, p)) continue;
        const int64_t owned = cuts_.of(p, rank_).count;
        if (owned > 0) add_to(sums.grads[p], numbers(out, at, owned, types_[p]), false);
        at += room(p, rank_);
      }
  }
}

double Exchange::norm(const GradientSums& sums) const {
  std::vector<double> mine;  // of the blocks of this rank, those of a parameter that is not reached as 0
  for (size_t p = 0; p < cuts_.parameters(); ++p) {
    if (sums.grads[p].defined()) {
      append_squares(flat(sums.grads[p]), cuts_.block(), mine);
    } else {
      mine.resize(mine.size() + static_cast<size_t>(cuts_.blocks_of(owned(p))));
    }
  }
  // Ranks own unlike numbers of blocks, and a collective wants equal ones.
  size_t most = mine.size();
  for (int rank = 0; rank < ranks(); ++rank) {
    int64_t blocks = 0;
    for (size_t p = 0; p < cuts_.parameters(); ++p) blocks += cuts_.blocks_of(cuts_.of(p, rank));
    most = std::max(most, static_cast<size_t>(blocks));
  }
  mine.resize(most);
  const auto all = group_ ? all_doubles(mine) : mine;
  std::vector<const double*> next;
  for (int rank = 0; rank < ranks(); ++rank) next.push_back(all.data() + static_cast<size_t>(rank) * most);
  double total = 0;
  for (size_t p = 0; p < cuts_.parameters(); ++p)
    for (int place = 0; place < ranks(); ++place)
      for (int64_t b = cuts_.blocks_of(cuts_.at(p, place)); b > 0; --b)
        total += *next[static_cast<size_t>(cuts_.owner(p, place))]++;
  return std::sqrt(total);
}

void Exchange::share(const Parameters& parameters, const std::vector<std::string>& names) const {
  if (!group_) return;
  const at::NoGradGuard no_grad;
  for (const auto& [first, last] : messages_) {
    int64_t most = 0;
    for (int rank = 0; rank < ranks(); ++rank) {
      int64_t bytes = 0;
      for (size_t p = first; p < last; ++p) bytes += room(p, rank);
      most = std::max(most, bytes);
    }
    const auto in = at::empty({most}, at::TensorOptions(at::kByte).device(parameters.device()));
    const auto out = at::empty({most * ranks()}, in.options());
    /** Visits the parts of a rank, which lie in `message` from `at` on. */
    const auto each = [&](const at::Tensor& message, int64_t at, int rank, const auto& visit) {
      for (size_t p = first; p < last; ++p) {
        const Span span = cuts_.of(p, rank);
        if (span.count > 0) visit(numbers(message, at, span.count, types_[p]), part(parameters[names[p]], span));
        at += room(p, rank);
      }
    };
    each(in, 0, rank_, [](const at::Tensor& there, const at::Tensor& here) { there.copy_(here); });
    with_all([&] { group_->all_gather(out, in); });
    for (int rank = 0; rank < ranks(); ++rank)
      if (rank != rank_)
        each(out, rank * most, rank, [](const at::Tensor& there, const at::Tensor& here) { here.copy_(there); });
  }
}

at::Tensor Exchange::whole(size_t parameter, const at::Tensor& part, int to, int64_t each) const {
  if (!group_) return part;
  const auto bytes = static_cast<int64_t>(part.element_size());
  std::vector<int64_t> sent(static_cast<size_t>(ranks())), received(sent);
  sent[static_cast<size_t>(to)] = part.numel() * bytes;
  int64_t size = 0;
  for (int rank = 0; rank < ranks(); ++rank) {
    const int64_t count = (cuts_.of(parameter, rank).count + each - 1) / each;
    size += count;
    if (rank_ == to) received[static_cast<size_t>(rank)] = count * bytes;
  }
  const auto out = at::empty({rank_ == to ? size * bytes : 0}, part.options().dtype(at::kByte));
  with_all([&] { group_->all_to_all(out, part.view(at::kByte), received, sent); });
  if (rank_ != to) return {};
  if (cuts_.owner(parameter, 0) == 0) return out.view(part.scalar_type());
  // What came in the order of ranks belongs in that of places.
  std::vector<at::Tensor> places;
  for (int place = 0; place < ranks(); ++place) {
    const int owner = cuts_.owner(parameter, place);
    const int64_t at = std::accumulate(received.begin(), received.begin() + owner, int64_t{0});
    places.push_back(out.narrow(0, at, received[static_cast<size_t>(owner)]));
  }
  return at::cat(places).view(part.scalar_type());
}

}  // namespace mstar
