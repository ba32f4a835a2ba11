// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/operations/library.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

/// What a graph computes, by its definition, in double: loops over indices that share nothing with the kernels. Beside
/// every value stands how far the value of a float execution may be from it, by running error analysis: each rounding
/// to float is off by at most `unit_roundoff` of its result, and errors of inputs are carried along.
namespace support {

/// 2^-24, and room for the oracle's own roundings, which are 2^-53 where the float ones are 2^-24.
inline constexpr double unit_roundoff = 0x1p-24 * (1 + 0x1p-20);

struct reals {
    std::vector<double> value;
    std::vector<double> error;

    explicit reals(std::size_t size = 0) : value(size), error(size) {}
    /// Values that are given exactly.
    explicit reals(std::span<const float> exact) : value(exact.begin(), exact.end()), error(exact.size()) {}

    [[nodiscard]] double largest(std::size_t i) const { return std::abs(value[i]) + error[i]; }
};

/// Parameters that are themselves known to this relative and absolute error only.
struct parameter_error {
    double relative = 0;
    double absolute = 0;
};

namespace detail {

inline std::size_t at(const statiq::extents& e, int y, int x, int c) {
    return static_cast<std::size_t>((y * e.width + x) * e.channels + c);
}

/// visit(ky, kx, row, column) for the taps inside the image.
template <class Visit>
void for_taps(const statiq::node& n, int y, int x, Visit visit) {
    for (int ky = 0; ky < n.over.kernel_height; ++ky)
        for (int kx = 0; kx < n.over.kernel_width; ++kx) {
            const int row = y * n.over.stride_height + ky * n.over.dilation_height - n.over.pad_top;
            const int column = x * n.over.stride_width + kx * n.over.dilation_width - n.over.pad_left;
            if (row >= 0 && row < n.in.height && column >= 0 && column < n.in.width) visit(ky, kx, row, column);
        }
}

/// visit(y, x, c, index) for every output value.
template <class Visit>
void for_outputs(const statiq::node& n, Visit visit) {
    for (int y = 0; y < n.out.height; ++y)
        for (int x = 0; x < n.out.width; ++x)
            for (int c = 0; c < n.out.channels; ++c) visit(y, x, c, at(n.out, y, x, c));
}

/// Where a convolution's weight stands: [out][row][column][in / groups], depthwise [row][column][out].
inline std::size_t weight_at(const statiq::node& n, int o, int ky, int kx, int c) {
    if (n.is_depthwise()) return static_cast<std::size_t>((ky * n.over.kernel_width + kx) * n.out.channels + o);
    const int per_group = n.in.channels / n.groups;
    return static_cast<std::size_t>(((o * n.over.kernel_height + ky) * n.over.kernel_width + kx) * per_group + c);
}

/// A sum of `terms` products, each rounded once or not at all, in any order (Higham's gamma).
inline double sum_roundoff(double terms) { return terms * unit_roundoff / (1 - terms * unit_roundoff); }

/// A sum of products as it is collected.
struct running_sum {
    double value = 0;
    double magnitude = 0; ///< of the absolute terms, as they are executed
    double carried = 0;   ///< errors of the inputs, through the weights
    double terms = 0;

