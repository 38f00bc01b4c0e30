/* What the element says in a pipeline or a harness, for filter.c. */
#include <gst/check/gstharness.h>
#include <gst/gst.h>

#include <math.h>
#include <string.h>

#define RATE 22050

static const gchar *model, *recording;
static gchar *expected;
static gint16 *samples; /* of the recording */
static gsize frames;

static guint64 whole(const GstStructure *structure, const gchar *name)
{
    guint64 value;
    g_assert_true(gst_structure_get_uint64(structure, name, &value));
    return value;
}

static gboolean yes(const GstStructure *structure, const gchar *name)
{
    gboolean value;
    g_assert_true(gst_structure_get_boolean(structure, name, &value));
    return value;
}

/* What is compared with the command line. */
static void line(GString *lines, const GstStructure *event)
{
    g_string_append_printf(lines, "%" G_GUINT64_FORMAT " %d %s %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT "\n",
                           whole(event, "id"), yes(event, "final"), gst_structure_get_string(event, "label"), whole(event, "onset-frame"),
                           whole(event, "offset-frame"), whole(event, "decided-frame"));
}

/* What the element said. */
typedef struct {
    GString *events, *scores; /* lines; all of the scores, to the bit */
    GPtrArray *windows;       /* of GstStructure, the auricle-scores */
    gchar *error;
} heard;

static heard nothing(void)
{
    heard h = {g_string_new(NULL), g_string_new(NULL), NULL, NULL};
    h.windows = g_ptr_array_new_with_free_func((GDestroyNotify)gst_structure_free);
    return h;
}

static void forget(heard *h)
{
    g_string_free(h->events, TRUE);
    g_string_free(h->scores, TRUE);
    g_ptr_array_unref(h->windows);
    g_free(h->error);
}

static const GstStructure *window(const heard *h, guint index)
{
    g_assert_cmpuint(index, <, h->windows->len);
    return g_ptr_array_index(h->windows, index);
}

static void take_structure(heard *h, const GstStructure *structure)
{
    if (gst_structure_has_name(structure, "auricle-event")) {
        line(h->events, structure);
    } else if (gst_structure_has_name(structure, "auricle-scores")) {
        gchar *text = gst_value_serialize(gst_structure_get_value(structure, "scores"));
        g_string_append_printf(h->scores, "%" G_GUINT64_FORMAT " %s\n", whole(structure, "first-frame"), text);
        g_free(text);
        g_ptr_array_add(h->windows, gst_structure_copy(structure));
    }
}

/* Takes a message; TRUE if it was the last one of the pipeline. */
static gboolean take(heard *h, GstMessage *message)
{
    const gboolean last = GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS || GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR;
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ELEMENT)
        take_structure(h, gst_message_get_structure(message));
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR && !h->error) {
        GError *error;
        gst_message_parse_error(message, &error, NULL);
        h->error = g_strdup(error->message);
        g_error_free(error);
    }
    gst_message_unref(message);
    return last;
}

static void take_all(heard *h, GstBus *bus)
{
    GstMessage *message;
    while ((message = gst_bus_pop(bus)))
        take(h, message);
}

/* A pipeline, in which MODEL and FILE are replaced. */
static GstElement *pipeline(const gchar *text)
{
    GString *whole_text = g_string_new(text);
    GError *error = NULL;
    GstElement *made;
    g_string_replace(whole_text, "MODEL", model, 0);
    g_string_replace(whole_text, "FILE", recording, 0);
    made = gst_parse_launch(whole_text->str, &error);
    g_assert_no_error(error);
    g_string_free(whole_text, TRUE);
    return made;
}

static void play_to_end(GstElement *pipe, heard *h)
{
    GstBus *bus = gst_element_get_bus(pipe);
    gst_element_set_state(pipe, GST_STATE_PLAYING);
    while (!take(h, gst_bus_timed_pop(bus, GST_CLOCK_TIME_NONE)))
        ;
    gst_object_unref(bus);
}

static void end(GstElement *pipe)
{
    gst_element_set_state(pipe, GST_STATE_NULL);
    gst_object_unref(pipe);
}

static heard run(const gchar *text)
{
    GstElement *pipe = pipeline(text);
    heard h = nothing();
    play_to_end(pipe, &h);
    end(pipe);
    return h;
}

/* A harness round the element, and its bus. */
static GstHarness *harness(GstBus **bus, const gchar *caps)
{
    GstElement *element = gst_element_factory_make("auriclefilter", NULL);
    GstHarness *h;
    g_object_set(element, "model", model, NULL);
    *bus = gst_bus_new();
    gst_element_set_bus(element, *bus);
    h = gst_harness_new_with_element(element, "sink", "src");
    gst_harness_set_src_caps_str(h, caps);
    gst_object_unref(element);
    return h;
}

static void finish(GstHarness *h, GstBus *bus)
{
    GstElement *element = gst_object_ref(h->element);
    gst_harness_teardown(h);
    gst_element_set_bus(element, NULL);
    gst_object_unref(element);
    gst_object_unref(bus);
}

#define MONO "audio/x-raw,format=S16LE,layout=interleaved,channels=1,rate=22050"

static GstClockTime at(guint64 frame)
{
    return gst_util_uint64_scale_round(frame, GST_SECOND, RATE);
}

/* Pushes frames of the recording that say of themselves that they begin at `when`, and gives back what came out. */
static GstBuffer *push(GstHarness *h, gsize first, gsize count, GstClockTime when, GstBufferFlags flags)
{
    GstBuffer *in = gst_buffer_new_memdup(samples + first, count * sizeof *samples);
    GST_BUFFER_PTS(in) = when;
    GST_BUFFER_FLAG_SET(in, flags);
    g_assert_cmpint(gst_harness_push(h, in), ==, GST_FLOW_OK);
    return gst_harness_pull(h);
}
