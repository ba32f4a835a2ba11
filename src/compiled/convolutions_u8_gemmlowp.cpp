// SPDX-License-Identifier: Apache-2.0
#include "group_table.hpp"

STATIQ_DEFINE_GROUP(convolutions_u8_gemmlowp)
