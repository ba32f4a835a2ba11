// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/tensor/refusal.hpp>

#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

namespace statiq {

namespace detail {

template <class Range>
using span_of = decltype(std::span(std::declval<std::remove_reference_t<Range>&>()));

/// What a span of T may look at: values of T, side by side.
template <class Range, class T>
concept contiguous_values = requires {
    typename span_of<Range>;
}
&&std::is_convertible_v<typename span_of<Range>::element_type (*)[], T (*)[]>;

/// Refuses an array of another size than a call takes.
template <std::size_t Expected, std::size_t Found>
constexpr bool check_extent() {
    static_assert(Expected == Found,
                  "statiq: a call takes another number of values; the message says which, and what it got");
    return true;
}

} // namespace detail

/// Exactly Size values: how public calls take samples and outputs. Arrays and spans of a fixed extent are checked when
/// they are compiled; vectors and other spans when the program runs, which ends in `refused` where they are of another
/// size.
/// @tparam What the call and what it takes, for the message
template <class T, std::size_t Size, const auto& What>
class exact_span {
  public:
    template <detail::contiguous_values<T> Range>
    constexpr exact_span(Range&& from) noexcept { // NOLINT(google-explicit-constructor): every call takes ranges
        const detail::span_of<Range> whole(from);
        constexpr std::size_t extent = detail::span_of<Range>::extent;
        if constexpr (extent == std::dynamic_extent)
            detail::require_count(What, Size, whole.size());
        else
            static_assert(detail::check_extent<Size, extent>());
        data_ = whole.data();
    }

    [[nodiscard]] constexpr T* data() const noexcept { return data_; }
    [[nodiscard]] static constexpr std::size_t size() noexcept { return Size; }
    [[nodiscard]] constexpr T& operator[](std::size_t index) const noexcept { return data_[index]; }
    constexpr operator std::span<T, Size>() const noexcept { // NOLINT(google-explicit-constructor): it is one
        return std::span<T, Size>(data_, Size);
    }

  private:
    T* data_ = nullptr;
};

} // namespace statiq
