/* sha256 or sha512 of a stream, as `sha256:` and hexadecimal digits. */
#pragma once
#include <nettle/sha2.h>
#include <stdbool.h>
#include <stddef.h>

struct digest {
    bool wide;
    union {
        struct sha256_ctx narrow;
        struct sha512_ctx wide_state;
    };
};

void digest_start(struct digest *digest, bool sha512);
void digest_update(struct digest *digest, const void *data, size_t length);
/* At most LAYER_DIGEST_LIMIT bytes with the NUL. */
void digest_text(struct digest *digest, char *ret_text);
