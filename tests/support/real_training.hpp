// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>
#include <statiq/graph/parameters.hpp>

#include "real_oracle.hpp"
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

/// What training computes, by its definition, in double: values and gradients of a whole batch, with the running error
/// analysis of `real_oracle.hpp`, so that a float execution can be held to what it may differ by, and no more. Nothing
/// here is shared with the library's ways forward and back.
namespace support {

/// A real that a float computation knows up to `error`.
struct bounded {
    double value = 0;
    double error = 0;

    bounded() = default;
    bounded(double exact) : value(exact) {} // NOLINT: exact numbers are bounded ones
    bounded(double v, double e) : value(v), error(e) {}
    [[nodiscard]] double largest() const { return std::abs(value) + error; }

    /// The result of one more operation, rounded to float.
    [[nodiscard]] bounded rounded() const {
        return {value, error + unit_roundoff * largest() + std::numeric_limits<float>::denorm_min()};
    }
    friend bounded operator+(const bounded& a, const bounded& b) {
        return bounded{a.value + b.value, a.error + b.error}.rounded();
    }
    friend bounded operator-(const bounded& a, const bounded& b) { return a + bounded{-b.value, b.error}; }
    friend bounded operator*(const bounded& a, const bounded& b) {
        return bounded{a.value * b.value, std::abs(a.value) * b.error + std::abs(b.value) * a.error + a.error * b.error}
            .rounded();
    }
};

/// A sum in any order, in float.
class bounded_sum {
  public:
    void add(const bounded& term) {
        value_ += term.value;
        error_ += term.error;
        magnitude_ += term.largest();
        ++terms_;
    }
    /// A few more additions than terms: partial sums are added to zeros.
    [[nodiscard]] bounded result() const { return {value_, error_ + detail::sum_roundoff(terms_ + 20) * magnitude_}; }

  private:
    double value_ = 0;
    double error_ = 0;
    double magnitude_ = 0;
    double terms_ = 0;
};

/// 1 / sqrt(x), x > 0.
inline bounded inverse_root(const bounded& x) {
    const double lowest = std::max(x.value - x.error, x.value / 2);
    return bounded{1 / std::sqrt(x.value), 0.5 * x.error / (lowest * std::sqrt(lowest))}.rounded();
}

/// A batch's values and gradients, at every node: [node][sample].
class real_training {
  public:
    using tensor = std::vector<bounded>;
    struct gradients {
        tensor weight, bias, gamma, beta;
    };

    /// Where values are clamped, and which tap is the largest: while none of it changes, the loss is smooth.
    std::vector<int> decisions;
    std::vector<std::vector<tensor>> values;
    std::vector<std::vector<tensor>> value_gradients;
    std::vector<gradients> parameter_gradients;

    real_training(std::span<const statiq::node> nodes, std::span<const statiq::layer_parameters> parameters,
                  const std::vector<std::vector<float>>& samples, bool batch_statistics)
        : values(nodes.size()), nodes_(nodes), parameters_(parameters), samples_(samples.size()),
          batch_statistics_(batch_statistics) {
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            values[i].resize(samples_);
            if (i == 0)
                for (std::size_t s = 0; s < samples_; ++s) values[0][s].assign(samples[s].begin(), samples[s].end());
            else if (nodes[i].is<statiq::operations::batch_norm>())
                normalize(i);
            else
                for (std::size_t s = 0; s < samples_; ++s) execute(i, s);
        }
    }

    /// The loss is the sum over samples and outputs of factor times value.
    [[nodiscard]] double loss(const std::vector<std::vector<float>>& factors) const {
        double sum = 0;
        for (std::size_t s = 0; s < samples_; ++s)
            for (std::size_t v = 0; v < factors[s].size(); ++v)
                sum += static_cast<double>(factors[s][v]) * values.back()[s][v].value;
        return sum;
    }

    void differentiate(const std::vector<std::vector<float>>& factors) {
        value_gradients.resize(nodes_.size());
        parameter_gradients.resize(nodes_.size());
        for (std::size_t i = 0; i < nodes_.size(); ++i)
            value_gradients[i].assign(samples_, tensor(nodes_[i].out.size()));
        for (std::size_t s = 0; s < samples_; ++s)
            value_gradients.back()[s].assign(factors[s].begin(), factors[s].end());
        for (std::size_t i = nodes_.size(); i-- > 1;) {
            if (nodes_[i].is<statiq::operations::batch_norm>())
                normalize_back(i);
            else if (nodes_[i].is_linear())
                linear_back(i);
            else
                for (std::size_t s = 0; s < samples_; ++s) back(i, s);
        }
    }

