// SPDX-License-Identifier: Apache-2.0
#include <statiq/train/batches.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <span>
#include <stdexcept>
#include <vector>

using namespace statiq;

namespace {

/// `count` images of 5 x 4 pixels and 3 channels; image i has label i, and in every place a number of its own.
struct labelled {
    io::image_set images;
    std::vector<std::int32_t> labels;

    explicit labelled(std::size_t count) : images(bytes(count), {5, 4, 3}, {}), labels(count) {
        std::iota(labels.begin(), labels.end(), 0);
    }
    static io::stored_array bytes(std::size_t count) {
        std::vector<std::byte> pixels(count * 60);
        for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::byte>(1 + (i * 7 + i / 60) % 255);
        return {"pixels", io::dtype::u8, {static_cast<std::int64_t>(count), 5, 4, 3}, std::move(pixels), 0};
    }
};

struct batch {
    std::vector<float> samples;
    std::vector<std::int32_t> labels;
    friend bool operator==(const batch&, const batch&) = default;
};
batch next_of(batches& from, std::size_t size) {
    batch filled{std::vector<float>(size * 60), std::vector<std::int32_t>(size)};
    from.next(filled.samples, filled.labels);
    return filled;
}

} // namespace

TEST_CASE("random numbers are the same with every library") {
    // The standard itself states what the engine gives at its 10000th call ([rand.predef]).
    random_numbers random(std::mt19937_64::default_seed);
    for (int i = 1; i < 10000; ++i) (void)random.bits();
    const random_numbers copy = random;
    CHECK(random.bits() == 9981545732273789042U);
    random_numbers resumed(copy.at());
    CHECK(resumed.bits() == 9981545732273789042U);
}

TEST_CASE("numbers below a bound are all there and as frequent as they should be") {
    random_numbers random(301);
    for (const std::uint64_t bound : {1U, 2U, 3U, 10U, 7000U}) {
        std::map<std::uint64_t, int> seen;
        for (std::uint64_t i = 0; i < 40 * bound; ++i) ++seen[random.below(bound)];
        CHECK(seen.rbegin()->first < bound);
        // Of 40 expected, none is missing but with probability e^-40 each, none beyond 100 but with less.
        CHECK(seen.size() == bound);
        if (bound > 3)
            for (const auto& [value, count] : seen) CHECK(count < 100);
    }
    // Bounds above 2^63 refuse almost half of what is drawn; what remains keeps its place.
    for (int i = 0; i < 100; ++i) CHECK(random.below((1ULL << 63U) + 1) <= 1ULL << 63U);
    for (int i = 0; i < 1000; ++i) {
        const double unit = random.unit();
        CHECK((unit >= 0 && unit < 1));
    }
}

TEST_CASE("a shuffle is a permutation, and every permutation is as likely") {
    random_numbers random(302);
    std::map<std::vector<int>, int> seen;
    for (int i = 0; i < 2400; ++i) {
        std::vector<int> order{0, 1, 2, 3};
        random.shuffle(std::span(order));
        ++seen[order];
    }
    CHECK(seen.size() == 24); // 100 each on average; standard deviation 10
    for (const auto& [order, count] : seen) {
        CHECK((count > 40 && count < 160));
        CHECK(std::set<int>(order.begin(), order.end()).size() == 4);
    }
}

TEST_CASE("every epoch shows every image once, whole, with its label, and in another order") {
    const labelled data(24);
    batches source(data.images, data.labels, 6, {}, 1);
    CHECK(source.batches_per_epoch() == 4);
    std::set<std::vector<std::int32_t>> orders;
    for (int epoch = 0; epoch < 5; ++epoch) {
        std::vector<std::int32_t> order;
        for (int b = 0; b < 4; ++b) {
            const batch shown = next_of(source, 6);
            for (std::size_t i = 0; i < 6; ++i) {
                const auto expected = data.images[static_cast<std::size_t>(shown.labels[i])];
                CHECK(std::equal(expected.begin(), expected.end(),
                                 shown.samples.begin() + static_cast<std::ptrdiff_t>(60 * i)));
            }
            order.insert(order.end(), shown.labels.begin(), shown.labels.end());
        }
        orders.insert(order);
        std::ranges::sort(order);
        CHECK(order == data.labels);
    }
    CHECK(orders.size() == 5);
}

