/* The header is the first thing included, so that it cannot lean on another one. */
#include <auricle.h>

#include "check.h"

int other_translation_unit(void);

/* Programs that were compiled against these sizes and places must keep running: they may grow, never change. */
#define SAME(name, condition) typedef char name[(condition) ? 1 : -1]
SAME(model_options_size, sizeof(auricle_model_options) == 24 + 5 * sizeof(void *));
SAME(model_options_threads, offsetof(auricle_model_options, threads) == 4);
SAME(model_options_self_check, offsetof(auricle_model_options, self_check) == 8);
SAME(model_options_cancel, offsetof(auricle_model_options, cancel) == 16);
SAME(model_options_providers, offsetof(auricle_model_options, providers) == 16 + sizeof(void *));
SAME(model_options_count, offsetof(auricle_model_options, provider_count) == 16 + 2 * sizeof(void *));
SAME(model_options_progress, offsetof(auricle_model_options, progress) == 16 + 3 * sizeof(void *));
SAME(model_options_user, offsetof(auricle_model_options, user) == 16 + 4 * sizeof(void *));
SAME(model_options_pool, offsetof(auricle_model_options, shared_pool) == 16 + 5 * sizeof(void *));
SAME(runtime_options_size, sizeof(auricle_runtime_options) == 16 + 2 * sizeof(void *));
SAME(runtime_options_threads, offsetof(auricle_runtime_options, shared_threads) == 4);
SAME(runtime_options_known, offsetof(auricle_runtime_options, known_only) == 8);
SAME(runtime_options_start, offsetof(auricle_runtime_options, thread_start) == 16);
SAME(runtime_options_user, offsetof(auricle_runtime_options, user) == 16 + sizeof(void *));
SAME(provider_size, sizeof(auricle_provider) == 8 + 2 * sizeof(void *));
SAME(provider_need, offsetof(auricle_provider, need) == 4);
SAME(provider_name, offsetof(auricle_provider, name) == 8);
SAME(provider_options, offsetof(auricle_provider, options_json) == 8 + sizeof(void *));
SAME(clip_options_size, sizeof(auricle_clip_options) == 24 + sizeof(void *));
SAME(clip_options_channel, offsetof(auricle_clip_options, channel) == 4);
SAME(clip_options_hop, offsetof(auricle_clip_options, hop_seconds) == 8);
SAME(clip_options_cancel, offsetof(auricle_clip_options, cancel) == 16);
SAME(clip_options_output, offsetof(auricle_clip_options, output) == 16 + sizeof(void *));
SAME(output_size, sizeof(auricle_output) == 24);
SAME(output_kind, offsetof(auricle_output, kind) == 4);
SAME(output_values, offsetof(auricle_output, size) == 8);
SAME(output_hop, offsetof(auricle_output, hop_seconds) == 16);
SAME(session_options_size, sizeof(auricle_session_options) == 40 + sizeof(void *));
SAME(session_options_rate, offsetof(auricle_session_options, sample_rate) == 4);
SAME(session_options_channels, offsetof(auricle_session_options, channels) == 8);
SAME(session_options_windows, offsetof(auricle_session_options, max_windows_per_read) == 12);
SAME(session_options_hop, offsetof(auricle_session_options, hop_seconds) == 16);
SAME(session_options_ring, offsetof(auricle_session_options, ring_seconds) == 24);
SAME(session_options_overflow, offsetof(auricle_session_options, overflow) == 32);
SAME(session_options_channel, offsetof(auricle_session_options, channel) == 36);
SAME(session_options_stream, offsetof(auricle_session_options, stream_json) == 40);
SAME(result_size, sizeof(auricle_result) == 96);
SAME(result_silent, offsetof(auricle_result, silent) == 4);
SAME(result_first, offsetof(auricle_result, first_frame) == 8);
SAME(result_end, offsetof(auricle_result, end_frame) == 16);
SAME(result_sequence, offsetof(auricle_result, sequence) == 24);
SAME(result_peak, offsetof(auricle_result, peak_dbfs) == 32);
SAME(result_rms, offsetof(auricle_result, rms_dbfs) == 36);
SAME(result_dc, offsetof(auricle_result, dc_offset) == 40);
SAME(result_late, offsetof(auricle_result, late) == 44);
SAME(result_clipped, offsetof(auricle_result, clipped_frames) == 48);
SAME(result_non_finite, offsetof(auricle_result, non_finite_frames) == 56);
SAME(result_dropped, offsetof(auricle_result, dropped_frames) == 64);
SAME(result_gap, offsetof(auricle_result, gap_frames) == 72);
SAME(result_inference, offsetof(auricle_result, inference_nanoseconds) == 80);
SAME(result_noise, offsetof(auricle_result, noise_floor_dbfs) == 88);
SAME(result_snr, offsetof(auricle_result, snr_db) == 92);
SAME(event_size, sizeof(auricle_event) == 64);
SAME(event_final, offsetof(auricle_event, is_final) == 4);
SAME(event_id, offsetof(auricle_event, id) == 8);
SAME(event_class, offsetof(auricle_event, class_index) == 16);
SAME(event_onset, offsetof(auricle_event, onset_frame) == 24);
SAME(event_offset, offsetof(auricle_event, offset_frame) == 32);
SAME(event_decided, offsetof(auricle_event, decided_frame) == 40);
SAME(event_peak, offsetof(auricle_event, peak_score) == 48);
SAME(event_mean, offsetof(auricle_event, mean_score) == 52);
SAME(event_lost, offsetof(auricle_event, lost_before) == 56);
SAME(status_size, sizeof(auricle_status) == 4);

