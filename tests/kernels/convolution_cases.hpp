// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution/arguments.hpp>
#include <statiq/kernels/convolution/scratch_bytes.hpp>
#include <statiq/kernels/weights/layouts.hpp>
#include <statiq/numeric/requantize.hpp>
#include <statiq/tensor/window.hpp>

#include "../support/guarded.hpp"
#include "../support/guarded_scratch.hpp"
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

/// Random convolutions, their operands in guarded buffers of exactly the size a kernel may touch.
namespace convolution_cases {

using statiq::convolution_shape;
using support::guarded_vector;

using generator = std::mt19937;

inline int draw(generator& random, int lowest, int highest) {
    return std::uniform_int_distribution<int>(lowest, highest)(random);
}

enum class kind {
    any,
    pointwise,
    depthwise,
    dense,
    image ///< of one to three channels, often too large to be copied whole
};

/// A shape with every parameter drawn: tails in pixels and channels, padding wider than the image, empty rows of taps.
inline convolution_shape random_shape(generator& random, kind k, int most_channels = 70) {
    convolution_shape s;
    const auto channels = [&] {
        return draw(random, 0, 3) == 0 ? draw(random, 1, most_channels) : draw(random, 1, 20);
    };
    if (k == kind::dense) {
        s.in = {1, 1, draw(random, 1, 4 * most_channels)};
        s.out = {1, 1, channels()};
        return s;
    }
    s.in = {draw(random, 1, 9), draw(random, 1, 19), channels()};
    if (k == kind::pointwise) {
        s.out = {s.in.height, s.in.width, channels()};
        return s;
    }
    s.over = {.kernel_height = draw(random, 1, 5),
              .kernel_width = draw(random, 1, 5),
              .stride_height = draw(random, 1, 3),
              .stride_width = draw(random, 1, 3),
              .dilation_height = draw(random, 1, 2),
              .dilation_width = draw(random, 1, 3),
              .pad_top = draw(random, 0, 3),
              .pad_left = draw(random, 0, 3)};
    if (k == kind::image) {
        const auto mostly = [&](int usual, int lowest, int highest) {
            return draw(random, 0, 1) == 0 ? usual : draw(random, lowest, highest);
        };
        s.in = {draw(random, 8, 48), draw(random, 38, 70), mostly(3, 1, 3)};
        s.over.kernel_width = mostly(3, 1, 5);
        s.over.dilation_width = mostly(1, 1, 3);
    }
    const auto extent = [&](int in, int kernel, int stride, int dilation, int before) {
        const int after = draw(random, 0, 3);
        const int room = in + before + after - (kernel - 1) * dilation - 1;
        return room < 0 ? 1 : room / stride + 1; // a window larger than the padded image reads padding beyond it
    };
    s.out.height =
        extent(s.in.height, s.over.kernel_height, s.over.stride_height, s.over.dilation_height, s.over.pad_top);
    s.out.width = extent(s.in.width, s.over.kernel_width, s.over.stride_width, s.over.dilation_width, s.over.pad_left);
    if (k == kind::depthwise) {
        s.in.channels = s.groups = draw(random, 2, 2 * most_channels);
        s.out.channels = s.groups * (draw(random, 0, 4) == 0 ? draw(random, 2, 3) : 1);
    } else if (k == kind::image) {
        s.out.channels = channels();
    } else {
        s.groups = draw(random, 0, 2) == 0 ? draw(random, 2, 4) : 1;
        s.in.channels = s.groups * (s.groups > 1 ? draw(random, 2, 13) : channels());
        s.out.channels = s.groups * (s.groups > 1 ? draw(random, 1, 21) : channels());
    }
    return s;
}

inline std::string describe(const convolution_shape& s) {
    const auto text = [](auto... n) { return ((std::to_string(n) + ' ') + ...); };
    return "in " + text(s.in.height, s.in.width, s.in.channels) + "out " +
           text(s.out.height, s.out.width, s.out.channels) + "kernel " +
           text(s.over.kernel_height, s.over.kernel_width) + "stride " +
           text(s.over.stride_height, s.over.stride_width) + "dilation " +
           text(s.over.dilation_height, s.over.dilation_width) + "pad " + text(s.over.pad_top, s.over.pad_left) +
           "groups " + std::to_string(s.groups);
}

template <class T>
guarded_vector<T> random_integers(generator& random, std::size_t count, int lowest = std::numeric_limits<T>::lowest(),
                                  int highest = std::numeric_limits<T>::max()) {
    guarded_vector<T> values(count);
    // Now and then only the ends of the range, where sums and products are largest, or only one of them.
    const int choice = draw(random, 0, 11);
    const auto end = [&](bool is_highest) { return is_highest ? highest : lowest; };
    for (T& v : values)
        v = static_cast<T>(choice == 0   ? end(draw(random, 0, 1) == 1)
                           : choice <= 2 ? end(choice == 1)
                                         : draw(random, lowest, highest));
    return values;
}

/// Bytes of which most are far from the highest, as activations are, and one in `rarity` is anything.
template <class T>
guarded_vector<T> mostly_small(generator& random, std::size_t count, int rarity) {
    constexpr int lowest = std::numeric_limits<T>::lowest(), highest = std::numeric_limits<T>::max();
    guarded_vector<T> values(count);
    for (T& v : values)
        v = static_cast<T>(draw(random, 0, rarity - 1) == 0 ? draw(random, lowest, highest)
                                                            : draw(random, lowest, lowest + (highest - lowest) / 2));
    return values;
}

/// An integer convolution's operands. Natural weights are of type Natural.
/// @tparam Packed what they are packed as, if not as `pack_weights` does it.
template <class Scheme, class In, class Natural, class Out, class Packed = void>
struct integer_case {
    using whole_weight = statiq::kernels::packed_weight<In, Natural>;
    using weight = std::conditional_t<std::is_void_v<Packed>, whole_weight, Packed>;
    using arguments = statiq::kernels::convolution_arguments<In, weight, Out, Scheme>;

