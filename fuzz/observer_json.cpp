// SPDX-License-Identifier: Apache-2.0

// Observers' states as JSON. What is accepted is merged, shown more data, and gives ranges.

#include <statiq/calibrate/observer_json.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

#include <nlohmann/json.hpp>

#include "../tests/io/support.hpp"
#include "../tests/support/readers.hpp"
#include "target.hpp"
#include <array>
#include <string_view>
#include <vector>

namespace {

namespace sq = statiq;

/// One layer for each observer.
struct net final
    : sq::network<decltype(sq::input<1, 1, 2> | sq::named<"a">(sq::pointwise<2>) | sq::named<"b">(sq::pointwise<2>) |
                           sq::named<"c">(sq::pointwise<2>) | sq::named<"d">(sq::pointwise<2>))> {};
using observations = sq::calibration<sq::observer_choice>;

const sq::observer_choice& rule() {
    static const sq::observer_choice chosen{sq::min_max{},
                                            {{"a", sq::moving_average{0.5F}},
                                             {"b", sq::percentile{.share = 95, .bins = 16}},
                                             {"c", sq::entropy{.bins = 16, .levels = 4}},
                                             {"d", sq::least_squares{.bins = 16, .steps = 8}}}};
    return chosen;
}

void show(observations& to, float scale) {
    const std::array<float, 2> values{-scale, 3 * scale};
    for (std::size_t i = 0; i < to.nodes().size(); ++i) to.see(i, values);
    to.end_batch();
}

} // namespace

void fuzz::read(const bytes& input) {
    const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (json.is_discarded()) return;
    observations seen(net::nodes, rule());
    sq::restore(json, seen);
    show(seen, 0.5F);
    observations twin(net::nodes, rule());
    sq::restore(sq::stored(seen), twin); // what was accepted is written so that it is accepted again
    seen.merge(twin);
    seen.end_pass();
    for (const sq::range& r : seen.ranges()) readers::require(r.min <= r.max, "a range has its ends in order");
}

std::vector<fuzz::bytes> fuzz::seeds() {
    std::vector<bytes> made;
    observations seen(net::nodes, rule());
    const auto keep = [&] { made.push_back(io_test::bytes_of(sq::stored(seen).dump())); };
    keep();
    for (int pass = 0; pass < 2; ++pass) {
        show(seen, 1);
        keep();
        seen.end_pass();
        keep();
    }
    return made;
}
