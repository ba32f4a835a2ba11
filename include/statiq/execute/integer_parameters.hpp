// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/kernels/convolution/blocked/exact_pair_sums.hpp>
#include <statiq/kernels/reference/add.hpp>
#include <statiq/kernels/reference/softmax.hpp>
#include <statiq/kernels/reference/table_softmax.hpp>
#include <statiq/kernels/weights/layouts.hpp>
#include <statiq/numeric/affine.hpp>
#include <statiq/numeric/interval.hpp>
#include <statiq/numeric/requantize.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>

namespace statiq {

namespace detail {

/// How a linear node's weights are stored: bytes in blocks, four or two to a byte likewise, bytes or 16-bit integers in
/// natural order, or floats.
enum class weight_storage : std::uint8_t { none, bytes, nibbles, quarters, words, floats };

constexpr bool is_byte(const number_format& format) { return !format.floating && format.bits <= 8; }

constexpr weight_storage storage_of_weights(const node& n, const number_format& input) {
    const number_format& weight = n.numbers.weight;
    if (!n.is_linear()) return weight_storage::none;
    if (weight.floating) return weight_storage::floats;
    // Unsigned bytes become signed ones beside byte activations only: see kernels/weights/layouts.hpp.
    if (!is_byte(weight) || !(is_byte(input) || weight.is_signed())) return weight_storage::words;
    if (weight.bits > 4 || !kernels::fits_expansion(n.convolution())) return weight_storage::bytes;
    return weight.bits == 2 ? weight_storage::quarters : weight_storage::nibbles;
}

/// What packing subtracts from weights and their zero points, so that they fit signed storage.
constexpr std::int32_t weight_offset(const node& n, const number_format& input) {
    const number_format& weight = n.numbers.weight;
    if (is_byte(weight) && is_byte(input) && !weight.is_signed()) return 1 << (weight.bits - 1);
    return weight.highest > (std::numeric_limits<std::int16_t>::max)() ? 32768 : 0;
}

/// visit(std::type_identity<Weight>{}) with the type that the weights of an integer layer are packed as.
template <weight_storage Storage, class Visit>
constexpr decltype(auto) with_weight_type(Visit&& visit) {
    if constexpr (Storage == weight_storage::nibbles)
        return visit(std::type_identity<kernels::sub_byte<4>>{});
    else if constexpr (Storage == weight_storage::quarters)
        return visit(std::type_identity<kernels::sub_byte<2>>{});
    else if constexpr (Storage == weight_storage::words)
        return visit(std::type_identity<std::int16_t>{});
    else
        return visit(std::type_identity<std::int8_t>{});
}
/// The same where the storage is known when the code runs only; of weights in words and floats nothing is visited.
template <class Visit>
constexpr void visit_byte_weights(weight_storage storage, Visit&& visit) {
    if (storage == weight_storage::bytes) with_weight_type<weight_storage::bytes>(visit);
    if (storage == weight_storage::nibbles) with_weight_type<weight_storage::nibbles>(visit);
    if (storage == weight_storage::quarters) with_weight_type<weight_storage::quarters>(visit);
}
constexpr bool has_weight_zero_points(const node& n, const number_format& input) {
    return n.numbers.weight.has_zero_point || weight_offset(n, input) != 0;
}

/// How many sums of two products 16 bits certainly hold, given the formats: what kernels for bytes want to know.
constexpr int pair_sums_of(const node& n, const number_format& input) {
    if (!is_byte(input) || !is_byte(n.numbers.weight)) return 0;
    const std::int32_t input_offset = input.is_signed() ? -128 : 0, offset = weight_offset(n, input);
    return kernels::exact_pair_sums(interval_of(input) - interval{input_offset, input_offset},
                                    interval_of(n.numbers.weight) - interval{offset, offset});
}

/// An operation in integers may keep a table among the floats.
constexpr bool uses_table(const node& n) { return n.facts->table_size != nullptr && !n.numbers.activation.floating; }

/// Where one node's parameters start in each of the arrays, or the arrays' sizes.
struct parameter_offsets {
    std::size_t bytes = 0;    ///< int8 weights
    std::size_t words = 0;    ///< int16 weights
    std::size_t floats = 0;   ///< float weights, then biases
    std::size_t integers = 0; ///< biases, corrected biases, then weight zero points if there are any
    std::size_t factors = 0;  ///< requantization factors
};

template <std::size_t Size>
struct parameter_layout {
    std::array<parameter_offsets, Size> at{};
    parameter_offsets total{};
};

template <std::size_t Size>
constexpr parameter_layout<Size> lay_out_parameters(const node_array<Size>& nodes) {
    parameter_layout<Size> layout;
    parameter_offsets& next = layout.total;
    constexpr std::size_t alignment = 64;
    for (std::size_t i = 0; i < Size; ++i) {
        const node& n = nodes[i];
        layout.at[i] = next;
        if (uses_table(n))
            next.floats += n.facts->table_size(n, nodes[static_cast<std::size_t>(n.input())].numbers.activation);
        if (n.has_own_parameters() && n.numbers.activation.floating) next.floats += parameter_count(n);
        if (!n.is_linear()) continue;
        const number_format& input = nodes[static_cast<std::size_t>(n.input())].numbers.activation;
        const convolution_shape shape = n.convolution();
        const auto channels = static_cast<std::size_t>(n.out.channels);
        const weight_storage storage = storage_of_weights(n, input);
        visit_byte_weights(storage, [&]<class Weight>(std::type_identity<Weight>) {
            const std::size_t count = is_byte(input) ? kernels::packed_weight_count<std::uint8_t, Weight>(shape)
                                                     : kernels::packed_weight_count<std::uint16_t, Weight>(shape);
            const std::size_t bytes = kernels::stored_weight_count<Weight>(count);
            next.bytes += (bytes + alignment - 1) / alignment * alignment;
        });
        switch (storage) {
        case weight_storage::words:
            next.words += kernels::packed_weight_count<std::uint16_t, std::int16_t>(shape);
            break;
        case weight_storage::floats:
            next.floats += kernels::packed_weight_count<float, float>(shape) + channels;
            continue;
        default:
            break;
        }
        next.integers += channels * (has_weight_zero_points(n, input) ? 3 : 2);
        next.factors += channels;
    }
    return layout;
}

/// The number of the layout of stored parameters: one more whenever packing or the meaning of a field changes.
inline constexpr std::uint32_t layout_version = 2;

/// A hash of integers (FNV-1a).
class fingerprint {
  public:
    constexpr void mix(std::int64_t value) {
        for (int byte = 0; byte < 8; ++byte) {
            hash_ ^= static_cast<std::uint64_t>(value >> (8 * byte)) & 0xff;
            hash_ *= 0x100000001b3;
        }
    }
    constexpr void mix(std::string_view text) {
        for (const char c : text) mix(std::int64_t{c});
        mix(static_cast<std::int64_t>(text.size()));
    }
    constexpr void mix_real(float value) { mix(std::int64_t{std::bit_cast<std::int32_t>(value)}); }
    constexpr void mix(const number_format& f) {
        for (const std::int64_t part :
             {std::int64_t{f.floating}, std::int64_t{f.bits}, std::int64_t{f.lowest}, std::int64_t{f.highest},
              std::int64_t{f.has_zero_point}, static_cast<std::int64_t>(f.per), std::int64_t{f.group}})
            mix(part);
    }
    [[nodiscard]] constexpr std::uint64_t value() const { return hash_; }