int main(void)
{
    char version[64];
    auricle_model_options model;
    auricle_provider provider;
    auricle_clip_options clip;
    auricle_session_options session;
    auricle_result result;
    auricle_event event;
    auricle_runtime_options runtime;

    snprintf(version, sizeof version, "%d.%d.%d", AURICLE_VERSION_MAJOR, AURICLE_VERSION_MINOR,
             AURICLE_VERSION_PATCH);
    CHECK(!strcmp(version, AURICLE_VERSION));
    CHECK(!strcmp(version, auricle_version()));
    CHECK(auricle_abi_version() == AURICLE_ABI_VERSION);

    memset(&model, 0xee, sizeof model);
    auricle_model_options_init(&model);
    CHECK(model.struct_size == sizeof model && model.threads == 0 && model.self_check == 0);
    CHECK(!model.providers && !model.provider_count && !model.progress && !model.user);
    CHECK(model.shared_pool == 0 && model.reserved == 0);
    memset(&provider, 0xee, sizeof provider);
    auricle_provider_init(&provider);
    CHECK(provider.struct_size == sizeof provider && provider.need == AURICLE_REQUIRED && !provider.name);
    auricle_provider_init(NULL);
    memset(&clip, 0xee, sizeof clip);
    auricle_clip_options_init(&clip);
    CHECK(clip.struct_size == sizeof clip && clip.channel == 0 && clip.hop_seconds == 0 && !clip.cancel);
    auricle_clip_options_init(NULL);
    memset(&session, 0xee, sizeof session);
    auricle_session_options_init(&session);
    CHECK(session.struct_size == sizeof session && session.sample_rate == 0 && session.channels == 0);
    CHECK(session.max_windows_per_read == 0 && session.overflow == 0 && !session.stream_json);
    CHECK(session.channel == 0 && session.hop_seconds == 0 && session.ring_seconds == 0);
    memset(&result, 0xee, sizeof result);
    auricle_result_init(&result);
    CHECK(result.struct_size == sizeof result && result.end_frame == 0 && result.inference_nanoseconds == 0);
    auricle_model_options_init(NULL);
    auricle_session_options_init(NULL);
    auricle_result_init(NULL);
    memset(&event, 0xee, sizeof event);
    auricle_event_init(&event);
    CHECK(event.struct_size == sizeof event && event.id == 0 && event.lost_before == 0);
    auricle_event_init(NULL);
    memset(&runtime, 0xee, sizeof runtime);
    auricle_runtime_options_init(&runtime);
    CHECK(runtime.struct_size == sizeof runtime && runtime.shared_threads == 0 && runtime.known_only == 0);
    CHECK(!runtime.reserved && !runtime.thread_start && !runtime.user);
    auricle_runtime_options_init(NULL);

    CHECK(other_translation_unit() == 1);
    return DONE();
}
