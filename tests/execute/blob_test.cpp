// SPDX-License-Identifier: Apache-2.0
#include <statiq/calibrate/calibrate.hpp>
#include <statiq/execute/model.hpp>

#include <doctest/doctest.h>

#include "../io/support.hpp"
#include "../support/random_network.hpp"
#include "../support/random_parameters.hpp"
#include "tiny_digits.hpp"
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <memory>
#include <random>
#include <set>
#include <span>
#include <type_traits>
#include <vector>

using namespace statiq;

namespace {

using weight = quantized<8, symmetric, per_channel>;
using byte = quantized<8, asymmetric>;

struct small final
    : network<decltype(input<6, 5, 3> | conv<8>(kernel<3>, stride<2>) | batch_norm | relu6 |
                       residual(depthwise | batch_norm) | with<float32>(conv<4>) | global_average_pool | dense<3>)> {};

/// The same with another padding.
struct padded_elsewhere final
    : network<decltype(input<6, 5, 3> | conv<8>(kernel<3>, stride<2>, padding_sides<1, 1, 0, 0>) | batch_norm | relu6 |
                       residual(depthwise | batch_norm) | with<float32>(conv<4>) | global_average_pool | dense<3>)> {};

template <class Scheme = float_multiplier>
auto small_model(std::mt19937& random) {
    const auto from = deploy(support::random_parameters<small>(random));
    return quantize<weight, byte, Scheme>(from, calibrate(from, support::random_inputs<small>(random, 3)));
}

using numbers = decltype(small_model(std::declval<std::mt19937&>()))::graph;
using stored = integer_parameters<numbers, float_multiplier>;

/// Memory of which `bytes()` starts `misalignment` bytes after a multiple of the alignment.
class aligned_copy {
  public:
    explicit aligned_copy(std::span<const std::byte> from, std::size_t misalignment = 0)
        : memory_(from.size() + misalignment + alignof(stored)), size_(from.size()) {
        void* start = memory_.data();
        std::size_t space = memory_.size();
        first_ = static_cast<std::byte*>(std::align(alignof(stored), from.size(), start, space)) + misalignment;
        std::copy(from.begin(), from.end(), first_);
    }
    std::span<std::byte> bytes() { return {first_, size_}; }

  private:
    std::vector<std::byte> memory_;
    std::byte* first_;
    std::size_t size_;
};

std::vector<std::uint8_t> random_bytes(std::mt19937& random, std::size_t size) {
    std::vector<std::uint8_t> bytes(size);
    for (auto& b : bytes) b = static_cast<std::uint8_t>(random());
    return bytes;
}

template <class Q, class Scheme>
std::vector<std::uint8_t> run(const integer_parameters<Q, Scheme>& parameters, const std::vector<std::uint8_t>& input) {
    using net = integer_network<Q, Scheme>;
    struct alignas(arena_alignment) memory {
        std::array<std::uint8_t, net::arena_size> bytes;
    };
    const auto arena = std::make_unique<memory>();
    const auto output = net(parameters, arena->bytes).run(input);
    return {output.begin(), output.end()};
}

} // namespace

TEST_CASE("a model's bytes are the model: read in place from memory and from a file") {
    static_assert(std::is_trivially_copyable_v<stored> && std::is_standard_layout_v<stored>);
    std::mt19937 random(121);
    auto model = small_model(random);
    CHECK(model.bytes().size() == sizeof(stored));
    CHECK(model.bytes().size() == weight_bytes<numbers>);

    const auto here = parameters_from_bytes<numbers>(model.bytes());
    REQUIRE(here);
    CHECK(here.refusal().defect == parameters_defect::none);
    CHECK(static_cast<const void*>(here.get()) == model.bytes().data());

    io_test::temporary_folder folder;
    const auto path = folder.path() / "model.bin";
    {
        std::ofstream file(path, std::ios::binary);
        file.write(reinterpret_cast<const char*>(model.bytes().data()),
                   static_cast<std::streamsize>(model.bytes().size()));
        file.write("and more", 8); // a padded_elsewhere container
    }
    std::vector<char> text(std::filesystem::file_size(path));
    std::ifstream(path, std::ios::binary).read(text.data(), static_cast<std::streamsize>(text.size()));
    aligned_copy copy(std::as_bytes(std::span(text)));
    const auto elsewhere = parameters_from_bytes<numbers>(copy.bytes());
    REQUIRE(elsewhere);
    CHECK(std::memcmp(elsewhere.get(), here.get(), sizeof(stored)) == 0);

    for (int sample = 0; sample < 5; ++sample) {
        const auto input = random_bytes(random, input_extents<small>.size());
        const auto output = model.network().run(input);
        const std::vector<std::uint8_t> expected(output.begin(), output.end());
        CHECK(run(*here, input) == expected);
        CHECK(run(*elsewhere, input) == expected);
    }
}

