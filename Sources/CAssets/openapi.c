#include "CAssets.h"

// As in assets.c.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char openapi[] = {
#embed "../../docs/openapi.yaml" suffix(, 0)
};

const unsigned char *gh_openapi(void) { return openapi; }
