#include "filter.h"
#include "report.h"

static gboolean plugin_init(GstPlugin *plugin)
{
    auricle_report_register();
    return GST_ELEMENT_REGISTER(auriclefilter, plugin);
}

#define PACKAGE "auricle"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, auricle, "Sound classification by libauricle", plugin_init, AURICLE_VERSION,
                  "MIT/X11", "auricle", "libauricle")
