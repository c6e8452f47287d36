#ifndef GAUGEHOUSE_CHECKSUM_H
#define GAUGEHOUSE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli, reflected, as in iSCSI and ext4) of `count` bytes, continued from `crc`; start with 0.
/// Uses the SSE 4.2 or ARMv8 CRC instructions where the processor has them, else a table.
uint32_t gh_crc32c(uint32_t crc, const void *bytes, size_t count);

#endif
