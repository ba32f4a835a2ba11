// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace statiq::io::detail {

/// A text at a fixed place in files of one kind.
struct file_mark {
    std::size_t place;
    std::string_view bytes;
    std::string_view kind;
};
inline constexpr std::array file_marks{
    file_mark{0, {"PK\3\4", 4}, "a zip archive, as PyTorch's .pt and .pth, NumPy's .npz and Keras's .keras files are"},
    file_mark{0, "\x80\2", "a Python pickle, as PyTorch's old .pt and .pth files are"},
    file_mark{4, "TFL3", "a TensorFlow Lite model (.tflite)"},
    file_mark{0, "\x89HDF\r\n\x1A\n", "an HDF5 file, as Keras's .h5 files are"},
    file_mark{0, "\x93NUMPY", "a NumPy array (.npy)"},
    file_mark{0, "GGUF", "a GGUF file"},
    file_mark{0, "\x1F\x8B", "a file that gzip has compressed; gunzip it"},
    file_mark{0, "version https://git-lfs", "a Git LFS pointer in place of the file itself; git lfs pull"},
    file_mark{8, "{\"", "a safetensors file"},
};

/// An ONNX model is a protobuf without a mark: its first field is a small version, its second one of a few others, each
/// a text or a message.
[[nodiscard]] constexpr bool looks_like_onnx(std::string_view text) {
    constexpr std::string_view second_fields("\x12\x1A\x22\x32\x3A\x42", 6); // producer, its version, ... graph, opsets
    return text.size() > 3 && text[0] == 0x08 && text[1] > 0 && text[1] < 32 &&
           second_fields.find(text[2]) != std::string_view::npos;
}

/// What a file that is not of the expected format is, by its first bytes; empty when that cannot be told.
[[nodiscard]] inline std::string_view kind_of_file(std::span<const std::byte> bytes) {
    if (bytes.empty()) return "an empty file";
    constexpr std::size_t looked_at = 512;
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), (std::min)(bytes.size(), looked_at));
    for (const file_mark& mark : file_marks)
        if (text.size() > mark.place && text.substr(mark.place).starts_with(mark.bytes)) return mark.kind;
    if (looks_like_onnx(text)) return "an ONNX model";
    const auto is_text = [](char c) { return (c >= ' ' && c <= '~') || c == '\n' || c == '\r' || c == '\t'; };
    if (std::ranges::all_of(text, is_text)) return "a text file";
    return {};
}

} // namespace statiq::io::detail
