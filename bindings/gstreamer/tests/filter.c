/* Tests of the element. `filter MODEL RECORDING EVENTS`: EVENTS has what `auricle classify --events` says of the recording, a
 * line for each event as `line` below writes it. The recording is WAV, 16 bit, mono, 22050 Hz, longer than 4 s.
 *
 * Run with GST_TRACERS=leaks: it ends with gst_deinit, after which nothing may be alive. */
#include "heard.h"

static void test_recording(void)
{
    const gchar *formats[] = {"S16LE", "F32LE", "S32LE", "S24LE", "F64LE"};
    guint i;
    for (i = 0; i < G_N_ELEMENTS(formats); i++) {
        gchar *text = g_strdup_printf("filesrc location=FILE ! wavparse ! audioconvert ! audio/x-raw,format=%s,channels=%u ! "
                                      "auriclefilter model=MODEL ! fakesink", formats[i], i % 2 + 1);
        heard h = run(text);
        g_assert_null(h.error);
        g_assert_cmpstr(h.events->str, ==, expected);
        forget(&h);
        g_free(text);
    }
}

/* However the audio is cut into buffers: same events, same bits. */
static void test_cuts(void)
{
    const gsize cuts[] = {97, 441, 22050, 3 * 22050};
    GString *first = NULL;
    guint i;
    for (i = 0; i < G_N_ELEMENTS(cuts); i++) {
        heard said = nothing();
        GstBus *bus;
        GstHarness *h = harness(&bus, MONO);
        gsize frame;
        for (frame = 0; frame < frames; frame += cuts[i])
            gst_buffer_unref(push(h, frame, MIN(cuts[i], frames - frame), at(frame), 0));
        gst_harness_push_event(h, gst_event_new_eos());
        take_all(&said, bus);
        g_assert_cmpstr(said.events->str, ==, expected);
        if (!first)
            first = g_string_new(said.scores->str);
        g_assert_cmpstr(said.scores->str, ==, first->str);
        finish(h, bus);
        forget(&said);
    }
    g_string_free(first, TRUE);
}

/* The audio is neither written nor copied; the metadata is what the messages say. */
static void test_buffers(void)
{
    const GstMetaInfo *info = gst_meta_get_info("AuricleMeta");
    heard said = nothing(), carried = nothing();
    GstBus *bus;
    GstHarness *h = harness(&bus, MONO);
    gsize frame;

    for (frame = 0; frame + 441 <= frames; frame += 441) {
        GstMemory *memory;
        GstBuffer *in = gst_buffer_new_memdup(samples + frame, 882), *out;
        gpointer state = NULL;
        GstMeta *meta;
        GST_BUFFER_PTS(in) = at(frame);
        GST_BUFFER_OFFSET(in) = frame;
        memory = gst_memory_ref(gst_buffer_peek_memory(in, 0));
        gst_harness_push(h, in);
        out = gst_harness_pull(h);
        g_assert_true(gst_buffer_peek_memory(out, 0) == memory);
        g_assert_cmpuint(GST_BUFFER_PTS(out), ==, at(frame));
        g_assert_cmpuint(GST_BUFFER_OFFSET(out), ==, frame);
        g_assert_cmpint(gst_buffer_memcmp(out, 0, samples + frame, 882), ==, 0);
        while ((meta = gst_buffer_iterate_meta_filtered(out, &state, info->api))) {
            const GstStructure *all = gst_custom_meta_get_structure((GstCustomMeta *)meta);
            const gchar *lists[] = {"scores", "events"};
            guint i, k;
            g_assert_nonnull(gst_structure_get_string(all, "element"));
            for (i = 0; i < 2; i++) {
                const GValue *list = gst_structure_get_value(all, lists[i]);
                for (k = 0; list && k < gst_value_array_get_size(list); k++)
                    take_structure(&carried, gst_value_get_structure(gst_value_array_get_value(list, k)));
            }
        }
        gst_memory_unref(memory);
        gst_buffer_unref(out);
    }
    take_all(&said, bus);
    g_assert_cmpuint(said.windows->len, >, 20);
    g_assert_cmpstr(carried.scores->str, ==, said.scores->str);
    g_assert_cmpstr(carried.events->str, ==, said.events->str);
    forget(&carried);
    forget(&said);
    finish(h, bus);
}

