// What comes out of a stream: member for member what C gives.
#include "check.hpp"

#include <cmath>

static bool same(float a, float b)
{
    return !std::memcmp(&a, &b, sizeof a);
}

static bool same(const auricle::Window &a, const auricle_result &b)
{
    // How long it took differs, and with it whether that was late.
    return a.silent == (b.silent != 0) && a.first_frame == b.first_frame && a.end_frame == b.end_frame
        && a.sequence == b.sequence && same(a.peak_dbfs, b.peak_dbfs) && same(a.rms_dbfs, b.rms_dbfs)
        && same(a.dc_offset, b.dc_offset) && a.clipped_frames == b.clipped_frames
        && a.non_finite_frames == b.non_finite_frames && a.dropped_frames == b.dropped_frames
        && a.gap_frames == b.gap_frames && same(a.noise_floor_dbfs, b.noise_floor_dbfs) && same(a.snr_db, b.snr_db)
        && a.inference_nanoseconds > 0 && b.inference_nanoseconds > 0;
}

int main(int argc, char **argv)
{
    const auricle::Model model = tiny(folder_of(argc, argv));
    auricle::Session session = create(model, 48000, 2), twin = create(model, 48000, 2);
    std::vector<float> samples = sound(4 * 48000, 2), scores(TINY_CLASSES), wanted(TINY_CLASSES);
    auricle::Window window;
    auricle_result result;
    int windows = 0, with_gap = 0, clipped = 0, broken = 0, silent = 0;

    samples[40000] = 1.5f;
    samples[40010] = NAN;
    std::fill(samples.begin() + 200000, samples.end(), 0.0f);
    auricle_result_init(&result);
    for (std::size_t at = 0; at < samples.size(); at += 9600) { // 100 ms
        OK(session.push({samples.data() + at, 9600}));
        CHECK(auricle_session_push_f32(twin.get(), samples.data() + at, 4800) == AURICLE_OK);
        if (at == 96000) {
            OK(session.gap(777));
            CHECK(auricle_session_gap(twin.get(), 777) == AURICLE_OK);
        }
        if (at + 9600 == samples.size()) {
            OK(session.finish());
            CHECK(auricle_session_finish(twin.get()) == AURICLE_OK);
        }
        while (session.read(scores, window) == auricle::Status::ok) {
            CHECK(auricle_session_read(twin.get(), wanted.data(), wanted.size(), &result) == AURICLE_OK);
            CHECK(same(window, result) && scores == wanted);
            windows++;
            with_gap += window.gap_frames > 0;
            clipped += window.clipped_frames > 0;
            broken += window.non_finite_frames > 0;
            silent += window.silent;
        }
    }
    EXPECT(end, "", session.read(scores, window));
    CHECK(windows >= 13 && with_gap > 0 && with_gap < windows && clipped > 0 && broken > 0 && silent > 0);

    // Written with Status::ok only.
    window.sequence = 77;
    scores[0] = -7;
    EXPECT(end, "", session.read(scores, window));
    CHECK(window.sequence == 77 && scores[0] == -7.0f);
    return DONE();
}
