// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/calibrate/entropy.hpp>
#include <statiq/calibrate/least_squares.hpp>
#include <statiq/calibrate/observers.hpp>
#include <statiq/calibrate/percentile.hpp>
#include <statiq/exceptions.hpp>

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace statiq {

/// Any of the library's observers, chosen at run time.
using any_observer = std::variant<min_max, moving_average, percentile, entropy, least_squares>;

/// An observer for each layer: the named ones have their own. `calibrate(deployed, samples, observer_choice{entropy{},
/// {{"fc", min_max{}}}})`.
struct observer_choice {
    any_observer otherwise = min_max{};
    std::map<std::string, any_observer, std::less<>> layers{};

    class state {
      public:
        using any_state = std::variant<min_max::state, moving_average::state, percentile::state, entropy::state,
                                       least_squares::state>;
        state() = default;
        explicit state(any_state begun) : state_(std::move(begun)) {}

        void see(std::span<const float> values) {
            std::visit([values](auto& s) { s.see(values); }, state_);
        }
        void end_batch() {
            std::visit([](auto& s) { s.end_batch(); }, state_);
        }
        void end_pass() {
            std::visit([](auto& s) { s.end_pass(); }, state_);
        }
        /// @throws calibration_error when the other one is of another observer
        void merge(const state& other) {
            std::visit(
                [&other](auto& s) {
                    const auto* twin = std::get_if<std::remove_cvref_t<decltype(s)>>(&other.state_);
                    if (twin == nullptr) throw calibration_error("states of different observers do not merge");
                    s.merge(*twin);
                },
                state_);
        }
        [[nodiscard]] range result() const {
            return std::visit([](const auto& s) { return s.result(); }, state_);
        }
        [[nodiscard]] const any_state& get() const noexcept { return state_; }
        [[nodiscard]] any_state& get() noexcept { return state_; }
        friend bool operator==(const state&, const state&) = default;

      private:
        any_state state_{};
    };

    [[nodiscard]] int passes() const {
        const auto of = [](const any_observer& rule) {
            return std::visit([](const auto& r) { return r.passes(); }, rule);
        };
        int most = of(otherwise);
        for (const auto& [name, rule] : layers) most = (std::max)(most, of(rule));
        return most;
    }
    /// @throws calibration_error when a layer of its own observer is not among the nodes
    void require_layers(std::span<const node> nodes) const {
        for (const auto& layer : layers) {
            const std::string& name = layer.first; // Clang 14 captures no structured binding
            if (std::ranges::none_of(nodes, [&](const node& n) { return n.name.view() == name; }))
                throw calibration_error("an observer for the layer '" + name + "': the network has no such layer");
        }
    }
    [[nodiscard]] state start(const node& n) const {
        const auto found = layers.find(n.name.view());
        return std::visit([&n](const auto& r) { return state(state::any_state(r.start(n))); },
                          found == layers.end() ? otherwise : found->second);
    }
};

} // namespace statiq
