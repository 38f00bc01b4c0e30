/* The header of the library that is installed: pkg-config says where. */
#include <auricle.h>
