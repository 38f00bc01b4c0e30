/* The element `auriclefilter`: audio passes through untouched, what Auricle hears in it goes onto the bus and onto the
 * buffers. The streaming thread does all the work; nothing here is called by another thread but the properties and the
 * latency query, which take the object's lock. */
#ifndef AURICLE_GST_FILTER_H
#define AURICLE_GST_FILTER_H

#include <auricle.h>
#include <gst/audio/gstaudiofilter.h>

G_BEGIN_DECLS

#define AURICLE_TYPE_FILTER (auricle_filter_get_type())
G_DECLARE_FINAL_TYPE(AuricleFilter, auricle_filter, AURICLE, FILTER, GstAudioFilter)

struct _AuricleFilter {
    GstAudioFilter parent;

    /* Properties, under the object's lock; they change below PAUSED only. */
    gchar *model_path, *runtime_path, *stream_json;
    GPtrArray *providers; /* of gchar */
    gdouble hop_seconds;
    guint channel, threads;
    gboolean scores;

    auricle_model *model;
    gchar **labels; /* its copy, for the property; under the object's lock */

    auricle_session *session;
    gint32 format; /* AURICLE_U8 … AURICLE_F64 */
    float *values; /* scores of a window */
    size_t classes;

    GstClockTime origin; /* PTS of frame 0 of the session; NONE: nothing was pushed, or it has no times */
    guint64 frames;      /* pushed, gaps included */
    gboolean unscored;   /* the segment plays backwards */
    GstClockTime reported; /* how long a window may take, as answered to latency queries; under the object's lock */
};

/* In properties.c. */
void auricle_properties_install(GObjectClass *object);

GST_ELEMENT_REGISTER_DECLARE(auriclefilter)

G_END_DECLS

#endif
