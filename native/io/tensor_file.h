#pragma once
// Tensors out of and into byte ranges of safetensors files. Headers are parsed and validated in TypeScript; here are
// only ranges.
#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace mstar {

/** A tensor's place in a file; dtype is F32, F16 or BF16, or U8 of codes. */
struct TensorRange {
  std::string name, dtype;
  std::vector<int64_t> shape;
  int64_t begin = 0, end = 0;
};

struct WeightFile {
  std::string path;
  std::vector<TensorRange> tensors;
};

struct SaveTensor {
  std::string name, dtype;
};

struct SaveFile {
  std::string path;
  std::vector<uint8_t> header;  // complete, with its 8-byte length
  std::vector<SaveTensor> tensors;
};

/** An open file, closed at the end. */
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

/** A file opened for reading; throws, naming the file, when it cannot. */
class TensorReader {
 public:
  explicit TensorReader(const std::string& path);
  /** Copies a range into `target` (any shape of equal count, type and device; numbers are rounded to its type); throws,
   * naming file and tensor, on a bad range or a non-finite value. */
  void read(const TensorRange& range, const at::Tensor& target) const { read(range, target, 0, target.numel()); }
  /** As above, of a range of `whole` numbers those from `from` on. */
  void read(const TensorRange& range, const at::Tensor& target, int64_t from, int64_t whole) const;

 private:
  void read_bytes(int64_t at, uint8_t* out, int64_t bytes, const std::string& name) const;

  std::string path_;
  Descriptor file_;
  int64_t size_ = 0;
};

/** The type that a file calls F32, F16, BF16 or U8; throws for other names. */
at::ScalarType scalar_type(const std::string& dtype);
/** What a file calls a type. */
std::string dtype_name(at::ScalarType type);

/** A new file, which begins with its header; throws, naming the file, when it cannot be made, written or flushed. */
class TensorWriter {
 public:
  explicit TensorWriter(const SaveFile& file);
  /** Appends a tensor, converted to `dtype`. */
  void write(const at::Tensor& tensor, const std::string& dtype);
  /** Has the disk keep what is written. */
  void flush();

 private:
  void write_all(const void* data, size_t size);

  std::string path_;
  Descriptor file_;
};

}  // namespace mstar
