// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/io/dtype.hpp>
#include <statiq/io/tensor_view.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace statiq::io {

/// An array read from a file that holds one (npy, idx): a tensor in C order, little endian.
class stored_array {
  public:
    /// @param bytes the elements, from `data` on, aligned there to the element's size
    stored_array(std::string name, io::dtype type, std::vector<std::int64_t> extents, std::vector<std::byte> bytes,
                 std::size_t data)
        : file(std::move(name)), dtype(type), shape(std::move(extents)), bytes_(std::move(bytes)), data_(data) {}

    /// The file's tensor, without a name. It refers into this object, which must outlive it and stay where it is.
    [[nodiscard]] tensor_view view() const& {
        return {.file = file, .name = {}, .dtype = dtype, .shape = shape, .bytes = std::span(bytes_).subspan(data_)};
    }
    void view() const&& = delete;

    /// The elements. @throws format_error when the file does not store T
    template <class T>
    [[nodiscard]] std::span<const T> values() const& {
        return view().values<T>();
    }
    template <class T>
    void values() const&& = delete;

    std::string file; ///< for messages
    io::dtype dtype;
    std::vector<std::int64_t> shape; ///< [] for a scalar

  private:
    std::vector<std::byte> bytes_;
    std::size_t data_;
};

} // namespace statiq::io
