// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/analyze/observed.hpp>
#include <statiq/calibrate/calibrate.hpp>
#include <statiq/execute/float_network.hpp>
#include <statiq/execute/model.hpp>
#include <statiq/io/images.hpp>
#include <statiq/io/parameters.hpp>

#include <doctest/doctest.h>

#include "../support/data.hpp"
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// Trained networks and labelled images that are not part of the repository.
namespace real {

/// (x / 255 - mean) / deviation of each channel.
inline statiq::io::preprocessing normalized(const std::vector<float>& mean, const std::vector<float>& deviation) {
    statiq::io::preprocessing how{{}, {}};
    for (std::size_t c = 0; c < mean.size(); ++c) {
        how.scale.push_back(1.0F / (255.0F * deviation[c]));
        how.offset.push_back(-mean[c] / deviation[c]);
    }
    return how;
}

/// Images with their labels.
struct labelled {
    statiq::io::image_set images;
    std::vector<std::int32_t> labels;

    labelled(const std::string& stem, const std::string& labels_stem, const statiq::extents& shape,
             const statiq::io::preprocessing& how)
        : images(statiq::io::read_npy(test_data::external() / "images" / (stem + ".npy")), shape, how),
          labels(statiq::io::read_labels(test_data::external() / "images" / (labels_stem + ".npy"), images.size())) {}
};

inline int best_class(std::span<const float> scores) {
    return static_cast<int>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

/// How many of the first `count` images a network classifies rightly.
template <class Run>
std::size_t right(const labelled& of, std::size_t count, Run&& run) {
    std::size_t hits = 0;
    for (std::size_t i = 0; i < count; ++i)
        if (best_class(run(of.images[i])) == of.labels[i]) ++hits;
    return hits;
}
inline double percent(std::size_t hits, std::size_t count) {
    return 100.0 * static_cast<double>(hits) / static_cast<double>(count);
}

/// The same network with its weights, and nothing else, rounded to a format.
template <statiq::graph_type G>
statiq::parameters<G> with_rounded_weights(statiq::parameters<G> of, const statiq::number_format& format) {
    for (std::size_t i = 0; i < statiq::node_count<G>; ++i) {
        if (!G::nodes[i].is_linear()) continue;
        const statiq::convolution_shape shape = G::nodes[i].convolution();
        std::vector<float>& weight = of[i].weight;
        const auto quantizers = statiq::detail::choose_weight_quantizers(
            statiq::detail::weight_ranges(weight, shape),
            std::vector<double>(static_cast<std::size_t>(shape.out.channels)), format);
        for (int o = 0; o < shape.out.channels; ++o)
            for (int tap = 0; tap < shape.over.taps(); ++tap)
                for (int c = 0; c < shape.in_channels_per_group(); ++c) {
                    float& w = weight[shape.weight_index(o, tap, c)];
                    const auto& quantizer = quantizers[static_cast<std::size_t>(o)];
                    w = statiq::dequantize(quantizer(w), quantizer.map());
                }
    }
    return of;
}

} // namespace real
