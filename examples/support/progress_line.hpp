// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/threads/shares.hpp>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>
#include <unistd.h>

namespace example {

/// A line on stderr that says how far a long run is, and when it will have ended; on terminals only.
class progress_line {
  public:
    explicit progress_line(bool quiet) : shown_(!quiet && isatty(STDERR_FILENO) != 0) {}

    /// Of a run of known length: for functions that report their progress.
    [[nodiscard]] statiq::progress of(const std::string& what) const {
        if (!shown_) return {};
        return [what, start = clock::now()](std::size_t done, std::size_t total) { show(what, done, total, start); };
    }
    /// Of a run of the caller's, begun at `start`.
    void report(const std::string& what, std::size_t done, std::size_t total,
                std::chrono::steady_clock::time_point start) const {
        if (shown_) show(what, done, total, start);
    }

  private:
    using clock = std::chrono::steady_clock;

    static void show(const std::string& what, std::size_t done, std::size_t total, clock::time_point start) {
        constexpr std::size_t width = 20;
        const double share = total == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(total);
        const double spent = std::chrono::duration<double>(clock::now() - start).count();
        const auto full = static_cast<std::size_t>(share * static_cast<double>(width));
        std::fprintf(stderr, "\r%-52s %s%s %3.0f%% %s\033[K", what.c_str(), std::string(full, '#').c_str(),
                     std::string(width - full, '.').c_str(), 100 * share,
                     done == 0 ? "" : left(spent * (1 - share) / share).c_str());
        if (done >= total) std::fputs("\r\033[K", stderr);
    }
    static std::string left(double seconds) {
        const auto whole = static_cast<long>(seconds + 0.5);
        char text[32];
        std::snprintf(text, sizeof text, "%ld:%02ld left", whole / 60, whole % 60);
        return text;
    }

    bool shown_;
};

} // namespace example
