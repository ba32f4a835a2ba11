// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/mobilenet_v1.hpp>
#include <statiq/networks/repvgg.hpp>
#include <statiq/train/training_plan.hpp>

#include <doctest/doctest.h>

#include "../support/random_network.hpp"
#include <cstddef>

namespace {

/// Tensors that live at the same time lie apart, and the plan has room for them all.
template <class G>
void check_plan() {
    constexpr const auto& plan = statiq::training_plan_of<G>;
    CHECK(plan.memory.arena_bytes >= plan.memory.largest_live_set);
    const auto& tensors = plan.memory.tensors;
    for (std::size_t a = 0; a < tensors.size(); ++a) {
        CHECK(tensors[a].end() <= plan.memory.arena_bytes);
        CHECK(tensors[a].offset % statiq::arena_alignment == 0);
        for (std::size_t b = 0; b < a; ++b)
            if (tensors[a].bytes > 0 && tensors[b].bytes > 0 && tensors[a].lives_with(tensors[b]))
                CHECK(!tensors[a].overlaps(tensors[b]));
    }
}

} // namespace

TEST_CASE("values and gradients that live at the same time lie apart") {
    support::for_each_random_network([]<class G>() { check_plan<G>(); });
    check_plan<statiq::networks::mobilenet_v1<25, 32, 10>>();
    check_plan<statiq::networks::repvgg_small<>>();
}