    void add(double weight, const reals& x, std::size_t i) {
        value += weight * x.value[i];
        magnitude += std::abs(weight) * x.largest(i);
        carried += std::abs(weight) * x.error[i];
        ++terms;
    }
    void add(double constant) {
        value += constant;
        magnitude += std::abs(constant);
        ++terms;
    }
    void store(reals& to, std::size_t i, const parameter_error& parameters) const {
        to.value[i] = value;
        to.error[i] = carried + (sum_roundoff(terms + 1) + parameters.relative) * magnitude + parameters.absolute +
                      terms * std::numeric_limits<float>::denorm_min();
    }
};

/// An activation moves values no further apart than they were.
inline void clamp(reals& of, const statiq::real_clamp& to) {
    for (double& value : of.value)
        value = std::min(std::max(value, static_cast<double>(to.lowest)), static_cast<double>(to.highest));
}

inline reals softmax(const statiq::node& n, const reals& x) {
    // Relative errors: of e^d, with d = x - max rounded once, both ends of it off by at most e, and an exponential
    // within two units in the last place: e^(2 e + |d| u) (1 + 4 u) - 1. Of the quotient: twice the worst of those.
    reals y(x.value.size());
    const auto channels = static_cast<std::size_t>(n.out.channels);
    for (std::size_t first = 0; first < x.value.size(); first += channels) {
        double highest = -HUGE_VAL;
        double error = 0;
        for (std::size_t c = first; c < first + channels; ++c) {
            highest = std::max(highest, x.value[c]);
            error = std::max(error, x.error[c]);
        }
        double sum = 0;
        double farthest = 0;
        for (std::size_t c = first; c < first + channels; ++c) {
            sum += std::exp(x.value[c] - highest);
            // Exponents below -104 underflow to zero, as their reals nearly do.
            farthest = std::max(farthest, std::min(highest - x.value[c], 104.0) + 2 * error);
        }
        const double relative = std::exp(2 * error + farthest * unit_roundoff) * (1 + 4 * unit_roundoff) - 1;
        for (std::size_t c = first; c < first + channels; ++c) {
            y.value[c] = std::exp(x.value[c] - highest) / sum;
            y.error[c] = relative < 0.25 ? y.value[c] * (3 * relative + 2 * unit_roundoff) + 0x1p-140 : 1.0;
        }
    }
    return y;
}

/// A function's value, the most its slope is, and how far its float value may be off, in roundings of `magnitude`.
struct real_function {
    double value = 0;
    double slope = 1;
    double roundings = 0;
    double magnitude = 0;
    double underflow = 0; ///< and by how much besides
};
inline real_function function_of(std::string_view word, double x) {
    const double share = std::clamp(x / 6 + 0.5, 0.0, 1.0);
    const double parts = std::abs(x) / 6 + 0.5; // what a share is the sum of
    if (word == "hard_sigmoid") return {share, 1.0 / 6, 2, parts};
    if (word == "hard_swish") return {x * share, 1.5, 3, std::abs(x) * parts}; // x / 3 + 1 / 2 up to x = 3
    if (word == "leaky_relu") return {x < 0 ? 0.125 * x : x, 1, 1, std::abs(x)};
    const double y = 1 / (1 + std::exp(-x)); // its exponential within two units in the last place
    return {y, 0.25, 6, y, 0x1p-128};        // where the exponential overflows float, 1 over it is 0
}

} // namespace detail

/// Node `n` of `nodes` on the given input tensors.
inline reals real_node(std::span<const statiq::node> nodes, const statiq::node& n, const statiq::layer_parameters& from,
                       std::span<const reals* const> inputs, const parameter_error& parameters = {}) {
    namespace operations = statiq::operations;
    reals y(n.out.size());
    const reals& x = *inputs[0];
    const auto carry = [&](std::size_t to, const reals& source, std::size_t i) {
        y.value[to] = source.value[i];
        y.error[to] = source.error[i];
    };
    if (n.is<operations::convolution>()) {
        detail::for_outputs(n, [&](int row, int column, int o, std::size_t to) {
            detail::running_sum sum;
            const int per_group = n.in.channels / n.groups;
            const int first = o / (n.out.channels / n.groups) * per_group;
            detail::for_taps(n, row, column, [&](int ky, int kx, int in_row, int in_column) {
                for (int c = 0; c < per_group; ++c)
                    sum.add(static_cast<double>(from.weight[detail::weight_at(n, o, ky, kx, c)]), x,
                            detail::at(n.in, in_row, in_column, first + c));
            });
            if (n.has_bias) sum.add(static_cast<double>(from.bias[static_cast<std::size_t>(o)]));
            sum.store(y, to, parameters);
        });
    } else if (n.is<operations::dense>()) {
        for (std::size_t o = 0; o < y.value.size(); ++o) {
            detail::running_sum sum;
            for (std::size_t i = 0; i < x.value.size(); ++i)
                sum.add(static_cast<double>(from.weight[o * x.value.size() + i]), x, i);
            if (n.has_bias) sum.add(static_cast<double>(from.bias[o]));
            sum.store(y, o, parameters);
        }
    } else if (n.is<operations::batch_norm>()) {
        // Executed as scale x + shift, each of the two rounded to float beforehand: three roundings of each term.
        detail::for_outputs(n, [&](int, int, int channel, std::size_t i) {
            const auto c = static_cast<std::size_t>(channel);
            const double scale = static_cast<double>(from.gamma[c]) /
                                 std::sqrt(static_cast<double>(from.variance[c]) + static_cast<double>(n.epsilon));
            const double shift = static_cast<double>(from.beta[c]) - scale * static_cast<double>(from.mean[c]);
            y.value[i] = scale * x.value[i] + shift;
            y.error[i] = std::abs(scale) * x.error[i] +
                         detail::sum_roundoff(3) * (std::abs(scale) * x.largest(i) + std::abs(shift)) +
                         0x1p-50 * std::abs(scale * static_cast<double>(from.mean[c]));
        });
    } else if (n.is<operations::max_pool>()) {
        detail::for_outputs(n, [&](int row, int column, int c, std::size_t to) {
            y.value[to] = -HUGE_VAL;
            detail::for_taps(n, row, column, [&](int, int, int in_row, int in_column) {
                const std::size_t i = detail::at(n.in, in_row, in_column, c);
                y.value[to] = std::max(y.value[to], x.value[i]);
                y.error[to] = std::max(y.error[to], x.error[i]);
            });
        });
    } else if (n.is<operations::average_pool>() || n.is<operations::global_average_pool>()) {
        // Summed in double, rounded once.
        detail::for_outputs(n, [&](int row, int column, int c, std::size_t to) {
            double count = 0;
            const auto collect = [&](int in_row, int in_column) {
                const std::size_t i = detail::at(n.in, in_row, in_column, c);
                y.value[to] += x.value[i];
                y.error[to] += x.error[i] + 0x1p-40 * std::abs(x.value[i]);
                ++count;
            };
            if (n.is<operations::average_pool>()) {
                detail::for_taps(n, row, column, [&](int, int, int r, int s) { collect(r, s); });
            } else {
                for (int r = 0; r < n.in.height; ++r)
                    for (int s = 0; s < n.in.width; ++s) collect(r, s);
            }
            y.value[to] /= count;
            y.error[to] = y.error[to] / count + unit_roundoff * (std::abs(y.value[to]) + y.error[to] / count);
        });
    } else if (n.is<operations::add>()) {
        for (std::size_t i = 0; i < y.value.size(); ++i) {
            double magnitude = 0;
            for (const reals* term : inputs) {
                y.value[i] += term->value[i];
                y.error[i] += term->error[i];
                magnitude += term->largest(i);
            }
            y.error[i] += detail::sum_roundoff(static_cast<double>(inputs.size()) - 1) * magnitude;
        }
    } else if (n.is<operations::multiply>()) {
        detail::for_outputs(n, [&](int row, int column, int c, std::size_t to) {
            const auto place = [&](std::size_t k) {
                const statiq::extents& e = nodes[static_cast<std::size_t>(n.inputs[k])].out;
                return detail::at(e, e.height == 1 ? 0 : row, e.width == 1 ? 0 : column, e.channels == 1 ? 0 : c);
            };
            const reals &a = *inputs[0], &b = *inputs[1];
            const std::size_t i = place(0), j = place(1);
            y.value[to] = a.value[i] * b.value[j];
            y.error[to] = a.error[i] * b.largest(j) + std::abs(a.value[i]) * b.error[j] +
                          unit_roundoff * a.largest(i) * b.largest(j);
        });
    } else if (n.facts->table_size != nullptr && n.facts->word != "softmax") {
        for (std::size_t i = 0; i < y.value.size(); ++i) {
            const detail::real_function f = detail::function_of(n.facts->word, x.value[i]);
            y.value[i] = f.value;
            y.error[i] =
                f.slope * x.error[i] + f.roundings * unit_roundoff * (f.magnitude + 2 * x.error[i]) + f.underflow;
        }
    } else if (n.is<operations::concat>()) {
        detail::for_outputs(n, [&](int row, int column, int c, std::size_t to) {
            std::size_t part = 0;
            while (c >= nodes[static_cast<std::size_t>(n.inputs[part])].out.channels)
                c -= nodes[static_cast<std::size_t>(n.inputs[part++])].out.channels;
            const statiq::extents& e = nodes[static_cast<std::size_t>(n.inputs[part])].out;
            carry(to, *inputs[part], detail::at(e, row, column, c));
        });
    } else if (n.facts->word == "softmax") {
        y = detail::softmax(n, x);
    } else if (n.is<operations::transpose>()) {
        detail::for_outputs(n, [&](int row, int column, int c, std::size_t to) {
            const std::array<int, 3> out{row, column, c};
            std::array<int, 3> in{};
            for (std::size_t i = 0; i < 3; ++i) in[static_cast<std::size_t>(n.axes[i])] = out[i];
            carry(to, x, detail::at(n.in, in[0], in[1], in[2]));
        });
    } else if (n.is<operations::pad>()) {
        detail::for_outputs(n, [&](int row, int column, int c, std::size_t to) {
            const int in_row = row - n.over.pad_top;
            const int in_column = column - n.over.pad_left;
            if (in_row >= 0 && in_row < n.in.height && in_column >= 0 && in_column < n.in.width)
                carry(to, x, detail::at(n.in, in_row, in_column, c));
        });
    } else if (n.is<operations::broadcast>()) {
        detail::for_outputs(n, [&](int row, int column, int c, std::size_t to) {
            carry(
                to, x,
                detail::at(n.in, n.in.height == 1 ? 0 : row, n.in.width == 1 ? 0 : column, n.in.channels == 1 ? 0 : c));
        });
    } else if (n.is<operations::upsample>()) {
        detail::for_outputs(n, [&](int row, int column, int c, std::size_t to) {
            const int rows = n.out.height / n.in.height;
            const int columns = n.out.width / n.in.width;
            carry(to, x, detail::at(n.in, row / rows, column / columns, c));
        });
    } else if (n.is<operations::input>() || n.traits().clamps || n.is<operations::reshape>() ||
               n.is<operations::convert>()) {
        y = x;
    }
    detail::clamp(y, n.clamp);
    return y;
}

/// The inputs of node `n`, of the tensors of all nodes.
inline std::vector<const reals*> inputs_of(const statiq::node& n, std::span<const reals> tensors) {
    std::vector<const reals*> inputs;
    for (std::size_t k = 0; k < static_cast<std::size_t>(n.input_count); ++k)
        inputs.push_back(&tensors[static_cast<std::size_t>(n.inputs[k])]);
    return inputs;
}

/// Every node's tensor.
template <statiq::graph_type G>
std::vector<reals> real_execution(const statiq::parameters<G>& from, std::span<const float> sample,
                                  const parameter_error& parameters = {}) {
    std::vector<reals> tensors(statiq::node_count<G>);
    tensors[0] = reals(sample);
    for (std::size_t i = 1; i < tensors.size(); ++i)
        tensors[i] = real_node(G::nodes, G::nodes[i], from[i], inputs_of(G::nodes[i], tensors), parameters);
    return tensors;
}

} // namespace support
