// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/exceptions.hpp>
#include <statiq/io/error.hpp>
#include <statiq/io/idx.hpp>
#include <statiq/io/stored_array.hpp>
#include <statiq/tensor/extents.hpp>
#include <statiq/tensor/refusal.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace statiq::io {

/// How pixels become reals: value = pixel * scale + offset, one pair for each channel or one for all.
struct preprocessing {
    std::vector<float> scale{1.0F};
    std::vector<float> offset{0.0F};
};

/// x / 127.5 - 1, as MobileNet is trained.
inline preprocessing minus_one_to_one() { return {{1.0F / 127.5F}, {-1.0F}}; }

/// (x / 255 - mean) / deviation, channel by channel, as PyTorch's networks are trained.
inline preprocessing normalized(const std::vector<float>& mean, const std::vector<float>& deviation) {
    preprocessing how{{}, {}};
    for (std::size_t c = 0; c < mean.size(); ++c) {
        how.scale.push_back(1.0F / (255.0F * deviation[c]));
        how.offset.push_back(-mean[c] / deviation[c]);
    }
    return how;
}
inline preprocessing imagenet_normalization() { return normalized({.485F, .456F, .406F}, {.229F, .224F, .225F}); }

/// Images of a file as samples: uint8 [count, height, width, channels], grey ones also [count, height, width]. Pixels
/// become reals when asked for.
class image_set {
  public:
    /// @throws format_error when the file is not uint8 images of those extents
    /// @throws std::invalid_argument when the preprocessing is for another number of channels
    image_set(stored_array images, const extents& expected, preprocessing how)
        : images_(std::move(images)), extents_(expected), how_(std::move(how)), sample_(expected.size()) {
        const std::vector<std::int64_t>& shape = images_.shape;
        const std::vector<std::int64_t> wanted{expected.height, expected.width, expected.channels};
        const auto axes = static_cast<std::ptrdiff_t>(shape.size()) - 1; // of one image
        if (images_.dtype != dtype::u8 || (axes != 3 && !(axes == 2 && expected.channels == 1)) ||
            !std::equal(wanted.begin(), wanted.begin() + axes, shape.begin() + 1))
            throw format_error(images_.file, "", "uint8 images [count, " + detail::shape_text(wanted).substr(1),
                               std::string(name(images_.dtype)) + detail::shape_text(shape));
        const auto channels = static_cast<std::size_t>(expected.channels);
        for (std::vector<float>* values : {&how_.scale, &how_.offset}) {
            if (values->size() != 1 && values->size() != channels)
                throw std::invalid_argument("preprocessing of " + images_.file + ": expected 1 or " +
                                            std::to_string(channels) + " scales and offsets, found " +
                                            std::to_string(values->size()));
            values->resize(channels, values->front());
        }
    }

    [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(images_.shape[0]); }
    [[nodiscard]] const extents& image_extents() const noexcept { return extents_; }

    /// One sample in HWC order, valid until the next one is asked for.
    [[nodiscard]] std::span<const float> operator[](std::size_t index) const {
        read(index, sample_);
        return sample_;
    }
    /// The same into memory of the caller's, one sample's values; several threads may read at a time.
    void read(std::size_t index, std::span<float> to) const { convert(pixels(index), to); }

    /// One image as it is stored.
    [[nodiscard]] std::span<const std::uint8_t> pixels(std::size_t index) const {
        statiq::detail::require_at_least("image_set: images, for this index", index + 1, size());
        return images_.values<std::uint8_t>().subspan(index * extents_.size(), extents_.size());
    }
    /// What an image of these pixels is as a sample.
    void convert(std::span<const std::uint8_t> pixels, std::span<float> to) const {
        statiq::detail::require_count("image_set: pixels of an image", extents_.size(), pixels.size());
        statiq::detail::require_count("image_set: values of a sample", extents_.size(), to.size());
        const auto channels = static_cast<std::size_t>(extents_.channels);
        for (std::size_t i = 0; i < pixels.size(); i += channels)
            for (std::size_t c = 0; c < channels; ++c)
                to[i + c] = static_cast<float>(pixels[i + c]) * how_.scale[c] + how_.offset[c];
    }

  private:
    stored_array images_;
    extents extents_;
    preprocessing how_;
    mutable std::vector<float> sample_;
};

/// Reads images from an npy or idx file: at least one, since nothing can be measured or learned from none.
/// @throws format_error when the file is something else or empty of images
/// @throws std::invalid_argument when the preprocessing is for another number of channels
[[nodiscard]] inline image_set read_images(const std::filesystem::path& path, const extents& expected,
                                           preprocessing how) {
    image_set images(read_array(path), expected, std::move(how));
    if (images.size() == 0) throw format_error(path.string(), "", "at least one image", "none");
    return images;
}

/// Reads labels from an npy or idx file: int32 or uint8 [count].
/// @throws format_error when the file is something else or the count differs
[[nodiscard]] inline std::vector<std::int32_t> read_labels(const std::filesystem::path& path, std::size_t count) {
    const stored_array labels = read_array(path);
    const bool bytes = labels.dtype == dtype::u8;
    if ((labels.dtype != dtype::i32 && !bytes) ||
        labels.shape != std::vector<std::int64_t>{static_cast<std::int64_t>(count)})
        throw format_error(labels.file, "", "int32 labels [" + std::to_string(count) + "], or uint8 ones",
                           std::string(name(labels.dtype)) + detail::shape_text(labels.shape));
    const auto widened = [](const auto values) { return std::vector<std::int32_t>(values.begin(), values.end()); };
    return bytes ? widened(labels.values<std::uint8_t>()) : widened(labels.values<std::int32_t>());
}

} // namespace statiq::io