TEST_CASE("an epoch's last images that fill no batch are left out, others every time") {
    const labelled data(25);
    batches source(data.images, data.labels, 6, {}, 2);
    std::set<std::int32_t> missing;
    for (int epoch = 0; epoch < 60; ++epoch) {
        std::set<std::int32_t> seen;
        for (int b = 0; b < 4; ++b)
            for (const std::int32_t label : next_of(source, 6).labels) seen.insert(label);
        CHECK(seen.size() == 24);
        for (std::int32_t label = 0; label < 25; ++label)
            if (!seen.contains(label)) missing.insert(label);
    }
    CHECK(missing.size() > 12);
}

TEST_CASE("the same seed gives the same bits, another seed others, and a resumed source continues") {
    const labelled data(20);
    const augmentation how{.padding = 2, .flip = true};
    batches first(data.images, data.labels, 6, how, 3);
    batches second(data.images, data.labels, 6, how, 3);
    batches other(data.images, data.labels, 6, how, 4);
    bool differs = false;
    for (int b = 0; b < 30; ++b) {
        const auto at = first.at();
        const batch one = next_of(first, 6);
        CHECK(one == next_of(second, 6));
        differs = differs || !(one == next_of(other, 6));
        // A new source of any other seed, put where the first stood, gives the same for the rest of two epochs.
        batches resumed(data.images, data.labels, 6, how, 99);
        resumed.resume(at);
        CHECK(resumed.at() == at);
        CHECK(next_of(resumed, 6) == one);
        batches copy = first;
        for (int more = 0; more < 6; ++more) CHECK(next_of(resumed, 6) == next_of(copy, 6));
    }
    CHECK(differs);
}

TEST_CASE("augmentation moves and mirrors an image, and all moves occur") {
    const extents image{5, 4, 3};
    const labelled data(1);
    const auto pixels = data.images.pixels(0);
    random_numbers random(303);
    std::set<std::vector<std::uint8_t>> expected;
    for (int down = -2; down <= 2; ++down)
        for (int right = -2; right <= 2; ++right)
            for (const bool flip : {false, true}) {
                std::vector<std::uint8_t> moved(60);
                for (int y = 0; y < 5; ++y)
                    for (int x = 0; x < 4; ++x)
                        for (int c = 0; c < 3; ++c) {
                            const int from_y = y + down;
                            const int from_x = (flip ? 3 - x : x) + right;
                            const bool inside = from_y >= 0 && from_y < 5 && from_x >= 0 && from_x < 4;
                            moved[static_cast<std::size_t>((y * 4 + x) * 3 + c)] =
                                inside ? pixels[static_cast<std::size_t>((from_y * 4 + from_x) * 3 + c)]
                                       : std::uint8_t{0};
                        }
                expected.insert(moved);
            }
    REQUIRE(expected.size() == 50);
    std::set<std::vector<std::uint8_t>> seen;
    std::vector<std::uint8_t> changed(60);
    for (int i = 0; i < 2000; ++i) {
        augment({.padding = 2, .flip = true}, image, pixels, random, changed);
        seen.insert(changed);
    }
    CHECK(seen == expected); // one of 50 is missing after 2000 with a probability of 50 e^-40
    augment({}, image, pixels, random, changed);
    CHECK(std::ranges::equal(changed, pixels));
}

TEST_CASE("batches need labels for all images and images for a batch") {
    const labelled data(5);
    CHECK_NOTHROW(batches(data.images, data.labels, 5, {}, 1));
    CHECK_THROWS_AS(batches(data.images, data.labels, 6, {}, 1), std::invalid_argument);
    CHECK_THROWS_AS(batches(data.images, data.labels, 0, {}, 1), std::invalid_argument);
    CHECK_THROWS_WITH(
        batches(data.images, std::span(data.labels).first(4), 2, {}, 1),
        "batches of 2 images: expected as many labels as images and no fewer than a batch, found 5 images, "
        "4 labels");
}

TEST_CASE("a batch, an image and a gradient have the sizes that are expected") {
    const labelled data(5);
    batches source(data.images, data.labels, 2, {}, 1);
    std::vector<float> samples(120); // 2 images of 5 x 4 x 3
    std::vector<std::int32_t> labels(2);
    CHECK_NOTHROW(source.next(samples, labels));
    CHECK_THROWS_WITH(source.next(std::span(samples).first(119), labels), "values of a batch: expected 120, found 119");
    CHECK_THROWS_WITH(source.next(samples, std::span(labels).first(1)), "labels of a batch: expected 2, found 1");

    random_numbers random(305);
    std::vector<std::uint8_t> image(60);
    CHECK_THROWS_WITH(augment({.flip = true}, {5, 4, 3}, data.images.pixels(0), random, std::span(image).first(59)),
                      "values of an augmented image: expected 60, found 59");
}
