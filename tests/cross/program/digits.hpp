// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Recognises ten digits on the target and prints how many bits are as they must be.
/// @return 0 when all are
int recognise_digits();
