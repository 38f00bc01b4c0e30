#include "filter.h"
#include "report.h"

#include <string.h>

GST_DEBUG_CATEGORY_STATIC(debug_category);
#define GST_CAT_DEFAULT debug_category

G_DEFINE_FINAL_TYPE(AuricleFilter, auricle_filter, GST_TYPE_AUDIO_FILTER)
GST_ELEMENT_REGISTER_DEFINE_WITH_CODE(auriclefilter, "auriclefilter", GST_RANK_NONE, AURICLE_TYPE_FILTER,
                                      GST_DEBUG_CATEGORY_INIT(debug_category, "auriclefilter", 0, "sound classification"))

#define CAPS                                                                                                           \
    "audio/x-raw, format = (string) { " GST_AUDIO_NE(F32) ", " GST_AUDIO_NE(S16) ", " GST_AUDIO_NE(F64) ", " GST_AUDIO_NE(             \
        S32) ", S24LE, U8 }, rate = (int) [ 1000, 384000 ], channels = (int) [ 1, 8 ], layout = (string) interleaved"

/* Times of buffers may be so far from where the audio before them ends without anything having been lost: what audiomixer
 * and audio sinks allow; less, where the source says that something is missing. */
#define JITTER (40 * GST_MSECOND)
#define DISCONT_JITTER (1 * GST_MSECOND)

/* Posts the sentence of the call that failed. */
static void fail(AuricleFilter *self, auricle_status status)
{
    GQuark domain = GST_STREAM_ERROR;
    gint code = GST_STREAM_ERROR_FAILED;

    if (status == AURICLE_FILE) {
        domain = GST_RESOURCE_ERROR;
        code = GST_RESOURCE_ERROR_OPEN_READ;
    } else if (status == AURICLE_RUNTIME || status == AURICLE_PROVIDER) {
        domain = GST_LIBRARY_ERROR;
        code = GST_LIBRARY_ERROR_INIT;
    } else if (status == AURICLE_INVALID_ARGUMENT || (status <= AURICLE_MODEL && status >= AURICLE_MISMATCH)) {
        domain = GST_LIBRARY_ERROR;
        code = GST_LIBRARY_ERROR_SETTINGS;
    }
    gst_element_message_full(GST_ELEMENT(self), GST_MESSAGE_ERROR, domain, code, g_strdup(auricle_last_error()),
                             g_strdup(auricle_status_text(status)), __FILE__, GST_FUNCTION, __LINE__);
}

/* Takes note of how long the audio was held up. What latency queries are told grows to the next power of two, so that a
 * pipeline has to adapt to it a few times at most. */
static void note_latency(AuricleFilter *self, gint64 since_us)
{
    const GstClockTime took = (GstClockTime)(g_get_monotonic_time() - since_us) * GST_USECOND;
    gboolean grown;

    GST_OBJECT_LOCK(self);
    grown = took > self->reported;
    if (grown)
        self->reported = (GstClockTime)1 << g_bit_storage((gulong)took);
    GST_OBJECT_UNLOCK(self);
    if (grown)
        gst_element_post_message(GST_ELEMENT(self), gst_message_new_latency(GST_OBJECT(self)));
}

/* Reports all windows and events that are due, on `buffer` if there is one. AURICLE_AGAIN, AURICLE_END, or what went wrong. */
static auricle_status listen_to(AuricleFilter *self, GstBuffer *buffer)
{
    auricle_result result;
    auricle_event event;
    auricle_status status;

    auricle_result_init(&result);
    auricle_event_init(&event);
    while ((status = auricle_session_read(self->session, self->values, self->classes, &result)) == AURICLE_OK) {
        if (self->scores)
            auricle_report(self, buffer, auricle_report_scores(self, &result));
        /* AURICLE_INVALID_STATE: neither the model nor `stream` has rules for events. */
        while (auricle_session_read_event(self->session, &event) == AURICLE_OK)
            auricle_report(self, buffer, auricle_report_event(self, &event));
    }
    while (status == AURICLE_END && auricle_session_read_event(self->session, &event) == AURICLE_OK)
        auricle_report(self, buffer, auricle_report_event(self, &event));
    return status;
}

static void forget(AuricleFilter *self)
{
    if (self->session)
        auricle_session_reset(self->session);
    self->origin = GST_CLOCK_TIME_NONE;
    self->frames = 0;
}

/* The stream is over: reports its last windows. What comes next is a new one. */
static void drain(AuricleFilter *self)
{
    if (self->session && self->frames > 0) {
        auricle_status status = auricle_session_finish(self->session);
        if (status == AURICLE_OK)
            status = listen_to(self, NULL);
        if (status == AURICLE_CLIP_TOO_SHORT)
            GST_INFO_OBJECT(self, "%s", auricle_last_error());
        else if (status < 0)
            fail(self, status);
    }
    forget(self);
}

