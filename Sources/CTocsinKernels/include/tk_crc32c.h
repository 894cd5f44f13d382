#ifndef TK_CRC32C_H
#define TK_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/// Which body of the checksum to run. The bodies give the same results.
typedef enum { tk_crc32c_tables = 0, tk_crc32c_sse42 = 1 } tk_crc32c_body;

/// The fastest body this processor can run.
tk_crc32c_body tk_crc32c_best(void);

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `count` bytes after those whose checksum is `before` (0 at the
/// start).
///
/// The check value of "123456789" is 0xE3069283.
uint32_t tk_crc32c(uint32_t before, const void *bytes, size_t count);

/// The same with a chosen body.
uint32_t tk_crc32c_by(uint32_t before, const void *bytes, size_t count, tk_crc32c_body body);

#endif
