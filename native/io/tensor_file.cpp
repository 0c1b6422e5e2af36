// See tensor_file.h.
#include "io/tensor_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace mstar {
namespace {

at::ScalarType scalar_type(const std::string& dtype) {
  if (dtype == "F32") return at::kFloat;
  if (dtype == "F16") return at::kHalf;
  TORCH_CHECK(dtype == "BF16", "dtype ", dtype, " is not one of F32, F16, BF16");
  return at::kBFloat16;
}

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
};

void write_all(int fd, const void* data, size_t size, const std::string& path) {
  const auto* bytes = static_cast<const uint8_t*>(data);
  while (size > 0) {
    const ssize_t written = write(fd, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw std::runtime_error(path + ": cannot write: " + std::strerror(errno));
    bytes += written;
    size -= static_cast<size_t>(written);
  }
}

}  // namespace

MappedFile::MappedFile(const std::string& path) : path_(path) {
  const Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0) throw std::runtime_error(path + ": cannot open: " + std::strerror(errno));
  struct stat status {};
  if (fstat(file.fd, &status) != 0 || !S_ISREG(status.st_mode))
    throw std::runtime_error(path + ": is not a regular file");
  size_ = status.st_size;
  if (size_ == 0) return;
  void* mapped = mmap(nullptr, static_cast<size_t>(size_), PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (mapped == MAP_FAILED) throw std::runtime_error(path + ": cannot map: " + std::strerror(errno));
  bytes_ = static_cast<const uint8_t*>(mapped);
}

MappedFile::~MappedFile() {
  if (bytes_ != nullptr) munmap(const_cast<uint8_t*>(bytes_), static_cast<size_t>(size_));
}

void MappedFile::read(const TensorRange& range, const at::Tensor& target) const {
  const auto type = scalar_type(range.dtype);
  const auto bytes = static_cast<int64_t>(c10::elementSize(type)) * target.numel();
  if (range.begin < 0 || range.end > size_ || range.end - range.begin != bytes)
    throw std::runtime_error(path_ + ": " + range.name + ": range does not fit the file or the shape");
  // Ranges need not be aligned: memcpy into a tensor of the file's type, then convert.
  auto raw = type == at::kFloat ? target : at::empty(target.sizes(), target.options().dtype(type));
  std::memcpy(raw.mutable_data_ptr(), bytes_ + range.begin, static_cast<size_t>(bytes));
  if (type != at::kFloat) target.copy_(raw);
  // A sum is finite only if no addend is NaN or infinite; doubles cannot overflow here.
  if (!std::isfinite(target.sum(at::kDouble).item<double>()))
    throw std::runtime_error(path_ + ": " + range.name + ": holds a value that is not finite");
}

void write_tensors(const SaveFile& file, const std::function<at::Tensor(const std::string&)>& tensor_by_name) {
  const Descriptor out{open(file.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)};
  if (out.fd < 0) throw std::runtime_error(file.path + ": cannot create: " + std::strerror(errno));
  write_all(out.fd, file.header.data(), file.header.size(), file.path);
  for (const SaveTensor& wanted : file.tensors) {
    const auto tensor = tensor_by_name(wanted.name).detach().to(at::kCPU, scalar_type(wanted.dtype)).contiguous();
    write_all(out.fd, tensor.const_data_ptr(), tensor.nbytes(), file.path);
  }
  if (fsync(out.fd) != 0) throw std::runtime_error(file.path + ": cannot flush: " + std::strerror(errno));
}

}  // namespace mstar
