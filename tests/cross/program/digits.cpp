// SPDX-License-Identifier: Apache-2.0
// Ten digits on the target: the integers must be those that NumPy computed, and, in the other schemes, those that the
// compiler computed. Nothing here needs a file, a heap, exceptions or an operating system.
#include "digits.hpp"

#include <statiq/execute/integer_network.hpp>
#include <statiq/execute/prepare.hpp>
#include <statiq/passes/deploy.hpp>

#include "../../execute/tiny_digits.hpp"
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>

namespace {

using namespace statiq;

struct classifier final : network<decltype(input<8, 8, 1> | conv<6>(kernel<3>, stride<2>) | relu |
                                           conv<8>(kernel<3>, stride<2>) | relu | flatten | dense<10>)> {};
using numbers = numbers_chosen<deployed<classifier>, quantized<8, symmetric, per_channel>, quantized<8, asymmetric>>;

template <class Scheme>
constexpr integer_parameters<numbers, Scheme> packed = [] {
    using namespace tiny_digits;
    quantized_layers<numbers> layers;
    layers[0] = {.output = input_map};
    layers[1] = {.output = first_map, .weight = first_weight, .weight_map = first_weight_map, .bias = first_bias};
    layers[2] = {.output = second_map, .weight = second_weight, .weight_map = second_weight_map, .bias = second_bias};
    layers[3] = {.output = second_map}; // flatten
    layers[4] = {.output = head_map, .weight = head_weight, .weight_map = head_weight_map, .bias = head_bias};
    integer_parameters<numbers, Scheme> made;
    prepare(layers, made);
    return made;
}();

constexpr std::size_t image_size = 64, scores_size = 10, image_count = tiny_digits::labels.size();
using scores = std::array<std::uint8_t, scores_size>;

template <class Scheme>
constexpr scores run(std::size_t image) {
    using executed = integer_network<numbers, Scheme>;
    alignas(arena_alignment) std::array<std::uint8_t, executed::arena_size> arena{};
    executed network(packed<Scheme>, arena);
    const auto output = network.run(std::span(tiny_digits::images).subspan(image_size * image, image_size));
    scores result{};
    std::copy(output.begin(), output.end(), result.begin());
    return result;
}

template <class Scheme>
constexpr scores first_by_the_compiler = run<Scheme>(0);

/// @return how many of the ten images give NumPy's integers.
int images_as_numpy() {
    int equal = 0;
    for (std::size_t image = 0; image < image_count; ++image) {
        const scores computed = run<float_multiplier>(image);
        equal +=
            std::equal(computed.begin(), computed.end(), tiny_digits::outputs.begin() + scores_size * image) ? 1 : 0;
    }
    return equal;
}

} // namespace

int recognise_digits() {
    const int images = images_as_numpy();
    const int schemes = (run<float_multiplier>(0) == first_by_the_compiler<float_multiplier> ? 1 : 0) +
                        (run<gemmlowp>(0) == first_by_the_compiler<gemmlowp> ? 1 : 0) +
                        (run<single_rounding>(0) == first_by_the_compiler<single_rounding> ? 1 : 0);
    std::printf("%d of 10 images as NumPy, %d of 3 schemes as the compiler\n", images, schemes);
    return images == 10 && schemes == 3 ? 0 : 1;
}
