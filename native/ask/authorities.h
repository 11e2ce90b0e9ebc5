/* Certificates of authorities, read from PEM files only where a chain asks for them. */
#pragma once
#include <openssl/x509.h>
#include <stdbool.h>

/* Believes the certificates in the file beside those of other calls. False when it cannot be read. */
bool authorities_add(X509_STORE *store, const char *path);
