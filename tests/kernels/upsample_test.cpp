// SPDX-License-Identifier: Apache-2.0
#include <statiq/kernels/reference/upsample.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

using namespace statiq;
using kernels::reference::upsample;

namespace {

// Two rows of two pixels of one channel, each pixel three columns wide and twice as high.
constexpr auto enlarged = [] {
    constexpr std::array<std::uint8_t, 4> image{1, 2, 3, 4};
    std::array<std::uint8_t, 24> large{};
    upsample(image.data(), {2, 2, 1}, {4, 6, 1}, large.data());
    return large;
}();
static_assert(enlarged ==
              std::array<std::uint8_t, 24>{1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 3, 3, 3, 4, 4, 4});

template <class T>
void check(std::mt19937& random) {
    for (int round = 0; round < 40; ++round) {
        const auto draw = [&](int high) { return std::uniform_int_distribution<int>(1, high)(random); };
        const extents in{draw(5), draw(5), draw(9)};
        const int rows = draw(3);
        const int columns = draw(4);
        const extents out{in.height * rows, in.width * columns, in.channels};
        std::vector<T> image(in.size());
        for (T& value : image) value = static_cast<T>(random() % 200);
        constexpr T untouched{77};
        std::vector<T> large(out.size() + 1, untouched);
        upsample(image.data(), in, out, large.data());
        std::size_t wrong = 0;
        for (int y = 0; y < in.height; ++y)
            for (int x = 0; x < in.width; ++x)
                for (int r = 0; r < rows; ++r)
                    for (int k = 0; k < columns; ++k)
                        for (int c = 0; c < in.channels; ++c)
                            wrong += large[static_cast<std::size_t>(
                                         ((y * rows + r) * out.width + x * columns + k) * in.channels + c)] !=
                                     image[static_cast<std::size_t>((y * in.width + x) * in.channels + c)];
        CHECK(wrong == 0);
        CHECK(large.back() == untouched);
    }
}

} // namespace

TEST_CASE("upsampling repeats every pixel, and writes nothing else") {
    std::mt19937 random(131);
    check<std::uint8_t>(random);
    check<std::int8_t>(random);
    check<std::uint16_t>(random);
    check<float>(random);
}
