// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/exceptions.hpp>
#include <statiq/io/error.hpp>
#include <statiq/io/tensor_view.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace statiq::io {

/// What a safetensors file says about one tensor.
struct safetensors_entry {
    std::string name;
    std::string dtype_name{};         ///< as the file spells it: the format gains types, F8_E4M3 and others
    std::optional<io::dtype> dtype{}; ///< empty for a type that is not read here
    std::vector<std::int64_t> shape{};
    std::size_t begin = 0; ///< of its bytes, counted from the start of the data
    std::size_t end = 0;

    /// What the place of its bytes in memory must be a multiple of.
    [[nodiscard]] std::size_t alignment() const noexcept { return dtype ? size_of(*dtype) : 1; }
};

/// The text pairs of a file's "__metadata__".
using safetensors_metadata = std::map<std::string, std::string, std::less<>>;

/// A safetensors file in memory: its bytes and where each named tensor lies in them. Made by read_safetensors and
/// parse_safetensors (statiq/io/safetensors.hpp); this header is all that code which is handed one needs.
/// Views refer into the object, so it must outlive them and stay where it is; asking a temporary for one is refused.
class safetensors {
  public:
    /// @param file the file's name, for messages
    /// @param bytes holds the data from `data` on, each tensor at a multiple of its element size
    /// @param entries in the order of their data, each inside it and as long as its shape says, names unique
    safetensors(std::string file, std::vector<std::byte> bytes, std::size_t data,
                std::vector<safetensors_entry> entries, safetensors_metadata metadata)
        : file_(std::move(file)), bytes_(std::move(bytes)), data_(data), entries_(std::move(entries)),
          by_name_(entries_.size()), metadata_(std::move(metadata)) {
        std::iota(by_name_.begin(), by_name_.end(), std::size_t{0});
        std::ranges::sort(by_name_, {}, [this](std::size_t i) -> std::string_view { return entries_[i].name; });
    }

    [[nodiscard]] const std::string& file() const noexcept { return file_; }
    [[nodiscard]] const safetensors_metadata& metadata() const noexcept { return metadata_; }
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    [[nodiscard]] bool contains(std::string_view name) const noexcept { return find(name) != nullptr; }

    /// The tensors' names in the order of their data in the file.
    [[nodiscard]] std::vector<std::string_view> names() const& {
        std::vector<std::string_view> result;
        for (const safetensors_entry& entry : entries_) result.emplace_back(entry.name);
        return result;
    }
    void names() const&& = delete;

    /// The tensor of that name.
    /// @throws format_error when there is none or its type is not read here
    [[nodiscard]] tensor_view at(std::string_view name) const& {
        const safetensors_entry* entry = find(name);
        if (entry == nullptr) throw format_error(file_, name, "a tensor of this name", what_there_is());
        if (!entry->dtype)
            throw format_error(file_, name, "a dtype of " + detail::dtype_list(),
                               "the dtype " + detail::printable(entry->dtype_name));
        return {.file = file_,
                .name = entry->name,
                .dtype = *entry->dtype,
                .shape = entry->shape,
                .bytes = std::span(bytes_).subspan(data_ + entry->begin, entry->end - entry->begin)};
    }
    void at(std::string_view) const&& = delete; // name the file first: the view would refer into a temporary

    /// The tensor of that name, which must have that type and shape.
    /// @throws format_error when there is none or it is another
    [[nodiscard]] tensor_view require(std::string_view name, dtype type, std::span<const std::int64_t> shape) const& {
        return at(name).require(type, shape);
    }
    [[nodiscard]] tensor_view require(std::string_view name, dtype type,
                                      std::initializer_list<std::int64_t> shape) const& {
        return at(name).require(type, shape);
    }
    void require(std::string_view, dtype, std::span<const std::int64_t>) const&& = delete;
    void require(std::string_view, dtype, std::initializer_list<std::int64_t>) const&& = delete;

  private:
    [[nodiscard]] const safetensors_entry* find(std::string_view name) const noexcept {
        const auto name_of = [this](std::size_t i) -> std::string_view { return entries_[i].name; };
        const auto place = std::ranges::lower_bound(by_name_, name, {}, name_of);
        return place != by_name_.end() && name_of(*place) == name ? &entries_[*place] : nullptr;
    }

    [[nodiscard]] std::string what_there_is() const {
        constexpr std::size_t most = 8;
        std::string text = std::to_string(entries_.size()) + " tensors";
        for (std::size_t i = 0; i < (std::min)(most, by_name_.size()); ++i)
            text += (i == 0 ? ": " : ", ") + detail::printable(entries_[by_name_[i]].name);
        return text + (by_name_.size() > most ? ", ..." : "");
    }

    std::string file_;
    std::vector<std::byte> bytes_;
    std::size_t data_;
    std::vector<safetensors_entry> entries_;
    std::vector<std::size_t> by_name_; // entries_, sorted by name
    safetensors_metadata metadata_;
};

} // namespace statiq::io