/* Time at which the audio pushed so far ends, or NONE. */
static GstClockTime end_of_audio(AuricleFilter *self)
{
    if (!GST_CLOCK_TIME_IS_VALID(self->origin))
        return GST_CLOCK_TIME_NONE;
    return self->origin + gst_util_uint64_scale_round(self->frames, GST_SECOND, (guint)GST_AUDIO_FILTER_RATE(self));
}

/* The next audio, or silence, begins at `pts`: what is missing before it is a gap; a time that lies further back begins a
 * new stream. */
static auricle_status go_to(AuricleFilter *self, GstClockTime pts, GstClockTime jitter)
{
    GstClockTime end = end_of_audio(self);
    guint64 lost;

    if (!GST_CLOCK_TIME_IS_VALID(pts))
        return AURICLE_OK;
    if (GST_CLOCK_TIME_IS_VALID(end) && end > pts + JITTER) {
        GST_INFO_OBJECT(self, "from %" GST_TIME_FORMAT " back to %" GST_TIME_FORMAT, GST_TIME_ARGS(end), GST_TIME_ARGS(pts));
        drain(self);
    }
    if (self->frames == 0) {
        self->origin = pts;
        return AURICLE_OK;
    }
    if (!GST_CLOCK_TIME_IS_VALID(end) || pts <= end + jitter)
        return AURICLE_OK;
    lost = gst_util_uint64_scale_round(pts - end, (guint)GST_AUDIO_FILTER_RATE(self), GST_SECOND);
    GST_INFO_OBJECT(self, "%" G_GUINT64_FORMAT " frames are missing at %" GST_TIME_FORMAT, lost, GST_TIME_ARGS(end));
    self->frames += lost;
    return auricle_session_gap(self->session, lost);
}

static GstFlowReturn transform_ip(GstBaseTransform *base, GstBuffer *buffer)
{
    AuricleFilter *self = AURICLE_FILTER(base);
    const size_t frame_bytes = (size_t)GST_AUDIO_FILTER_BPF(self), rate = (size_t)GST_AUDIO_FILTER_RATE(self);
    const gint64 start = g_get_monotonic_time();
    auricle_status status;
    size_t frames, count;
    const guint8 *data;
    GstMapInfo map;

    if (self->unscored)
        return GST_FLOW_OK;
    status = go_to(self, GST_BUFFER_PTS(buffer), GST_BUFFER_IS_DISCONT(buffer) ? DISCONT_JITTER : JITTER);
    if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) {
        GST_ELEMENT_ERROR(self, RESOURCE, READ, (NULL), ("a buffer cannot be mapped"));
        return GST_FLOW_ERROR;
    }
    data = map.data;
    frames = map.size / frame_bytes;
    /* The session's ring holds two seconds. */
    for (; frames > 0 && status >= 0 && status != AURICLE_CANCELLED; frames -= count) {
        count = MIN(frames, rate);
        status = auricle_session_push_bytes(self->session, self->format, data, count);
        data += count * frame_bytes;
        self->frames += count;
        if (status >= 0)
            status = listen_to(self, buffer);
    }
    gst_buffer_unmap(buffer, &map);
    if (status == AURICLE_CANCELLED)
        return GST_FLOW_FLUSHING;
    if (status < 0) {
        fail(self, status);
        return GST_FLOW_ERROR;
    }
    note_latency(self, start);
    return GST_FLOW_OK;
}

/* Whether the audio goes on in the segment `next` where it is in the one that holds. */
static gboolean goes_on(AuricleFilter *self, const GstSegment *next)
{
    const GstSegment *now = &GST_BASE_TRANSFORM(self)->segment;
    const GstClockTime end = end_of_audio(self);

    return GST_CLOCK_TIME_IS_VALID(end) && now->format == GST_FORMAT_TIME && next->format == GST_FORMAT_TIME &&
           gst_segment_to_running_time(now, GST_FORMAT_TIME, end) == gst_segment_to_running_time(next, GST_FORMAT_TIME, end) &&
           gst_segment_to_stream_time(now, GST_FORMAT_TIME, end) == gst_segment_to_stream_time(next, GST_FORMAT_TIME, end);
}

