// SPDX-License-Identifier: Apache-2.0
#include <statiq/graph/layer.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/train/trainable.hpp>

#include <doctest/doctest.h>

#include "../support/random_network.hpp"
#include <map>
#include <string>

TEST_CASE("every parameter tensor is either trainable or a moving statistic, under its name in files, once") {
    support::for_each_random_network([]<class G>() {
        auto values = statiq::zero_parameters<G>();
        auto gradients = statiq::zero_parameters<G>();
        std::map<std::string, std::pair<const float*, std::size_t>> expected;
        for (std::size_t i = 0; i < statiq::node_count<G>; ++i)
            statiq::detail::for_each_tensor(G::nodes[i], values[i],
                                            [&](const char* kind, std::vector<float>& tensor, std::size_t count) {
                                                const std::string layer(G::nodes[i].name.view());
                                                expected[layer + "." + kind] = {tensor.data(), count};
                                            });
        const auto take = [&](std::string_view layer, statiq::parameter_role role, std::span<float> tensor) {
            const std::string name = std::string(layer) + "." + std::string(to_string(role));
            CAPTURE(name);
            REQUIRE(expected.contains(name));
            CHECK(expected[name] == std::pair<const float*, std::size_t>{tensor.data(), tensor.size()});
            expected.erase(name);
        };
        for (const statiq::trainable& t : statiq::list_trainables(G::nodes, values.layers, gradients.layers)) {
            CHECK(t.layer == G::nodes[t.node].name.view());
            CHECK(t.depthwise == G::nodes[t.node].is_depthwise());
            CHECK(t.gradient.size() == t.values.size());
            CHECK(t.gradient.data() != t.values.data());
            take(t.layer, t.role, t.values);
        }
        for (const statiq::training_state& s : statiq::list_moving_statistics(G::nodes, values.layers))
            take(s.layer, s.role, s.values);
        CHECK(expected.empty());
    });
}
