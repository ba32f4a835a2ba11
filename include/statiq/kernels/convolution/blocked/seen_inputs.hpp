// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <cstddef>
#include <cstdint>

namespace statiq::kernels::vectorized {

/// Caches which inputs are small, a word for every look at some steps' inputs. The first block of output channels fills
/// it; the blocks behind read the same inputs in the same order, and reuse the words. If there are more looks than the
/// cache has room for, the first ones are kept, and the others are taken anew.
class seen_inputs {
  public:
    /// @param words memory for `most` of them
    seen_inputs(std::uint64_t* words, std::size_t most) noexcept : words_(words), most_(most) {}

    /// The looks of one block, one after another.
    class looks {
      public:
        looks(std::uint64_t* first, std::size_t known, std::size_t most) noexcept
            : at_(first), known_(first + known), end_(first + most) {}

        /// @param look look(): a word. Not called where an earlier block has done so.
        template <class Look>
        [[gnu::always_inline]] std::uint64_t next(Look look) noexcept {
            if (at_ < known_) return *at_++;
            const std::uint64_t seen = look();
            if (at_ < end_) *at_++ = seen;
            return seen;
        }

      private:
        friend class seen_inputs;
        std::uint64_t* at_;
        std::uint64_t* known_;
        std::uint64_t* end_;
    };

    /// @param order blocks with equal numbers look in the same order.
    [[nodiscard]] looks begin(int order) noexcept {
        if (order != order_) known_ = 0;
        order_ = order;
        return {words_, known_, most_};
    }
    void end(const looks& done) noexcept { known_ = static_cast<std::size_t>(done.at_ - words_); }

  private:
    std::uint64_t* words_;
    std::size_t most_;
    int order_ = -1;
    std::size_t known_ = 0; ///< words that are set
};

/// For formats that need not look.
struct no_seen_inputs {
    no_seen_inputs(std::uint64_t*, std::size_t) noexcept {}
    struct looks {};
    [[nodiscard]] static looks begin(int) noexcept { return {}; }
    static void end(const looks&) noexcept {}
};

} // namespace statiq::kernels::vectorized