static gboolean sink_event(GstBaseTransform *base, GstEvent *event)
{
    AuricleFilter *self = AURICLE_FILTER(base);
    const GstSegment *segment;
    GstClockTime begin, length;
    auricle_status status;

    switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_FLUSH_START: /* another thread than the streaming one */
        GST_OBJECT_LOCK(self);
        if (self->session)
            auricle_session_cancel(self->session);
        GST_OBJECT_UNLOCK(self);
        break;
    case GST_EVENT_FLUSH_STOP:
        forget(self);
        break;
    case GST_EVENT_SEGMENT:
        gst_event_parse_segment(event, &segment);
        if (self->frames > 0 && !goes_on(self, segment))
            drain(self);
        self->unscored = segment->rate < 0;
        break;
    case GST_EVENT_GAP:
        gst_event_parse_gap(event, &begin, &length);
        if (self->session && !self->unscored && GST_CLOCK_TIME_IS_VALID(length)) {
            status = go_to(self, begin, 0);
            if (status >= 0)
                status = self->frames > 0 ? go_to(self, begin + length, 0) : AURICLE_OK;
            if (status >= 0)
                status = listen_to(self, NULL);
            if (status < 0)
                fail(self, status);
        }
        break;
    case GST_EVENT_EOS:
        drain(self);
        break;
    default:
        break;
    }
    return GST_BASE_TRANSFORM_CLASS(auricle_filter_parent_class)->sink_event(base, event);
}

static gboolean query(GstBaseTransform *base, GstPadDirection direction, GstQuery *query)
{
    AuricleFilter *self = AURICLE_FILTER(base);
    GstClockTime least, most, own;
    gboolean live;

    if (!GST_BASE_TRANSFORM_CLASS(auricle_filter_parent_class)->query(base, direction, query))
        return FALSE;
    if (direction == GST_PAD_SRC && GST_QUERY_TYPE(query) == GST_QUERY_LATENCY) {
        GST_OBJECT_LOCK(self);
        own = self->reported;
        GST_OBJECT_UNLOCK(self);
        gst_query_parse_latency(query, &live, &least, &most);
        gst_query_set_latency(query, live, least + own, GST_CLOCK_TIME_IS_VALID(most) ? most + own : most);
    }
    return TRUE;
}

static void end_session(AuricleFilter *self)
{
    auricle_session *session;

    GST_OBJECT_LOCK(self);
    session = self->session;
    self->session = NULL;
    GST_OBJECT_UNLOCK(self);
    auricle_session_free(session);
    g_clear_pointer(&self->values, g_free);
}

/* A first window of silence says how long a window takes; nothing of it stays. */
static void warm_up(AuricleFilter *self, const GstAudioInfo *info)
{
    const size_t frames = (size_t)GST_AUDIO_INFO_RATE(info);
    guint8 *silence = g_malloc(frames * (size_t)GST_AUDIO_INFO_BPF(info));
    gint64 start = g_get_monotonic_time();
    auricle_result result;

    auricle_result_init(&result);
    gst_audio_format_info_fill_silence(info->finfo, silence, frames * (size_t)GST_AUDIO_INFO_BPF(info));
    auricle_session_push_bytes(self->session, self->format, silence, frames);
    auricle_session_finish(self->session);
    if (auricle_session_read(self->session, NULL, 0, &result) == AURICLE_OK)
        note_latency(self, start);
    auricle_session_reset(self->session);
    g_free(silence);
}

static gint32 format_of(const GstAudioInfo *info)
{
    switch (GST_AUDIO_INFO_FORMAT(info)) {
    case GST_AUDIO_FORMAT_U8: return AURICLE_U8;
    case GST_AUDIO_FORMAT_S16: return AURICLE_I16;
    case GST_AUDIO_FORMAT_S24LE: return AURICLE_I24;
    case GST_AUDIO_FORMAT_S32: return AURICLE_I32;
    case GST_AUDIO_FORMAT_F64: return AURICLE_F64;
    default: return AURICLE_F32;
    }
}

/* The caps. Those before, if any, still hold in the parent. */
static gboolean setup(GstAudioFilter *filter, const GstAudioInfo *info)
{
    AuricleFilter *self = AURICLE_FILTER(filter);
    auricle_session_options options;
    auricle_session *session = NULL;
    auricle_status status;

    drain(self);
    end_session(self);
    auricle_session_options_init(&options);
    options.sample_rate = (uint32_t)GST_AUDIO_INFO_RATE(info);
    options.channels = (uint32_t)GST_AUDIO_INFO_CHANNELS(info);
    options.hop_seconds = self->hop_seconds;
    options.channel = self->channel;
    options.stream_json = self->stream_json;
    status = auricle_session_create(self->model, &options, &session);
    if (status < 0) {
        fail(self, status);
        return FALSE;
    }
    self->classes = auricle_model_class_count(self->model);
    self->values = g_new0(float, self->classes);
    self->format = format_of(info);
    GST_OBJECT_LOCK(self);
    self->session = session;
    GST_OBJECT_UNLOCK(self);
    warm_up(self, info);
    return TRUE;
}