/* Two filters in one pipeline have metadata of their own. */
static void test_two(void)
{
    GstElement *pipe = pipeline("filesrc location=FILE ! wavparse ! auriclefilter name=a model=MODEL ! audioconvert ! "
                                "auriclefilter name=b model=MODEL scores=false ! fakesink");
    GstBus *bus = gst_element_get_bus(pipe);
    guint scores[2] = {0, 0}, events[2] = {0, 0};
    gboolean over = FALSE;
    gst_element_set_state(pipe, GST_STATE_PLAYING);
    while (!over) {
        GstMessage *message = gst_bus_timed_pop(bus, GST_CLOCK_TIME_NONE);
        over = GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS;
        g_assert_cmpint(GST_MESSAGE_TYPE(message), !=, GST_MESSAGE_ERROR);
        if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ELEMENT) {
            guint which = strcmp(GST_MESSAGE_SRC_NAME(message), "a") != 0;
            scores[which] += gst_message_has_name(message, "auricle-scores");
            events[which] += gst_message_has_name(message, "auricle-event");
        }
        gst_message_unref(message);
    }
    g_assert_cmpuint(scores[0], >, 20);
    g_assert_cmpuint(scores[1], ==, 0);
    g_assert_cmpuint(events[0], ==, events[1]);
    gst_object_unref(bus);
    end(pipe);
}

static void seek(GstElement *pipe, GstBus *bus, GstClockTime to)
{
    g_assert_true(gst_element_seek_simple(pipe, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE, (gint64)to));
    gst_message_unref(gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_ASYNC_DONE));
}

/* A seek that flushes begins a new stream: played, sought to 3 s, then to the beginning. */
static void test_seek(void)
{
    GstElement *pipe = pipeline("filesrc location=FILE ! wavparse ! auriclefilter model=MODEL ! fakesink");
    GstBus *bus = gst_element_get_bus(pipe);
    heard before = nothing(), middle = nothing(), after = nothing();
    GstClockTime stream_time, timestamp;

    gst_element_set_state(pipe, GST_STATE_PLAYING);
    while (before.events->len == 0)
        take(&before, gst_bus_timed_pop(bus, GST_CLOCK_TIME_NONE));
    gst_element_set_state(pipe, GST_STATE_PAUSED);
    seek(pipe, bus, 3 * GST_SECOND);
    take_all(&before, bus);
    play_to_end(pipe, &middle);
    gst_structure_get_clock_time(window(&middle, 0), "stream-time", &stream_time);
    gst_structure_get_clock_time(window(&middle, 0), "timestamp", &timestamp);
    g_assert_cmpuint(whole(window(&middle, 0), "first-frame"), ==, 0);
    g_assert_cmpuint(stream_time, ==, 3 * GST_SECOND);
    g_assert_cmpuint(timestamp, ==, 3 * GST_SECOND);

    gst_element_set_state(pipe, GST_STATE_PAUSED);
    seek(pipe, bus, 0);
    play_to_end(pipe, &after);
    g_assert_cmpstr(after.events->str, ==, expected);
    g_assert_cmpstr(middle.events->str, !=, expected);
    forget(&before);
    forget(&middle);
    forget(&after);
    gst_object_unref(bus);
    end(pipe);
}

/* Half a second is missing: a gap, by the times, by an event, not by jitter. */
static void test_gap(void)
{
    guint by;
    for (by = 0; by < 3; by++) {
        heard said = nothing();
        GstBus *bus;
        GstHarness *h = harness(&bus, MONO);
        guint64 lost = 0, most = 0;
        guint i;
        gst_buffer_unref(push(h, 0, RATE, 0, GST_BUFFER_FLAG_DISCONT));
        if (by == 1)
            gst_harness_push_event(h, gst_event_new_gap(GST_SECOND, GST_SECOND / 2));
        gst_buffer_unref(push(h, RATE, RATE, by == 2 ? GST_SECOND + 30 * GST_MSECOND : GST_SECOND * 3 / 2, by == 0 ? GST_BUFFER_FLAG_DISCONT : 0));
        gst_harness_push_event(h, gst_event_new_eos());
        take_all(&said, bus);
        for (i = 0; i < said.windows->len; i++) {
            lost = whole(window(&said, i), "gap-frames");
            most = MAX(most, lost);
        }
        g_assert_cmpuint(most, ==, by == 2 ? 0 : RATE / 2);
        g_assert_cmpuint(whole(window(&said, said.windows->len - 1), "end-frame"), >=, by == 2 ? 2 * RATE : 5 * RATE / 2);
        forget(&said);
        finish(h, bus);
    }
}

