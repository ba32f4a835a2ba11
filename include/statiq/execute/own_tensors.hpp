// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <algorithm>
#include <cstddef>

namespace statiq::detail {

/// Where a network's tensors lie, one place a node: mostly in memory of its own, which a copy of the network has
/// elsewhere. So a copy begins without any, as a network that has not run.
/// @tparam Places a container of `const float*`
template <class Places>
class own_tensors {
  public:
    own_tensors() = default;
    explicit own_tensors(std::size_t nodes) : places_(nodes) {}
    own_tensors(const own_tensors& other) : places_(other.places_) { forget(); }
    own_tensors& operator=(const own_tensors& other) {
        places_ = other.places_;
        forget();
        return *this;
    }
    own_tensors(own_tensors&&) noexcept = default; // memory moves along
    own_tensors& operator=(own_tensors&&) noexcept = default;
    ~own_tensors() = default;

    [[nodiscard]] const float*& operator[](std::size_t node) noexcept { return places_[node]; }
    [[nodiscard]] const float* operator[](std::size_t node) const noexcept { return places_[node]; }
    [[nodiscard]] const float* back() const noexcept { return places_.back(); }

  private:
    void forget() { std::fill(places_.begin(), places_.end(), nullptr); }

    Places places_{};
};

} // namespace statiq::detail
