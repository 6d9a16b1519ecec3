// For Swift; C and C++ include ctorch.h.
#include "ctorch.h"
