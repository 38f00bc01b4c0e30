import Auricle
import XCTest

/// What is closed throws, at any moment, and everything that was made is freed.
final class ClosedTests: XCTestCase {
    func testAClosedSessionThrowsEverywhere() throws {
        let session = try Session(Model(path: esc10))
        session.close()
        session.close()
        let silence = [Float](repeating: 0, count: 160)
        failure(.invalidState, "the session is closed") { () throws(AuricleError) in try session.push(silence) }
        failure(.invalidState, "closed") { () throws(AuricleError) in
            try session.push(bytes: silence.withUnsafeBytes { Data($0) }, format: .f32)
        }
        failure(.invalidState, "closed") { () throws(AuricleError) in try session.gap(1) }
        failure(.invalidState, "closed") { () throws(AuricleError) in try session.finish() }
        failure(.invalidState, "closed") { () throws(AuricleError) in try session.read() }
        failure(.invalidState, "closed") { () throws(AuricleError) in try session.readEvent() }
        failure(.invalidState, "closed") { () throws(AuricleError) in try session.output(0) }
        failure(.invalidState, "closed") { () throws(AuricleError) in try session.wait(milliseconds: 0) }
        failure(.invalidState, "closed") { () throws(AuricleError) in try session.reset() }
        failure(.invalidState, "closed") { () throws(AuricleError) in try session.pending() }
        failure(.invalidState, "closed") { () throws(AuricleError) in try session.cancel() }
        failure(.invalidState, "closed") { () throws(AuricleError) in try Session.readMany([session]) }
    }

    func testAClosedModelThrowsAndItsSessionsGoOn() throws {
        let model = try Model(path: esc10)
        let session = try Session(model)
        model.close()
        model.close()
        failure(.invalidState, "the model is closed") { () throws(AuricleError) in try model.describe() }
        failure(.invalidState, "closed") { () throws(AuricleError) in try model.classifyAndWait(Clip([Float(0)], sampleRate: 16_000)) }
        failure(.invalidState, "closed") { () throws(AuricleError) in try Session(model) }
        try session.push([Float](repeating: 0.1, count: 16_000))
        XCTAssertEqual(try session.read()?.scores.count, 10)
    }

    func testClosingAtAnyMomentCrashesNothing() throws {
        let model = try Model(path: esc10)
        for round in 0..<60 {
            let session = try Session(model, options: Session.Options(sampleRate: 48_000, channels: 2))
            let ends = Locked<[AuricleError]>([])
            let threads = DispatchGroup()
            let works: [@Sendable () throws(AuricleError) -> Void] = [
                { () throws(AuricleError) in while true { try session.push(noise[0..<960]) } },
                { () throws(AuricleError) in while true { if try session.read() == nil { _ = try session.wait(milliseconds: 50) } } },
                { () throws(AuricleError) in while true { _ = try session.pending() } },
            ]
            for work in works {
                DispatchQueue(label: "thread").async(group: threads) {
                    do throws(AuricleError) { try work() } catch { ends.update { $0.append(error) } }
                }
            }
            usleep(UInt32(1000 * (round % 7)))
            session.close()
            XCTAssertEqual(threads.wait(timeout: .now() + 20), .success)
            XCTAssertEqual(ends.value.count, 3)
            for error in ends.value where error.status != .cancelled {
                XCTAssertEqual(error.message, "the session is closed")
            }
        }
    }

    func testClosingWakesAWaitThatHasNoEnd() throws {
        let session = try Session(Model(path: esc10))
        let status = Locked<AuricleError.Status?>(nil)
        let (begins, ends) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        DispatchQueue(label: "thread").async {
            begins.signal()
            do throws(AuricleError) {
                _ = try session.wait(milliseconds: 3_600_000)
            } catch {
                status.update { $0 = error.status }
            }
            ends.signal()
        }
        begins.wait()
        usleep(50_000)
        session.close()
        XCTAssertEqual(ends.wait(timeout: .now() + 20), .success)
        XCTAssertEqual(status.value, .cancelled)
    }

    /// Megabytes of this process that lie in memory.
    private func resident() throws -> Double {
        let words = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        return Double(words[1])! * Double(sysconf(Int32(_SC_PAGESIZE))) / 1e6
    }

    func testNothingIsLeftOfWhatWasMade() throws {
        let model = try Model(path: esc10)
        func sessions(_ count: Int) throws {
            for index in 0..<count {
                let session = try Session(model, options: Session.Options(ringSeconds: 0.1))
                try session.push([Float](repeating: 0, count: 160))
                _ = try session.read()
                if index % 2 == 0 { session.close() }
            }
        }
        func models(_ count: Int) throws {
            for _ in 0..<count { _ = try Model(path: esc10, options: Model.Options(providers: [Provider("cpu")])) }
        }
        try sessions(500)
        try models(5)
        let before = try resident()
        try sessions(10_000)
        try models(30)
        // A session that leaks costs 30 kB and a model 1 MB.
        XCTAssertLessThan(try resident() - before, 15)
    }
}
