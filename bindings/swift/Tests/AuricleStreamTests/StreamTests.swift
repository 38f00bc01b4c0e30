import Auricle
import Foundation
import Testing

private let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../..").standardizedFileURL
private let model = Result { try Model(path: root.appendingPathComponent("models/esc10.onnx").path) }
private let rules = #"{ "events": { "on": 0.12 } }"#

private func tone(_ frames: Int, _ hertz: Float = 440) -> [Float] {
    (0..<frames).map { 0.3 * sin(Float($0) * hertz * 2 * .pi / 16_000) }
}

private func status(of call: () throws(AuricleError) -> Void) -> AuricleError.Status? {
    do throws(AuricleError) { try call() } catch { return error.status }
    return nil
}

@Suite struct Losses {
    @Test(arguments: [Session.Overflow.dropNewest, .dropOldest])
    func aSlowReaderIsToldOfEveryFrame(_ overflow: Session.Overflow) throws {
        let options = Session.Options(hopSeconds: 1, ringSeconds: 2.5, overflow: overflow)
        let session = try Session(model.get(), options: options)
        // A window of 0.975 s each second; half a second finds no room, 0.475 s of it in the last window.
        #expect(try (0..<3).map { _ in try session.push(tone(16_000)) } == [true, true, false])
        var lost: [Int64] = []
        while let result = try session.read() { lost.append(result.droppedFrames) }
        #expect(lost == (overflow == .dropNewest ? [0, 0, 7_600] : [8_000, 0, 0]))
        try session.push(tone(16_000))
        let later = try #require(try session.read())
        #expect(later.firstFrame == 48_000 && later.droppedFrames == 0)
    }

    @Test func aSlowLoopIsToldOfDrops() async throws {
        let session = try Session(model.get(), options: .init(hopSeconds: 1, ringSeconds: 2.5))
        for _ in 0..<3 { try session.push(tone(16_000)) }
        try session.finish()
        var lost: Int64 = 0
        for try await result in session.results { lost += result.droppedFrames }
        #expect(lost == 7_600)
    }

    @Test func aGapIsCountedWhereItLies() throws {
        let session = try Session(model.get())
        try session.push(tone(8_000))
        try session.gap(4_000)
        try session.push(tone(4_000))
        let result = try #require(try session.read())
        #expect(result.gapFrames == 4_000 && result.droppedFrames == 0)
        #expect(status { () throws(AuricleError) in try session.gap(-1) } == .invalidArgument)
    }

    @Test func healthIsTold() throws {
        let session = try Session(model.get())
        var samples = [Float](repeating: 0, count: 16_000)
        (samples[100], samples[5_000]) = (.nan, 1)
        try session.push(samples)
        let result = try #require(try session.read())
        #expect(result.nonFiniteFrames == 1 && result.clippedFrames == 1)
        try session.reset()
        try session.push([Float](repeating: 0, count: 16_000))
        let silent = try #require(try session.read(scores: false))
        #expect(silent.silent && silent.scores.isEmpty && silent.peakDBFS == -.infinity)
    }
}

@Suite struct Ends {
    @Test func afterFinishComeTheRestTheEndAndAReset() throws {
        let session = try Session(model.get())
        try session.push(tone(20_000))
        try session.finish()
        try session.finish()
        #expect(status { () throws(AuricleError) in try session.push(tone(10)) } == .invalidState)
        #expect(!session.hasEnded)
        var count = 0
        while try session.read() != nil { count += 1 }
        #expect(count >= 2 && session.hasEnded)
        try session.reset()
        try session.push(tone(10))
        #expect(try session.pending() == 10 && !session.hasEnded)
    }

    @Test func aStreamTooShortSaysSoOnce() throws {
        let session = try Session(model.get())
        try session.push(tone(1))
        try session.finish()
        #expect(status { () throws(AuricleError) in _ = try session.read() } == .clipTooShort)
        #expect(try session.read() == nil && session.hasEnded)
    }

    @Test func readsOfOneLoopCanBeLimited() throws {
        let session = try Session(model.get(), options: .init(maxWindowsPerRead: 2, ringSeconds: 10))
        try session.push(tone(5 * 16_000))
        for _ in 0..<2 {
            var count = 0
            while try session.read() != nil { count += 1 }
            #expect(count == 2)
        }
    }

    @Test func eventsNeedRules() throws {
        let session = try Session(model.get(), options: .init(streamJSON: "{}"))
        #expect(status { () throws(AuricleError) in _ = try session.readEvent() } == .invalidState)
    }
}

