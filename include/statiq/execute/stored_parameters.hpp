// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/integer_parameters.hpp>
#include <statiq/tensor/refusal.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace statiq {

/// Why bytes are not the parameters that were asked for.
enum class parameters_defect : std::uint8_t {
    none,
    misaligned,    ///< they do not begin at a multiple of 64 bytes
    too_short,     ///< they end before the parameters do
    unknown,       ///< they do not begin as parameters do
    other_version, ///< of the layout: made by another version of the library
    other_network,
    other_numbers,
    other_scheme,
    damaged ///< the header contradicts itself
};

/// What `parameters_refusal` counts for a defect, as words.
[[nodiscard]] constexpr const char* to_string(parameters_defect defect) noexcept {
    switch (defect) {
    case parameters_defect::none:
        break;
    case parameters_defect::misaligned:
        return "parameters: bytes between their first and the multiple of 64 before it";
    case parameters_defect::too_short:
        return "parameters: bytes";
    case parameters_defect::unknown:
        return "parameters: signature";
    case parameters_defect::other_version:
        return "parameters: version of the layout";
    case parameters_defect::other_network:
        return "parameters: hash of the network they are for";
    case parameters_defect::other_numbers:
        return "parameters: hash of the numbers they are for";
    case parameters_defect::other_scheme:
        return "parameters: identifier of the requantization scheme they are for";
    case parameters_defect::damaged:
        return "parameters: bytes by their header";
    }
    return "parameters: no defect";
}

/// A defect and its numbers, to be read as "<to_string(defect)>: expected <expected>, found <found>".
struct parameters_refusal {
    parameters_defect defect = parameters_defect::none;
    std::uint64_t expected = 0;
    std::uint64_t found = 0;
};

namespace detail {

/// @param alignment of the parameters' type
inline parameters_refusal find_parameters_defect(std::span<const std::byte> bytes, const parameters_header& expected,
                                                 std::size_t alignment) noexcept {
    const std::uintptr_t beyond = reinterpret_cast<std::uintptr_t>(bytes.data()) % alignment;
    if (beyond != 0) return {parameters_defect::misaligned, 0, beyond};
    parameters_header found;
    if (bytes.size() < sizeof(found)) return {parameters_defect::too_short, expected.size, bytes.size()};
    std::memcpy(&found, bytes.data(), sizeof(found));
    const auto differing = [&](parameters_defect why, std::uint64_t e, std::uint64_t f) -> parameters_refusal {
        return {e == f ? parameters_defect::none : why, e, f};
    };
    for (const parameters_refusal& each :
         {differing(parameters_defect::unknown, expected.signature, found.signature),
          differing(parameters_defect::other_version, expected.version, found.version),
          differing(parameters_defect::other_network, expected.network, found.network),
          differing(parameters_defect::other_numbers, expected.numbers, found.numbers),
          differing(parameters_defect::other_scheme, expected.scheme, found.scheme),
          differing(parameters_defect::damaged, expected.factor_bytes, found.factor_bytes),
          differing(parameters_defect::damaged, expected.size, found.size)})
        if (each.defect != parameters_defect::none) return each;
    if (bytes.size() < expected.size) return {parameters_defect::too_short, expected.size, bytes.size()};
    return {};
}

} // namespace detail

/// Parameters where they lie, or the reason why the bytes there are none.
template <graph_type Q, requantization_scheme Scheme = default_scheme>
class stored_parameters {
  public:
    using value_type = integer_parameters<Q, Scheme>;

    explicit stored_parameters(std::span<const std::byte> bytes) noexcept
        : refusal_(detail::find_parameters_defect(bytes, value_type::expected_header(), alignof(value_type))) {
        static_assert(std::is_trivially_copyable_v<value_type> && std::is_standard_layout_v<value_type>);
        if (refusal_.defect == parameters_defect::none) found_ = reinterpret_cast<const value_type*>(bytes.data());
    }

    [[nodiscard]] explicit operator bool() const noexcept { return found_ != nullptr; }
    [[nodiscard]] const parameters_refusal& refusal() const noexcept { return refusal_; }
    /// Null where the bytes are refused.
    [[nodiscard]] const value_type* get() const noexcept { return found_; }
    /// Ends in `refused`, with the reason, where there are none.
    [[nodiscard]] const value_type& operator*() const noexcept {
        if (found_ == nullptr) [[unlikely]]
            refused({to_string(refusal_.defect),
                     static_cast<std::int64_t>(refusal_.expected),
                     static_cast<std::int64_t>(refusal_.expected),
                     static_cast<std::int64_t>(refusal_.found),
                     {}});
        return *found_;
    }
    [[nodiscard]] const value_type* operator->() const noexcept { return &**this; }

  private:
    const value_type* found_ = nullptr;
    parameters_refusal refusal_;
};

/// Reads parameters in place: from memory, a file's contents or an embedded blob, aligned to 64 bytes. What follows
/// them is ignored.
template <graph_type Q, requantization_scheme Scheme = default_scheme>
[[nodiscard]] stored_parameters<Q, Scheme> parameters_from_bytes(std::span<const std::byte> bytes) noexcept {
    return stored_parameters<Q, Scheme>(bytes);
}

} // namespace statiq