  private:
    [[nodiscard]] std::size_t input(const statiq::node& n, std::size_t k = 0) const {
        return static_cast<std::size_t>(n.inputs[k]);
    }
    static statiq::convolution_shape shape_of(const statiq::node& n) { return n.convolution(); }

    void execute(std::size_t i, std::size_t s) {
        const statiq::node& n = nodes_[i];
        std::vector<reals> inputs;
        for (std::size_t k = 0; k < static_cast<std::size_t>(n.input_count); ++k) {
            const tensor& from = values[input(n, k)][s];
            reals& x = inputs.emplace_back(from.size());
            for (std::size_t v = 0; v < from.size(); ++v) {
                x.value[v] = from[v].value;
                x.error[v] = from[v].error;
            }
        }
        std::vector<const reals*> pointers;
        for (const reals& x : inputs) pointers.push_back(&x);
        const reals y = real_node(nodes_, n, parameters_[i], pointers);
        values[i][s].resize(y.value.size());
        for (std::size_t v = 0; v < y.value.size(); ++v) values[i][s][v] = {y.value[v], y.error[v]};
        if (n.clamp.bounds())
            for (std::size_t v = 0; v < y.value.size(); ++v)
                decisions.push_back(static_cast<int>(y.value[v] > low(n)) + static_cast<int>(y.value[v] < high(n)));
        if (n.is<statiq::operations::max_pool>())
            detail::for_outputs(n, [&](int row, int column, int c, std::size_t) {
                decisions.push_back(static_cast<int>(largest_taps(i, s, row, column, c).front()));
            });
    }
    static double low(const statiq::node& n) { return static_cast<double>(n.clamp.lowest); }
    static double high(const statiq::node& n) { return static_cast<double>(n.clamp.highest); }

    /// The largest tap's index, then those that a float execution might find as large.
    [[nodiscard]] std::vector<std::size_t> largest_taps(std::size_t i, std::size_t s, int row, int column,
                                                        int c) const {
        const statiq::node& n = nodes_[i];
        const tensor& x = values[input(n)][s];
        std::vector<std::size_t> taps;
        detail::for_taps(n, row, column, [&](int, int, int r, int q) { taps.push_back(detail::at(n.in, r, q, c)); });
        const auto best = std::max_element(taps.begin(), taps.end(),
                                           [&](std::size_t a, std::size_t b) { return x[a].value < x[b].value; });
        std::iter_swap(taps.begin(), best);
        const bounded top = x[taps.front()];
        taps.erase(std::remove_if(taps.begin() + 1, taps.end(),
                                  [&](std::size_t t) { return x[t].value + x[t].error < top.value - top.error; }),
                   taps.end());
        return taps;
    }

    struct norm {
        bounded mean, inverse, scale, shift;
    };
    [[nodiscard]] norm norm_of(std::size_t i, std::size_t c) const {
        const statiq::node& n = nodes_[i];
        const statiq::layer_parameters& p = parameters_[i];
        norm found;
        bounded variance;
        const auto channels = static_cast<std::size_t>(n.out.channels);
        if (batch_statistics_) {
            const double count = static_cast<double>(samples_ * n.out.pixels());
            bounded_sum sum;
            for (const tensor& x : values[input(n)])
                for (std::size_t v = c; v < x.size(); v += channels) sum.add(x[v]);
            found.mean = (sum.result() * bounded(1 / count)).rounded();
            bounded_sum squares;
            for (const tensor& x : values[input(n)])
                for (std::size_t v = c; v < x.size(); v += channels) {
                    const bounded off = x[v] - found.mean;
                    squares.add(off * off);
                }
            variance = squares.result() * bounded(1 / count);
        } else {
            found.mean = static_cast<double>(p.mean[c]);
            variance = static_cast<double>(p.variance[c]);
        }
        found.inverse = inverse_root({variance.value + static_cast<double>(n.epsilon), variance.error});
        found.scale = bounded(static_cast<double>(p.gamma[c])) * found.inverse;
        found.shift = bounded(static_cast<double>(p.beta[c])) - found.scale * found.mean;
        return found;
    }

    void normalize(std::size_t i) {
        const statiq::node& n = nodes_[i];
        const auto channels = static_cast<std::size_t>(n.out.channels);
        for (tensor& y : values[i]) y.resize(n.out.size());
        for (std::size_t c = 0; c < channels; ++c) {
            const norm with = norm_of(i, c);
            for (std::size_t s = 0; s < samples_; ++s)
                for (std::size_t v = c; v < n.out.size(); v += channels)
                    values[i][s][v] = values[input(n)][s][v] * with.scale + with.shift;
        }
    }

    void give(std::size_t node, std::size_t s, std::size_t v, const bounded& what) {
        bounded& to = value_gradients[node][s][v];
        to = to + what;
    }