namespace {
/// A word of the header, changed.
template <class Word>
parameters_refusal refusal_with(std::span<const std::byte> bytes, Word parameters_header::*field, Word value) {
    aligned_copy altered(bytes);
    parameters_header header;
    std::memcpy(&header, altered.bytes().data(), sizeof(header));
    header.*field = value;
    std::memcpy(altered.bytes().data(), &header, sizeof(header));
    const auto read = parameters_from_bytes<numbers>(altered.bytes());
    CHECK_FALSE(read);
    CHECK(read.get() == nullptr);
    return read.refusal();
}
} // namespace

TEST_CASE("bytes that are not this network's are refused, and say why") {
    std::mt19937 random(122);
    const auto model = small_model(random);
    const auto bytes = model.bytes();
    using defect = parameters_defect;
    const auto check = [](const parameters_refusal& seen, defect why, std::uint64_t expected, std::uint64_t found) {
        CHECK(seen.defect == why);
        CHECK(seen.expected == expected);
        CHECK(seen.found == found);
    };
    const auto refusal = [](std::span<const std::byte> b) { return parameters_from_bytes<numbers>(b).refusal(); };

    CHECK(refusal(aligned_copy(bytes).bytes()).defect == defect::none);
    check(refusal({}), defect::too_short, bytes.size(), 0);
    check(refusal(bytes.first(16)), defect::too_short, bytes.size(), 16);
    check(refusal(bytes.first(bytes.size() - 1)), defect::too_short, bytes.size(), bytes.size() - 1);
    for (const std::size_t shift : {1u, 4u, 8u, 16u, 32u, 63u})
        check(refusal(aligned_copy(bytes, shift).bytes()), defect::misaligned, 0, shift);

    const parameters_header expected = stored::expected_header();
    check(refusal_with<std::uint32_t>(bytes, &parameters_header::signature, 0x03040506), defect::unknown, 0x51545351,
          0x03040506);
    check(refusal_with<std::uint32_t>(bytes, &parameters_header::version, 1), defect::other_version, expected.version,
          1);
    check(refusal_with<std::uint64_t>(bytes, &parameters_header::network, 5), defect::other_network, expected.network,
          5);
    check(refusal_with<std::uint64_t>(bytes, &parameters_header::numbers, 6), defect::other_numbers, expected.numbers,
          6);
    check(refusal_with<std::uint32_t>(bytes, &parameters_header::scheme, 77), defect::other_scheme,
          float_multiplier::identifier, 77);
    check(refusal_with<std::uint32_t>(bytes, &parameters_header::factor_bytes, 8), defect::damaged, sizeof(float), 8);
    check(refusal_with<std::uint64_t>(bytes, &parameters_header::size, 1), defect::damaged, sizeof(stored), 1);
    for (std::size_t i = 0; i < sizeof(parameters_header); ++i) { // whatever byte of it changes
        aligned_copy altered(bytes);
        altered.bytes()[i] ^= std::byte{0x40};
        CHECK(refusal(altered.bytes()).defect != defect::none);
    }

    // The same bytes asked for as something else; large enough for any of these.
    std::vector<std::byte> large(bytes.begin(), bytes.end());
    large.resize(4 * bytes.size());
    aligned_copy roomy(large);
    CHECK(refusal(roomy.bytes()).defect == defect::none);
    using deployed_small = deployed<small>;
    using per_tensor = numbers_chosen<deployed_small, quantized<8>, byte>;
    using signed_ones = numbers_chosen<deployed_small, weight, quantized<8, asymmetric_signed>>;
    using all_float_inside = numbers_chosen<deployed_small, weight, byte, weight, for_layer<"dense", weight, float32>>;
    using other = numbers_chosen<deployed<padded_elsewhere>, weight, byte>;
    const auto asked_as = [&]<class Q, class Scheme>(std::type_identity<integer_parameters<Q, Scheme>>) {
        return parameters_from_bytes<Q, Scheme>(roomy.bytes()).refusal().defect;
    };
    CHECK(asked_as(std::type_identity<integer_parameters<other, float_multiplier>>{}) == defect::other_network);
    CHECK(asked_as(std::type_identity<integer_parameters<per_tensor, float_multiplier>>{}) == defect::other_numbers);
    CHECK(asked_as(std::type_identity<integer_parameters<signed_ones, float_multiplier>>{}) == defect::other_numbers);
    // A conversion more is no other network.
    CHECK(asked_as(std::type_identity<integer_parameters<all_float_inside, float_multiplier>>{}) ==
          defect::other_numbers);
    CHECK(asked_as(std::type_identity<integer_parameters<numbers, gemmlowp>>{}) == defect::other_scheme);
    CHECK(asked_as(std::type_identity<integer_parameters<numbers, single_rounding>>{}) == defect::other_scheme);
}