/* Loads the model; `self->providers` are NAME, or NAME? for one that is preferred, either with ={…}, its options. */
static auricle_status load(AuricleFilter *self)
{
    auricle_provider *providers = g_new(auricle_provider, self->providers->len);
    gchar **names = g_new0(gchar *, self->providers->len + 1);
    auricle_model_options options;
    auricle_status status;
    guint i;

    auricle_model_options_init(&options);
    options.threads = self->threads;
    for (i = 0; i < self->providers->len; i++) {
        const gchar *text = g_ptr_array_index(self->providers, i), *json = strstr(text, "={");
        size_t length = json ? (size_t)(json - text) : strlen(text);
        auricle_provider_init(&providers[i]);
        if (length > 0 && text[length - 1] == '?') {
            providers[i].need = AURICLE_PREFERRED;
            length--;
        }
        providers[i].name = names[i] = g_strndup(text, length);
        providers[i].options_json = json ? json + 1 : NULL;
    }
    if (self->providers->len > 0) {
        options.providers = providers;
        options.provider_count = self->providers->len;
    }
    status = auricle_runtime_open(self->runtime_path);
    if (status == AURICLE_OK)
        status = auricle_model_load(self->model_path, &options, &self->model);
    g_strfreev(names);
    g_free(providers);
    return status;
}

static gboolean start(GstBaseTransform *base)
{
    AuricleFilter *self = AURICLE_FILTER(base);
    GStrvBuilder *labels;
    auricle_status status;
    const gchar *text;
    size_t i;

    if (!self->model_path) {
        GST_ELEMENT_ERROR(self, LIBRARY, SETTINGS, ("no model: set the property \"model\" to the path of an ONNX file"), (NULL));
        return FALSE;
    }
    status = load(self);
    if (status < 0) {
        fail(self, status);
        return FALSE;
    }
    labels = g_strv_builder_new();
    for (i = 0; i < auricle_model_class_count(self->model) && (text = auricle_model_label(self->model, i)); i++)
        g_strv_builder_add(labels, text);
    GST_OBJECT_LOCK(self);
    self->labels = g_strv_builder_end(labels);
    self->reported = 0;
    GST_OBJECT_UNLOCK(self);
    g_strv_builder_unref(labels);
    forget(self);
    self->unscored = FALSE;
    return TRUE;
}

static gboolean stop(GstBaseTransform *base)
{
    AuricleFilter *self = AURICLE_FILTER(base);

    end_session(self);
    g_clear_pointer(&self->model, auricle_model_free);
    GST_OBJECT_LOCK(self);
    g_clear_pointer(&self->labels, g_strfreev);
    GST_OBJECT_UNLOCK(self);
    return TRUE;
}

static void finalize(GObject *object)
{
    AuricleFilter *self = AURICLE_FILTER(object);

    g_free(self->model_path);
    g_free(self->runtime_path);
    g_free(self->stream_json);
    g_ptr_array_unref(self->providers);
    G_OBJECT_CLASS(auricle_filter_parent_class)->finalize(object);
}

static void auricle_filter_init(AuricleFilter *self)
{
    self->providers = g_ptr_array_new_with_free_func(g_free);
    self->threads = 1;
    self->scores = TRUE;
    self->origin = GST_CLOCK_TIME_NONE;
    /* Metadata needs a buffer of our own; its memory, the audio, is never copied and never written. */
    gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
}

static void auricle_filter_class_init(AuricleFilterClass *class)
{
    GObjectClass *object = G_OBJECT_CLASS(class);
    GstElementClass *element = GST_ELEMENT_CLASS(class);
    GstBaseTransformClass *base = GST_BASE_TRANSFORM_CLASS(class);
    GstCaps *caps = gst_caps_from_string(CAPS);

    object->finalize = finalize;
    base->start = start;
    base->stop = stop;
    base->sink_event = sink_event;
    base->query = query;
    base->transform_ip = transform_ip;
    base->transform_ip_on_passthrough = FALSE;
    GST_AUDIO_FILTER_CLASS(class)->setup = setup;
    gst_audio_filter_class_add_pad_templates(GST_AUDIO_FILTER_CLASS(class), caps);
    gst_caps_unref(caps);
    gst_element_class_set_static_metadata(element, "Auricle sound classifier", "Filter/Analyzer/Audio",
                                          "Passes audio through and says what is heard in it: scores and events as messages and metadata",
                                          "The Auricle authors");
    auricle_properties_install(object);
}
