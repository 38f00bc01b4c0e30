import Auricle
import CAuricle
import Foundation
import XCTest

let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../..").standardizedFileURL
let esc10 = root.appendingPathComponent("models/esc10.onnx").path
let rules = #"{ "smoothing_seconds": 0.25, "events": { "on": 0.12 } }"#

/// 5 s at 48 kHz, stereo: noise whose level goes up and down, so that scores and health differ from window to window, with a few
/// samples that are at full scale and fewer that are none.
let noise: [Float] = {
    var state: UInt64 = 7
    var samples = (0..<5 * 48_000 * 2).map { index in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let uniform = Float(state >> 40) / Float(1 << 23) - 1
        return uniform * 0.5 * abs(sin(Float(index) / 60_000))
    }
    for index in 0..<7 { samples[90_000 + 1_000 * index] = index < 2 ? .nan : 1 }
    return samples
}()

extension XCTestCase {
    /// The error of a call that must fail.
    func failure<Value>(
        _ status: AuricleError.Status, _ part: String = "", file: StaticString = #filePath, line: UInt = #line,
        _ call: () throws(AuricleError) -> Value
    ) {
        do throws(AuricleError) {
            _ = try call()
            XCTFail("nothing was thrown", file: file, line: line)
        } catch {
            XCTAssertEqual(error.status, status, error.message, file: file, line: line)
            XCTAssert(part.isEmpty || error.message.contains(part), error.message, file: file, line: line)
        }
    }
}
