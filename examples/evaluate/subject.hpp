// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/network_data.hpp>
#include <statiq/io/images.hpp>
#include <statiq/tensor/extents.hpp>

#include <filesystem>
#include <functional>
#include <map>
#include <string>

namespace evaluate {

namespace sq = statiq;

/// A network with its weights, as data: everything after this works without its type.
struct subject {
    sq::network_data trained{}; ///< batch norm apart, if the network has any
    /// Batch norm folded and activations fused; with dead channels' variances repaired, or not.
    std::function<sq::network_data(bool repair_variance)> deploy{};
    sq::extents input{};
    sq::io::preprocessing pixels{};
};

/// A network that can be evaluated.
struct network_entry {
    std::string pixels;     ///< the preprocessing, in words
    bool classifies = true; ///< its outputs are scores of classes
    subject (*load)(const std::filesystem::path& weights) = nullptr;
};

/// All of them, by the names of --network.
const std::map<std::string, network_entry>& networks();

// One function a network, each in a file of its own so that they compile side by side.
subject digits(const std::filesystem::path& weights);
subject mobilenet_v1_025(const std::filesystem::path& weights);
subject mobilenet_v1_075(const std::filesystem::path& weights);
subject mobilenet_v1_100_to_dw13(const std::filesystem::path& weights);
subject mobileone_s0(const std::filesystem::path& weights);
subject repvgg_small(const std::filesystem::path& weights);
subject visual_wake_words(const std::filesystem::path& weights);

} // namespace evaluate