TEST_CASE("options of quantize are told apart by what they are, not by their places") {
    using dense = for_layer<"dense", quantized<4>>;
    using from = const parameters<deployed<small>>&;
    using ranges = const node_ranges<deployed<small>>&;
    using expected = model<numbers_chosen<deployed<small>, weight, byte, weight, dense>, gemmlowp>;
    CHECK(
        std::is_same_v<decltype(quantize<weight, byte, dense, gemmlowp>(std::declval<from>(), std::declval<ranges>())),
                       expected>);
    CHECK(
        std::is_same_v<decltype(quantize<gemmlowp, weight, dense, byte>(std::declval<from>(), std::declval<ranges>())),
                       expected>);
    CHECK(
        std::is_same_v<decltype(quantize<dense, weight, byte, gemmlowp>(std::declval<from>(), std::declval<ranges>())),
                       expected>);
}

TEST_CASE("integers that name no scheme, and bytes that are read for none, have the same one") {
    std::mt19937 random(124);
    const auto from = deploy(support::random_parameters<small>(random));
    const auto ranges = calibrate(from, support::random_inputs<small>(random, 3));
    const auto model = integer_model(quantize_parameters<numbers>(from, ranges));
    CHECK(parameters_from_bytes<numbers>(model.bytes()));
    CHECK(std::ranges::equal(model.bytes(), quantize<weight, byte>(from, ranges).bytes()));
}

namespace {

/// What tells stored parameters apart.
using mark = std::array<std::uint64_t, 3>;
template <class Q, class Scheme>
constexpr mark mark_of() {
    const parameters_header header = integer_parameters<Q, Scheme>::expected_header();
    return {header.network, header.numbers, header.scheme};
}
template <class Body, class Scheme = float_multiplier>
constexpr mark fingerprint_of(const Body&) {
    return mark_of<numbers_chosen<deployed<network<Body>>, weight, byte>, Scheme>();
}

/// Networks whose parameters have the same sizes, and mean different things.
constexpr std::array alike{
    fingerprint_of(input<4, 4, 4> | conv<4>(kernel<3>)),
    fingerprint_of(input<4, 4, 4> | conv<4>(kernel<3>) | relu),
    fingerprint_of(input<4, 4, 4> | conv<4>(kernel<3>) | relu6),
    fingerprint_of(input<4, 4, 4> | conv<4>(kernel<3>, valid)),
    fingerprint_of(input<4, 4, 4> | conv<4>(kernel<3>, stride<2>)),
    fingerprint_of(input<4, 4, 4> | conv<4>(kernel<3>, stride<2>, padding_sides<1, 0, 0, 1>)),
    fingerprint_of(input<4, 4, 4> | conv<4>(kernel<3>, stride<2>, padding_sides<0, 1, 1, 0>)),
    fingerprint_of(input<4, 4, 4> | conv<4>(kernel<3>, dilation<2>)),
    fingerprint_of(input<4, 4, 4> | transpose<1, 0, 2> | conv<4>(kernel<3>)),
    fingerprint_of(input<4, 4, 4> | transpose<2, 1, 0> | conv<4>(kernel<3>)),
    fingerprint_of(input<4, 4, 4> | max_pool(kernel<2>, stride<1>, same) | conv<4>(kernel<3>)),
    fingerprint_of(input<4, 4, 4> | average_pool(kernel<2>, stride<1>, same) | conv<4>(kernel<3>)),
    fingerprint_of(input<4, 4, 4> | add(conv<4>(kernel<3>) | relu, identity)),
    fingerprint_of(input<4, 4, 4> | add(identity, conv<4>(kernel<3>) | relu)),
    fingerprint_of(input<4, 4, 4> | with<weight, quantized<7, asymmetric>>(conv<4>(kernel<3>))),
    fingerprint_of(input<4, 4, 4> | with<quantized<7, symmetric, per_channel>>(conv<4>(kernel<3>))),
};

} // namespace

