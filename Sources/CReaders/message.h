#pragma once
#include <stdio.h>

#include "creaders.h"

/// Keeps a library's message, cut to the length that there is.
static inline void cr_say(char *message, const char *text) { snprintf(message, CR_MESSAGE_LENGTH, "%s", text); }
