// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/io/file.hpp>

#include "../tests/io/support.hpp"
#include "target.hpp"

namespace fuzz {

/// What `write(path)` writes.
template <class Write>
bytes seed_file(const Write& write) {
    const io_test::temporary_folder folder;
    write(folder.path() / "seed");
    return statiq::io::read_file(folder.path() / "seed");
}

} // namespace fuzz
