// See tensor_file.h.
#include "io/tensor_file.h"

#include <ATen/Parallel.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/halves.h"
#include "base/pulse.h"

namespace mstar {
namespace {

constexpr std::pair<const char*, at::ScalarType> kTypes[] = {
    {"F32", at::kFloat}, {"F16", at::kHalf}, {"BF16", at::kBFloat16}, {"U8", at::kByte}};

/** Numbers that are read at a time. */
constexpr int64_t kPiece = int64_t{1} << 22;

/** Whether no number has all exponent bits set; `exponent` are those bits. */
template <class Bits>
bool below(const void* data, int64_t count, Bits exponent) {
  const auto* values = static_cast<const Bits*>(data);
  Bits largest = 0;
  for (int64_t i = 0; i < count; ++i) largest = std::max<Bits>(largest, values[i] & exponent);
  return largest < exponent;
}

bool all_finite(const at::Tensor& raw) {
  const void* data = raw.const_data_ptr();
  switch (raw.scalar_type()) {
    case at::kByte:
      return true;
    case at::kFloat:
      return below<uint32_t>(data, raw.numel(), 0x7f800000);
    case at::kHalf:
      return below<uint16_t>(data, raw.numel(), 0x7c00);
    default:
      return below<uint16_t>(data, raw.numel(), 0x7f80);
  }
}

}  // namespace

at::ScalarType scalar_type(const std::string& dtype) {
  for (const auto& [name, type] : kTypes)
    if (dtype == name) return type;
  TORCH_CHECK(false, "dtype ", dtype, " is not one of F32, F16, BF16, U8");
}

std::string dtype_name(at::ScalarType type) {
  for (const auto& [name, known] : kTypes)
    if (known == type) return name;
  TORCH_CHECK(false, "files hold no numbers of type ", type);
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) close(fd_);
}

TensorReader::TensorReader(const std::string& path)
    : path_(path), file_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (file_.get() < 0) throw std::runtime_error(path + ": cannot open: " + std::strerror(errno));
  struct stat status {};
  if (fstat(file_.get(), &status) != 0 || !S_ISREG(status.st_mode))
    throw std::runtime_error(path + ": is not a regular file");
  size_ = status.st_size;
}

void TensorReader::read_bytes(int64_t at, uint8_t* out, int64_t bytes, const std::string& name) const {
  while (bytes > 0) {
    const ssize_t got = pread(file_.get(), out, static_cast<size_t>(bytes), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw std::runtime_error(path_ + ": " + name + ": cannot read: " + std::strerror(errno));
    if (got == 0) throw std::runtime_error(path_ + ": " + name + ": the file ends before the tensor does");
    out += got;
    at += got;
    bytes -= got;
  }
}

void TensorReader::read(const TensorRange& range, const at::Tensor& target, int64_t first, int64_t whole) const {
  const auto type = scalar_type(range.dtype);
  const auto size = static_cast<int64_t>(c10::elementSize(type));
  if (range.begin < 0 || range.end > size_ || range.end - range.begin != size * whole)
    throw std::runtime_error(path_ + ": " + range.name + ": range does not fit the file or the shape");
  if ((type == at::kByte) != (target.scalar_type() == at::kByte))
    throw std::runtime_error(path_ + ": " + range.name + ": codes and numbers are not converted into each other");
  const During disk(Activity::disk);
  // Piece by piece and without a mapping: of a file as large as the memory only what the model keeps stays in it.
  const auto flat = target.detach().view({-1});
  const bool direct = type == target.scalar_type() && target.device().is_cpu();
  std::atomic<bool> finite{true};
  at::parallel_for(0, (flat.numel() + kPiece - 1) / kPiece, 1, [&](int64_t begin, int64_t end) {
    at::Tensor buffer;
    for (int64_t piece = begin; piece < end; ++piece) {
      const int64_t from = piece * kPiece, count = std::min(kPiece, flat.numel() - from);
      const auto part = flat.narrow(0, from, count);
      if (!direct && !buffer.defined()) buffer = at::empty({kPiece}, at::TensorOptions(type));
      const auto raw = direct ? part : buffer.narrow(0, 0, count);
      read_bytes(range.begin + (first + from) * size, static_cast<uint8_t*>(raw.mutable_data_ptr()), count * size,
                 range.name);
      if (!all_finite(raw)) finite = false;
      // Rounded as a trained float32 is, so that what a checkpoint holds comes back as it was.
      const bool rounds = raw.scalar_type() == at::kFloat && part.scalar_type() == at::kBFloat16;
      if (!direct) part.copy_(rounds ? nearest_bfloat16(raw) : raw);
    }
  });
  if (!finite) throw std::runtime_error(path_ + ": " + range.name + ": holds a value that is not finite");
}

TensorWriter::TensorWriter(const SaveFile& file)
    : path_(file.path), file_(open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) {
  if (file_.get() < 0) throw std::runtime_error(path_ + ": cannot create: " + std::strerror(errno));
  write_all(file.header.data(), file.header.size());
}

void TensorWriter::write(const at::Tensor& tensor, const std::string& dtype) {
  const auto values = tensor.detach().to(at::kCPU, scalar_type(dtype)).contiguous();
  write_all(values.const_data_ptr(), values.nbytes());
}

void TensorWriter::flush() {
  const During disk(Activity::disk);
  if (fsync(file_.get()) != 0) throw std::runtime_error(path_ + ": cannot flush: " + std::strerror(errno));
}

void TensorWriter::write_all(const void* data, size_t size) {
  const During disk(Activity::disk);
  const auto* bytes = static_cast<const uint8_t*>(data);
  while (size > 0) {
    // So much at a time that a slow disk is seen to get on.
    constexpr size_t kMost = size_t{64} << 20;
    const ssize_t written = ::write(file_.get(), bytes, std::min(size, kMost));
    beat();
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw std::runtime_error(path_ + ": cannot write: " + std::strerror(errno));
    bytes += written;
    size -= static_cast<size_t>(written);
  }
}

}  // namespace mstar
