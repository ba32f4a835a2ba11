// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/exceptions.hpp>
#include <statiq/io/images.hpp>
#include <statiq/train/augmentation.hpp>
#include <statiq/train/expect_count.hpp>
#include <statiq/train/random.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace statiq {

/// Labelled images in batches, in another order every epoch. An epoch leaves out the last images of its order that fill
/// no batch: a smaller one would have other batch statistics.
class batches {
  public:
    /// Seed, draws before the epoch's order was made, draws made until now, images given of the epoch.
    using position = std::array<std::uint64_t, 4>;

    /// @param labels as many as images; both must outlive this
    /// @throws std::invalid_argument when there are not as many, or fewer than a batch holds
    batches(const io::image_set& images, std::span<const std::int32_t> labels, std::size_t batch, augmentation how,
            std::uint64_t seed)
        : images_(&images), labels_(labels), batch_(batch), how_(how), random_(seed), order_(images.size()),
          changed_(images.image_extents().size()) {
        if (labels.size() != images.size() || batch == 0 || batch > images.size())
            throw std::invalid_argument(std::string("batches of ").append(std::to_string(batch)) +
                                        " images: expected as many labels as images and no fewer than a batch, found " +
                                        std::to_string(images.size()) + " images, " + std::to_string(labels.size()) +
                                        " labels");
        next_ = images.size(); // the first batch begins an epoch
    }

    [[nodiscard]] std::size_t batch_size() const noexcept { return batch_; }
    [[nodiscard]] const extents& image_extents() const noexcept { return images_->image_extents(); }
    [[nodiscard]] std::size_t batches_per_epoch() const noexcept { return order_.size() / batch_; }

    /// Fills a batch. @param samples [image][value]  @param labels one an image
    /// @throws std::invalid_argument when there is room for more or less
    void next(std::span<float> samples, std::span<std::int32_t> labels) {
        detail::expect_count("values of a batch", batch_ * images_->image_extents().size(), samples.size());
        detail::expect_count("labels of a batch", batch_, labels.size());
        if (next_ + batch_ > batches_per_epoch() * batch_) begin_epoch();
        const std::size_t size = images_->image_extents().size();
        for (std::size_t i = 0; i < batch_; ++i) {
            const std::size_t index = order_[next_++];
            std::span<const std::uint8_t> pixels = images_->pixels(index);
            if (how_.any()) {
                augment(how_, images_->image_extents(), pixels, random_, changed_);
                pixels = changed_;
            }
            images_->convert(pixels, samples.subspan(i * size, size));
            labels[i] = labels_[index];
        }
    }

    /// Where it stands; `resume` with it continues with the same bits.
    [[nodiscard]] position at() const {
        const auto [seed, drawn] = random_.at();
        return {seed, drawn_before_, drawn, next_};
    }
    /// What of a position cannot be one of these batches, in words; empty when it can be.
    [[nodiscard]] std::string fault_of(const position& at) const {
        const auto [seed, drawn_before, drawn, next] = at;
        const bool ends_a_batch = next % batch_ == 0 && next <= batches_per_epoch() * batch_;
        if (drawn > most_draws)
            return std::to_string(drawn) + " random numbers drawn, more than 2^36, which no training draws";
        if (drawn_before > drawn)
            return std::to_string(drawn_before) + " random numbers drawn before the epoch, and then " +
                   std::to_string(drawn);
        if (!ends_a_batch && next != order_.size())
            return std::to_string(next) + " images given of " + std::to_string(order_.size()) + " in batches of " +
                   std::to_string(batch_);
        return {};
    }
    /// @throws std::invalid_argument when it is none of these batches' positions
    void resume(const position& at) {
        if (const std::string fault = fault_of(at); !fault.empty()) throw std::invalid_argument("batches: " + fault);
        const auto [seed, drawn_before, drawn, next] = at;
        random_ = random_numbers({seed, drawn_before});
        if (next < order_.size()) begin_epoch();
        random_ = random_numbers({seed, drawn});
        drawn_before_ = drawn_before;
        next_ = static_cast<std::size_t>(next);
    }

  private:
    /// Resuming draws them all again: minutes.
    static constexpr std::uint64_t most_draws = std::uint64_t{1} << 36;

    /// Every order is made of the same one, so that the generator's position is all there is to remember.
    void begin_epoch() {
        drawn_before_ = random_.at()[1];
        std::iota(order_.begin(), order_.end(), std::uint32_t{0});
        random_.shuffle(std::span(order_));
        next_ = 0;
    }

    const io::image_set* images_;
    std::span<const std::int32_t> labels_;
    std::size_t batch_;
    augmentation how_;
    random_numbers random_;
    std::uint64_t drawn_before_ = 0;
    std::vector<std::uint32_t> order_;
    std::size_t next_ = 0;
    std::vector<std::uint8_t> changed_;
};

} // namespace statiq
