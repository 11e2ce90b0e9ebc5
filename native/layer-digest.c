#include "layer-digest.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>

void digest_start(struct digest *digest, bool sha512)
{
    digest->wide = sha512;
    if (sha512)
        sha512_init(&digest->wide_state);
    else
        sha256_init(&digest->narrow);
}

void digest_update(struct digest *digest, const void *data, size_t length)
{
    if (digest->wide)
        sha512_update(&digest->wide_state, length, data);
    else
        sha256_update(&digest->narrow, length, data);
}

void digest_text(struct digest *digest, char *ret_text)
{
    uint8_t sum[SHA512_DIGEST_SIZE];
    size_t size = digest->wide ? SHA512_DIGEST_SIZE : SHA256_DIGEST_SIZE;
    if (digest->wide)
        sha512_digest(&digest->wide_state, size, sum);
    else
        sha256_digest(&digest->narrow, size, sum);
    strcpy(ret_text, digest->wide ? "sha512:" : "sha256:");
    char *place = ret_text + strlen(ret_text);
    for (size_t i = 0; i < size; i++, place += 2)
        sprintf(place, "%02x", sum[i]);
}