/* Times that go back without a flush, new caps, a new segment: the stream before is read to its end, and another begins. */
static void test_new_stream(void)
{
    guint how;
    for (how = 0; how < 3; how++) {
        heard said = nothing();
        GstBus *bus;
        GstHarness *h = harness(&bus, MONO);
        GstSegment segment;
        guint i, begins = 0;
        gst_buffer_unref(push(h, 0, 3 * RATE / 2, 10 * GST_SECOND, 0));
        if (how == 1)
            gst_harness_set_src_caps_str(h, "audio/x-raw,format=S16LE,layout=interleaved,channels=1,rate=16000");
        if (how == 2) {
            gst_segment_init(&segment, GST_FORMAT_TIME);
            segment.start = segment.time = 20 * GST_SECOND;
            gst_harness_push_event(h, gst_event_new_segment(&segment));
        }
        gst_buffer_unref(push(h, 0, 3 * RATE / 2, how == 0 ? GST_SECOND : how == 1 ? 23 * GST_SECOND / 2 : 20 * GST_SECOND, 0));
        gst_harness_push_event(h, gst_event_new_eos());
        take_all(&said, bus);
        for (i = 0; i < said.windows->len; i++)
            begins += whole(window(&said, i), "first-frame") == 0;
        g_assert_cmpuint(begins, ==, 2);
        g_assert_null(said.error);
        forget(&said);
        finish(h, bus);
    }
}

/* The same segment once more, as at a change of what is selected, changes nothing. */
static void test_same_segment(void)
{
    heard said = nothing();
    GstBus *bus;
    GstHarness *h = harness(&bus, MONO);
    gsize frame;
    for (frame = 0; frame < frames; frame += RATE) {
        GstSegment segment;
        gst_segment_init(&segment, GST_FORMAT_TIME);
        gst_harness_push_event(h, gst_event_new_segment(&segment));
        gst_buffer_unref(push(h, frame, MIN((gsize)RATE, frames - frame), at(frame), 0));
    }
    gst_harness_push_event(h, gst_event_new_eos());
    take_all(&said, bus);
    g_assert_cmpstr(said.events->str, ==, expected);
    forget(&said);
    finish(h, bus);
}

/* 0.3 s fill no window: the last one comes with the end. Nothing, and less than a row, are no mistakes. */
static void test_end(void)
{
    const gsize lengths[] = {3 * RATE / 10, 5, 0};
    guint i;
    for (i = 0; i < G_N_ELEMENTS(lengths); i++) {
        heard said = nothing();
        GstBus *bus;
        GstHarness *h = harness(&bus, MONO);
        if (lengths[i])
            gst_buffer_unref(push(h, 0, lengths[i], 0, 0));
        take_all(&said, bus);
        g_assert_cmpuint(said.windows->len, ==, 0);
        gst_harness_push_event(h, gst_event_new_eos());
        take_all(&said, bus);
        g_assert_null(said.error);
        g_assert_cmpuint(said.windows->len, ==, i == 0);
        forget(&said);
        finish(h, bus);
    }
}

/* What is reported is no less than what a window took, and reaches the sink. */
static void test_latency(void)
{
    heard said = nothing();
    GstBus *bus;
    GstHarness *h = harness(&bus, MONO);
    GstClockTime before, took;
    guint i;
    gst_harness_set_upstream_latency(h, 10 * GST_MSECOND);
    before = gst_harness_query_latency(h);
    g_assert_cmpuint(before, >, 10 * GST_MSECOND);
    gst_buffer_unref(push(h, 0, 4 * RATE, 0, 0));
    take_all(&said, bus);
    for (i = 0; i < said.windows->len; i++) {
        gst_structure_get_clock_time(window(&said, i), "inference-time", &took);
        g_assert_cmpuint(gst_harness_query_latency(h), >=, 10 * GST_MSECOND + took);
    }
    forget(&said);
    finish(h, bus);
}

/* Every format, rates and channels from end to end of what is taken; audiotestsrc's silence is heard as silence. */
static void test_caps(void)
{
    const gchar *formats[] = {"U8", "S16LE", "S24LE", "S32LE", "F32LE", "F64LE"};
    const guint rates[] = {1000, 8000, 11025, 48000, 192000, 384000};
    guint i;
    for (i = 0; i < G_N_ELEMENTS(formats); i++) {
        gchar *text = g_strdup_printf("audiotestsrc wave=silence num-buffers=30 samplesperbuffer=%u ! audio/x-raw,format=%s,rate=%u,channels=%u,"
                                      "channel-mask=(bitmask)0x%x ! auriclefilter model=MODEL ! fakesink",
                                      rates[i] / 10, formats[i], rates[i], i + 3, (1u << (i + 3)) - 1);
        heard said = run(text);
        g_assert_null(said.error);
        g_assert_cmpuint(said.windows->len, >=, 8);
        g_assert_true(yes(window(&said, 0), "silent"));
        forget(&said);
        g_free(text);
    }
}