  private:
    std::uint64_t hash_ = 0xcbf29ce484222325;
};

/// Of what a network computes in reals: its layers, shapes and edges. Conversions of numbers are left out.
template <std::size_t Size>
constexpr std::uint64_t network_fingerprint(const node_array<Size>& nodes) {
    fingerprint of;
    std::array<int, Size> place{}; // of a node's value among the layers that count
    int next = 0;
    for (std::size_t i = 0; i < Size; ++i) {
        const node& n = nodes[i];
        if (n.traits().converts) {
            place[i] = place[static_cast<std::size_t>(n.input())];
            continue;
        }
        place[i] = next++;
        of.mix(n.facts->word);
        of.mix(static_cast<std::int64_t>(n.facts->table_size != nullptr));
        of.mix(static_cast<std::int64_t>(n.facts->fingerprint));
        of.mix_real(n.clamp.lowest);
        of.mix_real(n.clamp.highest);
        for (const std::int64_t part :
             {std::int64_t{n.in.height}, std::int64_t{n.in.width}, std::int64_t{n.in.channels},
              std::int64_t{n.out.height}, std::int64_t{n.out.width}, std::int64_t{n.out.channels},
              std::int64_t{n.over.kernel_height}, std::int64_t{n.over.kernel_width}, std::int64_t{n.over.stride_height},
              std::int64_t{n.over.stride_width}, std::int64_t{n.over.dilation_height},
              std::int64_t{n.over.dilation_width}, std::int64_t{n.over.pad_top}, std::int64_t{n.over.pad_left},
              std::int64_t{n.groups}, std::int64_t{n.has_bias}})
            of.mix(part);
        for (const int axis : n.axes) of.mix(axis);
        for (std::size_t k = 0; k < static_cast<std::size_t>(n.input_count); ++k)
            of.mix(place[static_cast<std::size_t>(n.inputs[k])]);
    }
    return of.value();
}

/// Of the numbers it computes in: every format, where they are converted, how weights are stored.
template <std::size_t Size>
constexpr std::uint64_t numbers_fingerprint(const node_array<Size>& nodes) {
    fingerprint of;
    for (const node& n : nodes) {
        of.mix(n.facts->word);
        if (n.traits().converts) of.mix(n.input());
        of.mix(n.numbers.activation);
        if (!n.is_linear()) continue;
        const number_format& input = nodes[static_cast<std::size_t>(n.input())].numbers.activation;
        of.mix(n.numbers.weight);
        of.mix(static_cast<std::int64_t>(storage_of_weights(n, input)));
        of.mix(weight_offset(n, input));
    }
    return of.value();
}

} // namespace detail

/// What an integer node needs besides weights.
template <requantization_scheme Scheme>
struct node_constants {
    affine output{};         ///< of its output
    std::int32_t lowest = 0; ///< of its output integers, a fused activation included
    std::int32_t highest = 0;
    kernels::reference::add_factors<Scheme> join{}; ///< of a sum; of a concatenation, the inputs' factors
    typename Scheme::factor factor{};               ///< of a mean or a requantization
    kernels::reference::softmax_parameters softmax{};
};

/// What stored parameters begin with: what they are, and what they were made for. Little endian, as all that follows.
struct parameters_header {
    std::uint32_t signature = 0x51545351; ///< "QSTQ"
    std::uint32_t version = detail::layout_version;
    std::uint64_t network = 0;      ///< a hash of layers, shapes and edges
    std::uint64_t numbers = 0;      ///< a hash of every layer's formats
    std::uint32_t scheme = 0;       ///< the requantization scheme's identifier
    std::uint32_t factor_bytes = 0; ///< of one of its factors
    std::uint64_t size = 0;         ///< bytes of all, the header included
    friend constexpr bool operator==(const parameters_header&, const parameters_header&) = default;
};

/// Everything an integer network reads: one trivially copyable object, so that its bytes are the file format. Made by
/// `prepare`, kept wherever the user likes (memory, a file, an embedded blob), read in place.
/// @tparam Q a graph whose numbers are chosen. @tparam Scheme how accumulators become outputs.
template <graph_type Q, requantization_scheme Scheme>
struct alignas(64) integer_parameters {
    static constexpr auto layout = detail::lay_out_parameters(Q::nodes);
    static constexpr parameters_header expected_header();

