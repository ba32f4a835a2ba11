// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

/// What engines owe one another before their times mean anything. Each throws std::runtime_error naming both sides.
namespace benchmarks {

[[noreturn]] inline void disagree(const std::string& one, const std::string& other, double found, double allowed) {
    throw std::runtime_error(one + " and " + other + " outputs do not agree: " + std::to_string(found) + ", allowed " +
                             std::to_string(allowed));
}

/// Integers of the same network computed with different float roundings of the same scales: a step apart where a
/// layer's result lies between two integers. Steps average out over the inputs of later layers, so that outputs differ
/// by few steps, and by less than one in the mean.
inline void require_equal_steps(const std::string& one, const std::vector<float>& a, const std::string& other,
                                const std::vector<float>& b, double most) {
    constexpr double mean = 1;
    double largest = 0;
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double difference = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
        largest = std::max(largest, difference);
        sum += difference;
    }
    if (a.size() != b.size() || largest > most) disagree(one, other, largest, most);
    if (sum > mean * static_cast<double>(a.size())) disagree(one, other, sum / static_cast<double>(a.size()), mean);
}

/// Sums in another order: relative differences far below anything a wrong layer makes.
inline void require_equal_reals(const std::string& one, const std::vector<float>& a, const std::string& other,
                                const std::vector<float>& b) {
    constexpr double allowed = 1e-4;
    double largest = 0;
    double scale = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
        scale = std::max(scale, std::abs(static_cast<double>(b[i])));
    }
    if (a.size() != b.size() || !(largest <= allowed * scale)) disagree(one, other, largest / scale, allowed);
}

/// Quantized against float, or against integers that saturate: the correlation of the outputs, negative reals counted
/// as zero like the bytes do.
inline void require_similar(const std::string& one, const std::vector<float>& a, const std::string& other,
                            const std::vector<float>& b, double least) {
    double mean_a = 0;
    double mean_b = 0;
    const auto real = [&](std::size_t i) { return std::max(0.0, static_cast<double>(b[i])); };
    for (std::size_t i = 0; i < a.size(); ++i) {
        mean_a += static_cast<double>(a[i]) / static_cast<double>(a.size());
        mean_b += real(i) / static_cast<double>(a.size());
    }
    double aa = 0;
    double bb = 0;
    double ab = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double x = static_cast<double>(a[i]) - mean_a;
        const double y = real(i) - mean_b;
        aa += x * x;
        bb += y * y;
        ab += x * y;
    }
    const double correlation = ab / std::sqrt(aa * bb);
    if (a.size() != b.size() || !(correlation >= least)) disagree(one, other, correlation, least);
}

} // namespace benchmarks
