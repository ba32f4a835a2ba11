// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/tensor/refusal.hpp>

#include <type_traits>

namespace statiq::detail {

/// A network runs once at a time: every run writes the same memory. This sees a run that begins while another one is in
/// progress, on another thread or in the other's observer, and refuses it. It costs a load and two stores, without
/// order between threads: two runs that begin in the same moment may miss each other.
class single_run {
  public:
    constexpr single_run() noexcept = default;
    constexpr single_run(const single_run&) noexcept {} // a copy has not begun
    constexpr single_run& operator=(const single_run&) noexcept { return *this; }
    constexpr ~single_run() = default;

    /// A run in progress.
    class scope {
      public:
        /// @param what for the message: "integer_network: runs at a time"
        constexpr scope(single_run& of, const char* what) noexcept : of_(of) {
            if (std::is_constant_evaluated()) return;
            detail::require_count(what, 1, __atomic_load_n(&of_.running_, __ATOMIC_RELAXED) ? 2 : 1);
            __atomic_store_n(&of_.running_, true, __ATOMIC_RELAXED);
        }
        scope(const scope&) = delete;
        scope& operator=(const scope&) = delete;
        constexpr ~scope() {
            if (!std::is_constant_evaluated()) __atomic_store_n(&of_.running_, false, __ATOMIC_RELAXED);
        }

      private:
        single_run& of_;
    };

  private:
    bool running_ = false;
};

} // namespace statiq::detail