    void normalize_back(std::size_t i) {
        const statiq::node& n = nodes_[i];
        const auto channels = static_cast<std::size_t>(n.out.channels);
        gradients& found = parameter_gradients[i];
        found.gamma.resize(channels);
        found.beta.resize(channels);
        const double share = 1 / static_cast<double>(samples_ * n.out.pixels());
        for (std::size_t c = 0; c < channels; ++c) {
            const norm with = norm_of(i, c);
            const auto normalized = [&](std::size_t s, std::size_t v) {
                return (values[input(n)][s][v] - with.mean) * with.inverse;
            };
            bounded_sum gamma;
            bounded_sum beta;
            for (std::size_t s = 0; s < samples_; ++s)
                for (std::size_t v = c; v < n.out.size(); v += channels) {
                    const bounded& dy = value_gradients[i][s][v];
                    gamma.add(dy * normalized(s, v));
                    beta.add(dy);
                }
            found.gamma[c] = gamma.result();
            found.beta[c] = beta.result();
            for (std::size_t s = 0; s < samples_; ++s)
                for (std::size_t v = c; v < n.out.size(); v += channels) {
                    bounded dx = with.scale * value_gradients[i][s][v];
                    if (batch_statistics_)
                        dx = dx - with.scale * bounded(share) * (found.beta[c] + normalized(s, v) * found.gamma[c]);
                    give(input(n), s, v, dx);
                }
        }
    }

    void linear_back(std::size_t i) {
        const statiq::node& n = nodes_[i];
        const statiq::layer_parameters& p = parameters_[i];
        std::vector<bounded_sum> weight(p.weight.size());
        std::vector<bounded_sum> bias(static_cast<std::size_t>(n.out.channels));
        for (std::size_t s = 0; s < samples_; ++s) {
            const tensor& x = values[input(n)][s];
            std::vector<bounded_sum> dx(x.size());
            const auto product = [&](std::size_t o, std::size_t w, std::size_t v) {
                const bounded& dy = value_gradients[i][s][o];
                weight[w].add(x[v] * dy);
                dx[v].add(bounded(static_cast<double>(p.weight[w])) * dy);
            };
            detail::for_outputs(n, [&](int row, int column, int o, std::size_t to) {
                value_gradients[i][s][to] = through_clamp(i, s, to);
                bias[static_cast<std::size_t>(o)].add(value_gradients[i][s][to]);
                if (n.is<statiq::operations::dense>()) {
                    for (std::size_t v = 0; v < x.size(); ++v)
                        product(to, static_cast<std::size_t>(o) * x.size() + v, v);
                    return;
                }
                const int per_group = n.in.channels / n.groups;
                const int first = o / (n.out.channels / n.groups) * per_group;
                detail::for_taps(n, row, column, [&](int ky, int kx, int r, int q) {
                    for (int c = 0; c < per_group; ++c)
                        product(to, detail::weight_at(n, o, ky, kx, c), detail::at(n.in, r, q, first + c));
                });
            });
            for (std::size_t v = 0; v < x.size(); ++v) give(input(n), s, v, dx[v].result());
        }
        for (const bounded_sum& sum : weight) parameter_gradients[i].weight.push_back(sum.result());
        if (!n.has_bias) return;
        for (const bounded_sum& sum : bias) parameter_gradients[i].bias.push_back(sum.result());
    }

    /// A gradient behind a node's activation; where a float execution may decide either way, it may be off by all of
    /// it.
    [[nodiscard]] bounded through_clamp(std::size_t i, std::size_t s, std::size_t v) const {
        const statiq::node& n = nodes_[i];
        const bounded dy = value_gradients[i][s][v];
        if (!n.clamp.bounds()) return dy;
        const bounded y = values[i][s][v];
        const bool inside = y.value > low(n) && y.value < high(n);
        const bool surely =
            inside ? y.value - y.error > low(n) && y.value + y.error < high(n) : unclamped_is_surely_outside(i, s, v);
        return {inside ? dy.value : 0.0, inside && surely ? dy.error : surely ? 0.0 : dy.largest()};
    }
    /// A clamped value has lost its distance from the end: only its input still knows it.
    [[nodiscard]] bool unclamped_is_surely_outside(std::size_t i, std::size_t s, std::size_t v) const {
        const statiq::node& n = nodes_[i];
        if (!n.traits().clamps) return false;
        const bounded x = values[input(n)][s][v];
        return x.value + x.error < low(n) || x.value - x.error > high(n);
    }

