// SPDX-License-Identifier: Apache-2.0
// A C target needs a source file; this one makes the size assertions of
// events.h part of every build.
#include "events.h"
