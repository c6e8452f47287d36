#include "CAssets.h"

// The preprocessor puts the files' bytes here (#embed, C23) and the build knows that this file depends on them. A test holds the list to
// the folder.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const struct gh_asset dashboard[] = {
    {"icon.svg", (const unsigned char[]){
#embed "../Dashboard/icon.svg" suffix(, 0)
    }},
    {"index.html", (const unsigned char[]){
#embed "../Dashboard/index.html" suffix(, 0)
    }},
    {"api/client.js", (const unsigned char[]){
#embed "../Dashboard/api/client.js" suffix(, 0)
    }},
    {"api/endpoints.js", (const unsigned char[]){
#embed "../Dashboard/api/endpoints.js" suffix(, 0)
    }},
    {"api/live.js", (const unsigned char[]){
#embed "../Dashboard/api/live.js" suffix(, 0)
    }},
    {"app/dialogs.js", (const unsigned char[]){
#embed "../Dashboard/app/dialogs.js" suffix(, 0)
    }},
    {"app/frame.js", (const unsigned char[]){
#embed "../Dashboard/app/frame.js" suffix(, 0)
    }},
    {"app/keys.js", (const unsigned char[]){
#embed "../Dashboard/app/keys.js" suffix(, 0)
    }},
    {"app/main.js", (const unsigned char[]){
#embed "../Dashboard/app/main.js" suffix(, 0)
    }},
    {"app/notices.js", (const unsigned char[]){
#embed "../Dashboard/app/notices.js" suffix(, 0)
    }},
    {"app/pulse.js", (const unsigned char[]){
#embed "../Dashboard/app/pulse.js" suffix(, 0)
    }},
    {"app/router.js", (const unsigned char[]){
#embed "../Dashboard/app/router.js" suffix(, 0)
    }},
    {"app/settings.js", (const unsigned char[]){
#embed "../Dashboard/app/settings.js" suffix(, 0)
    }},
    {"app/tables.js", (const unsigned char[]){
#embed "../Dashboard/app/tables.js" suffix(, 0)
    }},
    {"app/theme.js", (const unsigned char[]){
#embed "../Dashboard/app/theme.js" suffix(, 0)
    }},
    {"charts/plot.js", (const unsigned char[]){
#embed "../Dashboard/charts/plot.js" suffix(, 0)
    }},
    {"charts/sparkline.js", (const unsigned char[]){
#embed "../Dashboard/charts/sparkline.js" suffix(, 0)
    }},
    {"charts/windows.js", (const unsigned char[]){
#embed "../Dashboard/charts/windows.js" suffix(, 0)
    }},
    {"dom/element.js", (const unsigned char[]){
#embed "../Dashboard/dom/element.js" suffix(, 0)
    }},
    {"dom/figures.js", (const unsigned char[]){
#embed "../Dashboard/dom/figures.js" suffix(, 0)
    }},
    {"dom/parts.js", (const unsigned char[]){
#embed "../Dashboard/dom/parts.js" suffix(, 0)
    }},
    {"dom/virtual-table.js", (const unsigned char[]){
#embed "../Dashboard/dom/virtual-table.js" suffix(, 0)
    }},
    {"format/names.js", (const unsigned char[]){
#embed "../Dashboard/format/names.js" suffix(, 0)
    }},
    {"format/numbers.js", (const unsigned char[]){
#embed "../Dashboard/format/numbers.js" suffix(, 0)
    }},
    {"format/times.js", (const unsigned char[]){
#embed "../Dashboard/format/times.js" suffix(, 0)
    }},
    {"pages/device/data.js", (const unsigned char[]){
#embed "../Dashboard/pages/device/data.js" suffix(, 0)
    }},
    {"pages/device/page.js", (const unsigned char[]){
#embed "../Dashboard/pages/device/page.js" suffix(, 0)
    }},
    {"pages/device/panel.js", (const unsigned char[]){
#embed "../Dashboard/pages/device/panel.js" suffix(, 0)
    }},
    {"pages/device/range-bar.js", (const unsigned char[]){
#embed "../Dashboard/pages/device/range-bar.js" suffix(, 0)
    }},
    {"pages/device/range.js", (const unsigned char[]){
#embed "../Dashboard/pages/device/range.js" suffix(, 0)
    }},
    {"pages/device/take-along.js", (const unsigned char[]){
#embed "../Dashboard/pages/device/take-along.js" suffix(, 0)
    }},
    {"pages/device/values.js", (const unsigned char[]){
#embed "../Dashboard/pages/device/values.js" suffix(, 0)
    }},
    {"pages/fleet/common-fields.js", (const unsigned char[]){
#embed "../Dashboard/pages/fleet/common-fields.js" suffix(, 0)
    }},
    {"pages/fleet/device-list.js", (const unsigned char[]){
#embed "../Dashboard/pages/fleet/device-list.js" suffix(, 0)
    }},
    {"pages/fleet/on-screen.js", (const unsigned char[]){
#embed "../Dashboard/pages/fleet/on-screen.js" suffix(, 0)
    }},
    {"pages/fleet/page.js", (const unsigned char[]){
#embed "../Dashboard/pages/fleet/page.js" suffix(, 0)
    }},
    {"pages/fleet/row.js", (const unsigned char[]){
#embed "../Dashboard/pages/fleet/row.js" suffix(, 0)
    }},
    {"pages/fleet/toolbar.js", (const unsigned char[]){
#embed "../Dashboard/pages/fleet/toolbar.js" suffix(, 0)
    }},
    {"pages/fleet/welcome.js", (const unsigned char[]){
#embed "../Dashboard/pages/fleet/welcome.js" suffix(, 0)
    }},
    {"pages/ingest/broker.js", (const unsigned char[]){
#embed "../Dashboard/pages/ingest/broker.js" suffix(, 0)
    }},
    {"pages/ingest/page.js", (const unsigned char[]){
#embed "../Dashboard/pages/ingest/page.js" suffix(, 0)
    }},
    {"pages/ingest/rates.js", (const unsigned char[]){
#embed "../Dashboard/pages/ingest/rates.js" suffix(, 0)
    }},
    {"pages/ingest/rejects.js", (const unsigned char[]){
#embed "../Dashboard/pages/ingest/rejects.js" suffix(, 0)
    }},
    {"pages/storage/deliveries.js", (const unsigned char[]){
#embed "../Dashboard/pages/storage/deliveries.js" suffix(, 0)
    }},
    {"pages/storage/delivery.js", (const unsigned char[]){
#embed "../Dashboard/pages/storage/delivery.js" suffix(, 0)
    }},
    {"pages/storage/objects.js", (const unsigned char[]){
#embed "../Dashboard/pages/storage/objects.js" suffix(, 0)
    }},
    {"pages/storage/page.js", (const unsigned char[]){
#embed "../Dashboard/pages/storage/page.js" suffix(, 0)
    }},
    {"pages/storage/row.js", (const unsigned char[]){
#embed "../Dashboard/pages/storage/row.js" suffix(, 0)
    }},
    {"pages/storage/shelf.js", (const unsigned char[]){
#embed "../Dashboard/pages/storage/shelf.js" suffix(, 0)
    }},
    {"styles/base.css", (const unsigned char[]){
#embed "../Dashboard/styles/base.css" suffix(, 0)
    }},
    {"styles/chart.css", (const unsigned char[]){
#embed "../Dashboard/styles/chart.css" suffix(, 0)
    }},
    {"styles/controls.css", (const unsigned char[]){
#embed "../Dashboard/styles/controls.css" suffix(, 0)
    }},
    {"styles/frame.css", (const unsigned char[]){
#embed "../Dashboard/styles/frame.css" suffix(, 0)
    }},
    {"styles/pages.css", (const unsigned char[]){
#embed "../Dashboard/styles/pages.css" suffix(, 0)
    }},
    {"styles/table.css", (const unsigned char[]){
#embed "../Dashboard/styles/table.css" suffix(, 0)
    }},
#if __has_embed("../../.vendor/uplot/uplot.iife.min.js")
    {"library/uplot.js", (const unsigned char[]){
#embed "../../.vendor/uplot/uplot.iife.min.js" suffix(, 0)
    }},
    {"library/uplot.css", (const unsigned char[]){
#embed "../../.vendor/uplot/uplot.min.css" suffix(, 0)
    }},
#endif
    {0, 0},
};

const struct gh_asset *gh_dashboard_list(void) { return dashboard; }
