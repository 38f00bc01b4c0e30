#include "filter.h"

enum { PROP_MODEL = 1, PROP_RUNTIME, PROP_PROVIDERS, PROP_THREADS, PROP_STREAM, PROP_HOP, PROP_CHANNEL, PROP_SCORES, PROP_LABELS };

static void set_text(gchar **text, const GValue *value)
{
    g_free(*text);
    *text = g_value_dup_string(value);
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
    AuricleFilter *self = AURICLE_FILTER(object);
    guint i;

    GST_OBJECT_LOCK(self);
    switch (id) {
    case PROP_MODEL: set_text(&self->model_path, value); break;
    case PROP_RUNTIME: set_text(&self->runtime_path, value); break;
    case PROP_STREAM: set_text(&self->stream_json, value); break;
    case PROP_PROVIDERS:
        g_ptr_array_set_size(self->providers, 0);
        for (i = 0; i < gst_value_array_get_size(value); i++)
            g_ptr_array_add(self->providers, g_value_dup_string(gst_value_array_get_value(value, i)));
        break;
    case PROP_THREADS: self->threads = g_value_get_uint(value); break;
    case PROP_HOP: self->hop_seconds = g_value_get_double(value); break;
    case PROP_CHANNEL: self->channel = g_value_get_uint(value); break;
    case PROP_SCORES: self->scores = g_value_get_boolean(value); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec); break;
    }
    GST_OBJECT_UNLOCK(self);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    AuricleFilter *self = AURICLE_FILTER(object);
    GValue name = G_VALUE_INIT;
    guint i;

    GST_OBJECT_LOCK(self);
    switch (id) {
    case PROP_MODEL: g_value_set_string(value, self->model_path); break;
    case PROP_RUNTIME: g_value_set_string(value, self->runtime_path); break;
    case PROP_STREAM: g_value_set_string(value, self->stream_json); break;
    case PROP_PROVIDERS:
        for (i = 0; i < self->providers->len; i++) {
            g_value_init(&name, G_TYPE_STRING);
            g_value_set_string(&name, g_ptr_array_index(self->providers, i));
            gst_value_array_append_and_take_value(value, &name);
        }
        break;
    case PROP_THREADS: g_value_set_uint(value, self->threads); break;
    case PROP_HOP: g_value_set_double(value, self->hop_seconds); break;
    case PROP_CHANNEL: g_value_set_uint(value, self->channel); break;
    case PROP_SCORES: g_value_set_boolean(value, self->scores); break;
    case PROP_LABELS: g_value_set_boxed(value, self->labels); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec); break;
    }
    GST_OBJECT_UNLOCK(self);
}

void auricle_properties_install(GObjectClass *object)
{
    const GParamFlags mutable = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

    object->set_property = set_property;
    object->get_property = get_property;
    g_object_class_install_property(object, PROP_MODEL, g_param_spec_string("model", "Model", "Path of the ONNX file", NULL, mutable));
    g_object_class_install_property(
        object, PROP_RUNTIME,
        g_param_spec_string("runtime", "ONNX Runtime", "Path of ONNX Runtime's library (NULL = where libauricle looks for it)", NULL, mutable));
    g_object_class_install_property(
        object, PROP_PROVIDERS,
        gst_param_spec_array("providers", "Providers",
                             "ONNX Runtime's providers, the first before the others: NAME, or NAME? if the next one may take its place, "
                             "then ={...} for options in JSON (empty = the CPU)",
                             g_param_spec_string("provider", "Provider", "A provider", NULL, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS),
                             mutable));
    g_object_class_install_property(
        object, PROP_THREADS, g_param_spec_uint("threads", "Threads", "Threads that ONNX Runtime uses for a window", 1, 256, 1, mutable));
    g_object_class_install_property(
        object, PROP_STREAM,
        g_param_spec_string("stream", "Stream", "Smoothing and rules for events, JSON (NULL = as the model's manifest says)", NULL, mutable));
    g_object_class_install_property(
        object, PROP_HOP,
        g_param_spec_double("hop", "Hop", "Seconds between windows (0 = as `stream` or the manifest says)", 0, 3600, 0, mutable));
    g_object_class_install_property(
        object, PROP_CHANNEL, g_param_spec_uint("channel", "Channel", "The channel that is heard, from 1 (0 = the mean of all)", 0, 8, 0, mutable));
    g_object_class_install_property(
        object, PROP_SCORES, g_param_spec_boolean("scores", "Scores", "Report the scores of each window, not only events", TRUE, mutable));
    g_object_class_install_property(
        object, PROP_LABELS,
        g_param_spec_boxed("labels", "Labels", "Labels of the scores, in their order, once the model is loaded", G_TYPE_STRV,
                           G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}