@Suite struct Loops {
    /// One task pushes in small pieces while another one loops.
    @Test func aLoopGivesWhatReadsGive() async throws {
        let audio = tone(5 * 16_000)
        let session = try Session(model.get(), options: .init(ringSeconds: 6, streamJSON: rules))
        async let looped = { () async throws -> ([Session.Result], [Event]) in
            var (results, events): ([Session.Result], [Event]) = ([], [])
            for try await result in session.results {
                results.append(result)
                #expect(try session.output(0) == result.scores)
                while let event = try session.readEvent() { events.append(event) }
            }
            while let event = try session.readEvent() { events.append(event) }
            return (results, events)
        }()
        for start in stride(from: 0, to: audio.count, by: 160) {
            #expect(try session.push(audio[start..<start + 160]))
            if start % 16_000 == 0 { try await Task.sleep(nanoseconds: 5_000_000) }
        }
        try session.finish()
        let (results, events) = try await looped
        #expect(session.hasEnded && results.count > 5)

        let alone = try Session(model.get(), options: .init(ringSeconds: 6, streamJSON: rules))
        try alone.push(audio)
        try alone.finish()
        var expected: [Session.Result] = []
        while let result = try alone.read() { expected.append(result) }
        #expect(results.map(\.scores) == expected.map(\.scores))
        #expect(results.map(\.firstFrame) == expected.map(\.firstFrame))
        #expect(!events.isEmpty)

        let third = try Session(model.get(), options: .init(ringSeconds: 6, streamJSON: rules))
        try third.push(audio)
        try third.finish()
        var onlyEvents: [Event] = []
        for try await event in third.events { onlyEvents.append(event) }
        #expect(onlyEvents == events)
    }

    @Test(arguments: ["close", "cancel"])
    func aSessionThatEndsEndsTheLoop(_ how: String) async throws {
        for round in 0..<10 {
            let session = try Session(model.get())
            let loop = Task {
                var count = 0
                for try await _ in session.results { count += 1 }
                return count
            }
            try session.push(tone(16_000))
            try await Task.sleep(nanoseconds: UInt64(20_000_000 * (round % 3 + 1)))
            if how == "close" { session.close() } else { try session.cancel() }
            // The first read of a task that has not begun yet finds a closed session.
            do { #expect(try await loop.value <= 1) } catch { #expect(how == "close" && (error as? AuricleError)?.status == .invalidState) }
        }
    }

    @Test func aCancelledTaskEndsItsLoopAndTheSessionGoesOn() async throws {
        let session = try Session(model.get())
        let loop = Task { for try await _ in session.results {} }
        try await Task.sleep(nanoseconds: 20_000_000)
        let start = ContinuousClock.now
        loop.cancel()
        try await loop.value
        #expect(ContinuousClock.now - start < .seconds(5))
        try session.push(tone(16_000))
        var results = session.results
        #expect(try await results.next()?.scores.count == 10)
    }

    @Test func aLoopOverAClosedSessionThrows() async throws {
        let session = try Session(model.get())
        session.close()
        var results = session.results
        await #expect(throws: AuricleError.self) { _ = try await results.next() }
        var events = session.events
        await #expect(throws: AuricleError.self) { _ = try await events.next() }
    }

    @Test func manySessionsAreReadInOneRun() throws {
        let sessions = try (0..<4).map { _ in try Session(model.get()) }
        for (index, session) in sessions.enumerated() { try session.push(tone(max(1, 8_000 * index))) }
        try sessions[0].finish()
        try sessions[1].cancel()
        let outcomes = try Session.readMany(sessions, milliseconds: 0)
        guard case .failed(let error) = outcomes[0], case .result(let result) = outcomes[3] else {
            Issue.record("\(outcomes)")
            return
        }
        #expect(error.status == .clipTooShort && outcomes[1] == .cancelled)
        let alone = try Session(model.get())
        try alone.push(tone(24_000))
        #expect(try alone.read()?.scores == result.scores)
        #expect(try Session.readMany([]).isEmpty)
    }

    @Test func aSecondThreadInAHalfIsAnError() async throws {
        let session = try Session(model.get())
        let waiting = Task.detached { _ = try session.wait(milliseconds: 2_000) }
        try await Task.sleep(nanoseconds: 300_000_000)
        #expect(status { () throws(AuricleError) in _ = try session.read() } == .invalidState)
        #expect(status { () throws(AuricleError) in try session.reset() } == .invalidState)
        try session.cancel()
        await #expect(throws: AuricleError.self) { try await waiting.value }
    }
}
