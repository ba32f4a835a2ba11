// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <cstddef>
#include <cstdint>

namespace statiq::kernels::vectorized {

/// Caches which inputs are large: one word per test, with one bit per step (checked_steps.hpp). The first block of
/// output channels fills the cache. Later blocks test the same inputs in the same order and reuse the words. If the
/// cache is full, the remaining words are computed again.
class input_masks {
  public:
    /// @param words memory for `most` words
    input_masks(std::uint64_t* words, std::size_t most) noexcept : words_(words), most_(most) {}

    /// The words of one block of output channels, in the order of its tests.
    class sequence {
      public:
        sequence(std::uint64_t* first, std::size_t known, std::size_t most) noexcept
            : at_(first), known_(first + known), end_(first + most) {}

        /// @param test test(): a word; not called if an earlier block has computed it
        template <class Test>
        [[gnu::always_inline]] std::uint64_t next(Test test) noexcept {
            if (at_ < known_) return *at_++;
            const std::uint64_t mask = test();
            if (at_ < end_) *at_++ = mask;
            return mask;
        }

      private:
        friend class input_masks;
        std::uint64_t* at_;
        std::uint64_t* known_;
        std::uint64_t* end_;
    };

    /// @param order blocks with equal numbers test their inputs in the same order
    [[nodiscard]] sequence begin(int order) noexcept {
        if (order != order_) known_ = 0;
        order_ = order;
        return {words_, known_, most_};
    }
    void end(const sequence& done) noexcept { known_ = static_cast<std::size_t>(done.at_ - words_); }

  private:
    std::uint64_t* words_;
    std::size_t most_;
    int order_ = -1;
    std::size_t known_ = 0; ///< words that are set
};

/// For formats that test nothing.
struct no_input_masks {
    no_input_masks(std::uint64_t*, std::size_t) noexcept {}
    struct sequence {};
    [[nodiscard]] static sequence begin(int) noexcept { return {}; }
    static void end(const sequence&) noexcept {}
};

} // namespace statiq::kernels::vectorized
