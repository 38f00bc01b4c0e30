import Auricle
import XCTest

final class ModelTests: XCTestCase {
    func testAModelSaysWhatItIs() throws {
        let model = try Model(path: esc10)
        XCTAssertEqual(model.labels.count, 10)
        XCTAssertEqual([model.classCount, model.sampleRate, model.outputs.count], [10, 16_000, 1])
        XCTAssertEqual(model.outputs[0].kind, .scores)
        let record = try JSONSerialization.jsonObject(with: Data(model.describe().utf8)) as? [String: Any]
        XCTAssertNotNil(record?["manifest"], "\(String(describing: record?.keys))")
    }

    func testOtherOutputsThanTheFirst() throws {
        // Mean and maximum of 800 samples as scores; its first sample, its last one and the mean as a vector.
        let model = try Model(path: root.appendingPathComponent("tests/data/heads.onnx").path)
        let (levels, vector) = (model.outputs[0], model.outputs[1])
        XCTAssertEqual([levels.name, vector.name], ["levels", "vector"])
        XCTAssertEqual([levels.kind, vector.kind], [.scores, .embedding])
        XCTAssertEqual([levels.size, vector.size], [2, 3])
        XCTAssertEqual([levels.labels, vector.labels, model.labels], [["mean", "max"], [], ["mean", "max"]])
        let ramp = (0..<800).map { Float($0 % 64) / 128 }
        let clip = Clip(ramp, sampleRate: model.sampleRate)
        XCTAssertEqual(try model.classifyAndWait(clip, options: .init(output: 1)).prefix(2), [ramp[0], ramp[799]])
        failure(.invalidArgument, "output") { () throws(AuricleError) in try model.classifyAndWait(clip, options: .init(output: 2)) }
        failure(.invalidArgument, "output") { () throws(AuricleError) in try model.classifyAndWait(clip, options: .init(output: -1)) }

        let session = try Session(model)
        failure(.invalidState) { () throws(AuricleError) in try session.output(1) }
        try session.push(ramp)
        let result = try XCTUnwrap(session.read())
        XCTAssertEqual(try session.output(0), result.scores)
        XCTAssertEqual(try session.output(1).prefix(2), [ramp[0], ramp[799]])
        for index in [2, -1, .max] {
            failure(.invalidArgument) { () throws(AuricleError) in try session.output(index) }
        }
    }

    func testErrorsSayWhatIsWrong() throws {
        failure(.file, "nowhere.onnx") { () throws(AuricleError) in try Model(path: "nowhere.onnx") }
        failure(.invalidArgument, "NUL") { () throws(AuricleError) in try Model(path: "a\0b") }
        failure(.model) { () throws(AuricleError) in try Model(onnx: [UInt8](repeating: 1, count: 100)) }
        failure(.invalidArgument, "threads is -1") { () throws(AuricleError) in
            try Model(path: esc10, options: Model.Options(threads: -1))
        }
        failure(.invalidArgument, "threads") { () throws(AuricleError) in
            try Model(path: esc10, options: Model.Options(threads: 1000))
        }
        let model = try Model(path: esc10)
        failure(.clipTooShort) { () throws(AuricleError) in try model.classifyAndWait(Clip([Float](), sampleRate: 16_000)) }
        failure(.invalidArgument, "3 times 4") { () throws(AuricleError) in
            try model.classifyAndWait(Clip([Float](repeating: 0, count: 100), sampleRate: 16_000, channels: 3))
        }
        for channels in [0, 9, -1, .max] {
            failure(.invalidArgument, "channels") { () throws(AuricleError) in
                try model.classifyAndWait(Clip([Float](repeating: 0, count: 32), sampleRate: 16_000, channels: channels))
            }
            failure(.invalidArgument, "channels") { () throws(AuricleError) in
                try Session(model, options: Session.Options(channels: channels))
            }
        }
        failure(.invalidArgument, "on") { () throws(AuricleError) in
            try Session(model, options: Session.Options(streamJSON: #"{ "events": { "on": 7 } }"#))
        }
        do {
            _ = try Model(path: "nowhere.onnx")
        } catch {
            XCTAssert(error.localizedDescription.hasPrefix("nowhere.onnx: "), error.localizedDescription)
        }
        XCTAssertEqual("\(AuricleError.Status.ok)".isEmpty, false)
        failure(.invalidState) { () throws(AuricleError) in
            try Runtime.open(path: root.appendingPathComponent("README.md").path)
        }
    }

    func testProvidersAreAskedFor() throws {
        XCTAssertNoThrow(try Model(path: esc10, options: Model.Options(providers: [Provider("cpu")])))
        failure(.provider) { () throws(AuricleError) in
            try Model(path: esc10, options: Model.Options(providers: [Provider("cuda")]))
        }
        let options = Model.Options(providers: [Provider("cuda", need: .preferred, optionsJSON: "{}"), Provider("cpu")])
        XCTAssert(try Model(path: esc10, options: options).describe().contains("cuda"))
        failure(.invalidArgument) { () throws(AuricleError) in
            try Model(path: esc10, options: Model.Options(providers: [Provider("cpu", optionsJSON: "no JSON")]))
        }
    }

    func testALoadIsToldAndCanBeStopped() throws {
        let stages = Locked<[String]>([])
        _ = try Model(
            path: esc10,
            progress: { stage, done in
                stages.update { $0.append("\(stage) \(done)") }; return true
            })
        XCTAssert(stages.value.contains { $0.hasPrefix("prepare") }, "\(stages.value)")
        failure(.cancelled) { () throws(AuricleError) in try Model(path: esc10, progress: { _, _ in false }) }
        let cancel = try Cancel()
        cancel.request()
        failure(.cancelled) { () throws(AuricleError) in try Model(path: esc10, cancel: cancel) }
        let model = try Model(path: esc10)
        failure(.cancelled) { () throws(AuricleError) in
            try model.classifyAndWait(Clip(noise, sampleRate: 48_000, channels: 2), cancel: cancel)
        }
    }

    func testAsyncFunctionsGiveTheSameAndFollowTheirTask() async throws {
        let model = try await Model.load(path: esc10)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: esc10))
        let fromMemory = try await Model.load(onnx: bytes)
        let clip = Clip(noise, sampleRate: 48_000, channels: 2)
        let here = try await model.classify(clip)
        let there = try await fromMemory.classify(clip)
        XCTAssertEqual(here, there)
        let long = Clip([Float](repeating: 0.1, count: 16_000 * 3600), sampleRate: 16_000)
        let task = Task { try await model.classify(long, options: .init(hopSeconds: 0.01)) }
        try await Task.sleep(nanoseconds: 50_000_000)
        task.cancel()
        do {
            _ = try await task.value
            XCTFail("an hour was classified")
        } catch {
            XCTAssertEqual((error as? AuricleError)?.status, .cancelled)
        }
    }

    func testMessagesOfTheLibraryAreHeard() throws {
        let heard = Locked<[String]>([])
        try Log.set(upTo: .debug) { level, message in heard.update { $0.append("\(level): \(message)") } }
        _ = try Model(path: esc10)
        try Log.set(nil)
        let count = heard.value.count
        XCTAssertGreaterThan(count, 0)
        _ = try Model(path: esc10)
        XCTAssertEqual(heard.value.count, count)
    }
}

/// A value behind a lock.
final class Locked<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var stored: Value

    init(_ value: Value) { stored = value }
    var value: Value { lock.withLock { stored } }
    func update(_ change: (inout Value) -> Void) { lock.withLock { change(&stored) } }
}
