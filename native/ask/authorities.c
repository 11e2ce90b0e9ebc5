#include "authorities.h"
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The system's bundle has 150 certificates, and OpenSSL takes 10 ms to read them, of which a connection needs one. So this looks for
 * those whose bytes hold the wanted name as it stands in the certificate that names its issuer, and has OpenSSL read and compare only
 * them. An issuer that is spelt in another way is not found: then the connection does not stand, and Node decides.
 */

static const char BEGIN[] = "-----BEGIN CERTIFICATE-----", END[] = "-----END CERTIFICATE-----";

struct file {
    const char *text;
    size_t length;
};

/* Decodes the base64 between two marks. Its length in bytes, or 0; `out` has room for three quarters of the text. */
static size_t decode(const char *text, size_t length, unsigned char *out)
{
    EVP_ENCODE_CTX *context = EVP_ENCODE_CTX_new();
    int body = 0, rest = 0;
    bool good = context != NULL;
    if (good) {
        EVP_DecodeInit(context);
        good = EVP_DecodeUpdate(context, out, &body, (const unsigned char *)text, (int)length) >= 0 &&
               EVP_DecodeFinal(context, out + body, &rest) >= 0;
    }
    EVP_ENCODE_CTX_free(context);
    return good ? (size_t)(body + rest) : 0;
}

/* The certificate if its subject is the name, or NULL. */
static X509 *read_if(const unsigned char *der, size_t length, const X509_NAME *name, const unsigned char *bytes,
                     size_t size)
{
    if (!memmem(der, length, bytes, size))
        return NULL;
    X509 *certificate = d2i_X509(NULL, &der, (long)length);
    if (certificate && X509_NAME_cmp(X509_get_subject_name(certificate), name) == 0)
        return certificate;
    X509_free(certificate);
    return NULL;
}

/* Puts the file's certificates of this subject into the store; the first of them is the answer. */
static X509 *find_all(X509_STORE *store, const struct file *file, const X509_NAME *name)
{
    const unsigned char *bytes;
    size_t size;
    unsigned char *der = malloc(file->length + 3);
    X509 *first = NULL;
    if (!der || X509_NAME_get0_der(name, &bytes, &size) != 1) {
        free(der);
        return NULL;
    }
    const char *end = file->text + file->length;
    for (const char *at = file->text;;) {
        const char *begin = memmem(at, (size_t)(end - at), BEGIN, sizeof(BEGIN) - 1);
        const char *stop = begin ? memmem(begin, (size_t)(end - begin), END, sizeof(END) - 1) : NULL;
        if (!stop)
            break;
        begin += sizeof(BEGIN) - 1;
        X509 *one = read_if(der, decode(begin, (size_t)(stop - begin), der), name, bytes, size);
        if (one && X509_STORE_add_cert(store, one) == 1 && !first)
            first = one;
        else
            X509_free(one);
        at = stop;
    }
    free(der);
    return first;
}

static int by_subject(X509_LOOKUP *lookup, X509_LOOKUP_TYPE type, const X509_NAME *name, X509_OBJECT *found)
{
    if (type != X509_LU_X509)
        return 0;
    X509 *one = find_all(X509_LOOKUP_get_store(lookup), X509_LOOKUP_get_method_data(lookup), name);
    if (!one)
        return 0;
    int done = X509_OBJECT_set1_X509(found, one);
    X509_free(one);
    return done;
}

/* NULL text when it cannot be read; it is mapped until the end of the process. */
static struct file map(const char *path)
{
    struct file file = {0};
    struct stat stat;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &stat) == 0 && stat.st_size > 0 && stat.st_size < 64 << 20) {
        void *text = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (text != MAP_FAILED)
            file = (struct file){text, (size_t)stat.st_size};
    }
    if (fd >= 0)
        close(fd);
    return file;
}

bool authorities_add(X509_STORE *store, const char *path)
{
    struct file *file = malloc(sizeof(*file));
    X509_LOOKUP_METHOD *method = X509_LOOKUP_meth_new("authorities");
    if (!file || !method || !X509_LOOKUP_meth_set_get_by_subject(method, by_subject))
        return false;
    *file = map(path);
    /* A lookup for each file: OpenSSL asks them in turn, and has one for each method. */
    X509_LOOKUP *lookup = file->text ? X509_STORE_add_lookup(store, method) : NULL;
    return lookup && X509_LOOKUP_set_method_data(lookup, file) == 1;
}
