/* A second translation unit of header.c: nothing that the header defines may collide. */
#include <auricle.h>

int other_translation_unit(void);

int other_translation_unit(void)
{
    auricle_result result;
    auricle_result_init(&result);
    return result.struct_size == sizeof result && auricle_abi_version() == AURICLE_ABI_VERSION;
}