TEST_CASE("the fingerprint tells networks, numbers and schemes apart") {
    std::set<mark> seen(alike.begin(), alike.end());
    CHECK(seen.size() == alike.size());
    support::for_each_random_network([&]<class Net>() {
        const auto note = [&]<class Weight, class Activation>(Weight, Activation) {
            using Q = numbers_chosen<deployed<Net>, Weight, Activation>;
            CHECK(seen.insert(mark_of<Q, gemmlowp>()).second);
            CHECK(seen.insert(mark_of<Q, single_rounding>()).second);
            CHECK(seen.insert(mark_of<Q, float_multiplier>()).second);
        };
        note(weight{}, byte{});
        note(quantized<8>{}, byte{});
    });
}

namespace {

struct classifier final : network<decltype(input<8, 8, 1> | conv<6>(kernel<3>, stride<2>) | relu |
                                           conv<8>(kernel<3>, stride<2>) | relu | flatten | dense<10>)> {};
using classifier_numbers = numbers_chosen<deployed<classifier>, weight, byte>;

/// A blob in the program's read-only data.
constexpr integer_parameters<classifier_numbers, float_multiplier> embedded = [] {
    using namespace tiny_digits;
    quantized_layers<classifier_numbers> layers;
    layers[0] = {.output = input_map};
    layers[1] = {.output = first_map, .weight = first_weight, .weight_map = first_weight_map, .bias = first_bias};
    layers[2] = {.output = second_map, .weight = second_weight, .weight_map = second_weight_map, .bias = second_bias};
    layers[3] = {.output = second_map};
    layers[4] = {.output = head_map, .weight = head_weight, .weight_map = head_weight_map, .bias = head_bias};
    integer_parameters<classifier_numbers, float_multiplier> made;
    prepare(layers, made);
    return made;
}();

} // namespace

TEST_CASE("parameters embedded in the program run where they lie") {
    const auto bytes = std::as_bytes(std::span(&embedded, 1));
    const auto parameters = parameters_from_bytes<classifier_numbers>(bytes);
    REQUIRE(parameters.get() == &embedded);
    for (std::size_t image = 0; image < 10; ++image) {
        const auto pixels = tiny_digits::images.begin() + static_cast<std::ptrdiff_t>(64 * image);
        const auto expected = tiny_digits::outputs.begin() + static_cast<std::ptrdiff_t>(10 * image);
        const auto output = run(*parameters, std::vector<std::uint8_t>(pixels, pixels + 64));
        CHECK(std::equal(output.begin(), output.end(), expected, expected + 10));
    }
}

namespace {
struct float_ends final
    : network<decltype(with<float32>(input<4, 4, 2>) | conv<4>(kernel<3>) | relu | with<float32>(flatten | dense<3>))> {
};
} // namespace

TEST_CASE("a model takes reals and gives reals: those its network's integers stand for; it can be moved") {
    std::mt19937 random(123);
    auto original = small_model(random);
    const auto samples = support::random_inputs<small>(random, 3);
    const auto before = original(samples[0]);
    auto model = std::move(original);
    CHECK(model(samples[0]) == before);
    auto& network = model.network();
    for (std::size_t s = 0; s < samples.size(); ++s) {
        std::vector<std::uint8_t> input;
        for (const float x : samples[s])
            input.push_back(static_cast<std::uint8_t>(quantize(x, network.input_map(), byte::format)));
        const auto output = network.run(input);
        std::vector<float> expected;
        for (const std::uint8_t q : output) expected.push_back(dequantize(q, network.output_map()));
        const auto reals = model(samples[s]);
        CHECK(std::equal(reals.begin(), reals.end(), expected.begin(), expected.end()));
    }

    const auto from = deploy(support::random_parameters<float_ends>(random));
    const auto floats = support::random_inputs<float_ends>(random, 2);
    auto ends = quantize<weight, byte>(from, calibrate(from, floats));
    const auto reals = ends(floats[0]);
    const auto output = ends.network().run(floats[0]);
    CHECK(std::equal(reals.begin(), reals.end(), output.begin(), output.end()));
}