static void test_errors(void)
{
    const struct { const gchar *pipeline, *says; } cases[] = {
        {"audiotestsrc ! auriclefilter ! fakesink", "no model: set the property \"model\""},
        {"audiotestsrc ! auriclefilter model=nowhere.onnx ! fakesink", "nowhere.onnx"},
        {"audiotestsrc ! auriclefilter model=FILE ! fakesink", "ONNX"},
        {"audiotestsrc ! auriclefilter model=MODEL stream=\"{\\\"events\\\":{\\\"onn\\\":1}}\" ! fakesink", "onn"},
        {"audiotestsrc ! audio/x-raw,channels=1 ! auriclefilter model=MODEL channel=2 ! fakesink", "channel"},
        {"audiotestsrc ! auriclefilter model=MODEL providers=<nonsense> ! fakesink", "nonsense"},
        {"audiotestsrc ! auriclefilter model=MODEL runtime=/nowhere/libonnxruntime.so ! fakesink", "onnxruntime"},
    };
    guint i;
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        heard said = run(cases[i].pipeline);
        g_assert_nonnull(said.error);
        g_test_message("%s", said.error);
        if (!strstr(said.error, cases[i].says))
            g_error("%s: %s", cases[i].pipeline, said.error);
        forget(&said);
    }
}

/* The rules for events and the hop are those of the properties; the labels are the model's. */
static void test_properties(void)
{
    heard usual = run("filesrc location=FILE ! wavparse ! auriclefilter model=MODEL ! fakesink");
    heard other = run("filesrc location=FILE ! wavparse ! auriclefilter model=MODEL hop=0.5 stream=\"{\\\"events\\\":{\\\"on\\\":0.8}}\" ! fakesink");
    heard same = run("filesrc location=FILE ! wavparse ! auriclefilter model=MODEL providers=<cpu> threads=2 channel=1 ! fakesink");
    GstElement *element = gst_element_factory_make("auriclefilter", NULL);
    gchar **labels = NULL;

    g_assert_cmpuint(whole(window(&other, 1), "first-frame"), ==, RATE / 2);
    g_assert_cmpstr(other.events->str, !=, usual.events->str);
    g_assert_cmpstr(same.events->str, ==, expected);
    g_object_set(element, "model", model, NULL);
    gst_element_set_state(element, GST_STATE_PAUSED);
    g_object_get(element, "labels", &labels, NULL);
    g_assert_cmpuint(g_strv_length(labels), ==, 10);
    g_assert_cmpstr(labels[9], ==, "sea_waves");
    g_strfreev(labels);
    end(element);
    forget(&usual);
    forget(&other);
    forget(&same);
}

/* Backwards there is nothing to be heard; the audio passes. */
static void test_backwards(void)
{
    heard said = nothing();
    GstBus *bus;
    GstHarness *h = harness(&bus, MONO);
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.rate = -1;
    segment.stop = 4 * GST_SECOND;
    gst_harness_push_event(h, gst_event_new_segment(&segment));
    gst_buffer_unref(push(h, 0, 2 * RATE, 2 * GST_SECOND, 0));
    gst_buffer_unref(push(h, 0, 2 * RATE, 0, 0));
    gst_harness_push_event(h, gst_event_new_eos());
    take_all(&said, bus);
    g_assert_cmpuint(said.windows->len, ==, 0);
    forget(&said);
    finish(h, bus);
}

int main(int argc, char **argv)
{
    gchar *wav;
    gsize size;
    int failed;

    g_test_init(&argc, &argv, NULL);
    gst_init(&argc, &argv);
    g_assert_cmpint(argc, ==, 4);
    model = argv[1];
    recording = argv[2];
    g_assert_true(g_file_get_contents(argv[3], &expected, NULL, NULL));
    g_assert_true(g_file_get_contents(recording, &wav, &size, NULL));
    g_assert_true(!memcmp(wav + 36, "data", 4)); /* the plainest head */
    samples = (gint16 *)(void *)(wav + 44);
    frames = (size - 44) / sizeof *samples;

    g_test_add_func("/filter/recording", test_recording);
    g_test_add_func("/filter/cuts", test_cuts);
    g_test_add_func("/filter/buffers", test_buffers);
    g_test_add_func("/filter/two", test_two);
    g_test_add_func("/filter/seek", test_seek);
    g_test_add_func("/filter/gap", test_gap);
    g_test_add_func("/filter/new-stream", test_new_stream);
    g_test_add_func("/filter/same-segment", test_same_segment);
    g_test_add_func("/filter/end", test_end);
    g_test_add_func("/filter/latency", test_latency);
    g_test_add_func("/filter/caps", test_caps);
    g_test_add_func("/filter/errors", test_errors);
    g_test_add_func("/filter/properties", test_properties);
    g_test_add_func("/filter/backwards", test_backwards);
    failed = g_test_run();
    g_free(expected);
    g_free(wav);
    gst_deinit();
    return failed;
}
