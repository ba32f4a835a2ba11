// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/exceptions.hpp>
#include <statiq/io/dtype.hpp>
#include <statiq/io/error.hpp>
#include <statiq/io/file.hpp>
#include <statiq/io/safetensors.hpp>
#include <statiq/io/tensor_view.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace statiq::io {

/// Collects the tensors of a safetensors file to be written. Copies what it is given. What it is given is checked when
/// it is written, where the file has a name for the message.
class safetensors_builder {
  public:
    struct tensor {
        std::string name;
        io::dtype dtype;
        std::vector<std::int64_t> shape;
        std::vector<std::byte> bytes;
    };

    /// Adds a tensor: row-major elements as bytes, little endian.
    safetensors_builder& add(std::string name, dtype type, std::vector<std::int64_t> shape,
                             std::span<const std::byte> bytes) {
        tensors_.push_back({std::move(name), type, std::move(shape), {bytes.begin(), bytes.end()}});
        return *this;
    }
    /// Adds a tensor of the type that stores T.
    template <class T>
    safetensors_builder& add(std::string name, std::vector<std::int64_t> shape, std::span<const T> values) {
        return add(std::move(name), dtype_of<T>, std::move(shape), std::as_bytes(values));
    }
    template <class T>
    safetensors_builder& add(std::string name, std::vector<std::int64_t> shape, const std::vector<T>& values) {
        return add(std::move(name), std::move(shape), std::span<const T>(values));
    }

    [[nodiscard]] std::span<const tensor> tensors() const noexcept { return tensors_; }

  private:
    std::vector<tensor> tensors_;
};

namespace detail {

/// The text as a JSON string.
[[nodiscard]] inline std::string json_text(const std::string& text, std::string_view file) {
    try {
        return nlohmann::json(text).dump();
    } catch (const nlohmann::json::exception&) {
        throw format_error(file, "", "names and metadata in UTF-8", printable(text));
    }
}

/// The header as it is stored, its length before it, padded with spaces so that the data begins at a multiple of 8.
[[nodiscard]] inline std::vector<std::byte>
safetensors_header_bytes(std::span<const std::reference_wrapper<const safetensors_builder::tensor>> tensors,
                         const safetensors_metadata& metadata, std::string_view file) {
    std::string text = "{";
    std::string_view separator;
    if (!metadata.empty()) {
        text += "\"__metadata__\":{";
        for (const auto& [key, value] : metadata) {
            text += std::exchange(separator, ",");
            text += json_text(key, file) + ':' + json_text(value, file);
        }
        text += '}';
    }
    std::size_t end = 0;
    for (const safetensors_builder::tensor& tensor : tensors) {
        const std::size_t begin = std::exchange(end, end + tensor.bytes.size());
        text += text.size() > 1 ? "," : "";
        text += json_text(tensor.name, file) + ":{\"dtype\":\"";
        text += name(tensor.dtype);
        text += "\",\"shape\":[";
        separator = "";
        for (const std::int64_t extent : tensor.shape) {
            text += std::exchange(separator, ",");
            text += std::to_string(extent);
        }
        text += "],\"data_offsets\":[" + std::to_string(begin) + ',' + std::to_string(end) + "]}";
    }
    text += '}';
    text.append((8 - text.size() % 8) % 8, ' ');
    if (text.size() > longest_safetensors_header)
        throw format_error(file, "", "a header of at most 100000000 bytes", std::to_string(text.size()));

    const std::uint64_t length = text.size();
    std::vector<std::byte> bytes(sizeof length + text.size());
    std::memcpy(bytes.data(), &length, sizeof length);
    std::memcpy(bytes.data() + sizeof length, text.data(), text.size());
    return bytes;
}

/// The builder's tensors in the order they are stored in: wider elements first and otherwise as added, which puts each
/// at a multiple of its element size although the format allows no gaps. Checks that each can be stored.
[[nodiscard]] inline std::vector<std::reference_wrapper<const safetensors_builder::tensor>>
storage_order(const safetensors_builder& builder, std::string_view file) {
    std::vector<std::reference_wrapper<const safetensors_builder::tensor>> order;
    std::vector<std::string_view> names;
    for (const safetensors_builder::tensor& tensor : builder.tensors()) {
        const std::optional<std::int64_t> count = element_count(tensor.shape);
        if (!count || static_cast<std::uint64_t>(*count) != tensor.bytes.size() / size_of(tensor.dtype) ||
            tensor.bytes.size() % size_of(tensor.dtype) != 0)
            throw format_error(file, tensor.name,
                               "the elements of " + std::string(name(tensor.dtype)) + shape_text(tensor.shape),
                               std::to_string(tensor.bytes.size()) + " bytes");
        if (tensor.name == "__metadata__")
            throw format_error(file, tensor.name, "another name, this one is the format's own", "it");
        order.emplace_back(tensor);
        names.emplace_back(tensor.name);
    }
    std::ranges::sort(names);
    const auto repeated = std::ranges::adjacent_find(names);
    if (repeated != names.end()) throw format_error(file, *repeated, "each name once", "two tensors of this name");
    std::ranges::stable_sort(order, std::ranges::greater{},
                             [](const safetensors_builder::tensor& tensor) { return size_of(tensor.dtype); });
    return order;
}

} // namespace detail

/// Writes a safetensors file whole or not at all (see write_file). The same tensors and metadata make the same bytes.
/// @throws format_error when a tensor cannot be stored (its bytes do not fit its shape, its name is used twice or is
///         not UTF-8) or the file cannot be written
inline void write_safetensors(const std::filesystem::path& path, const safetensors_builder& tensors,
                              const safetensors_metadata& metadata = {}) {
    const std::string file = path.string();
    const auto order = detail::storage_order(tensors, file);
    const std::vector<std::byte> header = detail::safetensors_header_bytes(order, metadata, file);
    std::vector<std::span<const std::byte>> parts{header};
    for (const safetensors_builder::tensor& tensor : order) parts.emplace_back(tensor.bytes);
    write_file(path, parts);
}

} // namespace statiq::io
