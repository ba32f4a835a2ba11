// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/io/idx.hpp>
#include <statiq/io/npy.hpp>
#include <statiq/io/safetensors.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// What readers promise of any bytes: they refuse them in one readable line, or give views that lie inside what they
/// read. Reading every byte of every view is what lets an address sanitizer see a view that does not.
namespace readers {

using bytes = std::vector<std::byte>;
inline const std::string source = "damaged"; ///< what messages call the input

/// @throws std::logic_error, which no reader throws, when a promise is broken
inline void require(bool kept, const char* promise) {
    if (!kept) throw std::logic_error(promise);
}

/// A refusal's text.
inline void require_message(std::string_view message) {
    require(std::ranges::none_of(message, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }),
            "a refusal is one line without control characters");
    require(message.size() < 2000, "a refusal is short");
    require(message.find("expected ") != std::string_view::npos && message.find("found ") != std::string_view::npos,
            "a refusal says what was expected and what was found");
}

/// The view's bytes are all readable and as many as its shape says. Gives how many they are.
inline std::size_t require_view(const statiq::io::tensor_view& tensor) {
    unsigned sum = 0;
    for (const std::byte b : tensor.bytes) sum += std::to_integer<unsigned>(b);
    require(sum <= 255 * tensor.bytes.size(), "bytes are bytes");
    std::size_t count = 1;
    for (const std::int64_t extent : tensor.shape) count *= static_cast<std::size_t>(extent);
    require(count * statiq::io::size_of(tensor.dtype) == tensor.bytes.size(), "as many bytes as the shape says");
    require(reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % statiq::io::size_of(tensor.dtype) == 0,
            "elements are aligned");
    return tensor.bytes.size();
}

// Each reads a whole file of its format and checks what it gives. @throws statiq::io::format_error

inline statiq::io::safetensors read_safetensors(const bytes& content) {
    statiq::io::safetensors read = statiq::io::parse_safetensors(content, source);
    std::size_t total = 0;
    for (const std::string_view name : read.names()) {
        require(read.contains(name), "a name that is listed is found");
        total += require_view(read.at(name));
    }
    require(total < content.size(), "tensors lie in the file");
    return read;
}
inline void read_npy(const bytes& content) {
    const statiq::io::stored_array read = statiq::io::parse_npy(content, source);
    require(require_view(read.view()) < content.size(), "the array lies in the file");
}
inline void read_idx(const bytes& content) {
    const statiq::io::stored_array read = statiq::io::parse_idx(content, source);
    require(require_view(read.view()) < content.size(), "the array lies in the file");
}

} // namespace readers
