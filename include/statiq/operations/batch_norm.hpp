// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/layer.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/graph/shape_context.hpp>

#include <array>
#include <cstddef>
#include <string_view>

namespace statiq {

namespace operations {

/// y = gamma (x - mean) / sqrt(variance + epsilon) + beta, channel by channel (P1 (9)). It is folded before a network
/// is computed in integers.
struct batch_norm {
    static constexpr std::string_view word = "batch_norm";
    static constexpr operation_traits traits{
        .normalizes = true, .takes_clamp = true, .keeps_input = true, .gradient_stays = true};
    static constexpr auto channels_of = [](const node& n) { return static_cast<std::size_t>(n.out.channels); };
    static constexpr std::array<parameter_tensor, 4> tensors{{
        {"gamma", &layer_parameters::gamma, channels_of, 1.0F},
        {"beta", &layer_parameters::beta, channels_of},
        {"mean", &layer_parameters::mean, channels_of, 0.0F, parameter_kind::state},
        {"var", &layer_parameters::variance, channels_of, 1.0F, parameter_kind::state_of_squares},
    }};

    static constexpr void shape(shape_context&) {}
    static constexpr interval sums(const node&, const number_format&) { return {}; }

    template <class Call>
    static void reals(const Call& c) noexcept {
        const auto channels = static_cast<std::size_t>(c.n.out.channels);
        const float* in = c.input(0);
        c.in_spans(static_cast<int>(c.n.out.pixels()), c.n.out.size(), [&](int first, int last) {
            for (auto pixel = static_cast<std::size_t>(first); pixel < static_cast<std::size_t>(last); ++pixel)
                for (std::size_t i = 0; i < channels; ++i)
                    c.output[pixel * channels + i] =
                        in[pixel * channels + i] * c.parameters.weights[i] + c.parameters.bias[i];
        });
    }
};

} // namespace operations

inline constexpr layer<vocabulary::plain<operations::batch_norm>> batch_norm{};

} // namespace statiq
