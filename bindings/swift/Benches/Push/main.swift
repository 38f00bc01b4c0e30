// What Swift adds to C: a push of 10 ms at 48 kHz, and a read without a due window, each timed in turns with the same call of
// C in one process; medians over rounds. Then what they allocate. `push-bench MODEL [ROUNDS]`; ends with 1 if anything was allocated.
import Allocations
import Auricle
import CAuricle
import Foundation

let frames = 480
let pushes = 100  // 1 s; the ring has room for 2
let block = (0..<frames).map { Float($0 % 97 - 48) / 480 }

/// Nanoseconds a call.
func time(_ count: Int, _ work: () throws -> Void) rethrows -> Double {
    let start = DispatchTime.now().uptimeNanoseconds
    for _ in 0..<count { try work() }
    return Double(DispatchTime.now().uptimeNanoseconds - start) / Double(count)
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

func failed() -> Never {
    fatalError(String(cString: auricle_last_error()))
}

let arguments = CommandLine.arguments
let path = arguments.count > 1 ? arguments[1] : "model.onnx"
let rounds = arguments.count > 2 ? Int(arguments[2])! : 300

var cModel: OpaquePointer?
var cSession: OpaquePointer?
var options = auricle_session_options()
auricle_session_options_init(&options)
options.sample_rate = 48_000
guard auricle_model_load(path, nil, &cModel) == AURICLE_OK, auricle_session_create(cModel, &options, &cSession) == AURICLE_OK else {
    failed()
}
let session = try Session(Model(path: path), options: Session.Options(sampleRate: 48_000))

var result = auricle_result()
auricle_result_init(&result)
var (pushC, pushSwift, readC, readSwift): ([Double], [Double], [Double], [Double]) = ([], [], [], [])
var (pushAllocations, readAllocations): (UInt64, UInt64) = (0, 0)
// What Swift looks up once a process.
try session.push(block)
_ = try session.read()
for _ in 0..<rounds {
    auricle_session_reset(cSession)
    pushC.append(
        block.withUnsafeBufferPointer { samples in
            time(pushes) {
                if auricle_session_push_f32(cSession, samples.baseAddress, frames) != AURICLE_OK { failed() }
            }
        })
    try session.reset()
    var before = allocations()
    let push = try time(pushes) {
        if try !session.push(block) { fatalError("frames were lost") }
    }
    pushAllocations += allocations() - before
    pushSwift.append(push)
    // The windows that are due by now; then there is none.
    while auricle_session_read(cSession, nil, 0, &result) == AURICLE_OK {}
    while try session.read(scores: false) != nil {}
    readC.append(
        time(pushes) {
            if auricle_session_read(cSession, nil, 0, &result) != AURICLE_AGAIN { failed() }
        })
    before = allocations()
    let read = try time(pushes) {
        if try session.read() != nil { fatalError("a window was due") }
    }
    readAllocations += allocations() - before
    readSwift.append(read)
}
print("push:  C \(Int(median(pushC))) ns, Swift \(Int(median(pushSwift))) ns, \(Int(median(pushSwift) - median(pushC))) more")
print("read:  C \(Int(median(readC))) ns, Swift \(Int(median(readSwift))) ns, \(Int(median(readSwift) - median(readC))) more")
print("allocations in \(rounds * pushes) calls: push \(pushAllocations), read \(readAllocations)")
let before = allocations()
_ = (0..<1000).map { [$0] }
guard allocations() - before >= 1000 else { fatalError("allocations are not counted") }
auricle_session_free(cSession)
auricle_model_free(cModel)
exit(pushAllocations + readAllocations == 0 ? 0 : 1)