    /// The next node after this one with more byte weights than a depthwise layer has; the node itself if there is
    /// none.
    static constexpr std::size_t next_large(std::size_t index) {
        for (std::size_t i = index + 1; i < node_count<Q>; ++i)
            if (Q::nodes[i].is_linear() && !Q::nodes[i].is_depthwise() && detail::is_byte(Q::nodes[i].numbers.weight))
                return i;
        return index;
    }

    parameters_header header = expected_header();
    std::array<node_constants<Scheme>, node_count<Q>> constants{};
    std::array<typename Scheme::factor, layout.total.factors> factors{};
    std::array<std::int32_t, layout.total.integers> integers{};
    std::array<float, layout.total.floats> floats{};
    std::array<std::int16_t, layout.total.words> words{};
    alignas(64) std::array<std::int8_t, layout.total.bytes> bytes{};
};

/// What parameters of this type begin with.
template <graph_type Q, requantization_scheme Scheme>
constexpr parameters_header integer_parameters<Q, Scheme>::expected_header() {
    return {.network = detail::network_fingerprint(Q::nodes),
            .numbers = detail::numbers_fingerprint(Q::nodes),
            .scheme = Scheme::identifier,
            .factor_bytes = sizeof(typename Scheme::factor),
            .size = sizeof(integer_parameters)};
}

/// Bytes of everything a network reads besides activations, with all padding.
template <graph_type Q, requantization_scheme Scheme = default_scheme>
inline constexpr std::size_t weight_bytes = sizeof(integer_parameters<Q, Scheme>);

} // namespace statiq
