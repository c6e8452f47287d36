#ifndef GAUGEHOUSE_ASSETS_H
#define GAUGEHOUSE_ASSETS_H

#include <stddef.h>

/// A file that the program carries. Lives as long as the process.
struct gh_asset {
    /// `app/main.js`; null closes a list.
    const char *path;
    /// Ends with a zero, which is not the file's.
    const unsigned char *bytes;
};

/// The dashboard's files, closed by one without a path. Those of its chart library are missing where scripts/chart-library.sh has not been run.
const struct gh_asset *gh_dashboard_list(void);

/// The bytes of docs/openapi.yaml; ends with a zero, which is not the file's.
const unsigned char *gh_openapi(void);

#endif