    void back(std::size_t i, std::size_t s) {
        namespace operations = statiq::operations;
        const statiq::node& n = nodes_[i];
        const tensor& given = value_gradients[i][s];
        const std::size_t from = input(n);
        if (n.traits().clamps) {
            for (std::size_t v = 0; v < given.size(); ++v) give(from, s, v, through_clamp(i, s, v));
        } else if (n.is<operations::max_pool>()) {
            detail::for_outputs(n, [&](int row, int column, int c, std::size_t to) {
                const auto taps = largest_taps(i, s, row, column, c);
                for (std::size_t t = 0; t < taps.size(); ++t)
                    give(from, s, taps[t],
                         taps.size() == 1 ? given[to] : bounded(t == 0 ? given[to].value : 0.0, given[to].largest()));
            });
        } else if (n.is<operations::average_pool>()) {
            detail::for_outputs(n, [&](int row, int column, int c, std::size_t to) {
                double count = 0;
                detail::for_taps(n, row, column, [&](int, int, int, int) { ++count; });
                detail::for_taps(n, row, column, [&](int, int, int r, int q) {
                    give(from, s, detail::at(n.in, r, q, c), (given[to] * bounded(1 / count)).rounded());
                });
            });
        } else if (n.is<operations::global_average_pool>()) {
            for (int r = 0; r < n.in.height; ++r)
                for (int q = 0; q < n.in.width; ++q)
                    for (int c = 0; c < n.in.channels; ++c)
                        give(from, s, detail::at(n.in, r, q, c),
                             (given[static_cast<std::size_t>(c)] * bounded(1 / static_cast<double>(n.in.pixels())))
                                 .rounded());
        } else if (n.is<operations::add>()) {
            for (std::size_t v = 0; v < given.size(); ++v)
                for (std::size_t k = 0; k < static_cast<std::size_t>(n.input_count); ++k)
                    give(input(n, k), s, v, through_clamp(i, s, v));
        } else if (n.is<operations::concat>()) {
            detail::for_outputs(n, [&](int row, int column, int c, std::size_t to) {
                std::size_t part = 0;
                while (c >= nodes_[input(n, part)].out.channels) c -= nodes_[input(n, part++)].out.channels;
                give(input(n, part), s, detail::at(nodes_[input(n, part)].out, row, column, c), given[to]);
            });
        } else if (n.facts->word == "softmax") {
            for (std::size_t first = 0; first < given.size(); first += static_cast<std::size_t>(n.out.channels)) {
                const std::size_t end = first + static_cast<std::size_t>(n.out.channels);
                bounded_sum mean;
                for (std::size_t v = first; v < end; ++v) mean.add(values[i][s][v] * given[v]);
                for (std::size_t v = first; v < end; ++v)
                    give(from, s, v, values[i][s][v] * (given[v] - mean.result()));
            }
        } else if (n.is<operations::transpose>()) {
            detail::for_outputs(n, [&](int row, int column, int c, std::size_t to) {
                const std::array<int, 3> out{row, column, c};
                std::array<int, 3> at{};
                for (std::size_t a = 0; a < 3; ++a) at[static_cast<std::size_t>(n.axes[a])] = out[a];
                give(from, s, detail::at(n.in, at[0], at[1], at[2]), given[to]);
            });
        } else if (n.is<operations::pad>()) {
            detail::for_outputs(n, [&](int row, int column, int c, std::size_t to) {
                const int r = row - n.over.pad_top;
                const int q = column - n.over.pad_left;
                if (r >= 0 && r < n.in.height && q >= 0 && q < n.in.width)
                    give(from, s, detail::at(n.in, r, q, c), given[to]);
            });
        } else if (n.is<operations::broadcast>()) {
            detail::for_outputs(n, [&](int row, int column, int c, std::size_t to) {
                give(from, s,
                     detail::at(n.in, n.in.height == 1 ? 0 : row, n.in.width == 1 ? 0 : column,
                                n.in.channels == 1 ? 0 : c),
                     given[to]);
            });
        } else if (n.is<operations::upsample>()) {
            detail::for_outputs(n, [&](int row, int column, int c, std::size_t to) {
                give(from, s,
                     detail::at(n.in, row / (n.out.height / n.in.height), column / (n.out.width / n.in.width), c),
                     given[to]);
            });
        } else if (n.is<operations::reshape>() || n.is<operations::convert>()) {
            for (std::size_t v = 0; v < given.size(); ++v) give(from, s, v, given[v]);
        } else if (n.is<operations::input>() || n.is<operations::convolution>() || n.is<operations::dense>() ||
                   n.is<operations::batch_norm>()) {
        }
    }

    std::span<const statiq::node> nodes_;
    std::span<const statiq::layer_parameters> parameters_;
    std::size_t samples_;
    bool batch_statistics_;
};

} // namespace support
