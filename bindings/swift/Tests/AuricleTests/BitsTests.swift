import Auricle
import CAuricle
import XCTest

/// What C says of the same audio, by calls of C alone, as numbers whose bits are compared.
private struct FromC {
    var clip: [UInt32] = []
    var windows: [[UInt64]] = []
    var events: [[UInt64]] = []

    init() {
        var (model, session): (OpaquePointer?, OpaquePointer?)
        var options = auricle_session_options()
        auricle_session_options_init(&options)
        options.sample_rate = 48_000
        options.channels = 2
        XCTAssertEqual(auricle_model_load(esc10, nil, &model), AURICLE_OK)
        let classes = auricle_model_class_count(model)
        var scores = [Float](repeating: 0, count: classes)
        XCTAssertEqual(auricle_classify_f32(model, noise, noise.count / 2, 2, 48_000, &scores, classes), AURICLE_OK)
        clip = scores.map(\.bitPattern)
        rules.withCString {
            options.stream_json = $0
            XCTAssertEqual(auricle_session_create(model, &options, &session), AURICLE_OK)
        }
        // The ring holds two seconds: three pieces.
        let piece = 80_000
        var (result, event) = (auricle_result(), auricle_event())
        auricle_result_init(&result)
        auricle_event_init(&event)
        XCTAssertEqual(auricle_session_gap(session, 4_800), AURICLE_OK)
        for step in 0...3 {
            if step < 3 {
                noise.withUnsafeBufferPointer {
                    XCTAssertEqual(auricle_session_push_f32(session, $0.baseAddress! + step * piece * 2, piece), AURICLE_OK)
                }
            } else {
                XCTAssertEqual(auricle_session_finish(session), AURICLE_OK)
            }
            while auricle_session_read(session, &scores, classes, &result) == AURICLE_OK {
                let r = result
                windows.append(
                    [UInt64(r.silent), r.first_frame, r.end_frame, r.sequence, r.clipped_frames, r.non_finite_frames]
                        + [r.dropped_frames, r.gap_frames]
                        + ([r.peak_dbfs, r.rms_dbfs, r.dc_offset, r.noise_floor_dbfs, r.snr_db] + scores).map { UInt64($0.bitPattern) })
            }
            while auricle_session_read_event(session, &event) == AURICLE_OK {
                let e = event
                events.append(
                    [UInt64(e.is_final), e.id, e.class_index, e.onset_frame, e.offset_frame, e.decided_frame]
                        + [UInt64(e.peak_score.bitPattern), UInt64(e.mean_score.bitPattern), e.lost_before])
            }
        }
        auricle_session_free(session)
        auricle_model_free(model)
    }
}

private func numbers(_ r: Session.Result) -> [UInt64] {
    [r.silent ? 1 : 0, r.firstFrame, r.endFrame, r.sequence, r.clippedFrames, r.nonFiniteFrames, r.droppedFrames, r.gapFrames]
        .map(UInt64.init)
        + ([r.peakDBFS, r.rmsDBFS, r.dcOffset, r.noiseFloorDBFS, r.snrDB] + r.scores).map { UInt64($0.bitPattern) }
}

private func numbers(_ e: Event) -> [UInt64] {
    [e.isFinal ? 1 : 0, e.id, UInt64(e.classIndex), UInt64(e.onsetFrame), UInt64(e.offsetFrame), UInt64(e.decidedFrame)]
        + [UInt64(e.peakScore.bitPattern), UInt64(e.meanScore.bitPattern), UInt64(e.lostBefore)]
}

final class BitsTests: XCTestCase {
    private static let fromC = FromC()
    private static let model = Result { try Model(path: esc10) }

    private func session(_ ringSeconds: Double = 6) throws -> Session {
        try Session(
            Self.model.get(),
            options: Session.Options(sampleRate: 48_000, channels: 2, ringSeconds: ringSeconds, streamJSON: rules))
    }

    /// What a session says after `push` has pushed all of the audio.
    private func check(_ push: (Session, inout [Session.Result]) throws -> Void) throws {
        let session = try session()
        var (results, events): ([Session.Result], [Event]) = ([], [])
        try session.gap(4_800)
        try push(session, &results)
        try session.finish()
        while let result = try session.read() { results.append(result) }
        while let event = try session.readEvent() { events.append(event) }
        XCTAssert(session.hasEnded)
        XCTAssertGreaterThan(results.count, 7, "too little to compare")
        XCTAssertGreaterThan(events.count, 1, "too little to compare")
        XCTAssertEqual(results.map(numbers), Self.fromC.windows)
        XCTAssertEqual(events.map(numbers), Self.fromC.events)
    }

    func testAnyBlockSizeGivesTheBitsOfC() throws {
        for block in [3, 441, 480, 4096, 240_000] {
            try check { session, results in
                for start in stride(from: 0, to: noise.count, by: 2 * block) {
                    XCTAssert(try session.push(noise[start..<min(start + 2 * block, noise.count)]))
                    while let result = try session.read() { results.append(result) }
                }
            }
        }
    }

    func testEveryWayToHandSamplesOverGivesTheBitsOfC() throws {
        try check { session, _ in try session.push(noise) }
        try check { session, _ in try session.push(noise.lazy.map { $0 }) }
        try check { session, _ in try session.push(noise.map(Double.init)) }
        try check { session, _ in
            try noise.withUnsafeBytes { bytes in _ = try session.push(bytes: bytes, format: .f32) }
        }
        try check { session, _ in try session.push(bytes: noise.withUnsafeBytes { Data($0) }, format: .f32) }
        try check { session, _ in
            var left = stride(from: 0, to: noise.count, by: 2).map { noise[$0] }
            var right = stride(from: 1, to: noise.count, by: 2).map { noise[$0] }
            try left.withUnsafeMutableBufferPointer { left in
                try right.withUnsafeMutableBufferPointer { right in
                    let pointers = [left.baseAddress!, right.baseAddress!]
                    _ = try session.push(planar: pointers, frames: left.count)
                }
            }
        }
    }

    func testAClipHasTheBitsOfC() throws {
        let model = try Self.model.get()
        let bytes = noise.withUnsafeBytes { Data($0) }
        for clip in [
            Clip(noise, sampleRate: 48_000, channels: 2), Clip(bytes: bytes, format: .f32, sampleRate: 48_000, channels: 2),
            Clip(noise.map(Double.init), sampleRate: 48_000, channels: 2),
        ] {
            XCTAssertEqual(try model.classifyAndWait(clip).map(\.bitPattern), Self.fromC.clip)
        }
    }

    func testIntegersAreTheFloatsThatTheyStandFor() throws {
        let model = try Self.model.get()
        let pcm16 = noise.map { Int16(($0.isNaN ? 0 : $0) * 32_767) }
        let expected = try model.classifyAndWait(Clip(pcm16.map { Float($0) / 32_768 }, sampleRate: 48_000, channels: 2))
        let packed = pcm16.flatMap { sample in withUnsafeBytes(of: (Int32(sample) << 8).littleEndian) { Array($0[0..<3]) } }
        XCTAssertEqual(try model.classifyAndWait(Clip(pcm16, sampleRate: 48_000, channels: 2)), expected)
        XCTAssertEqual(try model.classifyAndWait(Clip(pcm16.map { Int32($0) << 16 }, sampleRate: 48_000, channels: 2)), expected)
        XCTAssertEqual(try model.classifyAndWait(Clip(bytes: packed, format: .i24, sampleRate: 48_000, channels: 2)), expected)
    }
}
