#include "report.h"

#include <math.h>

void auricle_report_register(void)
{
    /* Without tags it is copied by every element that copies buffers, also by those that resample: it speaks of times. */
    static const gchar *tags[] = {NULL};
    gst_meta_register_custom(AURICLE_META, tags, NULL, NULL, NULL);
}

/* Time of a frame in the stream of buffers. */
static GstClockTime pts(AuricleFilter *self, guint64 frame)
{
    const guint rate = (guint)GST_AUDIO_FILTER_RATE(self);
    if (!GST_CLOCK_TIME_IS_VALID(self->origin))
        return GST_CLOCK_TIME_NONE;
    return self->origin + gst_util_uint64_scale_round(frame, GST_SECOND, rate);
}

/* The times that `level` and `spectrum` give, of the stretch from `first` to `end` in frames of the session. */
static void set_times(AuricleFilter *self, GstStructure *structure, guint64 first, guint64 end)
{
    const GstSegment *segment = &GST_BASE_TRANSFORM(self)->segment;
    GstClockTime begin = pts(self, first), over = pts(self, end), stream = GST_CLOCK_TIME_NONE, running = GST_CLOCK_TIME_NONE;

    if (segment->format == GST_FORMAT_TIME && GST_CLOCK_TIME_IS_VALID(begin)) {
        stream = gst_segment_to_stream_time(segment, GST_FORMAT_TIME, begin);
        running = gst_segment_to_running_time(segment, GST_FORMAT_TIME, begin);
    }
    gst_structure_set(structure, "timestamp", GST_TYPE_CLOCK_TIME, begin, "stream-time", GST_TYPE_CLOCK_TIME, stream, "running-time",
                      GST_TYPE_CLOCK_TIME, running, "duration", GST_TYPE_CLOCK_TIME,
                      GST_CLOCK_TIME_IS_VALID(begin) ? over - begin : GST_CLOCK_TIME_NONE, NULL);
}

static const gchar *label(AuricleFilter *self, size_t index)
{
    const char *text = auricle_model_label(self->model, index);
    return text ? text : "";
}

GstStructure *auricle_report_scores(AuricleFilter *self, const auricle_result *result)
{
    GstStructure *structure = gst_structure_new(
        "auricle-scores", "sequence", G_TYPE_UINT64, (guint64)result->sequence, "first-frame", G_TYPE_UINT64, (guint64)result->first_frame,
        "end-frame", G_TYPE_UINT64, (guint64)result->end_frame, "silent", G_TYPE_BOOLEAN, result->silent != 0, "late", G_TYPE_BOOLEAN,
        result->late != 0, "peak-dbfs", G_TYPE_DOUBLE, (gdouble)result->peak_dbfs, "rms-dbfs", G_TYPE_DOUBLE, (gdouble)result->rms_dbfs,
        "clipped-frames", G_TYPE_UINT64, (guint64)result->clipped_frames, "non-finite-frames", G_TYPE_UINT64,
        (guint64)result->non_finite_frames, "gap-frames", G_TYPE_UINT64, (guint64)result->gap_frames, "inference-time",
        GST_TYPE_CLOCK_TIME, (GstClockTime)result->inference_nanoseconds, NULL);
    GValue scores = G_VALUE_INIT, score = G_VALUE_INIT;
    size_t best = 0, k;

    gst_value_array_init(&scores, (guint)self->classes);
    for (k = 0; k < self->classes; k++) {
        g_value_init(&score, G_TYPE_FLOAT);
        g_value_set_float(&score, self->values[k]);
        gst_value_array_append_and_take_value(&scores, &score);
        if (self->values[k] > self->values[best])
            best = k;
    }
    if (auricle_model_label(self->model, 0)) /* else they are a vector, of which no value is the best */
        gst_structure_set(structure, "label", G_TYPE_STRING, label(self, best), "score", G_TYPE_FLOAT, self->values[best], NULL);
    gst_structure_take_value(structure, "scores", &scores);
    set_times(self, structure, result->first_frame, result->end_frame);
    return structure;
}

GstStructure *auricle_report_event(AuricleFilter *self, const auricle_event *event)
{
    GstStructure *structure = gst_structure_new(
        "auricle-event", "id", G_TYPE_UINT64, (guint64)event->id, "final", G_TYPE_BOOLEAN, event->is_final != 0, "label", G_TYPE_STRING,
        label(self, (size_t)event->class_index), "class", G_TYPE_UINT, (guint)event->class_index, "onset-frame", G_TYPE_UINT64,
        (guint64)event->onset_frame, "offset-frame", G_TYPE_UINT64, (guint64)event->offset_frame, "decided-frame", G_TYPE_UINT64,
        (guint64)event->decided_frame, "peak-score", G_TYPE_FLOAT, event->peak_score, "mean-score", G_TYPE_FLOAT, event->mean_score,
        "lost-before", G_TYPE_UINT64, (guint64)event->lost_before, NULL);
    set_times(self, structure, event->onset_frame, event->offset_frame);
    return structure;
}

/* The metadata that this element has put onto the buffer; new if there is none. Another filter may have its own there. */
static GstStructure *meta(AuricleFilter *self, GstBuffer *buffer)
{
    const GstMetaInfo *info = gst_meta_get_info(AURICLE_META);
    GstStructure *structure;
    gpointer state = NULL;
    GstMeta *found;

    while ((found = gst_buffer_iterate_meta_filtered(buffer, &state, info->api)) != NULL) {
        structure = gst_custom_meta_get_structure((GstCustomMeta *)found);
        if (g_strcmp0(gst_structure_get_string(structure, "element"), GST_OBJECT_NAME(self)) == 0)
            return structure;
    }
    structure = gst_custom_meta_get_structure(gst_buffer_add_custom_meta(buffer, AURICLE_META));
    gst_structure_set(structure, "element", G_TYPE_STRING, GST_OBJECT_NAME(self), NULL);
    return structure;
}

void auricle_report(AuricleFilter *self, GstBuffer *buffer, GstStructure *structure)
{
    gst_element_post_message(GST_ELEMENT(self), gst_message_new_element(GST_OBJECT(self), gst_structure_copy(structure)));
    if (buffer) {
        const gchar *list = gst_structure_has_name(structure, "auricle-event") ? "events" : "scores";
        GstStructure *all = meta(self, buffer);
        const GValue *had = gst_structure_get_value(all, list);
        GValue values = G_VALUE_INIT, value = G_VALUE_INIT;

        g_value_init(&values, GST_TYPE_ARRAY);
        if (had)
            g_value_copy(had, &values);
        g_value_init(&value, GST_TYPE_STRUCTURE);
        g_value_take_boxed(&value, structure);
        gst_value_array_append_and_take_value(&values, &value);
        gst_structure_take_value(all, list, &values);
    } else {
        gst_structure_free(structure);
    }
}