    convolution_shape shape;
    guarded_vector<In> input;
    guarded_vector<Natural> natural;
    guarded_vector<statiq::kernels::stored_weight<weight>> packed;
    guarded_vector<std::int32_t> bias;
    guarded_vector<std::int32_t> corrected;
    guarded_vector<std::int32_t> natural_zero_points;
    guarded_vector<std::int32_t> zero_points;
    guarded_vector<typename Scheme::factor> factors;
    std::int32_t input_zero_point = 0;
    std::int32_t output_zero_point = 0;
    std::int32_t lowest = 0;
    std::int32_t highest = 0;
    support::guarded_scratch scratch;

    /// @param parts for how many parts of the convolution there is scratch memory.
    integer_case(generator& random, const convolution_shape& s, bool has_zero_points,
                 int magnitude = std::numeric_limits<Natural>::max(), std::size_t parts = 1)
        : shape(s), scratch(statiq::kernels::scratch_bytes<weight>(s, 0, statiq::lane_bytes_of<Scheme>), parts) {
        const auto outputs = static_cast<std::size_t>(s.out.channels);
        const int least = std::is_signed_v<Natural> ? -magnitude - 1 : 0;
        input = draw(random, 0, 1) ? random_integers<In>(random, s.in.size())
                                   : mostly_small<In>(random, s.in.size(), draw(random, 1, 100));
        natural = random_integers<Natural>(random, s.weight_count(), least, magnitude);
        bias = random_integers<std::int32_t>(random, outputs, -20000, 20000);
        input_zero_point = random_integers<In>(random, 1)[0];
        output_zero_point = random_integers<Out>(random, 1)[0];
        const auto [a, b] = std::pair(random_integers<Out>(random, 1)[0], random_integers<Out>(random, 1)[0]);
        lowest = draw(random, 0, 1) ? std::numeric_limits<Out>::lowest() : (a < b ? a : b);
        highest = draw(random, 0, 1) ? std::numeric_limits<Out>::max() : (a < b ? b : a);
        constexpr int offset = statiq::kernels::packed_offset<In, Natural>;
        if (has_zero_points)
            natural_zero_points = random_integers<std::int32_t>(random, outputs, least, magnitude);
        else
            natural_zero_points.assign(outputs, 0);
        if (has_zero_points || offset != 0) zero_points.reserve(outputs);
        if (has_zero_points || offset != 0)
            for (const std::int32_t z : natural_zero_points) zero_points.push_back(z - offset);
        // Factors that put typical sums inside the output range, and a few that saturate or vanish.
        std::uniform_real_distribution<double> exponent(-3, 1);
        factors.reserve(outputs);
        for (std::size_t o = 0; o < outputs; ++o) {
            const double typical = 60.0 / (30.0 * magnitude * (1.0 + s.reduction() / 4.0));
            const int odd = draw(random, 0, 20);
            factors.push_back(Scheme::prepare(odd == 0   ? 3.7
                                              : odd == 1 ? 0.0
                                              : odd == 2 ? 0.5
                                                         : typical * std::exp2(exponent(random))));
        }
        pack();
        correct();
    }

    void correct() {
        corrected.resize(bias.size());
        statiq::kernels::correct_bias<In, weight>(bias.data(), packed.data(),
                                                  zero_points.empty() ? nullptr : zero_points.data(), input_zero_point,
                                                  shape, corrected.data());
    }
    /// Gives all packed weights this zero point.
    void use_zero_point(std::int32_t zero_point) {
        zero_points.assign(bias.size(), zero_point);
        correct();
    }

    [[nodiscard]] arguments args(guarded_vector<Out>& output) const {
        return {.input = input.data(),
                .weights = packed.data(),
                .bias = bias.data(),
                .corrected_bias = corrected.data(),
                .weight_zero_points = zero_points.empty() ? nullptr : zero_points.data(),
                .factors = factors.data(),
                .input_zero_point = input_zero_point,
                .output_zero_point = output_zero_point,
                .lowest = lowest,
                .highest = highest,
                .output = output.data(),
                .scratch = scratch.memory()};
    }
    /// Weights that share bytes are packed one by one, from where whole bytes would lie.
    void pack() {
        namespace kernels = statiq::kernels;
        const std::size_t count = kernels::packed_weight_count<In, weight>(shape);
        packed.resize(kernels::stored_weight_count<weight>(count));
        if constexpr (std::is_same_v<weight, whole_weight>) {
            kernels::pack_weights<In>(natural.data(), packed.data(), shape);
        } else {
            kernels::clear_weights<weight>(packed.data(), count);
            kernels::with_packed_layout<In, weight>(shape, [&](const auto& to) {
                for (int o = 0; o < shape.out.channels; ++o)
                    for (int tap = 0; tap < shape.over.taps(); ++tap)
                        for (int c = 0; c < shape.in_channels_per_group(); ++c)
                            kernels::set_weight<weight>(packed.data(), to.index(o, tap, c),
                                                        natural[shape.weight_index(o, tap, c)]);
            });
        }
    }
    [[nodiscard]] guarded_vector<Out> empty_output() const { return guarded_vector<Out>(shape.out.size(), Out{77}); }
};

} // namespace convolution_cases
