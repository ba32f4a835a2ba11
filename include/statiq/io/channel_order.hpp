// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/exceptions.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/io/error.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <span>
#include <string_view>
#include <vector>

namespace statiq::io::detail {

/// In which order files count the channels of a tensor.
struct channel_order {
    std::vector<std::size_t> places{}; ///< of each channel as files count, statiq's channel; empty: the same
    bool any = false;                  ///< all channels have the same value: every order is right
    bool clear = true;                 ///< false: channels that are counted in two orders have been added up

    [[nodiscard]] std::size_t operator[](std::size_t channel) const {
        return places.empty() ? channel : places[channel];
    }
};

/// The order in which files count each tensor's channels. Files flatten images as PyTorch does, channel by channel
/// (CHW), statiq pixel by pixel (HWC): behind `flatten` the two count differently. All layers that compute channel by
/// channel keep the order. A convolution or a dense layer begins anew, in the order of what its outputs are added to.
/// `reshape` to an image and `transpose` are statiq's in files, too.
class channel_orders {
  public:
    explicit channel_orders(std::span<const node> nodes)
        : nodes_(nodes), orders_(nodes.size()), of_outputs_(nodes.size()) {
        do {
            for (std::size_t i = 0; i < nodes.size(); ++i) orders_[i] = order_behind(i);
        } while (give_outputs_an_order());
    }

    /// The order of what a layer reads.
    [[nodiscard]] const channel_order& input_of(const node& n) const { return before(n, 0); }

    /// The order of what a layer computes.
    [[nodiscard]] const channel_order& output_of(const node& n) const { return orders_[index_of(n)]; }

    /// Of a layer with weights or a batch norm. @throws format_error where files have no order for it
    void require_clear(std::string_view file, const node& n) const {
        const channel_order& in = input_of(n);
        if (!in.clear)
            throw format_error(file, n.name.view(), "inputs that files count in one order",
                               "a sum of tensors that are flattened differently");
        const bool moved = !in.places.empty() || !output_of(n).places.empty();
        if (n.groups > 1 && moved)
            throw format_error(file, n.name.view(), "groups of an image's channels",
                               "groups of a flattened image's values, which files count in another order");
    }

  private:
    [[nodiscard]] const channel_order& before(const node& n, int k) const {
        return orders_[static_cast<std::size_t>(n.inputs[static_cast<std::size_t>(k)])];
    }

    /// @param n one of the nodes, or a copy: the only one with its name
    [[nodiscard]] std::size_t index_of(const node& n) const {
        return static_cast<std::size_t>(std::ranges::find(nodes_, n.name, &node::name) - nodes_.begin());
    }

    /// @return whether a sum of different orders gave a layer's outputs, which had none, the order of its other inputs
    bool give_outputs_an_order() {
        bool given = false;
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            if (nodes_[i].traits().channels != channel_flow::summed || orders_[i].clear) continue;
            const std::span inputs(nodes_[i].inputs.data(), static_cast<std::size_t>(nodes_[i].input_count));
            const auto flat = std::ranges::find_if(
                inputs, [&](int k) { return !orders_[static_cast<std::size_t>(k)].places.empty(); });
            if (flat == inputs.end()) continue;
            const channel_order order = orders_[static_cast<std::size_t>(*flat)];
            for (const int k : inputs) given = give_order(static_cast<std::size_t>(k), order) || given;
        }
        return given;
    }

    /// Gives it to the layers with weights from which a tensor without an order comes, channel by channel.
    bool give_order(std::size_t i, const channel_order& order) {
        const channel_order& has = orders_[i];
        if (has.any || (has.clear && !has.places.empty()) || nodes_[i].out.channels != std::ssize(order.places))
            return false;
        if (nodes_[i].is_linear()) {
            of_outputs_[i] = order;
            return true;
        }
        const channel_flow flow = nodes_[i].traits().channels;
        if (flow == channel_flow::joined || flow == channel_flow::transposed) return false;
        bool given = false;
        for (int k = 0; k < nodes_[i].input_count; ++k)
            given = give_order(static_cast<std::size_t>(nodes_[i].inputs[static_cast<std::size_t>(k)]), order) || given;
        return given;
    }

    [[nodiscard]] channel_order order_behind(std::size_t i) const {
        const node& n = nodes_[i];
        switch (n.traits().channels) {
        case channel_flow::kept:
            break;
        case channel_flow::made:
            return of_outputs_[i];
        case channel_flow::reshaped:
            if (n.out.channels == n.in.channels) break;
            return n.out.pixels() == 1 ? flattened(n) : channel_order{};
        case channel_flow::transposed:
            if (n.axes[2] == 2) break;
            return {};
        case channel_flow::repeated:
            if (n.out.channels == n.in.channels) break;
            return {.any = true};
        case channel_flow::summed:
            return added(n);
        case channel_flow::joined:
            return concatenated(n);
        }
        return before(n, 0);
    }

    [[nodiscard]] channel_order flattened(const node& n) const {
        const channel_order& from = before(n, 0);
        const auto channels = static_cast<std::size_t>(n.in.channels);
        channel_order to{.clear = from.clear};
        for (std::size_t c = 0; c < channels; ++c)
            for (std::size_t pixel = 0; pixel < n.in.pixels(); ++pixel) to.places.push_back(pixel * channels + from[c]);
        return tidied(to);
    }

    [[nodiscard]] channel_order added(const node& n) const {
        channel_order sum{.any = true};
        for (int k = 0; k < n.input_count; ++k) {
            const channel_order& next = before(n, k);
            const bool agree = sum.any || next.any || sum.places == next.places;
            const bool clear = sum.clear && next.clear && agree;
            if (sum.any) sum = next;
            sum.clear = clear;
        }
        return sum;
    }

    [[nodiscard]] channel_order concatenated(const node& n) const {
        channel_order all;
        for (int k = 0; k < n.input_count; ++k) {
            const channel_order& part = before(n, k);
            const std::size_t first = all.places.size();
            const node& from = nodes_[static_cast<std::size_t>(n.inputs[static_cast<std::size_t>(k)])];
            const auto channels = static_cast<std::size_t>(from.out.channels);
            all.clear = all.clear && part.clear;
            for (std::size_t c = 0; c < channels; ++c) all.places.push_back(first + part[c]);
        }
        return tidied(all);
    }

    /// No places where they are the channels themselves.
    [[nodiscard]] static channel_order tidied(channel_order order) {
        for (std::size_t c = 0; c < order.places.size(); ++c)
            if (order.places[c] != c) return order;
        order.places.clear();
        return order;
    }

    std::span<const node> nodes_; ///< as long-lived as this
    std::vector<channel_order> orders_;
    std::vector<channel_order> of_outputs_; ///< of layers with weights
};

} // namespace statiq::io::detail
